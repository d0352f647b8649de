//! USAGE: what guests and nodes use of processor, memory, disk and network, now and over the last hour.
//!
//! ```text
//!   Sample       one guest at one moment           Tick (service)     all of them at the newest moment
//!   NodeSample   one node at one moment            Series             one of them at each moment of the last hour
//!                                                  Spark              the last few moments as text, for a row of a table
//! ```

use serde::{Deserialize, Serialize};

use super::{host::NodeState, limits::Cpus};

/// How long samples are kept.
pub const KEPT_MS: i64 = 60 * 60 * 1000;
/// How many of the newest moments a [`Spark`] tells.
pub const SPARK_POINTS: usize = 24;

/// What one guest used at one moment; of cpu, disk and network between that moment and the one before. `None` where the
/// backend cannot tell, and for a rate where there was no moment before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Thousandths of a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpus>,
    /// What it may use at most: its own limit, else all that its node has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_most: Option<Cpus>,
    /// Bytes; of containers with what the kernel caches for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// As `cpu_most`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_most: Option<u64>,
    /// Bytes a second, as the three below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_read: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_write: Option<u64>,
    /// What the guest received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_out: Option<u64>,
}

impl Sample {
    /// Both as one character each, see [`level`].
    pub fn levels(&self) -> (char, char) {
        let thousandths = |cpus: Option<Cpus>| cpus.map(|cpus| u64::from(cpus.0));
        (level(thousandths(self.cpu), thousandths(self.cpu_most)), level(self.memory, self.memory_most))
    }
}

/// What one node used at one moment, all its guests and itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSample {
    pub state: NodeState,
    /// Where all processors are used, `cpu` is `cpu_most`.
    #[serde(default)]
    pub sample: Sample,
    /// The load averages of 1, 5 and 15 minutes, as the kernel writes them; empty where they are not told.
    #[serde(default)]
    pub load: Vec<String>,
    /// Since boot, seconds.
    #[serde(default)]
    pub uptime_seconds: Option<u64>,
    /// Sorted by name.
    #[serde(default)]
    pub storages: Vec<StorageUse>,
}

/// How full a storage is, as its node sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageUse {
    pub name: String,
    /// `dir`, `lvmthin`, `ext4`, ...
    pub kind: String,
    /// Bytes; `None` while it cannot be reached.
    pub used: Option<u64>,
    pub total: Option<u64>,
    /// Other nodes see the same.
    #[serde(default)]
    pub is_shared: bool,
}

impl StorageUse {
    /// Thousandths of it that are in use.
    pub fn permille(&self) -> Option<u32> {
        let (used, total) = (u128::from(self.used?), u128::from(self.total.filter(|total| *total > 0)?));
        u32::try_from((used * 1000 / total).min(1000)).ok()
    }
}

/// One guest or node over the last hour, a column for each thing. All columns are as long as `at`, but for those of
/// which nothing was ever told: they are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Series {
    /// Milliseconds since 1970; the moments count from here.
    pub start_ms: i64,
    /// How far apart two moments usually are, milliseconds. Where they are much further, nothing was measured.
    pub interval_ms: u32,
    pub cpu_most: Option<Cpus>,
    pub memory_most: Option<u64>,
    /// Milliseconds after `start_ms`, rising.
    pub at: Vec<u32>,
    /// Thousandths of a core.
    pub cpu: Column,
    /// Bytes.
    pub memory: Column,
    /// Bytes a second, as the rest.
    pub disk_read: Column,
    pub disk_write: Column,
    pub net_in: Column,
    pub net_out: Column,
}

/// `None` at moments of which nothing is known.
pub type Column = Vec<Option<u64>>;

impl Series {
    pub fn len(&self) -> usize {
        self.at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Milliseconds since 1970 of the moment with this number.
    pub fn time(&self, index: usize) -> Option<i64> {
        Some(self.start_ms.saturating_add(i64::from(*self.at.get(index)?)))
    }

    /// Of the newest moment; what is newer than that can be asked for.
    pub fn end_ms(&self) -> Option<i64> {
        self.time(self.len().checked_sub(1)?)
    }

    fn columns(&mut self) -> [&mut Column; 6] {
        [
            &mut self.cpu,
            &mut self.memory,
            &mut self.disk_read,
            &mut self.disk_write,
            &mut self.net_in,
            &mut self.net_out,
        ]
    }

    /// Goes on with what is newer, and lets go of what is older than an hour by then.
    pub fn extend(&mut self, mut newer: Self) {
        let Some(end_ms) = newer.end_ms() else { return };
        let last = self.end_ms().unwrap_or(i64::MIN);
        let skip = (0..newer.len()).take_while(|i| newer.time(*i).is_some_and(|at| at <= last)).count();
        let keep_from = end_ms.saturating_sub(KEPT_MS);
        let drop = (0..self.len()).take_while(|i| self.time(*i).is_some_and(|at| at < keep_from)).count();
        let (kept, come) = (self.len() - drop, newer.len() - skip);
        let times: Vec<i64> = (drop..self.len())
            .filter_map(|i| self.time(i))
            .chain((skip..newer.len()).filter_map(|i| newer.time(i)))
            .collect();
        for (own, new) in self.columns().into_iter().zip(newer.columns()) {
            let filled = |column: &mut Column, length: usize| {
                if column.is_empty() { vec![None; length] } else { std::mem::take(column) }
            };
            if own.is_empty() && new.is_empty() {
                continue;
            }
            let before = filled(own, kept + drop);
            let after = filled(new, come + skip);
            *own = before.into_iter().skip(drop).chain(after.into_iter().skip(skip)).collect();
        }
        self.start_ms = times.first().copied().unwrap_or_default();
        let since = |at: i64| u32::try_from(at.saturating_sub(self.start_ms)).unwrap_or(u32::MAX);
        self.at = times.into_iter().map(since).collect();
        self.interval_ms = newer.interval_ms;
        self.cpu_most = newer.cpu_most;
        self.memory_most = newer.memory_most;
    }
}

/// The newest moments of one guest, oldest first, a character each (see [`level`]): cpu and memory, each relative to
/// the most that the guest may use. As long as there were moments, [`SPARK_POINTS`] at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spark {
    pub cpu: String,
    pub memory: String,
}

/// The heights that a spark tells apart, lowest first. None of them needs escaping in JSON, HTML or a URL.
const LEVELS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// At that moment nothing was measured.
pub const GAP: char = '.';

/// How much of it is used, as one of 64 characters; [`GAP`] where either is not known. Something is never nothing: the
/// lowest level is that of no use at all.
pub fn level(used: Option<u64>, most: Option<u64>) -> char {
    let (Some(used), Some(most @ 1..)) = (used, most) else { return GAP };
    let steps = LEVELS.len() as u64 - 1;
    let step = u128::from(used.min(most)) * u128::from(steps);
    let step = usize::try_from(step.div_ceil(u128::from(most))).unwrap_or(usize::MAX);
    LEVELS.get(step).copied().map_or(GAP, char::from)
}

/// The level of such a character, from 0 to 63; `None` for a gap, and for what is none.
pub fn height(level: char) -> Option<u8> {
    let position = LEVELS.iter().position(|known| char::from(*known) == level)?;
    u8::try_from(position).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_reads_back_and_something_is_never_nothing() {
        assert_eq!(
            (height(level(Some(0), Some(100))), height(level(Some(100), Some(100)))),
            (Some(0), Some(63))
        );
        assert_eq!(height(level(Some(1), Some(u64::MAX))), Some(1));
        assert_eq!(height(level(Some(500), Some(100))), Some(63), "more than there is");
        assert_eq!(height(level(Some(u64::MAX), Some(u64::MAX))), Some(63));
        for (used, most) in [(None, Some(1)), (Some(1), None), (Some(1), Some(0))] {
            assert_eq!(level(used, most), GAP);
        }
        assert_eq!((height(GAP), height('é')), (None, None));
        let heights: Vec<_> = LEVELS.iter().map(|c| height(char::from(*c))).collect();
        assert_eq!(heights, (0..64).map(Some).collect::<Vec<_>>());
    }

    fn series(start_ms: i64, at: &[u32], cpu: &[u64]) -> Series {
        Series {
            start_ms,
            interval_ms: 10_000,
            at: at.to_vec(),
            cpu: cpu.iter().copied().map(Some).collect(),
            ..Series::default()
        }
    }

    #[test]
    fn a_series_goes_on_with_what_is_newer_and_lets_go_of_what_is_old() {
        let mut all = series(1_000, &[0, 10_000, 20_000], &[1, 2, 3]);
        let mut newer = series(11_000, &[0, 10_000, 20_000], &[2, 3, 4]);
        newer.memory = vec![None, None, Some(7)];
        all.extend(newer);
        assert_eq!((all.start_ms, all.at.as_slice()), (1_000, [0, 10_000, 20_000, 30_000].as_slice()));
        assert_eq!(all.cpu, [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(all.memory, [None, None, None, Some(7)]);
        assert!(all.net_in.is_empty());
        all.extend(series(1_000 + KEPT_MS + 15_000, &[0], &[5]));
        assert_eq!(all.cpu, [Some(3), Some(4), Some(5)]);
        assert_eq!((all.start_ms, all.end_ms()), (21_000, Some(1_000 + KEPT_MS + 15_000)));
        let before = all.clone();
        all.extend(Series::default());
        assert_eq!(all, before);
        let mut none = Series::default();
        none.extend(before.clone());
        assert_eq!(none, before);
    }

    #[test]
    fn a_storage_without_numbers_is_not_full() {
        let of = |used, total| StorageUse { used, total, ..StorageUse::default() }.permille();
        assert_eq!(
            [of(Some(1), Some(2)), of(Some(3), Some(2)), of(Some(1), Some(0)), of(None, Some(1))],
            [Some(500), Some(1000), None, None]
        );
    }
}
