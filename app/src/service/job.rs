//! One operation at work: it waits for its turn, runs its plan, and writes its end, whatever happens in between.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::{AppState, Listener, Standing, fair::Permit, recorder::Recorder, seen};
use crate::{
    auth::{Caller, Credential},
    backend::{self, Backend, ExecutionEnd, Site, execute},
    domain::{
        action::{ActionRequest, GuestAction},
        failure::FailureKind,
        guest::GuestId,
        operation::{EndState, GuestAfter, OperationId, OperationState},
        plan::{Expectation, Plan},
    },
    store::{By, End},
};

/// How often the end of an operation is tried to be written while the database refuses.
const END_TRIES: u32 = 10;
/// How often it is asked whether another process wants an operation's end.
const CANCEL_POLL: Duration = Duration::from_secs(1);
/// How often it is looked whether a command's grant has run out.
const RIGHTS_TICK: Duration = Duration::from_secs(10);
/// How often a new guest's id may be taken by somebody else before that is a failure.
const ID_TRIES: u32 = 5;

/// One operation at work.
pub(super) struct Job {
    pub state: AppState,
    pub id: OperationId,
    pub caller: Caller,
    pub guest: GuestId,
    pub request: ActionRequest,
    pub driver: Arc<dyn Backend>,
    pub listener: Option<Listener>,
    pub cancel: CancellationToken,
}

impl Job {
    /// Runs the plan and writes the end, whatever happens in between.
    pub async fn supervise(mut self, plan: Plan) {
        let begun = std::time::Instant::now();
        let watch = tokio::spawn(watch_for_cancel(self.state.clone(), self.id, self.cancel.clone()));
        let leave = Arc::new(OnceLock::new());
        let guard = tokio::spawn(self.watch_for_leave(leave.clone()));
        let turn = self.turn().await;
        let end = match &turn {
            Ok(_) => Ok(self.run(plan).await),
            Err(never) => Err(never),
        };
        watch.abort();
        guard.abort();
        let guest_after = read_after(self.driver.as_ref(), &self.guest).await;
        let mut end = match end {
            Ok(end) => end_of(end, guest_after),
            Err(never) => never.end(guest_after),
        };
        if let (EndState::Cancelled, Some(why)) = (end.state, leave.get()) {
            end.failure = Some((*why).to_owned());
        }
        drop(turn);
        write_end(&self.state, self.id, &end).await;
        self.state.inventory.operation_ended(&self.guest, end.guest_after);
        self.state.supervisor.leave(self.id);
        self.state.inventory.refresh(self.driver.as_ref()).await;
        self.state.latest.written();
        tracing::info!(
            operation = %self.id,
            guest = %self.guest,
            state = %OperationState::from(end.state),
            failure = end.failure.as_deref(),
            elapsed_ms = begun.elapsed().as_millis(),
            "operation ended"
        );
    }

    /// Ends a command in a guest once whoever began it is logged out or may not do so any more. Everything else goes on:
    /// half of it is worse than all of it.
    fn watch_for_leave(&self, why: Arc<OnceLock<&'static str>>) -> impl Future<Output = ()> + Send + 'static {
        let is_watched =
            self.request.action() == GuestAction::Exec && self.caller.credential != Credential::CommandLine;
        let (state, caller, guest, cancel) =
            (self.state.clone(), self.caller.clone(), self.guest.clone(), self.cancel.clone());
        async move {
            if !is_watched {
                return;
            }
            let mut standing = Standing::of(&state, &caller);
            loop {
                let rights = standing.rights.borrow_and_update().clone();
                let now = Caller { rights, ..caller.clone() };
                if seen::decide(&state, &now, GuestAction::Exec.privilege(), &guest).is_err() {
                    let _ = why.set("Whoever began it may run nothing in this guest any more, so it was ended while it ran.");
                    break;
                }
                tokio::select! {
                    () = standing.over.cancelled() => {
                        let _ = why.set("The session it was begun in has ended, so it was ended while it ran.");
                        break;
                    }
                    _ = standing.rights.changed() => {}
                    // A grant may run out without any sign.
                    () = tokio::time::sleep(RIGHTS_TICK) => {}
                }
            }
            tracing::info!(%guest, user = caller.username, why = why.get(), "a command is ended with its session");
            cancel.cancel();
        }
    }

    /// Waits in the backend's line, and notes that the work begins. A command in a guest needs nothing of the host that
    /// others would miss, and may go on for days: it takes no place.
    async fn turn(&self) -> Result<Option<Permit>, Never> {
        let permit = if self.request.action() == GuestAction::Exec {
            None
        } else {
            let supervisor = &self.state.supervisor;
            let place = supervisor.lanes.line_up(self.guest.backend, &self.caller.username);
            supervisor.waits_at(self.id, place.ticket());
            tokio::select! {
                permit = place.turn(&self.cancel) => Some(permit.ok_or(Never::Cancelled)?),
                () = supervisor.closing.cancelled() => return Err(Never::Closing),
            }
        };
        if self.cancel.is_cancelled() {
            return Err(Never::Cancelled);
        }
        let noted = self.state.store.run_operation(self.id, backend::now_ms()).await;
        self.state.latest.written();
        match noted {
            Ok(true) => Ok(permit),
            // Its end stands there already, and stays.
            Ok(false) => Err(Never::Closing),
            Err(error) => {
                tracing::error!(operation = %self.id, error = %error, "its turn could not be noted");
                Err(Never::NotNoted(error.to_string()))
            }
        }
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
        let actor = self.caller.username.clone();
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

/// Why an operation's turn never came. Nothing was run.
#[derive(Debug)]
enum Never {
    Cancelled,
    Closing,
    /// The database did not take it; its words.
    NotNoted(String),
}

impl Never {
    fn end(&self, guest_after: GuestAfter) -> End {
        let (state, why, failure_kind) = match self {
            Self::Cancelled => (
                EndState::Cancelled,
                "It was cancelled while it waited for its turn. Nothing was run.".to_owned(),
                Some(FailureKind::Cancelled),
            ),
            Self::Closing => (
                EndState::Interrupted,
                "Paddock was shut down before its turn came. Nothing was run; begin again.".to_owned(),
                None,
            ),
            Self::NotNoted(words) => (
                EndState::Failed,
                format!("Its beginning could not be recorded ({words}). Nothing was run; begin again."),
                Some(FailureKind::Internal),
            ),
        };
        End { state, failure: Some(why), failure_kind, guest_after, finished_ms: backend::now_ms() }
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
