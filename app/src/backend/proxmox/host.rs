//! HOST: what a Proxmox node tells of itself by files, for nothing.
//!
//! | file | what it tells |
//! |---|---|
//! | `/etc/pve/.version` | that the cluster's tasks or its guests have changed, on whichever node; to be read, as no inotify tells of what another node did |
//! | `/run/qemu-server/ID.pid` | there for as long as the VM's process lives |
//! | `/sys/fs/cgroup/lxc/ID` | there for as long as the container lives |
//!
//! The last two also tell of a guest that ends by itself, of which there is no task.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use crate::{
    backend::{Sources, Watcher},
    domain::{guest::BackendKind, name::GuestName},
};

use super::place::vmid_of;

/// Far more than the file of a large cluster.
const LONGEST: u64 = 1 << 20;
/// The cluster's file system hangs.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a node keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signs {
    pub version: PathBuf,
    /// A process number's file for each VM that runs.
    pub machines: PathBuf,
    /// A control group for each container that runs.
    pub containers: PathBuf,
}

impl Default for Signs {
    fn default() -> Self {
        Self {
            version: "/etc/pve/.version".into(),
            machines: "/run/qemu-server".into(),
            containers: "/sys/fs/cgroup/lxc".into(),
        }
    }
}

/// Numbers that go up with each change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Of each node's list of tasks.
    pub tasks: BTreeMap<String, u64>,
    /// Of the list of all guests.
    pub guests: u64,
}

#[derive(Deserialize)]
struct File {
    vmlist: u64,
    #[serde(default)]
    kvstore: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

impl Version {
    /// `None` for what is no such file.
    pub fn of(text: &[u8]) -> Option<Self> {
        let file: File = serde_json::from_slice(text).ok()?;
        let tasks = |(node, keys): (String, BTreeMap<String, serde_json::Value>)| {
            Some((node, keys.get("tasklist")?.as_u64()?))
        };
        Some(Self { tasks: file.kvstore.into_iter().filter_map(tasks).collect(), guests: file.vmlist })
    }
}

/// Reads the version again and again.
pub struct Glance {
    path: PathBuf,
    /// One that hangs is waited for, so that no second one hangs beside it.
    reading: Option<JoinHandle<Option<Vec<u8>>>>,
    last: Option<(Vec<u8>, Version)>,
}

impl Glance {
    pub fn new(path: PathBuf) -> Self {
        Self { path, reading: None, last: None }
    }

    /// `None` where it cannot be read.
    pub async fn version(&mut self) -> Option<Version> {
        let path = self.path.clone();
        let reading = self.reading.get_or_insert_with(|| spawn_blocking(move || read(&path)));
        let text = timeout(PATIENCE, reading).await.ok()?;
        self.reading = None;
        let text = text.ok().flatten()?;
        if let Some((before, version)) = &self.last
            && *before == text
        {
            return Some(version.clone());
        }
        let version = Version::of(&text)?;
        self.last = Some((text, version.clone()));
        Some(version)
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Hears which guests of one kind on this node begin and end to run.
pub struct Running {
    kind: BackendKind,
    place: PathBuf,
    ear: Option<Watcher>,
    known: Option<BTreeSet<u32>>,
}

impl Running {
    pub fn new(kind: BackendKind, signs: &Signs) -> Self {
        let place = if kind == BackendKind::ProxmoxVm { &signs.machines } else { &signs.containers };
        Self { kind, place: place.clone(), ear: None, known: None }
    }

    /// Waits until some run that did not, or the other way round: their VMIDs. What happens between two calls is told
    /// by the second. For ever where there is nothing to listen to.
    pub async fn changed(&mut self) -> Vec<u32> {
        loop {
            let changed = self.look().await;
            if !changed.is_empty() {
                return changed;
            }
            let heard = match self.ear.as_mut() {
                Some(ear) => ear.changed().await,
                None => std::future::pending().await,
            };
            if heard.is_err() {
                self.ear = None;
            }
        }
    }

    /// Listens where there is something new to listen to, then compares. In this order, so that nothing is missed.
    async fn look(&mut self) -> Vec<u32> {
        let (ear, kind, place) = (self.ear.take(), self.kind, self.place.clone());
        let looked = spawn_blocking(move || (follow(ear, &place), running(kind, &place))).await;
        let Ok((ear, now)) = looked else { return Vec::new() };
        self.ear = ear;
        let before = self.known.replace(now.clone());
        before.map(|before| before.symmetric_difference(&now).copied().collect()).unwrap_or_default()
    }
}

/// The directory may not be there yet: so the one above it is listened to as well.
fn follow(ear: Option<Watcher>, place: &Path) -> Option<Watcher> {
    let (root, name) = (place.parent()?.to_owned(), place.file_name()?.to_str()?.to_owned());
    let sources = Sources {
        directories: [place.to_owned()].into(),
        shared: [root.clone()].into(),
        entries: [name].into(),
        root,
        ..Sources::default()
    };
    let listen = || {
        let mut ear = ear.map_or_else(Watcher::new, Ok)?;
        ear.follow(&sources)?;
        Ok::<_, std::io::Error>(ear)
    };
    match listen() {
        Ok(ear) => Some(ear),
        Err(error) => {
            tracing::debug!(place = %place.display(), %error, "nothing tells which guests run");
            None
        }
    }
}

fn running(kind: BackendKind, place: &Path) -> BTreeSet<u32> {
    let vmid = |name: &str| {
        let number = match kind {
            BackendKind::ProxmoxVm => name.strip_suffix(".pid")?,
            _ => name,
        };
        vmid_of(&GuestName::found(number).ok()?)
    };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    entries.filter_map(|entry| vmid(entry.file_name().to_str()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_tells_tasks_and_guests_apart_from_all_else() {
        let text = |status: u32, tasks: u32, guests: u32| {
            format!(
                "{{\n\"starttime\": 1795379200,\n\"clinfo\": 1,\n\"vmlist\": {guests},\n\"storage.cfg\": 4,\n\"kvstore\": {{\n\"pve1\": \
                 {{\"tasklist\": {tasks}, \"rrd\": {status}}},\n\"pve2\": {{\"rrd\": {status}}}}}\n}}\n"
            )
        };
        let version = |status, tasks, guests| Version::of(text(status, tasks, guests).as_bytes()).unwrap();
        assert_eq!(version(1, 5, 3), version(2, 5, 3));
        assert_ne!(version(1, 5, 3).tasks, version(1, 6, 3).tasks);
        assert_ne!(version(1, 5, 3).guests, version(1, 5, 4).guests);
        for other in ["", "{", "[]", "{\"vmlist\": \"x\"}", "{\"vmlist\": 1, \"kvstore\": {\"a\": 1}}"] {
            assert_eq!(Version::of(other.as_bytes()), None, "{other}");
        }
        assert!(Version::of(b"{\"vmlist\": 1}").unwrap().tasks.is_empty(), "no node has told anything yet");
    }

    #[test]
    fn what_runs_is_told_by_files_and_groups_of_a_vmids_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["200.pid", "200.qmp", "201.vnc", "99.pid", "0201.pid", "x.pid", "101", "101-1", "ns"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        assert_eq!(running(BackendKind::ProxmoxVm, dir.path()), [200].into());
        assert_eq!(running(BackendKind::ProxmoxLxc, dir.path()), [101].into());
        assert!(running(BackendKind::ProxmoxLxc, &dir.path().join("none")).is_empty());
    }
}
