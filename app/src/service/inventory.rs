//! Inventory: all guests of the host, in memory.
//!
//! Pages and streams read only this, so a page view starts no process and costs no read of the host, however many
//! people look. A feeder for each backend reads its files when the kernel says that something may have changed, or its
//! API at an interval; neither starts a process.

mod feed;
mod snapshot;
mod some;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use futures::future::join_all;
use tokio::sync::{mpsc, watch};

pub use self::snapshot::{Change, Since, Snapshot};
use self::{feed::Feed, snapshot::Journal};
use super::{
    bell::Bell,
    outside::{Event, Watch},
};
use crate::{
    backend::{Backend, Registry, lacks, now_ms},
    domain::{
        guest::{BackendKind, GuestId},
        host::{Availability, BackendState},
        operation::GuestAfter,
        view::{BackendHealth, Stale},
    },
};

/// The longest pause between two readings of a backend that fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a backend that could not be used is tried again; this may start a process.
const RETRY: Duration = Duration::from_secs(30);

/// Twice as long after each failure in a row: a backend that does not answer is not pressed.
pub(super) fn pause(interval: Duration, failures: u32) -> Duration {
    interval.saturating_mul(1 << failures.min(16)).min(LONGEST_PAUSE.max(interval))
}

/// Holds the newest [`Snapshot`]. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    registry: Registry,
    boot: u64,
    current: Arc<RwLock<Current>>,
    changed: Bell,
    /// One reading of a backend at a time: of two at once the older could come in last.
    turns: Arc<BTreeMap<BackendKind, tokio::sync::Mutex<()>>>,
    watch: Arc<Mutex<Option<Watching>>>,
    beat: Duration,
}

/// The newest snapshot, and how it came to be so.
#[derive(Default)]
struct Current {
    snapshot: Arc<Snapshot>,
    journal: Journal,
}

/// Who hears what readings come to.
struct Watching {
    watch: Watch,
    events: mpsc::UnboundedSender<Event>,
}

impl Inventory {
    /// Empty until [`probe`](Self::probe) and [`refresh`](Self::refresh) have been called.
    pub fn new(registry: Registry) -> Self {
        let turns = registry.iter().map(|backend| (backend.kind(), tokio::sync::Mutex::default())).collect();
        Self {
            registry,
            boot: u64::try_from(now_ms()).unwrap_or_default(),
            current: Arc::default(),
            changed: Bell::default(),
            turns: Arc::new(turns),
            watch: Arc::default(),
            beat: feed::BEAT,
        }
    }

    /// With so much time between two readings of a backend whose changes are heard, as long as none is.
    #[must_use]
    pub fn comparing_every(self, beat: Duration) -> Self {
        Self { beat, ..self }
    }

    /// Every reading from now on is compared to the one before; what that comes to is told to whoever called this
    /// last.
    pub(super) fn watch(&self, watch: Watch) -> mpsc::UnboundedReceiver<Event> {
        let (events, told) = mpsc::unbounded_channel();
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Watching { watch, events });
        told
    }

    /// An operation of this process left the guest so. To be told before the guest is read again.
    pub(super) fn operation_ended(&self, guest: &GuestId, after: GuestAfter) {
        self.compare(|watch| {
            watch.operation_ended(guest, after);
            Vec::new()
        });
    }

    fn compare(&self, look: impl FnOnce(&mut Watch) -> Vec<Event>) {
        let mut watching = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Watching { watch, events }) = watching.as_mut() {
            for event in look(watch) {
                // Nobody listens any more when the server ends.
                let _ = events.send(event);
            }
        }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).snapshot.clone()
    }

    /// What has changed since that version, and the snapshot that it leads to. `None`: more than is remembered, or there never
    /// was such a version.
    pub fn since(&self, version: u64) -> (Arc<Snapshot>, Option<Since>) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let since = (version <= current.snapshot.version).then(|| current.journal.since(version)).flatten();
        (current.snapshot.clone(), since)
    }

    /// Tells the versions of this inventory from those of one before: when it was made, milliseconds since 1970.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// Rings with every change of a guest or of a backend's health.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.hear()
    }

    /// Asks every backend whether it can be used, then reads its guests. All at once: one that does not answer keeps
    /// nobody waiting but for itself.
    pub async fn start(&self) {
        let begin = async |backend: &Arc<dyn Backend>| {
            self.probe(backend.as_ref()).await;
            self.refresh(backend.as_ref()).await;
        };
        join_all(self.registry.iter().map(begin)).await;
    }

    /// Keeps the snapshot true until the task is dropped.
    pub async fn feed(self) {
        join_all(self.registry.iter().map(|backend| Feed::new(&self, backend.as_ref()).run())).await;
    }

    /// Reads the guests of one backend now. False if they could not be read.
    pub async fn refresh(&self, backend: &dyn Backend) -> bool {
        let kind = backend.kind();
        if !self.is_available(kind) {
            return true;
        }
        let _turn = match self.turns.get(&kind) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let began_ms = now_ms();
        let read = backend.list().await;
        let done = read.is_ok();
        if let Ok(guests) = &read {
            self.compare(|watch| watch.reading(kind, guests, began_ms, now_ms()));
        }
        self.change(|next| match read {
            Ok(guests) => {
                if let Some(health) = next.backends.get_mut(&kind) {
                    health.stale = None;
                }
                next.replace(kind, guests)
            }
            // What was known stays, marked as old since the first reading that failed.
            Err(error) => {
                if let Some(health) = next.backends.get_mut(&kind) {
                    let since_ms = health.stale.as_ref().map_or(began_ms, |stale| stale.since_ms);
                    health.stale = Some(Stale { why: error.to_string(), since_ms });
                }
                Vec::new()
            }
        });
        done
    }

    async fn probe(&self, backend: &dyn Backend) {
        let (kind, began_ms) = (backend.kind(), now_ms());
        let availability = backend.probe().await;
        let before = self.snapshot().backends.get(&kind).map(|health| health.state.availability.clone());
        if before.as_ref() != Some(&availability) {
            match &availability {
                Availability::Available { version } => {
                    tracing::info!(backend = %kind, version, "backend available");
                }
                Availability::Unavailable { reason, .. } => {
                    tracing::warn!(backend = %kind, reason, "backend unavailable");
                }
            }
        }
        self.change(|next| {
            let changes =
                if availability.is_available() { Vec::new() } else { next.replace(kind, Vec::new()) };
            let before = next.backends.get(&kind).and_then(|health| health.unavailable_ms);
            let unavailable_ms = (!availability.is_available()).then(|| before.unwrap_or(began_ms));
            let state = BackendState { kind, availability, lacks: lacks(backend) };
            next.backends.insert(kind, BackendHealth { state, stale: None, unavailable_ms });
            changes
        });
    }

    fn is_available(&self, kind: BackendKind) -> bool {
        self.snapshot().backends.get(&kind).is_some_and(|health| health.state.availability.is_available())
    }

    /// Swaps in a changed copy, if it differs at all. `edit` tells what guests it has changed.
    fn change(&self, edit: impl FnOnce(&mut Snapshot) -> Vec<Change>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&current.snapshot);
        let changes = edit(&mut next);
        let health = next.backends != current.snapshot.backends;
        if changes.is_empty() && !health {
            return;
        }
        next.version += 1;
        current.journal.note(next.version, changes, health, next.guests.len());
        current.snapshot = Arc::new(next);
        drop(current);
        self.changed.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_that_fails_is_asked_ever_more_seldom_but_never_given_up() {
        let interval = Duration::from_secs(2);
        let pauses = [0, 1, 2, 3, 4, 1000].map(|failures| pause(interval, failures).as_secs());
        assert_eq!(pauses, [2, 4, 8, 16, 30, 30]);
    }
}
