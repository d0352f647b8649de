//! The last hour of every guest and node.
//!
//! All moments are those of all, so that only the sampler's own list has their times. A figure is kept as the logarithm
//! of its size in 16 bits: true to one part in three thousand, from one byte to a petabyte, in 12 bytes a moment.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{INTERVAL, Tick};
use crate::domain::{
    guest::GuestId,
    host::NodeState,
    limits::Cpus,
    usage::{Column, KEPT_MS, SPARK_POINTS, Sample, Series, Spark, level},
};

/// Moments of an hour, whatever the clock says.
const MOST: usize = 361;
/// A ring grows by so many moments: those of guests that live for minutes stay small.
const GROWTH: usize = 60;

/// Cpu, memory, disk read and written, network in and out.
const FIGURES: usize = 6;
type Packed = [u16; FIGURES];
const NOTHING: u16 = u16::MAX;

/// Everything that is kept.
#[derive(Default)]
pub struct History {
    /// Number of the newest moment.
    newest: u64,
    /// Milliseconds since 1970 of each moment, rising.
    times: VecDeque<i64>,
    pub guests: HashMap<GuestId, Ring>,
    pub nodes: BTreeMap<String, Ring>,
}

/// One guest or node.
#[derive(Default)]
pub struct Ring {
    /// Number of the moment that the last entry is of.
    last: u64,
    entries: VecDeque<Packed>,
    cpu_most: Option<Cpus>,
    memory_most: Option<u64>,
}

impl History {
    /// Adds the newest moment. Lets go of those that are older than an hour, and of guests that are not `kept`.
    pub fn push(&mut self, tick: &Tick, kept: impl Fn(&GuestId) -> bool) {
        if let Some(last) = self.times.back().copied().filter(|last| *last >= tick.at_ms) {
            // Somebody has set the clock back: what was before stays before.
            let back = last - tick.at_ms + 1;
            self.times.iter_mut().for_each(|at| *at -= back);
        }
        self.newest = tick.number;
        self.times.push_back(tick.at_ms);
        while self.times.len() > MOST || self.times.front().is_some_and(|at| *at < tick.at_ms - KEPT_MS) {
            self.times.pop_front();
        }
        let oldest = self.oldest();
        for (id, sample) in &tick.guests {
            match self.guests.get_mut(id) {
                Some(ring) => ring.push(tick.number, oldest, sample),
                None => {
                    self.guests.entry(id.clone()).or_default().push(tick.number, oldest, sample);
                }
            }
        }
        for (name, node) in tick.nodes.iter().filter(|(_, node)| node.state == NodeState::Online) {
            match self.nodes.get_mut(name) {
                Some(ring) => ring.push(tick.number, oldest, &node.sample),
                None => self.nodes.entry(name.clone()).or_default().push(tick.number, oldest, &node.sample),
            }
        }
        self.guests.retain(|id, ring| ring.last >= oldest && kept(id));
        self.nodes.retain(|_, ring| ring.last >= oldest);
    }

    /// Number of the oldest moment.
    fn oldest(&self) -> u64 {
        (self.newest + 1).saturating_sub(self.times.len() as u64)
    }

    pub fn series(&self, ring: &Ring, after_ms: i64) -> Option<Series> {
        let moments = (self.oldest()..).zip(self.times.iter().copied());
        let moments: Vec<(u64, i64)> = moments
            .skip_while(|(number, at)| *at <= after_ms || *number < ring.first())
            .take_while(|(number, _)| *number <= ring.last)
            .collect();
        let start_ms = moments.first().map_or(0, |(_, at)| *at);
        let column = |figure: usize| -> Column {
            let column: Column =
                moments.iter().map(|(number, _)| unpack(ring.at(*number)?[figure])).collect();
            if column.iter().any(Option::is_some) { column } else { Column::new() }
        };
        Some(Series {
            start_ms,
            interval_ms: u32::try_from(INTERVAL.as_millis()).unwrap_or(u32::MAX),
            cpu_most: ring.cpu_most,
            memory_most: ring.memory_most,
            at: moments.iter().map(|(_, at)| u32::try_from(at - start_ms).unwrap_or(u32::MAX)).collect(),
            cpu: column(0),
            memory: column(1),
            disk_read: column(2),
            disk_write: column(3),
            net_in: column(4),
            net_out: column(5),
        })
    }

    pub fn spark(&self, ring: &Ring) -> Spark {
        let from = (self.newest + 1).saturating_sub(SPARK_POINTS as u64).max(ring.first());
        let line = |figure: usize, most: Option<u64>| {
            let used = |number| unpack(ring.at(number)?[figure]);
            (from..=self.newest).map(|number| level(used(number), most)).collect()
        };
        Spark { cpu: line(0, ring.cpu_most.map(|cpus| u64::from(cpus.0))), memory: line(1, ring.memory_most) }
    }
}

impl Ring {
    /// Number of the moment that the first entry is of.
    fn first(&self) -> u64 {
        (self.last + 1).saturating_sub(self.entries.len() as u64)
    }

    fn at(&self, number: u64) -> Option<Packed> {
        let index = number.checked_sub(self.first())?;
        self.entries.get(usize::try_from(index).ok()?).copied()
    }

    fn push(&mut self, number: u64, oldest: u64, sample: &Sample) {
        self.cpu_most = sample.cpu_most;
        self.memory_most = sample.memory_most;
        while !self.entries.is_empty() && self.first() < oldest {
            self.entries.pop_front();
        }
        if !self.entries.is_empty() {
            for _ in self.last + 1..number {
                self.add([NOTHING; FIGURES]);
            }
        }
        let Sample { disk_read, disk_write, net_in, net_out, .. } = *sample;
        let cpu = sample.cpu.map(|cpu| u64::from(cpu.0));
        self.add([cpu, sample.memory, disk_read, disk_write, net_in, net_out].map(pack));
        self.last = number;
    }

    fn add(&mut self, packed: Packed) {
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(GROWTH);
        }
        self.entries.push_back(packed);
    }
}

/// Steps between a number and its double.
const STEPS: f64 = 1200.0;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn pack(figure: Option<u64>) -> u16 {
    let Some(figure) = figure else { return NOTHING };
    ((figure as f64).ln_1p() / std::f64::consts::LN_2 * STEPS).round().clamp(0.0, f64::from(NOTHING - 1))
        as u16
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to less than 2^55")]
fn unpack(packed: u16) -> Option<u64> {
    (packed != NOTHING).then(|| ((f64::from(packed) / STEPS).exp2() - 1.0).round() as u64)
}

#[cfg(test)]
mod tests;
