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

    fn groups(&self, proc: &Proc) -> Groups {
        let lines = match self.cgroup() {
            // The container's init may have moved itself into a subgroup; the container is the whole.
            Some(path) => proc.cgroups(self.pid).into_iter().map(|line| cut_to(line, path)).collect(),
            None => Vec::new(),
        };
        Groups::new(lines, |_| false)
    }
}

fn cut_to(line: CgroupLine, path: &str) -> CgroupLine {
    if is_under(&line.path, path) { CgroupLine { path: path.to_owned(), ..line } } else { line }
}

/// Is this control group that one, or inside of it?
pub fn is_under(group: &str, above: &str) -> bool {
    Path::new(group.trim_start_matches('/')).starts_with(above.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// As crun 1.8.1 wrote it.
    const STATUS: &str = include_str!("../../../tests/fixtures/crun-1.8.1/status-file.json");

    fn state(text: &str) -> Record {
        Record::Known { state: serde_json::from_str(text).unwrap(), waits: false }
    }

    /// A process directory with what is read of it; `state` is the kernel's letter.
    fn process(proc: &Path, pid: u32, letter: char, start: u64) {
        let dir = proc.join(pid.to_string());
        fs::create_dir_all(&dir).unwrap();
        let stat = format!("{pid} (a) {letter} 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0");
        fs::write(dir.join("stat"), stat).unwrap();
    }

    #[test]
    fn a_container_runs_only_while_its_very_process_lives() {
        let dir = tempfile::tempdir().unwrap();
        let proc = Proc::at(dir.path());
        let record = state(STATUS);
        let pid = record.state().unwrap().pid;
        assert_eq!(record.status(&proc), GuestStatus::Stopped, "no such process");
        process(dir.path(), pid, 'S', 154_096);
        assert_eq!(record.status(&proc), GuestStatus::Running);
        process(dir.path(), pid, 'Z', 154_096);
        assert_eq!(record.status(&proc), GuestStatus::Stopped, "a zombie");
        process(dir.path(), pid, 'S', 154_097);
        assert_eq!(record.status(&proc), GuestStatus::Stopped, "another process of the same pid");
    }

    #[test]
    fn one_that_waits_for_start_is_created_until_its_process_dies() {
        let dir = tempfile::tempdir().unwrap();
        let (root, proc) = (StateDir::new(dir.path().join("run")), Proc::at(dir.path()));
        let name = GuestName::new("web1").unwrap();
        fs::create_dir_all(root.of(&name)).unwrap();
        assert_eq!(root.read(&name), None);
        assert!(root.is_unfinished(&name));
        fs::write(root.of(&name).join("status"), STATUS).unwrap();
        fs::write(root.of(&name).join("exec.fifo"), "").unwrap();
        let record = root.read(&name).unwrap();
        assert_eq!(record.status(&proc), GuestStatus::Stopped);
        process(dir.path(), record.state().unwrap().pid, 'S', 154_096);
        assert_eq!(record.status(&proc), GuestStatus::Created);
        assert_eq!(record.guest(name, &proc).pid, None, "it is not active yet");
    }

    #[test]
    fn a_garbled_state_file_makes_an_unknown_guest_with_a_note() {
        let dir = tempfile::tempdir().unwrap();
        let root = StateDir::new(dir.path().into());
        for (name, text) in
            [("empty", ""), ("cut", "{\"pid\": 12"), ("array", "[]"), ("minus", "{\"pid\": -1}")]
        {
            let name = GuestName::new(name).unwrap();
            fs::create_dir_all(root.of(&name)).unwrap();
            fs::write(root.of(&name).join("status"), text).unwrap();
            let guest = root.read(&name).unwrap().guest(name, &Proc::default());
            assert_eq!(guest.status, GuestStatus::Unknown);
            assert!(guest.note.unwrap().contains("state file"));
        }
        let name = GuestName::new("unreadable").unwrap();
        fs::create_dir_all(root.of(&name).join("status")).unwrap();
        assert!(matches!(root.read(&name), Some(Record::Garbled(_))));
    }

    #[test]
    fn fields_of_other_versions_are_not_missed() {
        let record = state(r#"{"pid": 0, "new-field": {}}"#);
        assert_eq!(record.status(&Proc::default()), GuestStatus::Stopped);
    }

    #[test]
    fn names_that_paddock_cannot_handle_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["web1", "a b", "-dash", ".hidden", "naïve"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let names = StateDir::new(dir.path().into()).names().unwrap();
        assert_eq!(names.iter().map(GuestName::as_str).collect::<Vec<_>>(), ["web1"]);
    }

    #[test]
    fn a_group_is_under_another_by_whole_components() {
        assert!(is_under("/web1", "/web1") && is_under("/web1/init", "web1"));
        assert!(!is_under("/web10", "/web1") && !is_under("/", "/web1"));
    }
}
