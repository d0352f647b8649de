//! What this machine has used so far.

use std::path::Path;

use super::{NAMELESS, ThisHost, cores, cpu_times, memory_bytes};
use crate::{
    backend::{
        meter::{Cpu, Meters, NodeMeters},
        process::parse_net_dev,
    },
    domain::{limits::Cpus, usage::StorageUse},
};

/// Of a clock tick, see [`TICKS_PER_SECOND`](super::TICKS_PER_SECOND).
const NANOSECONDS: u64 = 10_000_000;
/// What `/proc/diskstats` counts in, whatever the disk.
const SECTOR: u64 = 512;

impl ThisHost {
    /// The machine's meters, with these directories as its storages: name and absolute path.
    pub fn meters(&self, storages: &[(&str, &Path)]) -> NodeMeters {
        let at = self.began.elapsed();
        let stat = self.text("stat");
        let meminfo = self.text("meminfo");
        let of_memory = |key| meminfo.as_deref().and_then(|text| memory_bytes(text, key));
        let total = of_memory("MemTotal:");
        let busy = stat.as_deref().and_then(cpu_times).map(|times| times.busy);
        let meters = Meters {
            run: 0,
            at,
            cpu: busy.map(|ticks| Cpu::Used(ticks.saturating_mul(NANOSECONDS))),
            cpu_limit: stat.as_deref().and_then(cores).map(Cpus::cores),
            memory: total.zip(of_memory("MemAvailable:")).map(|(all, free)| all.saturating_sub(free)),
            memory_limit: total,
            disk: self.text("diskstats").map(|text| disks(&text, |name| self.is_device("block", name))),
            network: self
                .text("self/net/dev")
                .map(|text| parse_net_dev(&text, |name| self.is_device("class/net", name))),
        };
        NodeMeters {
            name: self.line("sys/kernel/hostname").unwrap_or_else(|| NAMELESS.to_owned()),
            is_this_host: true,
            is_online: true,
            meters,
            load: self.load(),
            uptime: self.uptime(),
            storages: storages.iter().map(|(name, path)| self.space(name, path)).collect(),
        }
    }

    /// Whether it is hardware. What lies upon that (bridges, bonds, mirrors, volumes, containers' own) would count
    /// everything twice.
    fn is_device(&self, room: &str, name: &str) -> bool {
        self.sys.join(room).join(name).join("device").exists()
    }

    fn space(&self, name: &str, path: &Path) -> StorageUse {
        let storage = self.storage(name, path);
        StorageUse {
            name: storage.name,
            kind: storage.kind,
            used: storage.used,
            total: storage.total,
            is_shared: false,
        }
    }
}

/// Bytes read and written by the disks that `counts`. A line: two numbers, name, reads, merged, sectors read,
/// milliseconds, writes, merged, sectors written, ...
fn disks(text: &str, counts: impl Fn(&str) -> bool) -> [u64; 2] {
    let mut sum = [0u64; 2];
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words.get(2).is_some_and(|name| counts(name)) {
            continue;
        }
        for (sum, column) in sum.iter_mut().zip([5, 9]) {
            let sectors: u64 = words.get(column).and_then(|word| word.parse().ok()).unwrap_or_default();
            *sum = sum.saturating_add(sectors.saturating_mul(SECTOR));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::disks;

    #[test]
    fn sectors_of_disks_are_bytes_and_partitions_are_none() {
        let text = "   8       0 sda 10 1 100 5 20 2 200 6 0 7 8 9 0 0 0 0 0 0\n   8       1 sda1 10 1 100 5 20 2 200 6\n\
                    253 0 dm-0 1 1 1 1\n259 0 nvme0n1 1 0 2 0 1 0 4 0\ngarbage\n";
        let of = |name: &str| matches!(name, "sda" | "nvme0n1");
        assert_eq!(disks(text, of), [102 * 512, 204 * 512]);
        assert_eq!(disks("8 0 sda 1 1 18446744073709551615", of), [u64::MAX, 0]);
    }
}
