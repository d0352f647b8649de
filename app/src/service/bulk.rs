//! One action on many guests: one operation with a part for each guest, which go on past one that fails.
//!
//! The whole has no steps of its own; it is at work until its last part has ended, and its failure names every guest
//! that the action did not succeed on, those left out included.

use std::collections::HashSet;

use futures::future::join_all;

use super::{
    AppState, Error,
    actions::{self, Ask, Planned, Target},
    attempts::Attempt,
    guests::refused,
    job::{watch_for_cancel, write_end},
};
use crate::{
    auth::Caller,
    backend::{now_ms, own_process},
    domain::{
        action::{ActionRequest, Field, Refusal},
        failure::FailureKind,
        guest::GuestId,
        operation::{Deed, EndState, GuestAfter, Line, OperationId, OperationState, Origin},
        plan::Plan,
        view::{BulkPart, BulkPreview},
    },
    ledger::Record,
    store::{Begun, End, NewOperation, plan_hash},
};

/// Guests of one bulk action at most.
pub const MOST: usize = 1000;
/// Guests named one by one in the failure; the others are counted.
const NAMED: usize = 50;

/// An action on many guests.
#[derive(Debug, Clone)]
pub struct BulkAsk {
    pub guests: Vec<GuestId>,
    pub request: ActionRequest,
    /// The hash of the preview that was shown: if anything in it differs by now, nothing is begun.
    pub agreed: Option<String>,
}

/// What it would run on each guest, and which would be left out and why. Nothing has been run.
pub async fn plan(state: &AppState, caller: &Caller, ask: &BulkAsk) -> Result<BulkPreview, Error> {
    let guests = checked(ask)?;
    let one = async |guest: &GuestId| {
        let ask = Ask::new(Target::Guest(guest.clone()), ask.request.clone());
        let planned = refused(actions::plan(state, caller, &ask).await)?;
        let title = planned.as_ref().ok().and_then(|planned| planned.title.clone());
        let plan = planned.map(|Planned { plan, .. }| plan);
        Ok::<_, Error>(BulkPart { guest: guest.clone(), title, plan })
    };
    let parts: Vec<BulkPart> =
        join_all(guests.iter().map(one)).await.into_iter().collect::<Result<_, _>>()?;
    let hash = hash_of(&parts);
    Ok(BulkPreview { now_ms: now_ms(), action: ask.request.action(), parts, hash })
}

/// Begins it and answers at once with the operation that is the whole. A denial or refusal of the whole is recorded.
pub async fn begin(state: &AppState, caller: &Caller, ask: BulkAsk) -> Result<OperationId, Error> {
    let subject = match &ask.guests[..] {
        [guest] => guest.to_string(),
        guests => format!("{} guests", guests.len()),
    };
    let attempt = Attempt { subject: Some(subject), ..Attempt::new(ask.request.action().as_str()) };
    attempt.answered(state, caller, begin_whole(state, caller, ask).await).await
}

async fn begin_whole(state: &AppState, caller: &Caller, ask: BulkAsk) -> Result<OperationId, Error> {
    let preview = plan(state, caller, &ask).await?;
    let action = preview.action;
    if let Some(agreed) = &ask.agreed
        && *agreed != preview.hash
        && let Some(part) = preview.parts.first()
    {
        return Err(Refusal::PlanChanged { guest: part.guest.clone(), action }.into());
    }
    if let Some(refusal) = nothing_to_do(&preview) {
        return Err(refusal.into());
    }
    if state.supervisor.is_closing() {
        return Err(Refusal::ShuttingDown.into());
    }
    let none = Plan::default();
    let new = NewOperation {
        origin: Origin::Paddock,
        parent: None,
        children: Some(u32::try_from(preview.parts.len()).unwrap_or(u32::MAX)),
        guest: None,
        node: None,
        title: None,
        action: Deed::Action(action),
        actor: Some(&caller.username),
        address: caller.address.map(|address| address.to_string()),
        request: Some(&ask.request),
        plan: &none,
        started_ms: now_ms(),
        owner: Some(own_process()),
    };
    let id = match state.store.begin_operation(&new).await? {
        Begun::Planned(id) | Begun::Live(id) => id,
    };
    let whole = Whole {
        state: state.clone(),
        caller: caller.clone(),
        id,
        request: ask.request,
        parts: preview.parts,
        cancel: state.supervisor.enlist(id),
    };
    state.supervisor.spawn(whole.supervise());
    state.latest.written();
    Ok(id)
}

/// Each guest once, in the order given.
fn checked(ask: &BulkAsk) -> Result<Vec<GuestId>, Refusal> {
    let field = |message: String| Refusal::Field { field: Field::Name, message };
    if matches!(ask.request, ActionRequest::Create(_) | ActionRequest::Clone(_)) {
        return Err(field("New guests are made one by one. Nothing was run.".to_owned()));
    }
    let mut seen = HashSet::new();
    let guests: Vec<_> = ask.guests.iter().filter(|guest| seen.insert(*guest)).cloned().collect();
    match guests.len() {
        0 => Err(field("Choose at least one guest. Nothing was run.".to_owned())),
        1..=MOST => Ok(guests),
        count => Err(field(format!("At most {MOST} guests at once; these are {count}. Nothing was run."))),
    }
}

/// The refusal of the first guest, where every one would be left out.
fn nothing_to_do(preview: &BulkPreview) -> Option<Refusal> {
    let all_refused = preview.parts.iter().all(|part| part.plan.is_err());
    all_refused.then(|| preview.parts.first()?.plan.clone().err()).flatten()
}

fn hash_of(parts: &[BulkPart]) -> String {
    let part = |record: Record, part: &BulkPart| {
        let guest = record.text(&part.guest.to_string());
        match &part.plan {
            Ok(plan) => guest.flag(true).hash(plan_hash(plan)),
            Err(refusal) => guest.flag(false).text(&refusal.to_string()),
        }
    };
    Record::new("bulk").list(parts, part).finish().to_string()
}

/// A bulk action at work.
struct Whole {
    state: AppState,
    caller: Caller,
    id: OperationId,
    request: ActionRequest,
    parts: Vec<BulkPart>,
    cancel: tokio_util::sync::CancellationToken,
}

impl Whole {
    async fn supervise(self) {
        if let Err(error) = self.state.store.run_operation(self.id, now_ms()).await {
            tracing::error!(operation = %self.id, error = %error, "its turn could not be noted");
        }
        let watch = tokio::spawn(watch_for_cancel(self.state.clone(), self.id, self.cancel.clone()));
        let (begun, left_out) = self.begin_parts().await;
        for part in &begun {
            tokio::select! {
                () = self.state.supervisor.wait(*part) => {}
                () = self.cancel.cancelled() => {
                    self.cancel_parts(&begun).await;
                    self.state.supervisor.wait(*part).await;
                }
            }
        }
        watch.abort();
        let parts = self.state.store.parts_of(self.id).await.unwrap_or_default();
        let end = self.end(&parts, &left_out);
        write_end(&self.state, self.id, &end).await;
        self.state.supervisor.leave(self.id);
        self.state.latest.written();
        tracing::info!(
            operation = %self.id,
            state = %OperationState::from(end.state),
            failure = end.failure.as_deref(),
            "bulk operation ended"
        );
    }

    /// Those begun, and why each of the others was not.
    async fn begin_parts(&self) -> (Vec<OperationId>, Vec<(String, FailureKind)>) {
        let (mut begun, mut left_out) = (Vec::new(), Vec::new());
        for part in &self.parts {
            let guest = &part.guest;
            let plan = match &part.plan {
                Ok(_) if self.cancel.is_cancelled() => {
                    left_out.push((
                        format!("{guest}: not begun, as this was cancelled."),
                        FailureKind::Cancelled,
                    ));
                    continue;
                }
                Ok(plan) => plan,
                Err(refusal) => {
                    left_out.push((format!("{guest}: {refusal}"), refusal.kind()));
                    continue;
                }
            };
            let ask = Ask {
                agreed: Some(plan_hash(plan).to_string()),
                parent: Some(self.id),
                ..Ask::new(Target::Guest(guest.clone()), self.request.clone())
            };
            match actions::begin(&self.state, &self.caller, ask).await {
                Ok(id) => begun.push(id),
                Err(error) => left_out.push((format!("{guest}: {error}"), error.kind())),
            }
        }
        (begun, left_out)
    }

    async fn cancel_parts(&self, parts: &[OperationId]) {
        for part in parts {
            // Noted so that its end is told as cancelled, even if this process does not live to see it.
            if let Err(error) = self.state.store.want_cancel_with(self.id, *part, now_ms()).await {
                tracing::error!(operation = %part, error = %error, "that a part is to end could not be noted");
            }
            self.state.supervisor.cancel(*part);
        }
    }

    fn end(&self, parts: &[Line], left_out: &[(String, FailureKind)]) -> End {
        let is_well = |part: &Line| matches!(part, Ok(part) if part.state == OperationState::Succeeded);
        let bad: Vec<_> = parts.iter().filter(|part| !is_well(part)).collect();
        let succeeded = parts.len() - bad.len();
        let state = if self.cancel.is_cancelled() {
            EndState::Cancelled
        } else if succeeded == self.parts.len() {
            EndState::Succeeded
        } else {
            EndState::Failed
        };
        let failures: Vec<String> = bad
            .iter()
            .map(|part| match part {
                Ok(part) => {
                    let why = part.failure.as_deref().unwrap_or_default();
                    format!("{} (#{}): {}. {why}", part.on_what(), part.id, part.state.label().to_lowercase())
                }
                Err(record) => {
                    format!("#{}: its record was changed outside Paddock; {}.", record.id, record.what)
                }
            })
            .chain(left_out.iter().map(|(why, _)| why.clone()))
            .collect();
        let first_kind = bad
            .iter()
            .find_map(|part| part.as_ref().ok()?.failure_kind)
            .or(left_out.first().map(|(_, kind)| *kind));
        let failure_kind = match state {
            EndState::Succeeded => None,
            EndState::Cancelled => Some(FailureKind::Cancelled),
            _ => Some(first_kind.unwrap_or(FailureKind::Internal)),
        };
        let failure = failure_kind.map(|_| {
            let mut text = format!("{succeeded} of {} succeeded.", self.parts.len());
            for line in failures.iter().take(NAMED) {
                text += &format!("\n{line}");
            }
            if failures.len() > NAMED {
                text += &format!("\n… and {} more; see the parts.", failures.len() - NAMED);
            }
            text
        });
        End { state, failure, failure_kind, guest_after: GuestAfter::NotRead, finished_ms: now_ms() }
    }
}
