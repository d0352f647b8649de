//! Facts that a plan depends on, read before it. Blocking; starts no process.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    backend::{Error, cgroup::Layout, edit::digest, files, host_runner::find_tool},
    domain::name::GuestName,
};

use super::{
    config::{self, ContainerConfig},
    configure::ConfigureFacts,
    reader::{Look, Reader},
    snapshots::{self, Kept},
    state::Creation,
};

pub mod create;
#[cfg(test)]
mod tests;

/// Where the tools are told to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub lxcpath: String,
    pub create_config: Option<String>,
    pub log_dir: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFacts {
    pub orphans: Vec<OrphanFact>,
    pub missing_links: Vec<MissingLink>,
    /// Its configuration names a root file system.
    pub has_rootfs: bool,
    /// Its program is run by LXC's own small init, as that of an OCI image.
    pub is_application: bool,
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
    /// All that is where its snapshots are.
    pub snapshots: Vec<String>,
    /// What there is no snapshot, so that LXC cannot delete it.
    pub no_snapshots: Vec<String>,
    /// Containers that were made from its snapshots, by LXC's record.
    pub made_from_snapshots: Vec<String>,
    /// Other containers whose root file system is on this one's.
    pub dependents: Vec<String>,
    /// What lxc-destroy deletes besides the container's directory.
    pub rootfs: Option<String>,
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
    Ok(StartFacts {
        orphans: orphans(look),
        missing_links,
        has_rootfs: config.rootfs.is_some(),
        is_application: config.is_application,
    })
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
    let directory = snapshots::directory(reader.lxcpath(), &look.name);
    let (entries, kept) = (snapshots::entries(&directory)?, snapshots::read(&directory)?);
    let is_kept = |entry: &String| kept.iter().any(|kept| kept.name == *entry);
    Ok(DeleteFacts {
        creating: look.seen.creation == Creation::AtWork,
        orphans: look.seen.orphans.clone(),
        no_snapshots: entries.iter().filter(|entry| !is_kept(entry)).cloned().collect(),
        made_from_snapshots: kept.iter().flat_map(|kept| kept.clones.iter().cloned()).collect(),
        snapshots: entries,
        dependents: dependents(reader, &look.name, &config)?,
        rootfs: config.rootfs.filter(|_| !config.unmanaged),
    })
}

/// What clones and snapshots depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageFacts {
    /// Something of it runs.
    pub is_active: bool,
    /// There is anything of the clone's name, defined or not.
    pub is_taken: bool,
    pub has_rsync: bool,
    pub rootfs: Option<String>,
    pub is_overlay: bool,
    /// LXC does not delete its root file system.
    pub is_unmanaged: bool,
    pub has_hardware_address: bool,
    pub snapshots: Vec<Kept>,
    pub snapshot_directory: String,
    /// What LXC is going to call the next one.
    pub next_snapshot: String,
    /// Containers cloned from it, by LXC's record.
    pub clones: Vec<String>,
    /// As [`DeleteFacts::dependents`].
    pub dependents: Vec<String>,
}

/// `target` is the name of a clone to be made.
pub fn storage(reader: &Reader, look: &Look, target: Option<&GuestName>) -> Result<StorageFacts, Error> {
    let config = settings(reader, &look.name)?;
    let directory = snapshots::directory(reader.lxcpath(), &look.name);
    let record = files::read(&reader.directory(&look.name).join("lxc_snapshots"))?.unwrap_or_default();
    Ok(StorageFacts {
        is_active: look.seen.monitor.is_some() || !look.seen.orphans.is_empty(),
        is_taken: target.is_some_and(|name| is_taken(reader, name)),
        has_rsync: find_tool("rsync").is_some(),
        is_overlay: config.is_overlay(),
        is_unmanaged: config.unmanaged,
        has_hardware_address: config.networks.values().any(|network| network.has_hardware_address),
        snapshots: snapshots::read(&directory)?,
        next_snapshot: snapshots::next(&directory),
        snapshot_directory: word(&directory)?,
        clones: recorded_clones(&record),
        dependents: dependents(reader, &look.name, &config)?,
        rootfs: config.rootfs,
    })
}

/// Whether there is anything of this name in the LXC path.
pub fn is_taken(reader: &Reader, name: &GuestName) -> bool {
    fs::symlink_metadata(reader.directory(name)).is_ok()
}

pub fn configure(reader: &Reader, look: &Look) -> Result<ConfigureFacts, Error> {
    let path = reader.directory(&look.name).join("config");
    let text = files::read(&path)?.unwrap_or_default();
    let config = settings(reader, &look.name)?;
    let init = look.init.as_ref().filter(|_| look.seen.monitor.is_some());
    Ok(ConfigureFacts {
        layout: Layout::of_host(),
        active: init.is_some(),
        memory_used: init.and_then(|init| init.groups.usage().memory),
        groups: config.groups,
        autostart: config.autostart,
        path: word(&path)?,
        digest: digest(&text),
    })
}

/// Names of the variables that the container's configuration sets.
pub fn environment(reader: &Reader, name: &GuestName) -> Result<Vec<String>, Error> {
    Ok(settings(reader, name)?.environment)
}

fn settings(reader: &Reader, name: &GuestName) -> Result<ContainerConfig, Error> {
    Ok(config::read(&reader.directory(name).join("config"))?.unwrap_or_default())
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
pub fn recorded_clones(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    match lines[..] {
        [number] => match number.trim().parse::<u32>() {
            Ok(0) | Err(_) => vec![],
            Ok(count) => vec![format!("{count} that LXC has counted but not named")],
        },
        _ => lines.chunks_exact(2).filter_map(|pair| pair.last()).map(|name| (*name).to_owned()).collect(),
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
