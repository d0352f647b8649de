//! Limits in LXC's terms: lines of a configuration and values for `lxc-cgroup`, by the host's control groups.

use std::collections::BTreeMap;

use crate::{
    backend::{
        Error,
        cgroup::{Layout, cpus},
    },
    domain::{
        action::Field,
        plan::Change,
        size,
        spec::{Cpus, Limits},
    },
};

/// Less than this starts nothing; a forgotten unit (`512`) is caught here, too.
const LEAST_MEMORY: u64 = 1 << 20;
/// The kernel takes what is near 2^63 for no limit.
const MOST_MEMORY: u64 = 1 << 60;
/// The kernel's own bound of process ids.
const MOST_PIDS: u64 = 1 << 22;
/// Processor time is given out anew after so long, microseconds: the kernel's default.
const PERIOD_US: u64 = 100_000;
/// The longest that the kernel takes.
const LONG_PERIOD_US: u64 = 1_000_000;
/// The kernel takes no share of a period that is shorter than a millisecond.
const LEAST_QUOTA_US: u64 = 1_000;

/// One file of a control group, and what is to be written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `memory.max`; the name differs with the version.
    pub file: &'static str,
    pub value: String,
    /// What it is called in the configuration before the file's name.
    prefix: &'static str,
}

impl Setting {
    /// As a line of the container's configuration.
    pub fn change(&self) -> Change {
        Change { key: format!("{}{}", self.prefix, self.file), value: Some(self.value.clone()) }
    }
}

pub fn check(limits: &Limits) -> Result<(), Error> {
    let invalid = |field, message: &str| Err(Error::Invalid { field, message: message.to_owned() });
    if limits.cpu.is_some_and(|cpu| !(Cpus(1)..=Cpus::MOST).contains(&cpu)) {
        return invalid(
            Field::Cpu,
            "Enter a number of processor cores from 0.001 to 8192, such as 2 or 1.5.",
        );
    }
    if limits.memory.is_some_and(|bytes| !(LEAST_MEMORY..=MOST_MEMORY).contains(&bytes)) {
        return invalid(Field::Memory, "Enter a memory limit of at least 1 MiB, such as 512M or 2G.");
    }
    if limits.pids.is_some_and(|pids| !(1..=MOST_PIDS).contains(&pids)) {
        return invalid(Field::Pids, "Enter a number of processes from 1 to 4194304.");
    }
    Ok(())
}

/// The settings of these limits, memory first: that is the one that the kernel may refuse. On a hybrid host the
/// controllers are those of version 1.
pub fn settings(limits: &Limits, layout: Layout) -> Vec<Setting> {
    let v2 = layout == Layout::V2;
    let prefix = if v2 { "lxc.cgroup2." } else { "lxc.cgroup." };
    let mut settings = Vec::new();
    let mut set = |file, value: String| settings.push(Setting { file, value, prefix });
    if let Some(bytes) = limits.memory {
        set(if v2 { "memory.max" } else { "memory.limit_in_bytes" }, bytes.to_string());
    }
    if let Some(cpu) = limits.cpu {
        let (quota, period) = quota(cpu);
        if v2 {
            set("cpu.max", format!("{quota} {period}"));
        } else {
            set("cpu.cfs_period_us", period.to_string());
            set("cpu.cfs_quota_us", quota.to_string());
        }
    }
    if let Some(pids) = limits.pids {
        set("pids.max", pids.to_string());
    }
    settings
}

/// How much of which period, microseconds.
fn quota(cpu: Cpus) -> (u64, u64) {
    let of = |period: u64| u64::from(cpu.0) * period / 1000;
    let short = of(PERIOD_US);
    if short >= LEAST_QUOTA_US { (short, PERIOD_US) } else { (of(LONG_PERIOD_US), LONG_PERIOD_US) }
}

/// The limits that a container's configuration gives it on a host of this layout. `cgroups`: see
/// [`ContainerConfig::cgroups`](super::config::ContainerConfig::cgroups).
pub fn configured(cgroups: &BTreeMap<String, String>, layout: Layout) -> Limits {
    let v2 = layout == Layout::V2;
    let text = |key: &str| {
        let key = format!("{}{key}", if v2 { "cgroup2." } else { "cgroup." });
        cgroups.get(&key).map(String::as_str)
    };
    let number = |key: &str| text(key)?.parse::<u64>().ok();
    let of_v2 = || {
        let (quota, period) = text("cpu.max")?.split_once(' ')?;
        cpus(quota.parse().ok()?, period.trim().parse().ok()?)
    };
    let of_v1 = || cpus(number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us").unwrap_or(PERIOD_US));
    let memory = text(if v2 { "memory.max" } else { "memory.limit_in_bytes" });
    Limits {
        cpu: if v2 { of_v2() } else { of_v1() },
        memory: memory.and_then(|text| size::parse(text).ok()).filter(|bytes| *bytes <= MOST_MEMORY),
        pids: number("pids.max"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limits: &Limits, layout: Layout) -> Vec<String> {
        settings(limits, layout).iter().map(|setting| setting.change().to_string()).collect()
    }

    const ALL: Limits = Limits { cpu: Some(Cpus(1500)), memory: Some(64 << 20), pids: Some(100) };

    #[test]
    fn the_hosts_control_groups_decide_the_keys() {
        let v1 = [
            "lxc.cgroup.memory.limit_in_bytes = 67108864",
            "lxc.cgroup.cpu.cfs_period_us = 100000",
            "lxc.cgroup.cpu.cfs_quota_us = 150000",
            "lxc.cgroup.pids.max = 100",
        ];
        assert_eq!(lines(&ALL, Layout::V1), v1);
        assert_eq!(lines(&ALL, Layout::Hybrid), v1, "its controllers are those of version 1");
        assert_eq!(
            lines(&ALL, Layout::V2),
            [
                "lxc.cgroup2.memory.max = 67108864",
                "lxc.cgroup2.cpu.max = 150000 100000",
                "lxc.cgroup2.pids.max = 100"
            ]
        );
        assert!(lines(&Limits::default(), Layout::V2).is_empty());
    }

    #[test]
    fn the_smallest_share_of_a_core_is_one_that_the_kernel_takes() {
        for thousandths in [1, 9, 10, 11, 8_192_000] {
            let (quota, period) = quota(Cpus(thousandths));
            assert!(
                quota >= LEAST_QUOTA_US && period <= LONG_PERIOD_US,
                "{thousandths}: {quota} of {period}"
            );
            assert_eq!(cpus(quota, period), Some(Cpus(thousandths)));
        }
    }

    #[test]
    fn what_was_written_reads_back() {
        for layout in [Layout::V1, Layout::V2, Layout::Hybrid] {
            let cgroups = settings(&ALL, layout)
                .iter()
                .map(|setting| {
                    let change = setting.change();
                    (change.key["lxc.".len()..].to_owned(), change.value.unwrap())
                })
                .collect();
            assert_eq!(configured(&cgroups, layout), ALL);
        }
    }

    #[test]
    fn a_limit_by_hand_is_understood_and_none_is_none() {
        let of = |pairs: &[(&str, &str)], layout| {
            configured(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), layout)
        };
        assert_eq!(of(&[("cgroup2.memory.max", "2G")], Layout::V2).memory, Some(2 << 30));
        assert_eq!(of(&[("cgroup2.memory.max", "2G")], Layout::V1), Limits::default(), "of no use there");
        for max in ["max", "-1", "", "9223372036854771712"] {
            assert_eq!(of(&[("cgroup2.memory.max", max)], Layout::V2).memory, None, "{max}");
        }
        for max in ["max 100000", "5", "1 0", "x y", ""] {
            assert_eq!(of(&[("cgroup2.cpu.max", max)], Layout::V2).cpu, None, "{max}");
        }
        assert_eq!(of(&[("cgroup.cpu.cfs_quota_us", "-1")], Layout::V1).cpu, None);
        assert_eq!(of(&[("cgroup.cpu.cfs_quota_us", "50000")], Layout::V1).cpu, Some(Cpus(500)));
    }

    #[test]
    fn a_senseless_limit_is_refused_at_its_own_field() {
        for (limits, wrong) in [
            (Limits { memory: Some(0), ..ALL }, Field::Memory),
            (Limits { memory: Some(512), ..ALL }, Field::Memory),
            (Limits { memory: Some(u64::MAX), ..ALL }, Field::Memory),
            (Limits { cpu: Some(Cpus(0)), ..ALL }, Field::Cpu),
            (Limits { cpu: Some(Cpus(u32::MAX)), ..ALL }, Field::Cpu),
            (Limits { pids: Some(0), ..ALL }, Field::Pids),
            (Limits { pids: Some(u64::MAX), ..ALL }, Field::Pids),
        ] {
            assert!(
                matches!(check(&limits), Err(Error::Invalid { field, .. }) if field == wrong),
                "{limits:?}"
            );
        }
        assert_eq!(check(&ALL), Ok(()));
        assert_eq!(check(&Limits::default()), Ok(()));
    }
}
