//! An operation planned again: what was asked for then, as it would run now.

use super::{
    AppState, Error,
    actions::{self, Ask, Planned, Target},
    attempts::Attempt,
    guests::{confirmed, refused},
    permit, seen,
};
use crate::{
    auth::Caller,
    domain::{
        action::{ActionRequest, GuestAction, Refusal},
        operation::{Operation, OperationId},
        view::Again,
    },
};

/// What it would run now; `None` where there is no such operation, or none that Paddock was asked for.
pub async fn plan(state: &AppState, caller: &Caller, id: OperationId) -> Result<Option<Again>, Error> {
    let Some(operation) = state.store.operation(id).await? else { return Ok(None) };
    if !seen::is_seen(state, caller, &operation.summary) {
        return Ok(None);
    }
    let name = operation.summary.on_what();
    let Some((action, ask)) = asked(operation) else { return Ok(None) };
    let confirm = ask.as_ref().ok().and_then(|ask| ask.request.to_confirm(&name)).map(str::to_owned);
    let planned = match ask {
        Ok(ask) => refused(actions::plan(state, caller, &ask).await)?,
        Err(refusal) => Err(refusal),
    };
    let hash = planned.as_ref().ok().map(Planned::hash);
    let plan = planned.map(|planned| planned.plan);
    Ok(Some(Again { operation: id, action, name, plan, hash, confirm }))
}

/// Begins it again, if its plan is still the one with the hash `agreed`. `confirm` is the guest's name, for a delete.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    id: OperationId,
    agreed: &str,
    confirm: &str,
) -> Result<OperationId, Error> {
    let attempt = Attempt { operation: Some(id), ..Attempt::new("again") };
    let ask = attempt.answered(state, caller, confirmed_ask(state, caller, id, confirm).await).await?;
    actions::begin(state, caller, ask.agreed(agreed)).await
}

async fn confirmed_ask(
    state: &AppState,
    caller: &Caller,
    id: OperationId,
    confirm: &str,
) -> Result<Ask, Error> {
    let operation = state.store.operation(id).await?;
    let operation =
        operation.filter(|it| seen::is_seen(state, caller, &it.summary)).ok_or(Error::NotFound)?;
    let (_, ask) = asked(operation).ok_or(Error::NotFound)?;
    let ask = ask?;
    if let (Target::Guest(guest), Some(_)) = (&ask.target, ask.request.to_confirm("")) {
        permit::first(state, caller, guest, ask.request.action()).await?;
        confirmed(state, guest, &ask.request, confirm).await?;
    }
    Ok(ask)
}

fn asked(operation: Operation) -> Option<(GuestAction, Result<Ask, Refusal>)> {
    let Operation { summary, request, .. } = operation;
    let (guest, request) = (summary.guest?, request?);
    let action = request.action();
    if !request.secrets().is_empty() {
        return Some((action, Err(Refusal::NeedsSecret)));
    }
    let target = match &request {
        ActionRequest::Create(_) => Target::New(guest.backend),
        _ => Target::Guest(guest),
    };
    let notes = vec![format!("Asked for again, as operation #{} was.", summary.id)];
    Some((action, Ok(Ask { notes, ..Ask::new(target, request) })))
}
