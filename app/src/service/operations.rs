//! Operations: begin them, watch over them, read them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{AppState, Error, recorder::Recorder};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend, ExecutionEnd, execute},
    domain::{
        access::Privilege,
        action::{GuestAction, Refusal},
        guest::GuestId,
        operation::{GuestAfter, OperationId, OperationState},
        plan::Plan,
        view::{HistoryPage, OperationPage},
    },
    store::{Begun, End, HistoryFilter, NewOperation},
};

/// Lines of one page of the history.
const PAGE: u32 = 50;
/// How often the end of an operation is tried to be written while the database refuses.
const END_TRIES: u32 = 10;

/// Watches over the work in progress. Cheap to clone.
#[derive(Clone, Default)]
pub struct Supervisor {
    tasks: TaskTracker,
    running: Arc<Mutex<HashMap<OperationId, CancellationToken>>>,
    closing: CancellationToken,
}

impl Supervisor {
    fn running(&self) -> MutexGuard<'_, HashMap<OperationId, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins nothing new, and gives what is at work so long to end by itself. Says whether all of it did.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.closing.cancel();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

/// Records the operation and sets it to work; answers before the work is done.
pub(super) async fn begin(
    state: &AppState,
    caller: &Caller,
    guest: &GuestId,
    action: GuestAction,
    plan: Plan,
    driver: Arc<dyn Backend>,
) -> Result<OperationId, Error> {
    if state.supervisor.closing.is_cancelled() {
        return Err(Refusal::ShuttingDown.into());
    }
    let new = NewOperation {
        guest,
        action,
        actor: &caller.username,
        address: caller.address.map(|address| address.to_string()),
        plan: &plan,
        started_ms: backend::now_ms(),
    };
    let id = match state.store.begin_operation(&new).await? {
        Begun::Started(id) => id,
        Begun::Live(operation) => return Err(Refusal::Busy { guest: guest.clone(), operation }.into()),
    };
    let cancel = CancellationToken::new();
    state.supervisor.running().insert(id, cancel.clone());
    let (state_, guest_) = (state.clone(), guest.clone());
    state.supervisor.tasks.spawn(async move { supervise(state_, id, guest_, plan, driver, cancel).await });
    state.inventory.announce();
    Ok(id)
}

/// Runs the plan and writes the end, whatever happens in between.
async fn supervise(
    state: AppState,
    id: OperationId,
    guest: GuestId,
    plan: Plan,
    driver: Arc<dyn Backend>,
    cancel: CancellationToken,
) {
    let begun = std::time::Instant::now();
    let mut recorder = Recorder::new(&state, id, &cancel);
    let work = {
        let (runner, driver, name) = (state.runner.clone(), driver.clone(), guest.name.clone());
        // A task of its own: should it panic, the operation still gets its end here.
        tokio::spawn(async move {
            let end = execute(driver.as_ref(), runner.as_ref(), &name, &plan, &cancel, &mut recorder).await;
            recorder.close().await;
            end
        })
    };
    let (operation_state, failure) = match work.await {
        Ok(ExecutionEnd::Done) => (OperationState::Succeeded, None),
        Ok(ExecutionEnd::Cancelled) => (
            OperationState::Cancelled,
            Some("It was cancelled while it ran. What its steps had done by then was not undone.".to_owned()),
        ),
        Ok(ExecutionEnd::Failed(error)) => (OperationState::Failed, Some(error.to_string())),
        Err(crash) => (OperationState::Failed, Some(format!("Paddock itself failed at this: {crash}."))),
    };
    let guest_after = read_after(driver.as_ref(), &guest).await;
    let end = End { state: operation_state, failure, guest_after, finished_ms: backend::now_ms() };
    write_end(&state, id, &end).await;
    state.supervisor.running().remove(&id);
    state.inventory.refresh(driver.as_ref()).await;
    state.inventory.announce();
    tracing::info!(
        operation = %id,
        guest = %guest,
        state = %end.state,
        failure = end.failure.as_deref(),
        elapsed_ms = begun.elapsed().as_millis(),
        "operation ended"
    );
}

/// The guest's state as the host shows it now.
pub(super) async fn read_after(driver: &dyn Backend, guest: &GuestId) -> GuestAfter {
    match driver.guest(&guest.name).await {
        Ok(Some(guest)) => GuestAfter::Status(guest.status),
        Ok(None) => GuestAfter::Gone,
        Err(_) => GuestAfter::NotRead,
    }
}

/// Tries for as long as a full disk or a lock may reasonably last; what cannot be written then is settled as
/// interrupted at the next start.
async fn write_end(state: &AppState, id: OperationId, end: &End) {
    for attempt in 1..=END_TRIES {
        match state.store.finish_operation(id, end).await {
            Ok(_) => return,
            Err(error) => {
                tracing::error!(operation = %id, attempt, error = %error, "the operation's end could not be written");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// One page of the history, newest first.
pub async fn history(
    state: &AppState,
    caller: &Caller,
    text: &str,
    operation_state: &str,
    before: Option<OperationId>,
) -> Result<HistoryPage, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let filter = HistoryFilter {
        text: text.trim().chars().take(100).collect(),
        state: operation_state.parse().ok(),
        before,
        // One more than shown tells whether there is an older page.
        limit: PAGE + 1,
    };
    let mut operations = state.store.history(&filter).await?;
    let more = operations.len() > PAGE as usize;
    operations.truncate(PAGE as usize);
    let older = operations.last().filter(|_| more).map(|oldest| oldest.id);
    Ok(HistoryPage { now_ms: backend::now_ms(), operations, older })
}

/// One operation, `None` where there is none.
pub async fn page(state: &AppState, caller: &Caller, id: &str) -> Result<Option<OperationPage>, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let Ok(number) = id.parse() else { return Ok(None) };
    let Some(operation) = state.store.operation(OperationId(number)).await? else { return Ok(None) };
    let privilege = operation.summary.action.privilege();
    let can_cancel = operation.summary.state.is_live()
        && policy::decide(caller, privilege, Some(&operation.summary.guest)).is_ok();
    Ok(Some(OperationPage { now_ms: backend::now_ms(), operation, can_cancel }))
}

/// Ends the work of a live operation. One that has ended by now is left as it is.
pub async fn cancel(state: &AppState, caller: &Caller, id: OperationId) -> Result<(), Error> {
    let operation = state.store.operation(id).await?.ok_or(Error::NotFound)?;
    policy::decide(caller, operation.summary.action.privilege(), Some(&operation.summary.guest))?;
    if let Some(token) = state.supervisor.running().get(&id) {
        tracing::info!(operation = %id, actor = caller.username, "operation cancelled");
        token.cancel();
    }
    Ok(())
}
