//! Control groups: which layout the host has, and what one group uses.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use crate::domain::spec::Cpus;

use super::{files, process::CgroupLine};

mod disk;

/// Where every Linux mounts them.
const ROOT: &str = "/sys/fs/cgroup";

/// How the host mounts its control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    V1,
    V2,
    /// v1 controllers plus a v2 tree at `/sys/fs/cgroup/unified`; crun refuses to work on it.
    Hybrid,
}

impl Layout {
    /// Of this process's own mount namespace, from the text of `/proc/self/mountinfo`.
    pub fn from_mountinfo(text: &str) -> Self {
        // The file system's type is the first word after the separator " - ".
        let mut types = text.lines().filter_map(|line| line.split_once(" - ")?.1.split(' ').next());
        let (v1, v2) = types
            .by_ref()
            .fold((false, false), |(v1, v2), kind| (v1 || kind == "cgroup", v2 || kind == "cgroup2"));
        match (v1, v2) {
            (true, true) => Self::Hybrid,
            (true, false) => Self::V1,
            (false, _) => Self::V2,
        }
    }

    /// Of this process's own mount namespace. A host that cannot be read counts as v2, the one that needs no care.
    pub fn of_host() -> Self {
        let text = files::read(Path::new("/proc/self/mountinfo")).ok().flatten().unwrap_or_default();
        Self::from_mountinfo(&text)
    }
}

/// The directories that guests' groups are made in, unless they are told otherwise; those of the layout that the host
/// has are there.
pub fn tops() -> [PathBuf; 2] {
    [PathBuf::from(ROOT), Path::new(ROOT).join("freezer")]
}

/// What the processes of one control group use now. `None` where the kernel does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    pub memory: Option<u64>,
    /// `None` also where there is no limit.
    pub memory_limit: Option<u64>,
    pub cpu_ns: Option<u64>,
    /// `None` also where there is no limit.
    pub cpu_limit: Option<Cpus>,
    pub tasks: Option<u64>,
    /// `None` also where there is no limit.
    pub tasks_limit: Option<u64>,
    pub frozen: bool,
}

/// What the processes of one control group may use; `None` without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub cpu: Option<Cpus>,
    pub memory: Option<u64>,
}

/// The directories of one process's control groups, cut off below the component that `is_guest` accepts: a guest's
/// init may have moved itself into a subgroup, and the guest is the whole.
#[derive(Clone)]
pub struct Groups {
    root: PathBuf,
    lines: Vec<CgroupLine>,
}

impl Groups {
    pub fn new(lines: Vec<CgroupLine>, is_guest: impl Fn(&str) -> bool) -> Self {
        Self::at(ROOT, lines, is_guest)
    }

    pub(super) fn at(
        root: impl Into<PathBuf>,
        lines: Vec<CgroupLine>,
        is_guest: impl Fn(&str) -> bool,
    ) -> Self {
        let cut = |path: &str| {
            let parts: Vec<&str> = path.split('/').collect();
            match parts.iter().position(|part| is_guest(part)) {
                Some(i) => parts[..=i].join("/"),
                None => path.to_owned(),
            }
        };
        // What a hierarchy's root tells, it tells of the whole host.
        let lines = lines.into_iter().filter(|l| !l.path.trim_matches('/').is_empty());
        let lines = lines.map(|l| CgroupLine { path: cut(&l.path), ..l }).collect();
        Self { root: root.into(), lines }
    }

    pub fn usage(&self) -> Usage {
        Usage {
            memory: self.memory(),
            memory_limit: self.memory_limit(),
            cpu_ns: self.cpu_ns(),
            cpu_limit: self.cpu_limit(),
            tasks: self
                .number("pids", "pids.current")
                .or_else(|| self.v2("pids.current")?.trim().parse().ok()),
            // Both versions say "no limit" with the word "max", which is no number.
            tasks_limit: self.number("pids", "pids.max").or_else(|| self.v2("pids.max")?.trim().parse().ok()),
            frozen: self.is_frozen(),
        }
    }

    /// Bytes in use, with what the kernel caches of the group's files.
    pub fn memory(&self) -> Option<u64> {
        self.number("memory", "memory.usage_in_bytes")
            .or_else(|| self.v2("memory.current")?.trim().parse().ok())
    }

    /// Processor time used so far.
    pub fn cpu_ns(&self) -> Option<u64> {
        self.number("cpuacct", "cpuacct.usage").or_else(|| self.v2_cpu_ns())
    }

    /// Bytes read from disks and written to them so far. Version 1 does not count what the kernel writes later, on its
    /// own.
    pub fn disk(&self) -> Option<[u64; 2]> {
        // Where there is no word of groups below, the group's own.
        let v1 = |file| self.v1("blkio", file).map(|text| disk::v1(&text));
        v1("blkio.throttle.io_service_bytes_recursive")
            .or_else(|| v1("blkio.throttle.io_service_bytes"))
            .or_else(|| self.v2("io.stat").map(|text| disk::v2(&text)))
    }

    pub fn limits(&self) -> Limits {
        Limits { cpu: self.cpu_limit(), memory: self.memory_limit() }
    }

    /// Cheaper than [`usage`](Self::usage) where only this is wanted.
    pub fn is_frozen(&self) -> bool {
        self.v1("freezer", "freezer.state").is_some_and(|state| state.trim() != "THAWED")
            || self.v2("cgroup.freeze").is_some_and(|state| state.trim() == "1")
    }

    /// The files by whose change the kernel tells that the group was frozen or thawed, and in version 2 that its last
    /// process has ended; the same whether they are there or not.
    pub fn telling(&self) -> impl Iterator<Item = PathBuf> {
        self.groups().map(|(group, is_v1)| group.join(if is_v1 { "freezer.state" } else { "cgroup.events" }))
    }

    /// The directory of the group in the hierarchy that can freeze it, and whether that is one of version 1.
    fn groups(&self) -> impl Iterator<Item = (PathBuf, bool)> {
        let at = |hierarchy: &str, line: &CgroupLine| {
            self.root.join(hierarchy).join(line.path.trim_start_matches('/'))
        };
        let v1 = self.lines.iter().find(|l| l.controllers.iter().any(|c| c == "freezer"));
        let v2 = self.lines.iter().find(|l| l.controllers.is_empty());
        let groups = [v1.map(|l| (at("freezer", l), true)), v2.map(|l| (at("", l), false))];
        groups.into_iter().flatten()
    }

    /// The same question kept open, for one who asks often: an answer then costs a tenth.
    pub fn watch_frozen(&self) -> Option<FrozenWatch> {
        let file = |(group, is_v1): (PathBuf, bool)| {
            group.join(if is_v1 { "freezer.state" } else { "cgroup.freeze" })
        };
        let files: Vec<File> = self.groups().filter_map(|group| File::open(file(group)).ok()).collect();
        (!files.is_empty()).then_some(FrozenWatch(files))
    }

    fn memory_limit(&self) -> Option<u64> {
        // v1 says "no limit" with the largest multiple of a page below 2^63; anything that near to it is the same.
        const NO_LIMIT: u64 = 1 << 62;
        let v1 = self.number("memory", "memory.limit_in_bytes").filter(|limit| *limit < NO_LIMIT);
        // v2 says it with the word "max", which is no number.
        v1.or_else(|| self.v2("memory.max")?.trim().parse().ok())
    }

    fn cpu_limit(&self) -> Option<Cpus> {
        // v1 says "no limit" with -1, v2 with the word "max": neither is a number here.
        let v1 = || Some((self.number("cpu", "cpu.cfs_quota_us")?, self.number("cpu", "cpu.cfs_period_us")?));
        let v2 = || {
            let max = self.v2("cpu.max")?;
            let (quota, period) = max.trim().split_once(' ')?;
            Some((quota.parse().ok()?, period.parse().ok()?))
        };
        let (quota, period) = v1().or_else(v2)?;
        cpus(quota, period)
    }

    fn v2_cpu_ns(&self) -> Option<u64> {
        let stat = self.v2("cpu.stat")?;
        let microseconds: u64 =
            stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?.trim().parse().ok()?;
        microseconds.checked_mul(1000)
    }

    fn number(&self, controller: &str, file: &str) -> Option<u64> {
        self.v1(controller, file)?.trim().parse().ok()
    }

    fn v1(&self, controller: &str, file: &str) -> Option<String> {
        let line = self.lines.iter().find(|l| l.controllers.iter().any(|c| c == controller))?;
        // The mount is named after all controllers of the hierarchy; Debian links each single name to it.
        files::read(&self.root.join(controller).join(line.path.trim_start_matches('/')).join(file)).ok()?
    }

    fn v2(&self, file: &str) -> Option<String> {
        let line = self.lines.iter().find(|l| l.controllers.is_empty())?;
        files::read(&self.root.join(line.path.trim_start_matches('/')).join(file)).ok()?
    }
}

/// So much time of each period, in the same unit, as thousandths of a core.
pub fn cpus(quota: u64, period: u64) -> Option<Cpus> {
    let thousandths = (u128::from(quota) * 1000).checked_div(u128::from(period))?;
    Some(Cpus(u32::try_from(thousandths).unwrap_or(u32::MAX)))
}

/// Open files that say whether one group is frozen. Each use holds one or two descriptors.
pub struct FrozenWatch(Vec<File>);

impl FrozenWatch {
    /// `None` once the group is gone.
    pub fn is_frozen(&self) -> Option<bool> {
        let mut frozen = false;
        for file in &self.0 {
            let mut bytes = [0; 16];
            let length = file.read_at(&mut bytes, 0).ok()?;
            frozen |= !matches!(bytes[..length].trim_ascii(), b"THAWED" | b"0");
        }
        Some(frozen)
    }
}

#[cfg(test)]
mod tests;
