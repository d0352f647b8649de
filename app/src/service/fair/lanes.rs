//! One fair queue for each backend, to be waited in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::FairQueue;
use crate::domain::guest::BackendKind;

/// How much may be at work on each backend at once. Cheap to clone; clones are the same lanes.
#[derive(Debug, Clone)]
pub struct Lanes {
    slots: usize,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    queues: HashMap<BackendKind, FairQueue<Waiter>>,
    last_id: u64,
}

/// One that waits in a queue.
#[derive(Debug)]
struct Waiter {
    id: u64,
    turn: oneshot::Sender<()>,
}

impl Lanes {
    /// So many slots for each backend, at least one.
    pub fn new(slots: usize) -> Self {
        Self { slots, shared: Arc::default() }
    }

    /// Waits for a turn in this lane. `None` if that was cancelled first. Whoever drops the future leaves the line.
    pub async fn enter(&self, lane: BackendKind, user: &str, cancel: &CancellationToken) -> Option<Permit> {
        self.line_up(lane, user).turn(cancel).await
    }

    /// Takes a place in the line, at once and in the order of these calls.
    pub fn line_up(&self, lane: BackendKind, user: &str) -> Place {
        let (turn, told) = oneshot::channel();
        let mut shared = self.lock();
        shared.last_id += 1;
        let id = shared.last_id;
        let queue = shared.queues.entry(lane).or_insert_with(|| FairQueue::new(self.slots));
        queue.push(user, Waiter { id, turn });
        give_turns(queue);
        drop(shared);
        Place { told, permit: Permit { lanes: self.clone(), lane, id } }
    }

    /// Which in line the place with this ticket is, from 1 on; `None` once it has its turn or was left.
    pub fn position(&self, ticket: Ticket) -> Option<usize> {
        self.lock().queues.get(&ticket.lane)?.position(|waiter| waiter.id == ticket.id)
    }

    /// How many wait in this lane.
    pub fn waiting(&self, lane: BackendKind) -> usize {
        self.lock().queues.get(&lane).map_or(0, FairQueue::len)
    }

    /// How many are at work in it.
    pub fn at_work(&self, lane: BackendKind) -> usize {
        self.lock().queues.get(&lane).map_or(0, FairQueue::at_work)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn give_turns(queue: &mut FairQueue<Waiter>) {
    while let Some(waiter) = queue.take_turn() {
        // One that is just being dropped hears nothing; it finds itself out of the line and gives the slot back.
        let _ = waiter.turn.send(());
    }
}

/// What a place in a line is asked after by, also by others than who stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    lane: BackendKind,
    id: u64,
}

/// A place in the line; dropping it leaves the line.
#[derive(Debug)]
pub struct Place {
    told: oneshot::Receiver<()>,
    permit: Permit,
}

impl Place {
    pub fn ticket(&self) -> Ticket {
        Ticket { lane: self.permit.lane, id: self.permit.id }
    }

    /// Which in line it is, from 1 on; `None` once it has its turn.
    pub fn position(&self) -> Option<usize> {
        self.permit.lanes.position(self.ticket())
    }

    /// Waits for the turn; `None` if that was cancelled first.
    pub async fn turn(self, cancel: &CancellationToken) -> Option<Permit> {
        let Self { told, permit } = self;
        tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            // The queue forgets nobody that waits.
            told = told => told.ok().map(|()| permit),
        }
    }
}

/// The right to be at work in a lane, or to be in its line; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    lanes: Lanes,
    lane: BackendKind,
    id: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut shared = self.lanes.lock();
        let Some(queue) = shared.queues.get_mut(&self.lane) else { return };
        // Not in the line any more: it had its turn, whether anybody heard of it or not.
        if queue.remove(|waiter| waiter.id == self.id).is_none() {
            queue.done();
        }
        give_turns(queue);
    }
}
