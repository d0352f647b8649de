//! OCI image layouts on this host: a directory with `oci-layout`, `index.json` and the blobs that this names.
//!
//! Format: the OCI image specification, version 1.

use std::path::Path;

use serde::Deserialize;

use crate::{
    backend::files,
    domain::host::{Image, ImageKind},
};

use super::{paths, reference::is_tag};

/// The annotation that names an image of a layout.
const NAME: &str = "org.opencontainers.image.ref.name";

/// Why a layout or its tag cannot be used. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error(transparent)]
    Path(#[from] paths::BadPath),
    #[error("{0} is no OCI image layout on this host: it has no oci-layout and index.json.")]
    NotALayout(String),
    #[error("{path}/index.json cannot be understood: {detail}.")]
    Garbled { path: String, detail: String },
    #[error("“{0}” is no tag: a tag is of letters, digits, underscores, dots and dashes, at most 128.")]
    BadTag(String),
    #[error("{path} has no image “{tag}”. It has {}.", listed(.there))]
    NoTag { path: String, tag: String, there: Vec<String> },
}

fn listed(tags: &[String]) -> String {
    const SHOWN: usize = 8;
    match tags {
        [] => "none".to_owned(),
        some => some.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "),
    }
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// One image of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    pub tag: String,
    /// Compressed, as it lies there, bytes.
    pub size: Option<u64>,
}

/// The images of the layout in this directory that can be named, sorted by tag.
pub fn read(dir: &str) -> Result<Vec<Tagged>, LayoutError> {
    let path = paths::for_image_tools(dir)?;
    let none = || LayoutError::NotALayout(dir.to_owned());
    let index_file = path.join("index.json");
    if !path.join("oci-layout").is_file() || !index_file.is_file() {
        return Err(none());
    }
    let text = files::read(&index_file).ok().flatten().ok_or_else(none)?;
    let index: Index = serde_json::from_str(&text)
        .map_err(|e| LayoutError::Garbled { path: dir.to_owned(), detail: e.to_string() })?;
    let tagged = |one: &Descriptor| {
        let tag = one.annotations.get(NAME).filter(|tag| is_tag(tag))?.clone();
        Some(Tagged { tag, size: size(path, one) })
    };
    let mut found: Vec<Tagged> = index.manifests.iter().filter_map(tagged).collect();
    found.sort_by(|a, b| a.tag.cmp(&b.tag));
    found.dedup_by(|a, b| a.tag == b.tag);
    Ok(found)
}

/// Of configuration and layers; `None` where the manifest is not one of a single image, or is not there.
fn size(layout: &Path, manifest: &Descriptor) -> Option<u64> {
    let (algorithm, hex) = manifest.digest.split_once(':')?;
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let blob = layout.join("blobs").join(algorithm).join(hex);
    if !is_plain(algorithm) || !is_plain(hex) || !blob.is_file() {
        return None;
    }
    let manifest: Manifest = serde_json::from_str(&files::read(&blob).ok()??).ok()?;
    manifest.layers.iter().try_fold(manifest.config.size, |sum, layer| sum.checked_add(layer.size))
}

/// Whether that image is there.
pub fn check(dir: &str, tag: &str) -> Result<(), LayoutError> {
    if !is_tag(tag) {
        return Err(LayoutError::BadTag(super::input::shown(tag)));
    }
    let there = read(dir)?;
    if there.iter().any(|one| one.tag == tag) {
        return Ok(());
    }
    Err(LayoutError::NoTag {
        path: dir.to_owned(),
        tag: tag.to_owned(),
        there: there.into_iter().map(|one| one.tag).collect(),
    })
}

/// The images of all layouts in the subdirectories, by path and tag as in `/srv/images/alpine:3.20`.
pub fn images(dir: &Path) -> Vec<Image> {
    // A directory that cannot be read offers nothing.
    let names = files::names(dir).unwrap_or_default();
    let layouts = names.iter().filter_map(|name| dir.join(name).to_str().map(str::to_owned));
    layouts
        .filter_map(|layout| read(&layout).ok().map(|tags| (layout, tags)))
        .flat_map(|(layout, tags)| tags.into_iter().map(move |one| (layout.clone(), one)))
        .map(|(layout, one)| Image {
            id: format!("{layout}:{}", one.tag),
            kind: ImageKind::OciLayout,
            node: None,
            size: one.size,
            description: String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn layout(dir: &Path, index: &str) -> String {
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        fs::write(dir.join("oci-layout"), "{}").unwrap();
        fs::write(dir.join("index.json"), index).unwrap();
        let manifest = json!({"config": {"digest": "sha256:cc", "size": 5},
            "layers": [{"digest": "sha256:1a", "size": 100}, {"digest": "sha256:1b", "size": 20}]});
        fs::write(dir.join("blobs/sha256/aa"), manifest.to_string()).unwrap();
        dir.to_str().unwrap().to_owned()
    }

    fn index(images: &[(&str, &str)]) -> String {
        let manifests: Vec<_> = images
            .iter()
            .map(|(tag, digest)| json!({"digest": digest, "size": 3, "annotations": {NAME: tag}}))
            .collect();
        json!({"schemaVersion": 2, "manifests": manifests}).to_string()
    }

    #[test]
    fn the_images_of_a_layout_are_listed_with_their_sizes() {
        let dir = tempfile::tempdir().unwrap();
        let text =
            index(&[("b", "sha256:aa"), ("a", "sha256:gone"), ("bad tag", "sha256:aa"), ("c", "../../etc")]);
        let path = layout(&dir.path().join("alpine"), &text);
        let found = read(&path).unwrap();
        let found: Vec<_> = found.iter().map(|one| (one.tag.as_str(), one.size)).collect();
        assert_eq!(found, [("a", None), ("b", Some(125)), ("c", None)]);
        assert_eq!(check(&path, "b"), Ok(()));
        let images = images(dir.path());
        assert_eq!(images.len(), 3);
        assert_eq!((images[1].id.as_str(), images[1].size), (format!("{path}:b").as_str(), Some(125)));
    }

    #[test]
    fn what_is_no_layout_or_lacks_the_tag_is_refused_in_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = layout(&dir.path().join("l"), &index(&[("a", "sha256:aa")]));
        let wanted = LayoutError::NoTag { path: path.clone(), tag: "b".into(), there: vec!["a".to_owned()] };
        assert!(wanted.to_string().ends_with("It has a."));
        assert_eq!(check(&path, "b"), Err(wanted));
        assert_eq!(check(&path, "a b"), Err(LayoutError::BadTag("a b".into())));
        let garbled = layout(&dir.path().join("g"), "{");
        assert!(matches!(check(&garbled, "a"), Err(LayoutError::Garbled { .. })));
        let empty = dir.path().to_str().unwrap();
        assert_eq!(check(empty, "a"), Err(LayoutError::NotALayout(empty.to_owned())));
        assert_eq!(check("l", "a"), Err(LayoutError::Path(paths::BadPath::NotAbsolute)));
        assert!(images(&dir.path().join("none")).is_empty());
    }
}
