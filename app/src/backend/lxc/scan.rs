//! Inits: number 1 of each pid namespace directly below the host's, found by going through `/proc` once.
//!
//! Costs a file per process of the host, so it is done only when something has changed (see `reader`).

use std::collections::BTreeSet;

use crate::backend::{
    Error,
    cgroup::{FrozenWatch, Groups},
    files::identity,
    process::{Proc, ProcessWatch},
};

/// The init of some container.
pub struct Init {
    pub pid: u32,
    /// With the pid it tells this process from a later one of the same pid.
    pub start_ticks: u64,
    pub started_ms: Option<i64>,
    pub parent: u32,
    /// The command socket that its parent listens on: its parent is its monitor. `None` for an init whose monitor
    /// died, and for one that LXC has not started.
    pub monitor_socket: Option<u64>,
    /// The guest's program has not been executed yet, or has ended this moment.
    pub setting_up: bool,
    /// What follows `lxc.payload.` in its control group: the container's name, perhaps with `-N` behind it.
    pub payload: Option<String>,
    pub groups: Groups,
    pub root: Root,
    /// Open files that answer the two questions of every list; `None` past the number that may be held.
    watch: Option<(ProcessWatch, Option<FrozenWatch>)>,
}

impl Init {
    pub fn is_alive(&self, proc: &Proc) -> bool {
        let stat = match &self.watch {
            Some((process, _)) => process.stat(),
            None => proc.stat(self.pid),
        };
        stat.is_some_and(|stat| stat.is_alive() && stat.start_ticks == self.start_ticks)
    }

    pub fn is_frozen(&self) -> bool {
        let watched = self.watch.as_ref().and_then(|(_, frozen)| frozen.as_ref()?.is_frozen());
        watched.unwrap_or_else(|| self.groups.is_frozen())
    }

    /// From here on its two questions are kept open.
    #[must_use]
    pub fn watched(self, proc: &Proc) -> Self {
        let frozen = self.groups.watch_frozen();
        Self { watch: proc.watch(self.pid).map(|process| (process, frozen)), ..self }
    }
}

/// What an init sees as `/`: proof of the container it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Root {
    /// Device and inode of the directory.
    pub identity: Option<(u64, u64)>,
    /// Its line in the init's mount table; names the upper directory of an overlay.
    pub mount: String,
}

impl Root {
    /// Whether this is the root file system of the container in this directory, beyond doubt.
    pub fn is_of(&self, container_directory: &str, rootfs_directory: Option<&str>) -> bool {
        let same_directory =
            rootfs_directory.and_then(identity).is_some_and(|identity| self.identity == Some(identity));
        // With the slash behind it, "/var/lib/lxc/web1" is not found in ".../web10/...". Only the upper directory
        // is a container's own: the lower one belongs to the container it was cloned from.
        same_directory || self.mount.contains(&format!("upperdir={container_directory}/"))
    }
}

/// Every live init directly below this pid namespace. `sockets` are the inodes of all listening command sockets.
///
/// An init of a container inside a container is two namespaces away and belongs to the outer guest.
pub fn inits(proc: &Proc, sockets: &BTreeSet<u64>) -> Result<Vec<Init>, Error> {
    Ok(proc.pids()?.into_iter().filter_map(|pid| init(proc, pid, sockets)).collect())
}

fn init(proc: &Proc, pid: u32, sockets: &BTreeSet<u64>) -> Option<Init> {
    if !matches!(proc.namespace_ids(pid)[..], [_, 1]) {
        return None;
    }
    let stat = proc.stat(pid).filter(super::super::process::ProcessStat::is_alive)?;
    // The socket and not the process's title is what makes a monitor: `lxc-start -F`, as the systemd unit runs it,
    // has no title, and a process inside a guest can give itself any.
    let monitor_socket = proc.open_sockets(stat.parent).into_iter().find(|inode| sockets.contains(inode));
    let lines = proc.cgroups(pid);
    let payload = lines
        .iter()
        .find_map(|line| line.path.split('/').find_map(|part| part.strip_prefix("lxc.payload.")))
        .map(str::to_owned);
    let component = payload.as_ref().map(|payload| format!("lxc.payload.{payload}"));
    Some(Init {
        pid,
        start_ticks: stat.start_ticks,
        started_ms: proc.started_ms(pid),
        parent: stat.parent,
        setting_up: monitor_socket.is_some() && !executes(proc, pid, stat.parent),
        monitor_socket,
        payload,
        groups: Groups::new(lines, |part| Some(part) == component.as_deref()),
        root: Root {
            identity: identity(proc.root_directory(pid)),
            mount: proc.root_mount(pid).unwrap_or_default(),
        },
        watch: None,
    })
}

/// Whether the guest's own program runs below this monitor.
///
/// LXC sets an init up in a copy of its monitor, which then executes the guest's init. An application's init stays
/// that copy for good (`lxc-execute` of LXC 5 gives it another title at most, and none without a `/proc`): its program
/// is a child of it. LXC says "running" before either is known to have worked, so that a program that cannot be
/// executed would pass for a guest that runs.
fn executes(proc: &Proc, init: u32, monitor: u32) -> bool {
    let Some(own) = proc.executable(init) else { return false };
    if proc.executable(monitor) != Some(own) {
        return true;
    }
    match proc.children(init) {
        Some(children) => children.into_iter().filter_map(|child| proc.executable(child)).any(|it| it != own),
        None => proc.command_line(init) != proc.command_line(monitor),
    }
}

/// Whether a container of this name may own the control group `lxc.payload.PAYLOAD`: LXC puts `-N` behind the name
/// where an older group of that name is still there.
pub fn payload_fits(payload: &str, name: &str) -> bool {
    payload.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('-')
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        process::{Command, Stdio},
        thread,
        time::Duration,
    };

    use super::*;

    #[test]
    fn a_control_group_names_its_container_perhaps_with_a_number() {
        assert!(payload_fits("web", "web"));
        assert!(payload_fits("web-2", "web"));
        assert!(payload_fits("web-2", "web-2"));
        for other in ["web-", "web-x", "web2", "web-2x", "we", ""] {
            assert!(!payload_fits(other, "web"), "{other}");
        }
    }

    #[test]
    fn an_application_runs_once_its_program_does_and_not_with_its_init() {
        // A shell and its subshell are to each other what a monitor and its copy are.
        let below = |script: &str| {
            let mut monitor = Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
            let proc = Proc::default();
            let known = |ready: &dyn Fn(u32) -> bool| {
                (0..1000).find_map(|_| {
                    thread::sleep(Duration::from_millis(5));
                    proc.children(monitor.id())?.first().copied().filter(|&init| ready(init))
                })
            };
            // It waits for input, or for what it has started.
            let asleep = |pid| proc.stat(pid).is_some_and(|stat| stat.state == 'S');
            let settled =
                |init| asleep(init) && proc.children(init).unwrap().iter().all(|&child| asleep(child));
            let init = known(&settled).unwrap();
            let executes = executes(&proc, init, monitor.id());
            drop(monitor.stdin.take());
            assert!(monitor.wait().unwrap().success());
            executes
        };
        assert!(!below("exec 3<&0; { read -r line <&3; :; } & wait"), "nothing was executed yet");
        assert!(below("exec 3<&0; { cat <&3; :; } & wait"), "a program below the init");
        assert!(below("exec 3<&0; cat <&3 & wait"), "a program in the place of the init");
        assert!(!executes(&Proc::default(), u32::MAX, std::process::id()), "there is none (any more)");
    }

    #[test]
    fn a_root_belongs_to_a_container_only_with_proof() {
        let dir = tempfile::tempdir().unwrap();
        let rootfs = dir.path().to_str().unwrap();
        let plain = Root { identity: identity(rootfs), mount: String::new() };
        assert!(plain.is_of("/var/lib/lxc/web1", Some(rootfs)));
        assert!(!plain.is_of("/var/lib/lxc/web1", Some("/")));
        assert!(
            !Root::default().is_of("/var/lib/lxc/web1", Some("/nonexistent")),
            "two unknowns are no match"
        );
        let mount =
            "64 42 0:52 / / rw - overlay overlay rw,upperdir=/var/lib/lxc/web1/overlay/delta,workdir=x";
        let overlay = Root { identity: None, mount: mount.to_owned() };
        assert!(overlay.is_of("/var/lib/lxc/web1", None));
        assert!(!overlay.is_of("/var/lib/lxc/web", None));
    }
}
