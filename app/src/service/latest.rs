//! The newest operation of every guest and those at work, in memory: a page or a stream that shows them asks no database.
//!
//! ```text
//!   this process wrote (a bell) ─────────────┐
//!   a commit of anybody (every 250 ms) ──────┼──► read what is newer or was at work ──► all who look
//!   somebody looks, and the bell has rung ───┘
//! ```

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::watch;

use super::{AppState, bell::Bell};
use crate::{
    domain::{
        guest::GuestId,
        operation::{GuestAfter, OperationId, OperationSummary},
    },
    store::{Newer, Store, StoreError},
};

/// So many changes are remembered. Whoever was away for longer reads all anew.
const REMEMBERED: usize = 2_000;

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Latest(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Rung by whatever this process writes of an operation.
    written: Bell,
    known: RwLock<Known>,
    /// How often the bell had rung when the database was read last. One reading at a time.
    read: tokio::sync::Mutex<Option<u64>>,
    changed: Bell,
}

/// What is known of operations.
#[derive(Default)]
pub struct Known {
    newest: OperationId,
    by_guest: HashMap<GuestId, Arc<OperationSummary>>,
    /// Without an end, oldest first.
    live: BTreeMap<OperationId, Arc<OperationSummary>>,
    version: u64,
    journal: VecDeque<(u64, Arc<OperationSummary>)>,
    forgotten: u64,
}

impl Latest {
    /// This process has written something of an operation.
    pub(super) fn written(&self) {
        self.0.written.ring();
    }

    /// Rings once there is something new to look at.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.hear()
    }

    /// Reads what has changed since the last time, if this process has written anything since; looks in any case where
    /// another may have.
    pub async fn catch_up(&self, store: &Store, others: bool) -> Result<(), StoreError> {
        let mut read = self.0.read.lock().await;
        let now = self.0.written.count();
        if !others && *read == Some(now) {
            return Ok(());
        }
        let (newest, live) = {
            let known = self.known();
            (known.newest, known.live.keys().copied().collect::<Vec<_>>())
        };
        let newer = match *read {
            Some(_) => Some(store.newer_operations(newest, &live).await?),
            None => None,
        };
        let is_changed = match newer {
            Some(newer) if !moves(&self.known(), &newer) => self.change(|known| known.take(newer)),
            // What a guest's newest operation was before one that was moved is not known.
            _ => {
                // What begins from here on is read the next time.
                let ends = store.newer_operations(OperationId(i64::MAX), &[]).await?;
                let last = store.last_operations().await?;
                let running = store.running_operations(u32::MAX).await?;
                self.change(|known| known.begin(&ends, last, running))
            }
        };
        *read = Some(now);
        if is_changed {
            self.0.changed.ring();
        }
        Ok(())
    }

    /// Looks at what is known. Not for long: nobody reads the database meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known())
    }

    fn known(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, edit: impl FnOnce(&mut Known) -> bool) -> bool {
        edit(&mut self.0.known.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An operation is now another guest's than it was.
fn moves(known: &Known, newer: &Newer) -> bool {
    let is_moved = |operation: &OperationSummary| {
        known.live.get(&operation.id).is_some_and(|before| before.guest != operation.guest)
    };
    newer.operations.iter().any(is_moved)
}

/// Nothing shows what was last done with a guest that is gone, and of those there are ever more.
fn is_left_gone(operation: &OperationSummary) -> bool {
    operation.guest_after == Some(GuestAfter::Gone)
}

impl Known {
    /// Counts up with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn of(&self, guest: &GuestId) -> Option<&Arc<OperationSummary>> {
        self.by_guest.get(guest)
    }

    /// Those at work or in line, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Arc<OperationSummary>> {
        self.live.values()
    }

    /// What has changed since that version, each operation as it is now; `None` where that is more than is remembered.
    pub fn since(&self, version: u64) -> Option<Vec<Arc<OperationSummary>>> {
        if version < self.forgotten || version > self.version {
            return None;
        }
        let from = self.journal.partition_point(|(at, _)| *at <= version);
        let mut told = HashSet::new();
        let newest = self.journal.range(from..).rev().filter(|(_, operation)| told.insert(operation.id));
        let mut since: Vec<_> = newest.map(|(_, operation)| operation.clone()).collect();
        since.reverse();
        Some(since)
    }

    fn begin(
        &mut self,
        ends: &Newer,
        last: HashMap<GuestId, OperationSummary>,
        running: Vec<OperationSummary>,
    ) -> bool {
        let last = last.into_iter().filter(|(_, operation)| !is_left_gone(operation));
        self.by_guest = last.map(|(guest, operation)| (guest, Arc::new(operation))).collect();
        self.live = running.into_iter().map(|operation| (operation.id, Arc::new(operation))).collect();
        self.newest = ends.newest;
        self.version += 1;
        // What was changed by that is not known one by one.
        self.journal.clear();
        self.forgotten = self.version;
        true
    }

    fn take(&mut self, newer: Newer) -> bool {
        self.newest = newer.newest.max(self.newest);
        let mut is_changed = false;
        if let Some(oldest) = newer.oldest {
            let before = self.by_guest.len();
            self.by_guest.retain(|_, operation| operation.id >= oldest);
            is_changed = before != self.by_guest.len();
        }
        for operation in newer.operations {
            if self.live.get(&operation.id).is_some_and(|known| **known == operation) {
                continue;
            }
            is_changed = true;
            let operation = Arc::new(operation);
            if operation.state.is_live() {
                self.live.insert(operation.id, operation.clone());
            } else {
                self.live.remove(&operation.id);
            }
            if let Some(guest) = &operation.guest {
                let known = self.by_guest.get(guest);
                if known
                    .is_none_or(|known| (known.started_ms, known.id) <= (operation.started_ms, operation.id))
                {
                    if is_left_gone(&operation) {
                        self.by_guest.remove(guest);
                    } else {
                        self.by_guest.insert(guest.clone(), operation.clone());
                    }
                }
            }
            self.journal.push_back((self.version + 1, operation));
        }
        if is_changed {
            self.version += 1;
        }
        while self.journal.len() > REMEMBERED {
            if let Some((version, _)) = self.journal.pop_front() {
                self.forgotten = version;
            }
        }
        is_changed
    }
}

/// Keeps what is known true, for as long as the server runs.
pub async fn keep_latest(state: AppState) {
    let (mut written, mut others) = (state.latest.0.written.hear(), state.access_changes.hear());
    let mut is_other = true;
    loop {
        if let Err(error) = state.latest.catch_up(&state.store, is_other).await {
            tracing::error!(%error, "the newest operations cannot be read; pages show those known before");
        }
        is_other = tokio::select! {
            // The bells live as long as the state.
            _ = written.changed() => false,
            _ = others.changed() => true,
        };
    }
}
