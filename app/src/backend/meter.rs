//! METERS: what guests and machines have used so far, as the kernel or Proxmox counts it. What that comes to a second is
//! told by two readings, see `service::usage`.
//!
//! [`Meter`] reads the containers of this host: from the files of their control groups, and `/proc` for the network. It
//! costs five small files for each container, and starts nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::domain::{guest::GuestId, limits::Cpus, name::GuestName, usage::StorageUse};

use super::{
    cgroup::{Groups, Limits},
    process::Proc,
};

/// How long a container's limits are believed: they change when somebody changes them.
const LIMITS_HOLD: Duration = Duration::from_secs(60);

/// What one guest or machine has used, and uses. `None` where it is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meters {
    /// Tells this run from any other of the same guest: with each, counters begin anew.
    pub run: u64,
    /// When this was measured, on a clock that goes on for as long as the run lasts. The same as before: nobody has
    /// measured since.
    pub at: Duration,
    pub cpu: Option<Cpu>,
    /// Its own limit.
    pub cpu_limit: Option<Cpus>,
    /// Bytes.
    pub memory: Option<u64>,
    pub memory_limit: Option<u64>,
    /// Bytes read and written so far.
    pub disk: Option<[u64; 2]>,
    /// Bytes received and sent so far.
    pub network: Option<[u64; 2]>,
}

/// How processor use is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpu {
    /// Nanoseconds of one core, so far.
    Used(u64),
    /// In the last seconds.
    Now(Cpus),
}

/// One machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeMeters {
    pub name: String,
    /// Guests without a node of their own are on it.
    pub is_this_host: bool,
    pub is_online: bool,
    /// Its limits are all that it has.
    pub meters: Meters,
    pub load: Vec<String>,
    /// Seconds.
    pub uptime: Option<u64>,
    pub storages: Vec<StorageUse>,
}

/// What one backend's meters show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    pub guests: Vec<(GuestId, Meters)>,
    pub nodes: Vec<NodeMeters>,
    /// How long reading them kept a processor busy.
    pub work: Duration,
}

/// Reads the meters of containers on this host.
pub struct Meter {
    proc: Proc,
    /// The clock of all readings.
    began: Instant,
    known: Mutex<HashMap<GuestName, Container>>,
}

/// A container that was read before.
struct Container {
    pid: u32,
    start_ticks: u64,
    groups: Groups,
    /// It has a network of its own; else what is counted there is the host's.
    has_network: bool,
    limits: (Instant, Limits),
}

impl Default for Meter {
    fn default() -> Self {
        Self::of(Proc::default())
    }
}

impl Meter {
    pub fn of(proc: Proc) -> Self {
        Self { proc, began: Instant::now(), known: Mutex::default() }
    }

    /// The meters of those containers of these that have an init. `find` is asked for the init's pid and control groups
    /// of a container that was not among those of the last reading, or whose init is another by now.
    pub fn read(
        &self,
        names: &[GuestName],
        find: impl Fn(&GuestName) -> Option<(u32, Groups)>,
    ) -> Vec<(GuestName, Meters)> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut still = HashMap::with_capacity(names.len());
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let before = known.remove(name).filter(|container| self.is_alive(container));
            let Some(mut container) = before.or_else(|| self.container(find(name)?)) else { continue };
            let now = Instant::now();
            if now.duration_since(container.limits.0) >= LIMITS_HOLD {
                container.limits = (now, container.groups.limits());
            }
            all.push((name.clone(), self.meters(&container, now)));
            still.insert(name.clone(), container);
        }
        *known = still;
        all
    }

    /// A pid alone proves nothing: it may be another process's by now.
    fn is_alive(&self, container: &Container) -> bool {
        let stat = self.proc.stat(container.pid);
        stat.is_some_and(|stat| stat.is_alive() && stat.start_ticks == container.start_ticks)
    }

    fn container(&self, (pid, groups): (u32, Groups)) -> Option<Container> {
        let stat = self.proc.stat(pid).filter(super::process::ProcessStat::is_alive)?;
        let limits = (Instant::now(), groups.limits());
        let has_network = self.proc.has_own_network(pid);
        Some(Container { pid, start_ticks: stat.start_ticks, groups, has_network, limits })
    }

    fn meters(&self, container: &Container, now: Instant) -> Meters {
        let Container { pid, start_ticks, groups, has_network, limits: (_, limits) } = container;
        Meters {
            run: *start_ticks,
            at: now.duration_since(self.began),
            cpu: groups.cpu_ns().map(Cpu::Used),
            cpu_limit: limits.cpu,
            memory: groups.memory(),
            memory_limit: limits.memory,
            disk: groups.disk(),
            network: has_network.then(|| self.proc.network(*pid, |name| name != "lo")).flatten(),
        }
    }
}

#[cfg(test)]
mod tests;
