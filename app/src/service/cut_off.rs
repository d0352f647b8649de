//! The end of one operation whose process is gone, as far as it can be told: from what was recorded, from Proxmox, or by
//! looking at the guest.

use std::time::Duration;

use super::{
    AppState, Error,
    adopt::{self, Seen},
    job::{end_of, read_after},
    settle::Patience,
};
use crate::{
    backend::{
        self, Backend, OpenCall, Past, RunningTool, Site, Started, end_left_over, find_left_over, is_running,
        now_ms, proxmox::is_user, recall,
    },
    domain::{
        guest::GuestId,
        operation::{EndState, GuestAfter, Operation},
        plan::{Answer, ApiCall, Work},
        secret::Secrets,
    },
    store::{End, LiveOperation, StoreError},
};

/// How far apart the clocks of host and node may be.
const SKEW_MS: i64 = 30_000;
/// What a call began, it began within this time: it may have waited for its turn at the node.
const LATEST_MS: i64 = 60_000;
/// So long after a call was about to be made, Proxmox has begun what it asked for, or never will.
const UNDER_WAY: Duration = Duration::from_secs(5);

/// `None` if it goes on: it is followed, or looked at again later.
pub(super) async fn end(
    state: &AppState,
    patience: Patience,
    operation: &LiveOperation,
) -> Result<Option<End>, Error> {
    if !operation.is_running {
        let why = "Paddock was ended before its turn came. Nothing was run; begin again.".to_owned();
        return Ok(Some(interrupted(state, operation, why).await));
    }
    let record = match state.store.operation(operation.id).await {
        Ok(Some(record)) => record,
        Ok(None) => return Ok(None),
        Err(StoreError::Damaged { what, .. }) => {
            if let Some(tool) = operation.tool.filter(|tool| is_running(*tool)) {
                end_left_over(tool).await;
            }
            let why = format!(
                "Paddock was ended while this was at work, and its record was changed outside Paddock ({what}), so its \
                 outcome is not known. Check the guest, then begin again."
            );
            return Ok(Some(interrupted(state, operation, why).await));
        }
        Err(error) => return Err(error.into()),
    };
    let at = operation.guest.as_ref().and_then(|guest| Some((guest, state.registry.get(guest.backend)?)));
    if let Some((guest, driver)) = at {
        if let Some(end) = recalled(state, driver.as_ref(), guest, &record).await? {
            return Ok(Some(end));
        }
        let task = match &operation.task {
            Some((Some(step), upid)) => Some((*step, upid.clone())),
            _ => match begun(state, driver.as_ref(), guest, &record, record.outcomes.len()).await? {
                Begun::Task(step, upid) => Some((step, upid)),
                Begun::NotYet => return Ok(None),
                Begun::Nothing => None,
            },
        };
        if let Some((step, upid)) = task {
            return Ok(match adopt::adopt(state, operation, step, &upid, patience).await? {
                Seen::Left => None,
                Seen::Lost(why) => Some(interrupted(state, operation, why).await),
            });
        }
    }
    let what = if task_of(&record, record.outcomes.len()).is_some() {
        ". Its node knows of no task that it began, so Proxmox was most likely not asked any more"
    } else if end_tool(operation, &record).await {
        ", so its outcome is not known. Its tool was still running and has been ended"
    } else {
        ", so its outcome is not known"
    };
    let why = format!("Paddock was ended while this was at work{what}. Check the guest, then begin again.");
    Ok(Some(interrupted(state, operation, why).await))
}

/// The end of one whose steps were all over: only that was not written any more.
async fn recalled(
    state: &AppState,
    driver: &dyn Backend,
    guest: &GuestId,
    record: &Operation,
) -> Result<Option<End>, Error> {
    let is_cancel_wanted = state.store.is_cancel_wanted(record.summary.id).await?;
    let past = Past { outcomes: &record.outcomes, output: &record.output, is_cancel_wanted };
    // Nothing is begun here, so nothing is left that a secret would go into.
    let secrets = Secrets::new();
    let site = Site { backend: driver, runner: state.runner.as_ref(), guest: &guest.name, secrets: &secrets };
    let Some(end) = recall(site, &record.plan, past).await else { return Ok(None) };
    Ok(Some(end_of(Ok(end), read_after(driver, guest).await)))
}

/// What a call began whose answer was not noted.
pub(super) enum Begun {
    /// The step, and its task.
    Task(usize, String),
    /// Nothing so far, and it may still come.
    NotYet,
    Nothing,
}

/// The task of the plan's step of this index, where that is a call that may have been made.
pub(super) async fn begun(
    state: &AppState,
    driver: &dyn Backend,
    guest: &GuestId,
    record: &Operation,
    step: usize,
) -> Result<Begun, Error> {
    let Some(call) = task_of(record, step) else { return Ok(Begun::Nothing) };
    let since_ms = began_ms(record, step);
    // Whoever has an account at Proxmox began it as that.
    let person = record.summary.actor.as_deref().filter(|actor| is_user(actor));
    let open = OpenCall { call, person, from_ms: since_ms - SKEW_MS, until_ms: since_ms + LATEST_MS };
    let tasks = match driver.begun_by(&guest.name, open).await {
        Ok(tasks) => tasks,
        Err(error) => {
            // As with a task that cannot be seen: until it is known, nothing else begins on this guest.
            tracing::warn!(operation = %record.summary.id, %error, "cannot see whether a call was made that was cut off");
            return Ok(Begun::NotYet);
        }
    };
    for task in tasks {
        if !state.store.is_task_known(&task.upid).await? {
            let started = Started::Task(task.upid.clone());
            state.store.note_started(record.summary.id, step, &started).await?;
            return Ok(Begun::Task(step, task.upid));
        }
    }
    let waited_ms = u128::try_from(now_ms().saturating_sub(since_ms)).unwrap_or(0);
    Ok(if waited_ms < UNDER_WAY.as_millis() { Begun::NotYet } else { Begun::Nothing })
}

fn task_of(record: &Operation, step: usize) -> Option<&ApiCall> {
    match &record.plan.steps.get(step)?.work {
        Work::Api(call) if call.answer == Answer::Task => Some(call),
        _ => None,
    }
}

/// When the step of this index was about to begin.
fn began_ms(record: &Operation, step: usize) -> i64 {
    let before = record.outcomes.iter().take(step).rev().find_map(|outcome| {
        let took_ms = i64::try_from(outcome.duration_ms).unwrap_or(i64::MAX);
        Some(outcome.started_ms?.saturating_add(took_ms))
    });
    before.or(record.summary.running_ms).unwrap_or(record.summary.started_ms)
}

/// Ends the tool at work, also one that was not noted any more. Says whether there was one.
async fn end_tool(operation: &LiveOperation, record: &Operation) -> bool {
    let noted = operation.tool.filter(|tool| is_running(*tool));
    match noted.or_else(|| left_over(record)) {
        Some(tool) => end_left_over(tool).await,
        None => false,
    }
}

fn left_over(record: &Operation) -> Option<RunningTool> {
    let since_ms = record.summary.running_ms?;
    record.plan.steps.iter().skip(record.outcomes.len()).find_map(|step| match &step.work {
        Work::Command(command) => find_left_over(&command.argv, since_ms),
        _ => None,
    })
}

/// With the guest's state as the host shows it now.
async fn interrupted(state: &AppState, operation: &LiveOperation, why: String) -> End {
    let driver = operation.guest.as_ref().and_then(|guest| Some((guest, state.registry.get(guest.backend)?)));
    let guest_after = match driver {
        Some((guest, driver)) => read_after(driver.as_ref(), guest).await,
        None => GuestAfter::NotRead,
    };
    End {
        state: EndState::Interrupted,
        failure: Some(why),
        failure_kind: None,
        guest_after,
        finished_ms: backend::now_ms(),
    }
}
