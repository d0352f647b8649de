//! Facts that the plan of a new container depends on.

use std::{fs, io::Read as _, path::Path};

use serde::Deserialize;

use crate::{
    backend::{files, host_runner::find_tool},
    domain::{
        name::GuestName,
        spec::{CreateSpec, LxcNetwork},
    },
};

use super::{super::tools, Place, Reader, is_taken};
use crate::backend::cgroup::Layout;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFacts {
    /// There is anything of this name, defined or not.
    pub taken: bool,
    pub create_config_exists: bool,
    pub templates: Vec<String>,
    pub has_busybox: bool,
    /// Of those that the template runs.
    pub missing_programs: Vec<&'static str>,
    pub metadata: Archive,
    pub rootfs: Archive,
    /// The OCI image layout that the image is in, where it is in one.
    pub images: Option<ImageLayout>,
    /// The bridge that is asked for; `None` where none is.
    pub bridge: Option<Bridge>,
    pub layout: Layout,
}

/// What is at a path that should be an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    Missing,
    NotAFile,
    OtherFormat,
    Xz,
}

/// What is at a path that should be an OCI image layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageLayout {
    Missing,
    /// There is no `index.json` that can be understood.
    NotALayout,
    /// The tags in it.
    Tags(Vec<String>),
}

/// What the host has of the name of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bridge {
    Missing,
    OtherInterface,
    Found,
}

/// For a request that has been checked: its paths and names are looked up as they are.
pub fn create(
    reader: &Reader,
    place: &Place,
    templates: &Path,
    name: &GuestName,
    spec: &CreateSpec,
) -> CreateFacts {
    let (metadata, rootfs) = match spec {
        CreateSpec::LxcLocal { metadata, rootfs, .. } => (archive(metadata), archive(rootfs)),
        _ => (Archive::Missing, Archive::Missing),
    };
    let (needed, network): (&[&'static str], _) = match spec {
        CreateSpec::LxcLocal { network, .. } => (&["tar", "xz"], network.as_ref()),
        CreateSpec::LxcOci { network, .. } => (&["skopeo", "umoci", "jq"], network.as_ref()),
        CreateSpec::LxcTemplate { network, .. } => (&[], network.as_ref()),
        _ => (&[], None),
    };
    let images = match spec {
        CreateSpec::LxcOci { image, .. } => image.strip_prefix("oci:").and_then(|rest| rest.rsplit_once(':')),
        _ => None,
    };
    CreateFacts {
        taken: is_taken(reader, name),
        create_config_exists: place.create_config.as_ref().is_none_or(|path| Path::new(path).is_file()),
        templates: tools::templates(templates),
        has_busybox: find_tool("busybox").is_some(),
        missing_programs: needed.iter().copied().filter(|program| find_tool(program).is_none()).collect(),
        metadata,
        rootfs,
        images: images.map(|(directory, _)| image_layout(Path::new(directory))),
        bridge: match network {
            Some(LxcNetwork::Bridge { bridge: name, .. }) => Some(bridge(Path::new("/sys"), name)),
            _ => None,
        },
        layout: Layout::of_host(),
    }
}

/// By its first bytes: lxc-local unpacks with `tar -J`, which says no more than "invalid" of anything else.
fn archive(path: &str) -> Archive {
    const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
    let path = Path::new(path);
    // Asked before it is opened, as opening a pipe would wait.
    match fs::metadata(path) {
        Err(_) => return Archive::Missing,
        Ok(found) if !found.is_file() => return Archive::NotAFile,
        Ok(_) => {}
    }
    let mut bytes = [0; XZ.len()];
    match fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)) {
        Ok(()) if bytes == XZ => Archive::Xz,
        _ => Archive::OtherFormat,
    }
}

/// `index.json`, as the OCI image layout specification has it.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

fn image_layout(directory: &Path) -> ImageLayout {
    let path = directory.join("index.json");
    if !directory.is_dir() {
        return ImageLayout::Missing;
    }
    // Only a regular file: opening a pipe would wait for ever.
    let text = if path.is_file() { files::read(&path).ok().flatten() } else { None };
    let index: Option<Index> = text.and_then(|text| serde_json::from_str(&text).ok());
    let Some(index) = index else { return ImageLayout::NotALayout };
    let tag = |mut image: Descriptor| image.annotations.remove("org.opencontainers.image.ref.name");
    ImageLayout::Tags(index.manifests.into_iter().filter_map(tag).collect())
}

/// Open vSwitch's bridges look like any other interface; where its module is loaded, LXC finds out.
fn bridge(sys: &Path, name: &str) -> Bridge {
    let interface = sys.join("class/net").join(name);
    if fs::symlink_metadata(&interface).is_err() {
        Bridge::Missing
    } else if interface.join("bridge").is_dir() || sys.join("module/openvswitch").exists() {
        Bridge::Found
    } else {
        Bridge::OtherInterface
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_by_their_first_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("good"), b"\xfd7zXZ\0rest").unwrap();
        fs::write(path("zip"), b"PK\x03\x04 something").unwrap();
        fs::write(path("short"), b"\xfd7z").unwrap();
        assert_eq!(archive(&path("good")), Archive::Xz);
        assert_eq!(archive(&path("zip")), Archive::OtherFormat);
        assert_eq!(archive(&path("short")), Archive::OtherFormat);
        assert_eq!(archive(&path("none")), Archive::Missing);
        assert_eq!(archive(&path("")), Archive::NotAFile);
    }

    #[test]
    fn a_layout_tells_its_tags() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(dir.path().join("index.json"), text).unwrap();
        assert_eq!(image_layout(&dir.path().join("none")), ImageLayout::Missing);
        assert_eq!(image_layout(dir.path()), ImageLayout::NotALayout);
        for text in ["", "{}", "[]", r#"{"manifests": 1}"#, "\u{0}"] {
            write(text);
            assert_eq!(image_layout(dir.path()), ImageLayout::NotALayout, "{text:?}");
        }
        write(
            r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:1","annotations":{"org.opencontainers.image.ref.name":"3.20"}},{"digest":"x"}]}"#,
        );
        assert_eq!(image_layout(dir.path()), ImageLayout::Tags(vec!["3.20".into()]));
    }

    #[test]
    fn a_bridge_is_told_from_another_interface() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("class/net/br0/bridge")).unwrap();
        fs::create_dir_all(dir.path().join("class/net/eth0")).unwrap();
        let of = |name| bridge(dir.path(), name);
        assert_eq!(
            [of("br0"), of("eth0"), of("br1")],
            [Bridge::Found, Bridge::OtherInterface, Bridge::Missing]
        );
        fs::create_dir_all(dir.path().join("module/openvswitch")).unwrap();
        assert_eq!([of("eth0"), of("br1")], [Bridge::Found, Bridge::Missing]);
    }
}
