//! Guests: see them, plan and begin what is asked of them.

use super::{
    AppState, Error,
    actions::{self, Ask, Planned, Target},
    attempts::Attempt,
    bulk::BulkAsk,
    permit, rows,
};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend},
    domain::{
        access::{On, Place, Privilege},
        action::{ActionRequest, Field, GuestAction, Refusal},
        form::{self, Typed},
        guest::GuestId,
        operation::{OperationId, Origin},
        spec::Changes,
        view::{ActionChoice, GuestPage, Preview},
    },
};

/// Operations shown on a guest's page.
const RECENT: usize = 10;

/// One guest, `None` where there is none.
pub async fn page(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
) -> Result<Option<GuestPage>, Error> {
    let Ok(id) = GuestId::parse(backend, name) else { return Ok(None) };
    // Of one that is known and hidden nothing is read at all.
    if permit::first_sight(state, caller, &id).await.is_err() {
        return Ok(None);
    }
    let Some(driver) = state.registry.get(id.backend) else { return Ok(None) };
    let Some(mut detail) = driver.inspect(&id.name).await? else { return Ok(None) };
    let Some(may) = rows::may(caller, &detail.guest, backend::now_ms()) else { return Ok(None) };
    // A configuration may hold secrets (the environment of an OCI process), so it is for those who may change it.
    if !may.holds(Privilege::Configure) {
        detail.config = None;
        detail.settings = Changes::default();
    }
    let mut recent = state.store.operations_of(&id, None, RECENT).await?;
    let live = recent.iter().flatten().find(|operation| operation.state.is_live()).cloned();
    if !may.holds(Privilege::History) {
        recent.clear();
    }
    // What somebody does outside Paddock may be in the way, too, but that is for the backend to say.
    let own = live.as_ref().filter(|live| live.origin == Origin::Paddock);
    let busy = own.map(|l| Refusal::Busy { guest: id.clone(), operation: l.id });
    let choices = GuestAction::ALL
        .into_iter()
        .filter(|action| *action != GuestAction::Create)
        .map(|action| {
            let refusal = permit::refusal(driver.as_ref(), caller, &detail.guest, action).or(busy.clone());
            ActionChoice { action, refusal }
        })
        .collect();
    Ok(Some(GuestPage { now_ms: backend::now_ms(), detail, live, recent, actions: choices, may }))
}

/// What an action would run, without running it. `None` where there is no such guest.
pub async fn preview(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
    action: GuestAction,
    typed: &Typed,
) -> Result<Option<Preview>, Error> {
    let Some((driver, guest)) = super::guest_forms::seen(state, caller, backend, name).await? else {
        return Ok(None);
    };
    // Before its settings are read, which are not for everybody.
    let asked = match policy::decide(caller, action.privilege(), On::Guest(Place::of(&guest))) {
        Ok(()) => refused(asked(driver.as_ref(), &guest.id, action, typed).await)?,
        Err(refusal) => Err(refusal),
    };
    let confirm = asked.as_ref().ok().and_then(|request| request.to_confirm(guest.label()));
    let confirm = confirm.map(str::to_owned);
    let planned = match asked {
        Err(refusal) => Err(refusal),
        Ok(request) => {
            let ask = Ask::new(Target::Guest(guest.id.clone()), request);
            refused(actions::plan(state, caller, &ask).await)?
        }
    };
    let hash = planned.as_ref().ok().map(Planned::hash);
    let plan = planned.map(|planned| planned.plan);
    Ok(Some(Preview { now_ms: backend::now_ms(), guest, action, plan, hash, confirm }))
}

/// What the form asks of this guest.
async fn asked(
    driver: &dyn Backend,
    id: &GuestId,
    action: GuestAction,
    typed: &Typed,
) -> Result<ActionRequest, Error> {
    let present = match action {
        GuestAction::Configure => driver.inspect(&id.name).await.map_err(|error| error.into_refusal(id))?,
        _ => None,
    };
    Ok(form::request(action, typed, &present.map(|detail| detail.settings).unwrap_or_default())?)
}

/// A refusal as an answer; other errors stay errors.
pub(super) fn refused<T>(result: Result<T, Error>) -> Result<Result<T, Refusal>, Error> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}

/// A form that asks for an action on one guest, as typed.
#[derive(Debug, Clone, Copy)]
pub struct ActForm<'a> {
    pub backend: &'a str,
    pub name: &'a str,
    pub action: GuestAction,
    pub typed: &'a Typed,
    /// What has to be typed to agree to what cannot be undone.
    pub confirm: &'a str,
    /// The hash of the plan that was shown; empty where none was.
    pub plan: &'a str,
}

/// Begins an action on a guest.
pub async fn act(state: &AppState, caller: &Caller, form: ActForm<'_>) -> Result<OperationId, Error> {
    let id = GuestId::parse(form.backend, form.name).map_err(|_| Error::NotFound);
    let attempt = Attempt::new(form.action.as_str());
    let attempt = id.as_ref().map_or(attempt.clone(), |id| attempt.on(id));
    let asked = async { confirmed_ask(state, caller, form, id?).await };
    let ask = attempt.answered(state, caller, asked.await).await?;
    actions::begin(state, caller, ask).await
}

async fn confirmed_ask(
    state: &AppState,
    caller: &Caller,
    form: ActForm<'_>,
    id: GuestId,
) -> Result<Ask, Error> {
    permit::first(state, caller, &id, form.action).await?;
    let driver = state.registry.get(id.backend).ok_or(Error::NotFound)?;
    let request = asked(driver.as_ref(), &id, form.action, form.typed).await?;
    confirmed(state, &id, &request, form.confirm).await?;
    Ok(Ask::new(Target::Guest(id), request).agreed(form.plan))
}

/// What had to be typed was: the guest's name, as the host calls it now, as a number alone is too easily the wrong one; or
/// the snapshot's. The caller may do it.
pub(super) async fn confirmed(
    state: &AppState,
    id: &GuestId,
    request: &ActionRequest,
    typed: &str,
) -> Result<(), Error> {
    let what = match request {
        ActionRequest::Delete { .. } => "guest",
        _ if request.to_confirm("").is_none() => return Ok(()),
        _ => "snapshot",
    };
    let driver = state.registry.get(id.backend).ok_or(Error::NotFound)?;
    let guest = driver.guest(&id.name).await.map_err(|error| error.into_refusal(id))?;
    let guest = guest.ok_or_else(|| Refusal::NotFound { guest: id.clone() })?;
    match request.to_confirm(guest.label()) {
        Some(name) if typed.trim() != name => {
            let verb = request.action().verb_alone();
            let message = format!("Type the {what}'s name, {name}, to {verb} it. Nothing was run.");
            Err(Refusal::Field { field: Field::Confirm, message }.into())
        }
        _ => Ok(()),
    }
}

/// A form that asks for one action on many guests.
#[derive(Debug, Clone, Copy)]
pub struct BulkForm<'a> {
    pub action: GuestAction,
    /// Each as `BACKEND/NAME`.
    pub guests: &'a [String],
    /// Seconds to wait for a shut-down; empty is the default.
    pub timeout: &'a str,
    /// The hash of the preview that was shown; a delete needs it.
    pub plan: &'a str,
}

/// What the form asks for.
pub fn bulk(form: BulkForm<'_>) -> Result<BulkAsk, Error> {
    let guest = |text: &String| text.split_once('/').and_then(|(kind, name)| GuestId::parse(kind, name).ok());
    let guests = form.guests.iter().map(guest).collect::<Option<_>>().ok_or(Error::NotFound)?;
    let agreed = Some(form.plan.trim().to_owned()).filter(|hash| !hash.is_empty());
    Ok(BulkAsk { guests, request: request_for(form.action, form.timeout)?, agreed })
}

/// An action that needs no more than a guest and perhaps a time.
fn request_for(action: GuestAction, timeout: &str) -> Result<ActionRequest, Refusal> {
    form::request(action, &Typed::default().with(Field::Timeout, timeout), &Changes::default())
}

/// Begins the action on all of them.
pub async fn act_on_all(state: &AppState, caller: &Caller, form: BulkForm<'_>) -> Result<OperationId, Error> {
    let attempt = Attempt::new(form.action.as_str());
    let ask = attempt.answered(state, caller, looked_at(form)).await?;
    super::bulk::begin(state, caller, ask).await
}

fn looked_at(form: BulkForm<'_>) -> Result<BulkAsk, Error> {
    let ask = bulk(form)?;
    if form.action == GuestAction::Delete && ask.agreed.is_none() {
        let message = "Look at what would be lost first. Nothing was run.".to_owned();
        return Err(Refusal::Field { field: Field::Confirm, message }.into());
    }
    Ok(ask)
}
