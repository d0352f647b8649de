//! Operations: begin them, watch over them, read them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task::JoinError;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    AppState, Error, Listener,
    actions::{Ask, Planned},
    attempts::Attempt,
    recorder::Recorder,
};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend, ExecutionEnd, Site, execute, own_process},
    domain::{
        access::Privilege,
        action::{ActionRequest, Refusal},
        failure::FailureKind,
        guest::GuestId,
        operation::{Deed, EndState, GuestAfter, OperationId, OperationState, OperationSummary, Origin},
        plan::{Expectation, Plan},
        view::{HistoryPage, OperationPage},
    },
    store::{Begun, By, End, HistoryFilter, NewOperation},
};

/// Lines of one page of the history.
const PAGE: u32 = 50;
/// How often the end of an operation is tried to be written while the database refuses.
const END_TRIES: u32 = 10;

/// How often it is asked whether another process wants an operation's end.
const CANCEL_POLL: Duration = Duration::from_secs(1);
/// How often a new guest's id may be taken by somebody else before that is a failure.
const ID_TRIES: u32 = 5;

/// Watches over the work in progress. Cheap to clone.
#[derive(Clone, Default)]
pub struct Supervisor {
    tasks: TaskTracker,
    running: Arc<Mutex<HashMap<OperationId, Running>>>,
    closing: CancellationToken,
}

/// One operation at work in this process.
#[derive(Clone, Default)]
struct Running {
    cancel: CancellationToken,
    /// Cancelled once its end has been written.
    ended: CancellationToken,
}

impl Supervisor {
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

/// An operation about to begin.
pub(super) struct Beginning<'a> {
    pub caller: &'a Caller,
    pub ask: Ask,
    pub planned: Planned,
    pub driver: Arc<dyn Backend>,
}

/// Records the operation and sets it to work; answers before the work is done.
pub(super) async fn begin(state: &AppState, beginning: Beginning<'_>) -> Result<OperationId, Error> {
    let Beginning { caller, ask, planned, driver } = beginning;
    let (Ask { request, parent, listener, .. }, Planned { guest, title, plan }) = (ask, planned);
    if state.supervisor.is_closing() {
        return Err(Refusal::ShuttingDown.into());
    }
    let new = NewOperation {
        origin: Origin::Paddock,
        parent,
        children: None,
        guest: Some(&guest),
        node: None,
        title: title.as_deref(),
        action: Deed::Action(request.action()),
        actor: Some(&caller.username),
        address: caller.address.map(|address| address.to_string()),
        request: Some(&request),
        plan: &plan,
        started_ms: backend::now_ms(),
        owner: Some(own_process()),
    };
    let id = match state.store.begin_operation(&new).await? {
        Begun::Planned(id) => id,
        Begun::Live(operation) => return Err(Refusal::Busy { guest, operation }.into()),
    };
    let (actor, cancel) = (caller.username.clone(), state.supervisor.enlist(id));
    let job = Job { state: state.clone(), id, actor, guest, request, driver, listener, cancel };
    state.supervisor.spawn(job.supervise(plan));
    state.inventory.announce();
    Ok(id)
}

/// One operation at work.
struct Job {
    state: AppState,
    id: OperationId,
    actor: String,
    guest: GuestId,
    request: ActionRequest,
    driver: Arc<dyn Backend>,
    listener: Option<Listener>,
    cancel: CancellationToken,
}

impl Job {
    /// Runs the plan and writes the end, whatever happens in between.
    async fn supervise(mut self, plan: Plan) {
        let begun = std::time::Instant::now();
        let watch = tokio::spawn(watch_for_cancel(self.state.clone(), self.id, self.cancel.clone()));
        match self.state.store.run_operation(self.id, backend::now_ms()).await {
            Ok(true) => self.state.inventory.announce(),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(operation = %self.id, error = %error, "its turn could not be noted");
            }
        }
        let end = self.run(plan).await;
        watch.abort();
        let guest_after = read_after(self.driver.as_ref(), &self.guest).await;
        let end = end_of(end, guest_after);
        write_end(&self.state, self.id, &end).await;
        self.state.supervisor.leave(self.id);
        self.state.inventory.refresh(self.driver.as_ref()).await;
        self.state.inventory.announce();
        tracing::info!(
            operation = %self.id,
            guest = %self.guest,
            state = %OperationState::from(end.state),
            failure = end.failure.as_deref(),
            elapsed_ms = begun.elapsed().as_millis(),
            "operation ended"
        );
    }

    /// Executes the plan; with another id where somebody else took the new guest's in between.
    async fn run(&mut self, mut plan: Plan) -> Result<ExecutionEnd, JoinError> {
        for _ in 1..ID_TRIES {
            let end = self.execute(plan).await?;
            let ExecutionEnd::Failed(backend::Error::AlreadyExists(_)) = &end else { return Ok(end) };
            match self.plan_anew().await {
                Some(next) => plan = next,
                None => return Ok(end),
            }
        }
        self.execute(plan).await
    }

    async fn execute(&self, plan: Plan) -> Result<ExecutionEnd, JoinError> {
        let (runner, driver) = (self.state.runner.clone(), self.driver.clone());
        let (name, cancel) = (self.guest.name.clone(), self.cancel.clone());
        let secrets = self.request.secrets();
        let mut recorder = Recorder::new(&self.state, self.id, &self.cancel, self.listener.clone());
        // A task of its own: should it panic, the operation still gets its end.
        let work = tokio::spawn(async move {
            let site =
                Site { backend: driver.as_ref(), runner: runner.as_ref(), guest: &name, secrets: &secrets };
            let end = execute(site, &plan, &cancel, &mut recorder).await;
            recorder.close().await;
            end
        });
        work.await
    }

    /// The plan with the next free id, recorded in place of the first; `None` where there is no other id to take.
    async fn plan_anew(&mut self) -> Option<Plan> {
        let guest = match &self.request {
            ActionRequest::Create(create) => {
                let name = self.driver.new_id(create).await.ok()?;
                // Its id is its name: there is no other.
                if name == self.guest.name {
                    return None;
                }
                GuestId::new(self.guest.backend, name)
            }
            ActionRequest::Clone(_) => self.guest.clone(),
            _ => return None,
        };
        let plan = self.driver.plan(&guest.name, &self.request).await.ok()?;
        let note = format!(
            "The id chosen first was taken by somebody else in between, before anything was done; this plan has \
             the next one ({}).",
            plan_id(&plan, &guest)
        );
        let plan = Plan { notes: plan.notes.iter().cloned().chain([note]).collect(), ..plan };
        let actor = self.actor.clone();
        let by = By { actor: Some(&actor), address: None, at_ms: backend::now_ms() };
        match self.state.store.move_operation(self.id, &guest, &plan, by).await {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return None,
        }
        tracing::info!(operation = %self.id, from = %self.guest, to = %guest, "planned anew with the next free id");
        self.guest = guest;
        Some(plan)
    }
}

/// What the execution came to, as it is recorded.
pub(super) fn end_of(end: Result<ExecutionEnd, JoinError>, guest_after: GuestAfter) -> End {
    let (state, failure, failure_kind) = match end {
        Ok(ExecutionEnd::Done) => (EndState::Succeeded, None, None),
        Ok(ExecutionEnd::Cancelled) => (
            EndState::Cancelled,
            Some("It was cancelled while it ran. What its steps had done by then was not undone.".to_owned()),
            Some(FailureKind::Cancelled),
        ),
        Ok(ExecutionEnd::Failed(error)) => {
            let kind = error.kind();
            let state = if kind == FailureKind::TimedOut { EndState::TimedOut } else { EndState::Failed };
            (state, Some(error.to_string()), Some(kind))
        }
        Err(crash) => (
            EndState::Failed,
            Some(format!("Paddock itself failed at this: {crash}.")),
            Some(FailureKind::Internal),
        ),
    };
    End { state, failure, failure_kind, guest_after, finished_ms: backend::now_ms() }
}

/// The id of the guest that the plan makes.
fn plan_id(plan: &Plan, guest: &GuestId) -> String {
    match &plan.expect {
        Some(Expectation::OtherExists(copy)) => copy.to_string(),
        _ => guest.name.to_string(),
    }
}

/// Ends the work once another process asks for it.
pub(super) async fn watch_for_cancel(state: AppState, id: OperationId, cancel: CancellationToken) {
    loop {
        tokio::time::sleep(CANCEL_POLL).await;
        // A database that does not answer now is asked again in a second.
        if state.store.is_cancel_wanted(id).await.unwrap_or(false) {
            tracing::info!(operation = %id, "cancelled by another process");
            return cancel.cancel();
        }
    }
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
pub(super) async fn write_end(state: &AppState, id: OperationId, end: &End) {
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
    let can_cancel = operation.summary.state.is_live() && may_cancel(caller, &operation.summary).is_ok();
    let parts = match operation.summary.children {
        Some(_) => state.store.parts_of(operation.summary.id).await?,
        None => Vec::new(),
    };
    let again = operation.request.is_some().then(|| format!("/history/{}/again", operation.summary.id));
    Ok(Some(OperationPage { now_ms: backend::now_ms(), operation, can_cancel, parts, again }))
}

/// Whoever may do it may end it. What somebody else does outside Paddock is not Paddock's to end.
fn may_cancel(caller: &Caller, operation: &OperationSummary) -> Result<(), Error> {
    let action = operation.action.action().filter(|_| operation.origin == Origin::Paddock);
    let action = action.ok_or(Error::NotFound)?;
    Ok(policy::decide(caller, action.privilege(), operation.guest.as_ref())?)
}

/// Ends the work of a live operation, also one of another process. One that has ended by now is left as it is. A
/// denial is recorded.
pub async fn cancel(state: &AppState, caller: &Caller, id: OperationId) -> Result<(), Error> {
    let attempt = Attempt { operation: Some(id), ..Attempt::new("cancel") };
    attempt.answered(state, caller, cancel_asked(state, caller, id).await).await
}

async fn cancel_asked(state: &AppState, caller: &Caller, id: OperationId) -> Result<(), Error> {
    let operation = state.store.operation(id).await?.ok_or(Error::NotFound)?;
    may_cancel(caller, &operation.summary)?;
    if state.store.want_cancel(id).await? {
        tracing::info!(operation = %id, actor = caller.username, "operation cancelled");
        state.supervisor.cancel(id);
    }
    Ok(())
}
