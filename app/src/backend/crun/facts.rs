//! Facts: what the plans for crun depend on, read from its state directory, from bundles and from the kernel.

use std::path::{Path, PathBuf};

use crate::{
    backend::{Error, cgroup::Layout, digest, files, process::Proc},
    domain::{guest::GuestStatus, name::GuestName},
};

use super::{
    bundle::{Bundle, Config},
    state::{Record, StateDir, is_under},
};

/// A registered container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub status: GuestStatus,
    pub bundle: Option<String>,
    /// It was made with crun's systemd cgroup manager, as by podman.
    pub systemd_cgroup: bool,
    /// Below each hierarchy's root; empty if it has none of its own.
    pub cgroup: String,
    pub has_own_pid_namespace: bool,
    /// What lives in its control group, except for its own init.
    pub members: Vec<Member>,
}

/// A live process in a control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub pid: u32,
    /// The first word of its command line, as far as it has one.
    pub command: String,
    /// It is the first process of a container.
    pub is_init: bool,
    /// It lives inside of the container, or was started from there: it ends or stays as the container's own affair.
    pub is_own: bool,
}

/// Where a new container would be among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub cgroup: String,
    /// What lives in that control group already.
    pub members: Vec<Member>,
    /// Another registered container whose group is the same, or inside of it, or around it.
    pub shared_with: Option<GuestName>,
    /// A directory of that name without a state file is in the way.
    pub is_unfinished: bool,
}

pub fn registered(states: &StateDir, proc: &Proc, name: &GuestName) -> Result<Option<Registered>, Error> {
    let Some(record) = states.read(name) else { return Ok(None) };
    // crun's copy of what the container was made from; the bundle's own may have changed since.
    let config =
        files::read(&states.of(name).join("config.json"))?.and_then(|text| Config::parse(&text).ok());
    let cgroup = match &record {
        Record::Known { state, .. } => state.cgroup().unwrap_or_default().to_owned(),
        Record::Garbled(_) => group_of(name, config.as_ref()),
    };
    // Without its configuration it counts as having one, which makes the plans more careful.
    let has_own_pid_namespace = config.is_none_or(|config| config.has_own_pid_namespace());
    let init = record.state().filter(|state| state.is_alive(proc)).map(|state| state.pid);
    let mut members = members(proc, &cgroup)?;
    members.retain(|member| Some(member.pid) != init);
    if let Some(init) = init {
        for member in &mut members {
            member.is_own = proc.is_descendant(member.pid, init)
                || (has_own_pid_namespace && proc.share_pid_namespace(member.pid, init));
        }
        // One that ended while it was looked at could not be told any more, and is in nobody's way.
        members.retain(|member| member.is_own || proc.stat(member.pid).is_some_and(|stat| stat.is_alive()));
    }
    Ok(Some(Registered {
        status: record.status(proc),
        bundle: record.state().and_then(|state| state.bundle.clone()),
        systemd_cgroup: record.state().is_some_and(|state| state.systemd_cgroup),
        cgroup,
        has_own_pid_namespace,
        members,
    }))
}

/// Of a container made from this bundle.
pub fn place(states: &StateDir, proc: &Proc, name: &GuestName, bundle: &Bundle) -> Result<Place, Error> {
    place_at(states, proc, name, group_of(name, Some(&bundle.config)))
}

/// Of a container in this control group.
pub fn place_at(states: &StateDir, proc: &Proc, name: &GuestName, cgroup: String) -> Result<Place, Error> {
    let mut shared_with = None;
    for other in states.names()?.into_iter().filter(|other| other != name) {
        let Some(Record::Known { state, .. }) = states.read(&other) else { continue };
        if state.cgroup().is_some_and(|group| is_under(group, &cgroup) || is_under(&cgroup, group)) {
            shared_with = Some(other);
            break;
        }
    }
    let members = members(proc, &cgroup)?;
    Ok(Place { cgroup, members, shared_with, is_unfinished: states.is_unfinished(name) })
}

/// Where crun puts a container without systemd: its linux.cgroupsPath below each hierarchy's root, or else its id.
/// The id alone: containers of one id under two state directories meet there.
fn group_of(name: &GuestName, config: Option<&Config>) -> String {
    let path = config.and_then(Config::cgroups_path).map(|path| path.trim_matches('/'));
    format!("/{}", path.filter(|path| !path.is_empty()).unwrap_or(name.as_str()))
}

/// Asked of the processes and not of the group's files, so that it needs no knowledge of the host's cgroup layout.
fn members(proc: &Proc, cgroup: &str) -> Result<Vec<Member>, Error> {
    // Everything is in the root of all groups.
    if cgroup.is_empty() {
        return Ok(Vec::new());
    }
    let is_member = |pid: &u32| {
        proc.cgroups(*pid).iter().any(|line| is_under(&line.path, cgroup))
            && proc.stat(*pid).is_some_and(|stat| stat.is_alive())
    };
    let first_word = |pid| proc.command_line(pid).and_then(|words| words.into_iter().next());
    Ok(proc
        .pids()?
        .into_iter()
        .filter(is_member)
        .map(|pid| Member {
            pid,
            command: first_word(pid).unwrap_or_default(),
            is_init: proc.is_namespace_init(pid),
            is_own: false,
        })
        .collect())
}

/// What is written about a container in its bundle, to be changed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bundle's `config.json`, absolute.
    pub path: PathBuf,
    pub digest: String,
    pub config: Config,
    /// Other containers that were made from the same bundle.
    pub shared_with: Vec<GuestName>,
    /// The kernel counts swap by control group.
    pub swap_is_counted: bool,
}

/// Of the bundle in this directory.
pub fn settings(states: &StateDir, name: &GuestName, bundle: &str) -> Result<Settings, Error> {
    let path = Path::new(bundle).join("config.json");
    let shown = path.display().to_string();
    let cannot = |detail: String| Error::Unreadable { path: shown.clone(), detail };
    if !path.is_absolute() || !path.is_file() {
        return Err(cannot("there is no such file".to_owned()));
    }
    let text = files::read(&path)?.ok_or_else(|| cannot("there is no such file".to_owned()))?;
    let config = Config::parse(&text).map_err(|e| cannot(format!("it cannot be understood ({e})")))?;
    let shared_with = users(states, name, bundle)?;
    Ok(Settings { digest: digest(&text), path, config, shared_with, swap_is_counted: swap_is_counted() })
}

/// Other containers that were made from the bundle in this directory.
pub fn users(states: &StateDir, name: &GuestName, bundle: &str) -> Result<Vec<GuestName>, Error> {
    let real = |path: &str| std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    let bundle = real(bundle);
    let mut users = states.names()?;
    users.retain(|other| {
        other != name
            && states
                .read(other)
                .and_then(|record| record.state()?.bundle.as_deref().map(real))
                .is_some_and(|theirs| theirs == bundle)
    });
    users.sort_unstable();
    Ok(users)
}

/// With version 1 it has to be asked for when the host boots.
fn swap_is_counted() -> bool {
    Layout::of_host() == Layout::V2 || Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes").exists()
}
