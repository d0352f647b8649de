//! Facts that a plan depends on, read before it. Blocking; starts no process.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use crate::{
    backend::{Error, files, host_runner::find_tool},
    domain::{name::GuestName, spec::CreateSpec},
};

use super::{
    config::{self, ContainerConfig},
    reader::{Look, Reader},
    state::Creation,
    tools,
};

/// Where the tools are told to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub lxcpath: String,
    pub create_config: Option<String>,
    pub log_dir: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFacts {
    /// There is anything of this name, defined or not.
    pub taken: bool,
    pub create_config_exists: bool,
    pub templates: Vec<String>,
    pub has_busybox: bool,
    /// Of those that unpack archives.
    pub missing_programs: Vec<&'static str>,
    pub metadata: Archive,
    pub rootfs: Archive,
}

/// What is at a path that should be an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    Missing,
    NotAFile,
    OtherFormat,
    Xz,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFacts {
    pub orphans: Vec<OrphanFact>,
    pub missing_links: Vec<MissingLink>,
}

/// A network interface that the configuration names and the host does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLink {
    pub key: String,
    pub link: String,
}

/// An init of this container that no monitor looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrphanFact {
    pub pid: u32,
    /// It is this container's beyond doubt.
    pub proven: bool,
    pub frozen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopFacts {
    /// A monitor looks after it.
    pub active: bool,
    /// Its creation was cut off.
    pub cut_off: bool,
    pub orphans: Vec<OrphanFact>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteFacts {
    /// lxc-create is at work on it.
    pub creating: bool,
    pub orphans: Vec<u32>,
    pub snapshots: Vec<String>,
    /// Other containers whose root file system is on this one's.
    pub dependents: Vec<String>,
    /// What lxc-destroy deletes besides the container's directory.
    pub rootfs: Option<String>,
}

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
    CreateFacts {
        taken: fs::symlink_metadata(reader.directory(name)).is_ok(),
        create_config_exists: place.create_config.as_ref().is_none_or(|path| Path::new(path).is_file()),
        templates: tools::templates(templates),
        has_busybox: find_tool("busybox").is_some(),
        missing_programs: ["tar", "xz"].into_iter().filter(|program| find_tool(program).is_none()).collect(),
        metadata,
        rootfs,
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

pub fn start(reader: &Reader, look: &Look) -> Result<StartFacts, Error> {
    let config = settings(reader, &look.name)?;
    let missing_links = config
        .networks
        .iter()
        .filter(|(_, network)| network.needs_link() && !interface_exists(&network.link))
        .map(|(number, network)| MissingLink {
            key: format!("lxc.net.{number}.link"),
            link: network.link.clone(),
        })
        .collect();
    Ok(StartFacts { orphans: orphans(look), missing_links })
}

/// Whether the host has this network interface. A name that cannot be one is left for LXC to complain about.
fn interface_exists(link: &str) -> bool {
    let impossible = link.contains('/') || link.starts_with('.') || link.contains('\0');
    impossible || fs::symlink_metadata(Path::new("/sys/class/net").join(link)).is_ok()
}

pub fn stop(look: &Look) -> StopFacts {
    StopFacts {
        active: look.seen.monitor.is_some(),
        cut_off: look.seen.creation == Creation::CutOff,
        orphans: orphans(look),
    }
}

fn orphans(look: &Look) -> Vec<OrphanFact> {
    look.orphans
        .iter()
        .map(|orphan| OrphanFact {
            pid: orphan.init.pid,
            proven: orphan.proven,
            frozen: orphan.init.is_frozen(),
        })
        .collect()
}

pub fn delete(reader: &Reader, look: &Look) -> Result<DeleteFacts, Error> {
    let config = settings(reader, &look.name)?;
    let directory = reader.directory(&look.name);
    Ok(DeleteFacts {
        creating: look.seen.creation == Creation::AtWork,
        orphans: look.seen.orphans.clone(),
        snapshots: snapshots(&directory)?,
        dependents: dependents(reader, &look.name, &config)?,
        rootfs: config.rootfs.filter(|_| !config.unmanaged),
    })
}

fn settings(reader: &Reader, name: &GuestName) -> Result<ContainerConfig, Error> {
    Ok(config::read(&reader.directory(name).join("config"))?.unwrap_or_default())
}

/// A snapshot is a container of its own below `snaps`.
fn snapshots(directory: &Path) -> Result<Vec<String>, Error> {
    let mut names = files::names(&directory.join("snaps"))?;
    names.sort_unstable();
    Ok(names)
}

/// By LXC's own record of clones, and by the root file systems of the other containers of this path: a hand-made
/// overlay is in no record.
fn dependents(reader: &Reader, name: &GuestName, config: &ContainerConfig) -> Result<Vec<String>, Error> {
    let directory = reader.directory(name);
    let record = files::read(&directory.join("lxc_snapshots"))?.unwrap_or_default();
    let mut dependents = recorded_clones(&record);
    let own =
        [format!("{}/", directory.display()), format!("{}:", config.rootfs_directory().unwrap_or("\0"))];
    for other in reader.names()?.iter().filter(|other| *other != name) {
        let rootfs = settings(reader, other)?.rootfs.unwrap_or_default();
        if own.iter().any(|own| format!("{rootfs}:").contains(own)) {
            dependents.push(other.to_string());
        }
    }
    dependents.sort_unstable();
    dependents.dedup();
    Ok(dependents)
}

/// The file `lxc_snapshots`: a line with the clone's path and one with its name for each; or, as older versions wrote
/// it, only their number.
fn recorded_clones(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    match lines[..] {
        [number] => match number.trim().parse::<u32>() {
            Ok(0) | Err(_) => vec![],
            Ok(count) => vec![format!("{count} that LXC has counted but not named")],
        },
        _ => lines.chunks_exact(2).map(|pair| pair[1].to_owned()).collect(),
    }
}

/// For [`Place`]: a path as an argv word, which is text.
pub fn word(path: &Path) -> Result<String, Error> {
    // Repeated and trailing slashes would give another command socket than the one LXC's own tools use.
    let path: PathBuf = path.components().collect();
    path.to_str().map(str::to_owned).ok_or_else(|| Error::Unreadable {
        path: path.display().to_string(),
        detail: "its name is not UTF-8".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::process::Proc;

    #[test]
    fn clones_are_read_from_both_forms_of_the_record() {
        assert_eq!(recorded_clones("/var/lib/lxc\nc4\n/var/lib/lxc\nc5\n"), ["c4", "c5"]);
        assert_eq!(recorded_clones("2\n").len(), 1);
        assert!(recorded_clones("0").is_empty());
        assert!(recorded_clones("").is_empty());
    }

    #[test]
    fn a_container_that_lives_on_this_ones_files_depends_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        for (name, rootfs) in [
            ("base", format!("dir:{path}/base/rootfs")),
            ("over", format!("overlay:{path}/base/rootfs:{path}/over/delta")),
            ("base2", format!("dir:{path}/base2/rootfs")),
            ("shared", "dir:/srv/common".to_owned()),
            ("shares", "/srv/common".to_owned()),
        ] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join("config"), format!("lxc.rootfs.path = {rootfs}\n")).unwrap();
        }
        let reader = Reader::new(path.to_owned(), false, Proc::default());
        let of = |name: &str| {
            let name = GuestName::new(name).unwrap();
            dependents(&reader, &name, &settings(&reader, &name).unwrap()).unwrap()
        };
        assert_eq!(of("base"), ["over"]);
        assert_eq!(of("shared"), ["shares"]);
        assert!(of("over").is_empty());
    }

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
    fn an_interface_is_looked_up_by_its_plain_name_only() {
        assert!(interface_exists("lo"));
        assert!(!interface_exists("nosuchif0"));
        assert!(interface_exists("../../../nowhere"), "not looked up at all");
    }

    #[test]
    fn a_path_becomes_a_word_without_needless_slashes() {
        assert_eq!(word(Path::new("/var//lib/lxc/")), Ok("/var/lib/lxc".to_owned()));
        assert!(word(Path::new(std::ffi::OsStr::from_bytes(b"/\xff"))).is_err());
    }

    use std::os::unix::ffi::OsStrExt as _;
}
