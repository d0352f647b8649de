//! Facts: what the plans for crun depend on, read from its state directory, from bundles and from the kernel.

use crate::{
    backend::{Error, cgroup::Usage, files, process::Proc},
    domain::{
        guest::{CONFIG_SHOWN, ConfigText, GuestDetail, GuestStatus},
        name::GuestName,
    },
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
    let own = record.state().filter(|state| state.is_alive(proc)).map(|state| state.pid);
    let mut members = members(proc, &cgroup)?;
    members.retain(|member| Some(member.pid) != own);
    Ok(Some(Registered {
        status: record.status(proc),
        bundle: record.state().and_then(|state| state.bundle.clone()),
        systemd_cgroup: record.state().is_some_and(|state| state.systemd_cgroup),
        cgroup,
        // Without its configuration it counts as having one, which makes the plans more careful.
        has_own_pid_namespace: config.is_none_or(|config| config.has_own_pid_namespace()),
        members,
    }))
}

pub fn place(states: &StateDir, proc: &Proc, name: &GuestName, bundle: &Bundle) -> Result<Place, Error> {
    let cgroup = group_of(name, Some(&bundle.config));
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
        })
        .collect())
}

/// Everything that a container's own page shows.
pub fn detail(states: &StateDir, proc: &Proc, name: &GuestName, record: Record) -> GuestDetail {
    let guest = record.guest(name.clone(), proc);
    let state = record.state();
    let usage = match state {
        Some(state) if guest.status.is_active() => state.usage(proc),
        _ => Usage::default(),
    };
    let copy = states.of(name).join("config.json");
    let made_from = files::read(&copy).ok().flatten().and_then(|text| Config::parse(&text).ok());
    let command = made_from.map(|config| config.args().join(" "));
    let facts = [
        ("Bundle", state.and_then(|s| s.bundle.clone())),
        ("Root file system", state.and_then(|s| s.rootfs.clone())),
        ("Command", command),
        ("Control group", state.and_then(|s| s.cgroup().map(str::to_owned))),
        ("Created", state.and_then(|s| s.created.clone())),
        ("Owner", state.and_then(|s| s.owner.clone())),
    ];
    let facts = facts
        .into_iter()
        .filter_map(|(label, value)| Some((label.to_owned(), value.filter(|value| !value.is_empty())?)))
        .collect();
    // The bundle's own is what a person edits and what the next start takes; crun's copy stands in for a lost one.
    let in_bundle =
        state.and_then(|s| s.bundle.as_ref()).map(|bundle| std::path::Path::new(bundle).join("config.json"));
    let config = in_bundle.into_iter().chain([copy]).find_map(|path| {
        let (text, cut) = files::read_capped(&path, CONFIG_SHOWN as u64).ok()??;
        Some(ConfigText { path: path.display().to_string(), text, cut })
    });
    GuestDetail {
        guest,
        memory: usage.memory,
        memory_limit: usage.memory_limit,
        cpu_limit: None,
        cpu_ns: usage.cpu_ns,
        cpu_now: None,
        tasks: usage.tasks,
        facts,
        pending: Vec::new(),
        config,
    }
}
