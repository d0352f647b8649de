//! Operations: begin them, read them, cancel them.

use std::sync::Arc;

use super::{
    AppState, Error,
    actions::{Ask, Planned},
    job::Job,
};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend, own_process},
    domain::{
        access::Privilege,
        action::Refusal,
        operation::{Deed, OperationId, OperationSummary, Origin},
        view::{HistoryPage, OperationPage},
    },
    store::{Begun, HistoryFilter, NewOperation},
};

/// Lines of one page of the history.
const PAGE: u32 = 50;

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

/// Ends the work of a live operation, also one of another process. One that has ended by now is left as it is.
pub async fn cancel(state: &AppState, caller: &Caller, id: OperationId) -> Result<(), Error> {
    let operation = state.store.operation(id).await?.ok_or(Error::NotFound)?;
    may_cancel(caller, &operation.summary)?;
    if state.store.want_cancel(id).await? {
        tracing::info!(operation = %id, actor = caller.username, "operation cancelled");
        state.supervisor.cancel(id);
    }
    Ok(())
}
