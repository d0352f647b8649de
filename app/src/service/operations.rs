//! Operations: begin them, read them, cancel them.

use std::sync::Arc;

pub use super::seen::is_seen;
use super::{
    AppState, Error, accounts,
    actions::{Ask, Planned},
    attempts::Attempt,
    job::Job,
    seen,
};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend, own_process},
    domain::{
        access::On,
        action::Refusal,
        operation::{Deed, OperationId, OperationSummary, Origin},
        script,
        view::OperationPage,
    },
    store::{Begun, NewOperation, StoreError},
};

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
    let cancel = state.supervisor.enlist(id);
    let job =
        Job { state: state.clone(), id, caller: caller.clone(), guest, request, driver, listener, cancel };
    state.supervisor.spawn(job.supervise(plan));
    state.latest.written();
    Ok(id)
}

/// One operation, `None` where there is none.
pub async fn page(state: &AppState, caller: &Caller, id: &str) -> Result<Option<OperationPage>, Error> {
    let Ok(number) = id.parse() else { return Ok(None) };
    let Some(mut operation) = state.store.operation(OperationId(number)).await? else { return Ok(None) };
    if !seen::is_seen(state, caller, &operation.summary) {
        return Ok(None);
    }
    let can_cancel =
        operation.summary.state.is_live() && may_cancel(state, caller, &operation.summary).is_ok();
    let mut parts = match operation.summary.children {
        Some(_) => {
            let parts = state.store.parts_of(operation.summary.id).await?;
            parts.into_iter().filter(|part| seen::is_line_seen(state, caller, part)).collect::<Vec<_>>()
        }
        None => Vec::new(),
    };
    state.supervisor.note_places(parts.iter_mut().flatten().chain([&mut operation.summary]));
    // A bulk action's own record does not name its guests: each part is planned again by itself.
    let is_one = operation.request.is_some() && operation.summary.guest.is_some();
    let again = is_one.then(|| format!("/history/{}/again", operation.summary.id));
    let script = (!operation.plan.steps.is_empty()).then(|| script::shell(&operation.plan));
    Ok(Some(OperationPage { now_ms: backend::now_ms(), operation, can_cancel, parts, again, script }))
}

/// Whoever may do it may end it; the whole of a bulk action, whoever began it. What somebody else does outside Paddock is not
/// Paddock's to end.
fn may_cancel(state: &AppState, caller: &Caller, operation: &OperationSummary) -> Result<(), Error> {
    let action = operation.action.action().filter(|_| operation.origin == Origin::Paddock);
    let action = action.ok_or(Error::NotFound)?;
    match &operation.guest {
        Some(guest) => seen::decide(state, caller, action.privilege(), guest)?,
        None if operation.actor.as_ref() == Some(&caller.username) => {}
        None => policy::decide(caller, action.privilege(), On::Everything)?,
    }
    Ok(())
}

/// Ends the work of a live operation, also one of another process. One that has ended by now is left as it is. A
/// denial is recorded.
pub async fn cancel(state: &AppState, caller: &Caller, id: OperationId) -> Result<(), Error> {
    let attempt = Attempt { operation: Some(id), ..Attempt::new("cancel") };
    attempt.answered(state, caller, cancel_asked(state, caller, id).await).await
}

async fn cancel_asked(state: &AppState, caller: &Caller, id: OperationId) -> Result<(), Error> {
    // Of what it runs and says nothing matters here, nor whether somebody wrote to that.
    let operation =
        state.store.operation_line(id).await?.ok_or(Error::NotFound)?.map_err(StoreError::from)?;
    if !seen::is_seen(state, caller, &operation) {
        return Err(Error::NotFound);
    }
    may_cancel(state, caller, &operation)?;
    let address = caller.address_text();
    if state.store.want_cancel(id, accounts::by(caller, &address)).await? {
        tracing::info!(operation = %id, actor = caller.username, "operation cancelled");
        state.supervisor.cancel(id);
    }
    Ok(())
}
