//! crun's state directory, read without starting crun: ROOT/ID/status, ROOT/ID/exec.fifo and the process itself.
//!
//! What is said here of a container's status is what `crun state` says of it, which the tests on the real crun
//! compare in every state.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{
    backend::{
        Error,
        cgroup::{Groups, Usage},
        files,
        process::{CgroupLine, Proc},
    },
    domain::{
        guest::{Guest, GuestStatus},
        name::GuestName,
    },
};

/// crun's state directory.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

/// What crun noted of a container. Fields that other versions may lack are optional.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct State {
    pub pid: u32,
    /// In clock ticks since boot, as in `/proc/PID/stat`.
    #[serde(default)]
    process_start_time: u64,
    #[serde(default)]
    cgroup_path: Option<String>,
    #[serde(default)]
    pub systemd_cgroup: bool,
    #[serde(default)]
    pub rootfs: Option<String>,
    #[serde(default)]
    pub bundle: Option<String>,
    #[serde(default)]
    pub created: Option<String>,
    #[serde(default)]
    pub owner: Option<String>,
}

/// A registered container, as far as its state file can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Known {
        state: State,
        /// The container's process waits on this pipe for `start`.
        waits: bool,
    },
    /// Why it cannot be.
    Garbled(String),
}

impl StateDir {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub fn of(&self, name: &GuestName) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// The registered names that Paddock can handle.
    pub fn names(&self) -> Result<Vec<GuestName>, Error> {
        let mut names = Vec::new();
        for name in files::names(&self.root)? {
            match GuestName::found(&name) {
                Ok(name) => names.push(name),
                // crun takes nearly any text for a name. This one reaches neither an argv nor a page.
                Err(why) => tracing::debug!(name, %why, "a container is left out for its name"),
            }
        }
        Ok(names)
    }

    /// `None` if there is no such container. A directory without a state file is none either, as for crun itself:
    /// it is being made right now, or was left by a crun that was killed.
    pub fn read(&self, name: &GuestName) -> Option<Record> {
        let dir = self.of(name);
        let text = match files::read(&dir.join("status")) {
            Ok(text) => text?,
            // One that cannot be read is as good as garbled: it must not hide the other containers.
            Err(e) => return Some(Record::Garbled(e.to_string())),
        };
        Some(match serde_json::from_str(&text) {
            Ok(state) => Record::Known { state, waits: dir.join("exec.fifo").exists() },
            Err(e) => Record::Garbled(e.to_string()),
        })
    }

    /// Whether there is a directory of that name without a state file.
    pub fn is_unfinished(&self, name: &GuestName) -> bool {
        let dir = self.of(name);
        dir.exists() && !dir.join("status").exists()
    }
}

impl Record {
    pub fn state(&self) -> Option<&State> {
        match self {
            Self::Known { state, .. } => Some(state),
            Self::Garbled(_) => None,
        }
    }

    /// As `crun state` tells it, in its order: no process, waiting for start, frozen, running.
    pub fn status(&self, proc: &Proc) -> GuestStatus {
        match self {
            Self::Garbled(_) => GuestStatus::Unknown,
            Self::Known { state, .. } if !state.is_alive(proc) => GuestStatus::Stopped,
            Self::Known { waits: true, .. } => GuestStatus::Created,
            Self::Known { state, .. } if state.groups(proc).is_frozen() => GuestStatus::Paused,
            Self::Known { .. } => GuestStatus::Running,
        }
    }

    pub fn guest(&self, name: GuestName, proc: &Proc) -> Guest {
        let status = self.status(proc);
        let pid = self.state().map(|state| state.pid).filter(|_| status.is_active());
        Guest {
            pid,
            started_ms: pid.and_then(|pid| proc.started_ms(pid)),
            addresses: pid.map(|pid| proc.addresses(pid)).unwrap_or_default(),
            note: match self {
                Self::Known { .. } => None,
                Self::Garbled(why) => Some(format!("crun's state file of it cannot be understood: {why}.")),
            },
            ..Guest::new(super::guest_id(name), status)
        }
    }
}

impl State {
    /// A pid alone proves nothing, as it may be another process's by now. Start time 0 is none, as for crun.
    pub fn is_alive(&self, proc: &Proc) -> bool {
        self.pid > 0
            && proc.stat(self.pid).is_some_and(|stat| {
                stat.is_alive()
                    && (self.process_start_time == 0 || self.process_start_time == stat.start_ticks)
            })
    }

    /// Of the container's control group below each hierarchy's root; `None` if it has none of its own.
    pub fn cgroup(&self) -> Option<&str> {
        self.cgroup_path.as_deref().filter(|path| !path.trim_matches('/').is_empty())
    }

    pub fn usage(&self, proc: &Proc) -> Usage {
        self.groups(proc).usage()
    }

    /// The files by whose change the kernel tells of the container's pauses, and perhaps of its end.
    pub fn telling(&self, proc: &Proc) -> Vec<PathBuf> {
        self.groups(proc).telling().collect()
    }

    pub fn groups(&self, proc: &Proc) -> Groups {
        let lines = match self.cgroup() {
            // The container's init may have moved itself into a subgroup; the container is the whole.
            Some(path) => proc.cgroups(self.pid).into_iter().filter_map(|line| cut_to(line, path)).collect(),
            None => Vec::new(),
        };
        Groups::new(lines, |_| false)
    }
}

/// `None` for a hierarchy in which the container has no group of its own: what is told there is told of others, too.
fn cut_to(line: CgroupLine, path: &str) -> Option<CgroupLine> {
    is_under(&line.path, path).then(|| CgroupLine { path: path.to_owned(), ..line })
}

/// Is this control group that one, or inside of it?
pub fn is_under(group: &str, above: &str) -> bool {
    Path::new(group.trim_start_matches('/')).starts_with(above.trim_start_matches('/'))
}

#[cfg(test)]
mod tests;
