//! Takes the samples: all backends at once, one after the other in time.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use futures::future::join_all;
use tokio::time::{sleep, timeout};

use super::{
    INTERVAL, Tick, Usage,
    rates::{self, Last, Most},
};
use crate::{
    backend::{Backend, Cpu, NodeMeters, Readings, Registry, now_ms},
    domain::{
        guest::{BackendKind, GuestId},
        host::NodeState,
        name::GuestName,
        usage::{NodeSample, StorageUse},
    },
    service::{Inventory, Snapshot},
};

/// Sampling may take one part in so many of one processor: the interval is as many times as long as the work.
const SHARE: u32 = 50;
/// However long one reading took.
const LONGEST: Duration = Duration::from_secs(300);
/// After the first moment: rates are then there when somebody looks for the first time.
const SOON: Duration = Duration::from_secs(2);
/// A list that is read anyway is no older than that: none is read for a sample.
const AGE: Duration = Duration::from_secs(12);
/// For one backend's answer. One that does not answer holds up no other for longer, and has no sample.
const PATIENCE: Duration = Duration::from_secs(8);

/// Keeps what two readings are compared by.
pub struct Sampler {
    usage: Usage,
    registry: Registry,
    inventory: Inventory,
    number: u64,
    guests: HashMap<GuestId, Last>,
    nodes: HashMap<String, Last>,
    /// Those whose failure has been told.
    failed: HashSet<BackendKind>,
}

impl Sampler {
    pub(super) fn new(usage: Usage, registry: Registry, inventory: Inventory) -> Self {
        Self {
            usage,
            registry,
            inventory,
            number: 0,
            guests: HashMap::new(),
            nodes: HashMap::new(),
            failed: HashSet::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let work = self.sample().await;
        sleep(pause(work, SOON)).await;
        loop {
            let work = self.sample().await;
            sleep(pause(work, INTERVAL)).await;
        }
    }

    /// Takes a sample of everything that runs now. Answers how long that kept a processor busy.
    pub async fn sample(&mut self) -> Duration {
        let snapshot = self.inventory.snapshot();
        let registry = self.registry.clone();
        let answers = join_all(registry.iter().map(|backend| read(backend.as_ref(), &snapshot))).await;
        let began = Instant::now();
        let mut work = Duration::ZERO;
        let mut all = Readings::default();
        for (kind, answer) in answers.into_iter().flatten() {
            match answer {
                Ok(readings) => {
                    self.failed.remove(&kind);
                    work += readings.work;
                    all.guests.extend(readings.guests);
                    readings.nodes.into_iter().for_each(|node| merge(&mut all.nodes, node));
                }
                Err(error) => {
                    if self.failed.insert(kind) {
                        tracing::warn!(backend = %kind, error, "what its guests use cannot be read");
                    }
                }
            }
        }
        let tick = self.tick(all, &snapshot);
        let known: HashSet<&GuestId> = snapshot.guests.iter().map(|guest| &guest.id).collect();
        self.usage.push(tick, |id| known.contains(id));
        work + began.elapsed()
    }

    /// What these readings and the ones before come to.
    fn tick(&mut self, readings: Readings, snapshot: &Snapshot) -> Tick {
        self.number += 1;
        let mut tick = Tick { number: self.number, at_ms: now_ms(), ..Tick::default() };
        let mosts: BTreeMap<String, Most> =
            readings.nodes.iter().map(|node| (node.name.clone(), most(node))).collect();
        let here = readings.nodes.iter().find(|node| node.is_this_host).map(most).unwrap_or_default();
        let places: HashMap<&GuestId, &str> =
            snapshot.guests.iter().filter_map(|guest| Some((&guest.id, guest.node.as_deref()?))).collect();
        let mut lasts = HashMap::with_capacity(readings.guests.len());
        for (id, meters) in readings.guests {
            let most =
                places.get(&id).map_or(Some(&here), |node| mosts.get(*node)).copied().unwrap_or_default();
            let mut last = self.guests.remove(&id);
            if let Some(sample) = rates::next(&mut last, meters, most) {
                tick.guests.insert(id.clone(), sample);
            }
            lasts.extend(last.map(|last| (id, last)));
        }
        // Those that run no more are compared to nothing when they run again.
        self.guests = lasts;
        let mut lasts = HashMap::with_capacity(readings.nodes.len());
        for node in readings.nodes {
            let mut last = self.nodes.remove(&node.name);
            let most = most(&node);
            let sample = if node.is_online { rates::next(&mut last, node.meters, most) } else { None };
            lasts.extend(last.map(|last| (node.name.clone(), last)));
            tick.nodes.insert(
                node.name,
                NodeSample {
                    state: match (node.is_online, &sample) {
                        (true, Some(_)) => NodeState::Online,
                        (true, None) => NodeState::Silent,
                        (false, _) => NodeState::Offline,
                    },
                    sample: sample.unwrap_or_default(),
                    load: node.load,
                    uptime_seconds: node.uptime,
                    storages: node.storages,
                },
            );
        }
        self.nodes = lasts;
        tick
    }
}

/// All that there is.
fn most(node: &NodeMeters) -> Most {
    Most { cpu: node.meters.cpu_limit, memory: node.meters.memory_limit }
}

/// `None` for a backend that cannot be used: there is nothing to read.
async fn read(backend: &dyn Backend, snapshot: &Snapshot) -> Option<(BackendKind, Result<Readings, String>)> {
    let kind = backend.kind();
    snapshot.backends.get(&kind).filter(|health| health.state.availability.is_available())?;
    let running = snapshot.guests.iter().filter(|guest| guest.id.backend == kind && guest.status.is_active());
    let running: Vec<GuestName> = running.map(|guest| guest.id.name.clone()).collect();
    let answer = match timeout(PATIENCE, backend.meters(&running, AGE)).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("there was no answer within {} s", PATIENCE.as_secs())),
    };
    Some((kind, answer))
}

/// Puts the node among the others. One that several backends tell of is there once: as its own files tell it if they
/// do, with the storages of all, and by the cluster's name for it.
fn merge(nodes: &mut Vec<NodeMeters>, node: NodeMeters) {
    let is_same =
        |other: &&mut NodeMeters| other.name == node.name || (other.is_this_host && node.is_this_host);
    let Some(known) = nodes.iter_mut().find(is_same) else {
        nodes.push(node);
        return;
    };
    known.is_this_host |= node.is_this_host;
    if matches!(node.meters.cpu, Some(Cpu::Used(_))) && !matches!(known.meters.cpu, Some(Cpu::Used(_))) {
        (known.is_online, known.meters) = (node.is_online, node.meters);
        (known.load, known.uptime) = (node.load, node.uptime);
    }
    let new = |storage: &StorageUse| known.storages.iter().all(|other| other.name != storage.name);
    let more: Vec<_> = node.storages.into_iter().filter(new).collect();
    known.storages.extend(more);
    known.storages.sort_by(|a, b| a.name.cmp(&b.name));
}

/// Until the next moment.
fn pause(work: Duration, interval: Duration) -> Duration {
    work.saturating_mul(SHARE).min(LONGEST).max(interval)
}

#[cfg(test)]
mod tests;
