//! Inventory: all guests of the host, in memory.
//!
//! Pages and streams read only this, so a page view starts no process and costs no read of the host, however many
//! people look. The feeder reads each backend's files twice a second, which starts no process either.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    backend::{Backend, Registry, lacks},
    domain::{
        guest::{BackendKind, Guest},
        host::{Availability, BackendState},
        view::BackendHealth,
    },
};

/// How often the backends' files are read.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often a backend that could not be used is tried again; this may start a process.
const RETRY: Duration = Duration::from_secs(30);

/// All guests at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Goes up by one with every change.
    pub version: u64,
    pub backends: BTreeMap<BackendKind, BackendHealth>,
    /// Sorted by name, then backend.
    pub guests: Vec<Guest>,
}

/// Holds the newest [`Snapshot`]. Cheap to clone.
#[derive(Clone)]
pub struct Inventory {
    registry: Registry,
    current: Arc<RwLock<Arc<Snapshot>>>,
    changed: watch::Sender<u64>,
}

impl Inventory {
    /// Empty until [`probe`](Self::probe) and [`refresh`](Self::refresh) have been called.
    pub fn new(registry: Registry) -> Self {
        Self { registry, current: Arc::default(), changed: watch::Sender::new(0) }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts up with every change of a guest or an operation.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Tells every open browser that there is something new to read.
    pub fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Asks every backend whether it can be used, then reads its guests.
    pub async fn start(&self) {
        for backend in self.registry.iter() {
            self.probe(backend.as_ref()).await;
            self.refresh(backend.as_ref()).await;
        }
    }

    /// Keeps the snapshot true until the task is dropped.
    pub async fn feed(self) {
        let mut last_try = Instant::now();
        loop {
            sleep(INTERVAL).await;
            let retry = last_try.elapsed() >= RETRY;
            if retry {
                last_try = Instant::now();
            }
            for backend in self.registry.iter() {
                if retry && !self.is_available(backend.kind()) {
                    self.probe(backend.as_ref()).await;
                }
                self.refresh(backend.as_ref()).await;
            }
        }
    }

    /// Reads the guests of one backend now.
    pub async fn refresh(&self, backend: &dyn Backend) {
        let kind = backend.kind();
        if !self.is_available(kind) {
            return;
        }
        let read = backend.list().await;
        self.change(|next| match read {
            Ok(guests) => {
                next.guests.retain(|guest| guest.id.backend != kind);
                next.guests.extend(guests);
                next.guests.sort_by(|a, b| (&a.id.name, a.id.backend).cmp(&(&b.id.name, b.id.backend)));
                if let Some(health) = next.backends.get_mut(&kind) {
                    health.stale = None;
                }
            }
            // What was known stays, marked as old.
            Err(error) => {
                if let Some(health) = next.backends.get_mut(&kind) {
                    health.stale = Some(error.to_string());
                }
            }
        });
    }

    async fn probe(&self, backend: &dyn Backend) {
        let kind = backend.kind();
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
            if !availability.is_available() {
                next.guests.retain(|guest| guest.id.backend != kind);
            }
            next.backends.insert(
                kind,
                BackendHealth {
                    state: BackendState { kind, availability, lacks: lacks(backend) },
                    stale: None,
                },
            );
        });
    }

    fn is_available(&self, kind: BackendKind) -> bool {
        self.snapshot().backends.get(&kind).is_some_and(|health| health.state.availability.is_available())
    }

    /// Swaps in a changed copy, if it differs at all.
    fn change(&self, edit: impl FnOnce(&mut Snapshot)) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&current);
        edit(&mut next);
        if next == **current {
            return;
        }
        next.version += 1;
        *current = Arc::new(next);
        drop(current);
        self.announce();
    }
}
