//! Bundles: a directory with `config.json` and a root file system, checked before crun sees it.
//!
//! crun finds most of these faults too, but in words about itself (`write cpuset.cpus: Permission denied`), and when
//! a stopped container is started again it finds them only after the old one has been deleted.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    backend::{cgroup::cpus, files},
    domain::spec::Cpus,
};

use super::paths::{self, goes_up};

/// The parts of `config.json` that Paddock reads. Everything is optional; everything else is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Config {
    process: Option<Process>,
    root: Option<Root>,
    linux: Option<Linux>,
    mounts: Option<Vec<Mount>>,
    /// crun takes texts alone; whatever else stands here is none of Paddock's.
    annotations: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Process {
    terminal: bool,
    args: Option<Vec<String>>,
    env: Option<Vec<String>>,
    cwd: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Root {
    path: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Linux {
    cgroups_path: Option<String>,
    namespaces: Option<Vec<Namespace>>,
    resources: Option<Resources>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Resources {
    memory: Option<Memory>,
    cpu: Option<Cpu>,
    pids: Option<Pids>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Memory {
    limit: Option<i64>,
    /// Memory and swap together.
    swap: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Cpu {
    quota: Option<i64>,
    period: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Pids {
    limit: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Namespace {
    r#type: String,
    path: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Mount {
    destination: String,
}

impl Config {
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The words of the container's process.
    pub fn args(&self) -> &[String] {
        self.process.as_ref().and_then(|p| p.args.as_deref()).unwrap_or_default()
    }

    /// Whether the end of the container's process is the end of all processes in it.
    pub fn has_own_pid_namespace(&self) -> bool {
        self.linux
            .iter()
            .flat_map(|l| l.namespaces.iter().flatten())
            .any(|n| n.r#type == "pid" && n.path.as_deref().is_none_or(str::is_empty))
    }

    /// Memory it may use, bytes; `None` without a limit, which is also what 0 and less are.
    pub fn memory_limit(&self) -> Option<u64> {
        positive(self.resources()?.memory.as_ref()?.limit?)
    }

    /// Swap it may use beside its memory, bytes; `None` without a limit.
    pub fn swap_limit(&self) -> Option<u64> {
        let both = positive(self.resources()?.memory.as_ref()?.swap?)?;
        Some(both.saturating_sub(self.memory_limit()?))
    }

    /// Processor time it may use; `None` without a limit.
    pub fn cpu_limit(&self) -> Option<Cpus> {
        /// The kernel's own, where none is said.
        const PERIOD: u64 = 100_000;
        let cpu = self.resources()?.cpu.as_ref()?;
        let period = cpu.period.filter(|period| *period > 0).unwrap_or(PERIOD);
        cpus(positive(cpu.quota?)?, period)
    }

    /// Processes and threads it may have; `None` without a limit.
    pub fn pids_limit(&self) -> Option<u64> {
        positive(self.resources()?.pids.as_ref()?.limit?)
    }

    fn resources(&self) -> Option<&Resources> {
        self.linux.as_ref()?.resources.as_ref()
    }

    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name)?.as_str()
    }

    /// Where it asks to be among the control groups.
    pub fn cgroups_path(&self) -> Option<&str> {
        self.linux.as_ref()?.cgroups_path.as_deref()
    }
}

/// A bundle that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub path: String,
    pub config: Config,
}

/// Why it cannot. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Path(#[from] paths::BadPath),
    #[error("{0} is not a directory on this host. Enter the directory that holds config.json.")]
    NotADirectory(String),
    #[error("{0} has no config.json. `crun spec` writes one to begin with.")]
    NoConfig(String),
    #[error("{path}/config.json cannot be understood: {detail}. Correct the file.")]
    Garbled { path: String, detail: String },
    #[error("{path}/config.json cannot be read: {detail}.")]
    Unreadable { path: String, detail: String },
    #[error("{0}/config.json names no root file system. Set root.path in it.")]
    NoRoot(String),
    #[error(
        "The bundle's root file system {0} is not there. Unpack it there, or correct root.path in config.json."
    )]
    RootMissing(String),
    #[error(
        "The container wants a terminal, and nobody would be at its console. Set process.terminal to false in \
         {0}/config.json."
    )]
    Terminal(String),
    #[error("{0}/config.json names no program. Set process.args in it.")]
    NoProgram(String),
    #[error(
        "The bundle's root file system has no program {program}. Correct process.args in {path}/config.json."
    )]
    ProgramMissing { path: String, program: String },
    #[error(
        "linux.cgroupsPath in {0}/config.json is not a control group of its own: leave it out, or name one as in \
         “/group”, without “..”."
    )]
    NoGroup(String),
}

impl Bundle {
    /// Reads and checks the bundle in this directory of the host.
    pub fn check(path: &str) -> Result<Self, BundleError> {
        let dir = paths::absolute(path)?;
        let path = path.to_owned();
        if !dir.is_dir() {
            return Err(BundleError::NotADirectory(path));
        }
        let text = match files::read(&dir.join("config.json")) {
            Ok(Some(text)) => text,
            Ok(None) => return Err(BundleError::NoConfig(path)),
            Err(e) => return Err(BundleError::Unreadable { path, detail: e.to_string() }),
        };
        let config = Config::parse(&text)
            .map_err(|e| BundleError::Garbled { path: path.clone(), detail: e.to_string() })?;
        config.check(dir, &path)?;
        Ok(Self { path, config })
    }
}

impl Config {
    fn check(&self, dir: &Path, path: &str) -> Result<(), BundleError> {
        let root = self.root.as_ref().map(|root| root.path.as_str()).filter(|path| !path.is_empty());
        let rootfs = dir.join(root.ok_or_else(|| BundleError::NoRoot(path.to_owned()))?);
        if !rootfs.is_dir() {
            return Err(BundleError::RootMissing(rootfs.display().to_string()));
        }
        if self.process.as_ref().is_some_and(|process| process.terminal) {
            return Err(BundleError::Terminal(path.to_owned()));
        }
        let program = self.args().first().filter(|program| !program.is_empty());
        let program = program.ok_or_else(|| BundleError::NoProgram(path.to_owned()))?;
        if self.lacks(program, &rootfs) {
            return Err(BundleError::ProgramMissing { path: path.to_owned(), program: program.clone() });
        }
        // crun takes an empty path for the root of all groups, and would limit and freeze the whole host.
        match self.cgroups_path() {
            Some(group) if group.trim_matches('/').is_empty() || goes_up(Path::new(group)) => {
                Err(BundleError::NoGroup(path.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is certain that the program is missing. Only what can be seen from outside is judged: not what
    /// comes to be by a mount.
    fn lacks(&self, program: &str, rootfs: &Path) -> bool {
        let Some(process) = &self.process else { return false };
        let candidates: Vec<PathBuf> = if program.contains('/') {
            vec![Path::new(process.cwd.as_deref().unwrap_or("/")).join(program)]
        } else {
            let path = process.env.iter().flatten().find_map(|entry| entry.strip_prefix("PATH="));
            let Some(path) = path else { return false };
            path.split(':').map(|dir| Path::new(dir).join(program)).collect()
        };
        let is_mounted = |candidate: &Path| {
            self.mounts.iter().flatten().any(|mount| candidate.starts_with(&mount.destination))
        };
        !candidates.iter().any(|candidate| is_mounted(candidate) || is_inside(rootfs, candidate))
    }
}

/// Whether the root file system has that file, with links followed as they are from inside of it. A kernel that
/// cannot tell says yes.
fn is_inside(rootfs: &Path, file: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(root) = openat(CWD, rootfs, flags | OFlags::DIRECTORY, Mode::empty()) else { return false };
    match openat2(root, file, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
        Ok(_) => true,
        Err(e) => !matches!(e, rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR),
    }
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests;
