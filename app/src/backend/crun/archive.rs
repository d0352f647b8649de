//! Archives of images: which of the two formats a file is, told by the names in it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::de::IgnoredAny;

use super::paths;

/// Most entries looked at. An image has a few files for each of its layers.
const MOST_ENTRIES: usize = 100_000;
/// Most that is read of an index in an archive, bytes.
const LARGEST_INDEX: u64 = 4 * 1024 * 1024;

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As `docker save` writes it. Newer ones are OCI archives as well; this side of them is the safer one, as it
    /// names one image.
    Docker,
    Oci,
}

impl Format {
    /// skopeo's name for it.
    pub fn transport(self) -> &'static str {
        match self {
            Self::Docker => "docker-archive",
            Self::Oci => "oci-archive",
        }
    }
}

/// Why a file cannot be used. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Path(#[from] paths::BadPath),
    #[error("{0} is not a file on this host.")]
    NotAFile(String),
    #[error("{path} cannot be read: {detail}.")]
    Unreadable { path: String, detail: String },
    #[error("{path} is compressed by {by}. Unpack it first: `{by} -d -k` with its path.")]
    Compressed { path: String, by: &'static str },
    #[error(
        "{0} is no archive of an image: it has neither a manifest.json nor an oci-layout. `docker save` or `skopeo copy` write one."
    )]
    NoImage(String),
    #[error("{path} holds {images} images, and one is needed. Write an archive of that one alone.")]
    NotOne { path: String, images: usize },
}

/// What this file of the host is. Reads the names of its entries and its index.
pub fn look(path: &str) -> Result<Format, ArchiveError> {
    let file_path = paths::for_image_tools(path)?;
    // A pipe would be waited for.
    if !file_path.is_file() {
        return Err(ArchiveError::NotAFile(path.to_owned()));
    }
    if let Some(by) = compression(file_path) {
        return Err(ArchiveError::Compressed { path: path.to_owned(), by });
    }
    let found = entries(file_path)
        .map_err(|e| ArchiveError::Unreadable { path: path.to_owned(), detail: e.to_string() })?;
    let (format, images) = match found {
        Found { manifest: Some(images), .. } => (Format::Docker, images),
        Found { index: Some(images), has_layout: true, .. } => (Format::Oci, images),
        _ => return Err(ArchiveError::NoImage(path.to_owned())),
    };
    if images == 1 { Ok(format) } else { Err(ArchiveError::NotOne { path: path.to_owned(), images }) }
}

/// What was found: how many images each index names.
#[derive(Debug, Default)]
struct Found {
    manifest: Option<usize>,
    index: Option<usize>,
    has_layout: bool,
}

fn entries(path: &Path) -> io::Result<Found> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let mut found = Found::default();
    for entry in archive.entries_with_seek()?.take(MOST_ENTRIES) {
        // What is no archive at its very beginning is none; one that is cut is for skopeo to judge.
        let Ok(entry) = entry else { break };
        let name = entry.path()?.into_owned();
        match name.strip_prefix(".").unwrap_or(&name).to_str() {
            Some("manifest.json") => found.manifest = Some(count::<Vec<IgnoredAny>>(entry, Vec::len)),
            Some("index.json") => found.index = Some(count::<Index>(entry, |index| index.manifests.len())),
            Some("oci-layout") => found.has_layout = true,
            _ => {}
        }
    }
    Ok(found)
}

#[derive(serde::Deserialize)]
struct Index {
    manifests: Vec<IgnoredAny>,
}

/// One that cannot be understood names no image.
fn count<T: serde::de::DeserializeOwned>(entry: impl Read, images: impl Fn(&T) -> usize) -> usize {
    serde_json::from_reader(entry.take(LARGEST_INDEX)).map_or(0, |index| images(&index))
}

fn compression(path: &Path) -> Option<&'static str> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(6).read_to_end(&mut start).ok()?;
    [(&b"\x1f\x8b"[..], "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd")]
        .into_iter()
        .find(|(magic, _)| start.starts_with(magic))
        .map(|(_, by)| by)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn archive(dir: &Path, files: &[(&str, &str)]) -> String {
        let path = dir.join("image.tar");
        let mut tar = tar::Builder::new(File::create(&path).unwrap());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_format_is_told_by_the_names_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let of = |files: &[(&str, &str)]| look(&archive(dir.path(), files));
        let filler = "x".repeat(100_000);
        let (layer, manifest) = (("a/layer.tar", filler.as_str()), ("manifest.json", "[{}]"));
        let (layout, index) = (("./oci-layout", "{}"), ("./index.json", r#"{"manifests":[{}]}"#));
        assert_eq!(of(&[layer, manifest]), Ok(Format::Docker));
        assert_eq!(of(&[layer, layout, index]), Ok(Format::Oci));
        assert_eq!(of(&[layout, index, manifest]), Ok(Format::Docker));
        let not_one = |images| move |found: &ArchiveError| matches!(found, ArchiveError::NotOne { images: n, .. } if *n == images);
        for (files, is_wanted) in [
            (&[("manifest.json", "[{},{}]")][..], &not_one(2) as &dyn Fn(&ArchiveError) -> bool),
            (&[("manifest.json", "nope")], &not_one(0)),
            (&[layout, ("index.json", r#"{"manifests":[]}"#)], &not_one(0)),
            (&[index], &|found| matches!(found, ArchiveError::NoImage(_))),
            (&[layout], &|found| matches!(found, ArchiveError::NoImage(_))),
            (&[("sub/manifest.json", "[{}]")], &|found| matches!(found, ArchiveError::NoImage(_))),
            (&[], &|found| matches!(found, ArchiveError::NoImage(_))),
        ] {
            let found = of(files).unwrap_err();
            assert!(is_wanted(&found), "{files:?}: {found}");
        }
    }

    #[test]
    fn what_is_no_archive_is_refused_in_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        for (bytes, by) in [
            (&b"\x1f\x8b\x08xxxxxxx"[..], "gzip"),
            (b"BZh9xxxx", "bzip2"),
            (b"\xfd7zXZ\0xx", "xz"),
            (b"\x28\xb5\x2f\xfdxx", "zstd"),
        ] {
            let found = look(&file("c", bytes));
            assert!(
                matches!(&found, Err(ArchiveError::Compressed { by: found, .. }) if *found == by),
                "{found:?}"
            );
        }
        for bytes in [&b""[..], b"\x1f", &[0; 2048], &[b'x'; 5000]] {
            let found = look(&file("n", bytes));
            assert!(matches!(&found, Err(ArchiveError::NoImage(_))), "{found:?}");
        }
        let missing = dir.path().join("none");
        assert!(matches!(look(missing.to_str().unwrap()), Err(ArchiveError::NotAFile(_))));
        assert!(matches!(look(dir.path().to_str().unwrap()), Err(ArchiveError::NotAFile(_))));
        assert_eq!(look("image.tar"), Err(ArchiveError::Path(paths::BadPath::NotAbsolute)));
        assert_eq!(look("/a:b.tar"), Err(ArchiveError::Path(paths::BadPath::Colon)));
    }
}
