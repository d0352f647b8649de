//! This machine as a node, for the backends whose guests run on it directly: read from `/proc` and `/sys`, without a
//! process. Formats: proc(5), sysfs-class-net.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::domain::host::{Network, Node, NodeState, Storage};

use super::files;

mod meters;
mod mounts;
mod networks;

/// Clock ticks a second in `/proc/stat`, per core: USER_HZ.
const TICKS_PER_SECOND: u64 = 100;

/// What a machine is called that has no name.
const NAMELESS: &str = "localhost";

/// Reads this machine. Keeps the last reading of its processors, as their use is the difference of two.
pub struct ThisHost {
    proc: PathBuf,
    sys: PathBuf,
    cpu: Mutex<CpuUse>,
    /// The clock of its meters.
    began: Instant,
}

/// Use of all cores, from reading to reading.
#[derive(Debug, Default)]
struct CpuUse {
    last: CpuTimes,
    /// Between the last reading and the one before it.
    permille: Option<u32>,
}

/// Since boot, all cores together, in clock ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct CpuTimes {
    busy: u64,
    total: u64,
}

impl Default for ThisHost {
    fn default() -> Self {
        Self::at("/proc", "/sys")
    }
}

impl ThisHost {
    /// Directories laid out like `/proc` and `/sys`.
    fn at(proc: impl Into<PathBuf>, sys: impl Into<PathBuf>) -> Self {
        let host = Self { proc: proc.into(), sys: sys.into(), cpu: Mutex::default(), began: Instant::now() };
        // The first answer is then of the time since Paddock started, instead of none.
        if let Some(times) = host.text("stat").as_deref().and_then(cpu_times) {
            host.cpu.lock().unwrap_or_else(PoisonError::into_inner).last = times;
        }
        host
    }

    /// The machine as it is now, with these directories as its storages: name and absolute path. Processor use is
    /// that of at least the last second. What cannot be read is `None`, and named in [`Node::note`].
    pub fn node(&self, storages: &[(&str, &Path)]) -> Node {
        let stat = self.text("stat");
        let meminfo = self.text("meminfo");
        let of_memory = |key| meminfo.as_deref().and_then(|text| memory_bytes(text, key));
        let total = of_memory("MemTotal:");
        let name = self.line("sys/kernel/hostname");
        let cores = stat.as_deref().and_then(cores);
        let unread: Vec<&str> = [
            ("its name", name.is_none()),
            ("its processors", cores.is_none()),
            ("its memory", total.is_none()),
        ]
        .into_iter()
        .filter_map(|(what, is_unread)| is_unread.then_some(what))
        .collect();
        let note = (!unread.is_empty())
            .then(|| format!("{} could not be read from {}.", unread.join(", "), self.proc.display()));
        Node {
            name: name.unwrap_or_else(|| NAMELESS.to_owned()),
            state: NodeState::Online,
            version: self.line("sys/kernel/osrelease").unwrap_or_default(),
            cpu_permille: stat.as_deref().and_then(cpu_times).and_then(|times| self.cpu_use(times, cores)),
            cores,
            memory: total.zip(of_memory("MemAvailable:")).map(|(all, free)| all.saturating_sub(free)),
            memory_total: total,
            load: self.load(),
            uptime_seconds: self.uptime(),
            storages: storages.iter().map(|(name, path)| self.storage(name, path)).collect(),
            networks: self.networks(),
            note,
        }
    }

    /// Whoever asks again within a second gets the last answer: the difference would be of a few ticks.
    fn cpu_use(&self, now: CpuTimes, cores: Option<u32>) -> Option<u32> {
        let mut cpu = self.cpu.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.total.saturating_sub(cpu.last.total);
        let permille = (passed > 0).then(|| {
            let busy = now.busy.saturating_sub(cpu.last.busy).min(passed);
            u32::try_from(u128::from(busy) * 1000 / u128::from(passed)).unwrap_or(1000)
        });
        if passed >= TICKS_PER_SECOND.saturating_mul(u64::from(cores.unwrap_or(1))) {
            *cpu = CpuUse { last: now, permille };
        }
        cpu.permille.or(permille)
    }

    fn storage(&self, name: &str, path: &Path) -> Storage {
        // Used and all of it, bytes.
        let space = rustix::fs::statvfs(path).ok().map(|space| {
            let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
            (bytes(space.f_blocks.saturating_sub(space.f_bfree)), bytes(space.f_blocks))
        });
        Storage {
            name: name.to_owned(),
            kind: self.file_system(path).unwrap_or_else(|| "dir".to_owned()),
            content: Vec::new(),
            used: space.map(|(used, _)| used),
            total: space.map(|(_, total)| total),
            is_active: space.is_some(),
        }
    }

    /// The type of the file system that holds this path: `ext4`, `zfs`, ...
    fn file_system(&self, path: &Path) -> Option<String> {
        let path = std::fs::canonicalize(path).ok()?;
        mounts::type_at(&self.text("self/mountinfo")?, &path)
    }

    fn networks(&self) -> Vec<Network> {
        let addresses = networks::Addresses::parse(
            &self.text("self/net/fib_trie").unwrap_or_default(),
            &self.text("self/net/route").unwrap_or_default(),
            &self.text("self/net/if_inet6").unwrap_or_default(),
        );
        networks::read(&self.sys.join("class/net"), &addresses)
    }

    /// The load averages of 1, 5 and 15 minutes.
    fn load(&self) -> Vec<String> {
        let text = self.text("loadavg").unwrap_or_default();
        text.split_whitespace().take(3).map(str::to_owned).collect()
    }

    /// Seconds since boot.
    fn uptime(&self) -> Option<u64> {
        self.line("uptime")?.split(['.', ' ']).next()?.parse().ok()
    }

    /// A file of one line.
    fn line(&self, file: &str) -> Option<String> {
        self.text(file).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn text(&self, file: &str) -> Option<String> {
        files::read(&self.proc.join(file)).ok().flatten()
    }
}

/// Of the line `cpu`: user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two.
fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    let [_, _, _, idle, rest @ ..] = ticks.as_slice() else { return None };
    let total = ticks.iter().fold(0u64, |sum, ticks| sum.saturating_add(*ticks));
    let idle = idle.saturating_add(rest.first().copied().unwrap_or_default());
    Some(CpuTimes { busy: total.saturating_sub(idle), total })
}

/// The lines `cpu0`, `cpu1`, ...: those that are online.
fn cores(stat: &str) -> Option<u32> {
    let is_core = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    u32::try_from(stat.lines().filter(is_core).count()).ok().filter(|cores| *cores > 0)
}

/// One line of `/proc/meminfo`, whose numbers are in KiB.
fn memory_bytes(meminfo: &str, key: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests;
