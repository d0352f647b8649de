//! The supervisor: what is at work in this process, how much of it at once, and its end when the process ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::fair::{Lanes, Ticket};
use crate::domain::operation::{OperationId, OperationState, OperationSummary};

/// How many operations of one backend are at work at once in this process, if nobody says so; the others stand in line,
/// and users take turns. A host that starts fifty guests at once serves none of them.
const AT_ONCE: usize = 8;

/// Watches over the work in progress. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    tasks: TaskTracker,
    running: Arc<Mutex<HashMap<OperationId, Running>>>,
    pub(super) lanes: Lanes,
    /// Cancelled when nothing new is begun any more.
    pub(super) closing: CancellationToken,
}

impl Default for Supervisor {
    fn default() -> Self {
        Self::new(AT_ONCE)
    }
}

/// One operation at work in this process.
#[derive(Clone, Default)]
struct Running {
    cancel: CancellationToken,
    /// Where it stood in line, or still does.
    ticket: Option<Ticket>,
    /// Cancelled once its end has been written.
    ended: CancellationToken,
}

impl Supervisor {
    /// Lets so many operations of each backend be at work at once.
    pub fn new(at_once: usize) -> Self {
        Self {
            tasks: TaskTracker::default(),
            running: Arc::default(),
            lanes: Lanes::new(at_once),
            closing: CancellationToken::new(),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<OperationId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins nothing new, and gives what is at work so long to end by itself. Says whether all of it did.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.closing.cancel();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }

    /// Returns once the operation's end has been written. At once for one that is not at work in this process.
    pub async fn wait(&self, id: OperationId) {
        let running = self.running().get(&id).cloned();
        if let Some(running) = running {
            running.ended.cancelled().await;
        }
    }

    /// Takes an operation in: from now on it can be waited for and cancelled here. [`leave`](Self::leave) it.
    pub(super) fn enlist(&self, id: OperationId) -> CancellationToken {
        let running = Running::default();
        let cancel = running.cancel.clone();
        self.running().insert(id, running);
        cancel
    }

    /// It stands in line there.
    pub(super) fn waits_at(&self, id: OperationId, ticket: Ticket) {
        if let Some(running) = self.running().get_mut(&id) {
            running.ticket = Some(ticket);
        }
    }

    /// Which in its backend's line the operation is, from 1 on, if nobody else came. `None` for one that does not wait in
    /// this process.
    pub fn place_in_line(&self, id: OperationId) -> Option<usize> {
        let ticket = self.running().get(&id)?.ticket?;
        self.lanes.position(ticket)
    }

    /// Notes with those that wait which in line they are.
    pub(super) fn note_places<'a>(&self, operations: impl IntoIterator<Item = &'a mut OperationSummary>) {
        for operation in operations.into_iter().filter(|operation| operation.state == OperationState::Planned)
        {
            operation.place = self.place_in_line(operation.id);
        }
    }

    /// Its end has been written.
    pub(super) fn leave(&self, id: OperationId) {
        if let Some(running) = self.running().remove(&id) {
            running.ended.cancel();
        }
    }

    /// Work of this process that [`drain`](Self::drain) waits for.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Ends the work of an operation of this process. False if it is none.
    pub fn cancel(&self, id: OperationId) -> bool {
        let running = self.running().get(&id).cloned();
        running.inspect(|running| running.cancel.cancel()).is_some()
    }
}
