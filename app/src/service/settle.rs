//! Gives every operation that was cut off its true end.
//!
//! ```text
//!   owner gone ─┬─ waited in line ────────────────────────────────────────► interrupted: nothing was run
//!               ├─ a bulk action ── once all its parts have ended ─────────► by them
//!               ├─ a Proxmox task ── followed to its end on the node ──────► as it ended (`adopt`)
//!               └─ a tool of this host ── ended, if it still runs ─────────► interrupted, with the guest as it is
//! ```

use std::time::Duration;

use super::{AppState, Error, adopt, job::read_after};
use crate::{
    backend::{RunningTool, end_left_over, is_running, now_ms, own_process},
    domain::operation::{EndState, GuestAfter, OperationId, OperationState, Origin},
    store::{End, LiveOperation},
};

/// How often a server looks for operations whose command line was killed.
const INTERVAL: Duration = Duration::from_secs(30);

/// What is done about a task that still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It is followed: this process stays.
    Follow,
    /// It is left to the next server: this process ends soon.
    Leave,
}

/// Settles every operation that nobody watches over any more. For the start, before anything new can begin. Says how
/// many there were.
///
/// A tool that was left running is ended first: otherwise it would go on changing the guest after its state was
/// written down. An operation of another Paddock process that still runs is left to it.
pub async fn settle(state: &AppState, patience: Patience) -> Result<usize, Error> {
    settle_where(state, patience, |operation| operation.owner.is_none_or(|owner| !is_running(owner))).await
}

/// The same for what this process itself has not brought to an end. For the end of a shutdown: what Proxmox is at work
/// on goes on there, and the next start follows it.
pub async fn settle_own(state: &AppState) -> Result<usize, Error> {
    let own = own_process();
    settle_where(state, Patience::Leave, |operation| operation.owner.is_none_or(|owner| owner == own)).await
}

/// Settles now and then, for as long as the task is not dropped: a command line may be killed while a server runs, and a
/// node that could not be asked comes back.
pub async fn keep_settled(state: AppState) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = settle(&state, Patience::Follow).await {
            tracing::error!(error = %error, "operations that were cut off could not be settled");
        }
    }
}

async fn settle_where(
    state: &AppState,
    patience: Patience,
    is_cut_off: impl Fn(&LiveOperation) -> bool,
) -> Result<usize, Error> {
    let mut cut_off = state.store.live_operations().await?;
    cut_off.retain(|operation| operation.origin == Origin::Paddock && is_cut_off(operation));
    // The parts first: what a whole came to is told by them.
    cut_off.sort_by_key(|operation| operation.children.is_some());
    let mut settled = 0;
    for operation in &cut_off {
        let end = match (&operation.task, operation.children) {
            (_, Some(count)) => whole(state, operation.id, count).await?,
            (Some((Some(step), upid)), None) => {
                match adopt::adopt(state, operation, *step, upid, patience).await? {
                    adopt::Seen::Left => None,
                    adopt::Seen::Lost(why) => Some(interrupted(state, operation, why).await),
                }
            }
            (_, None) => Some(cut_off_end(state, operation).await),
        };
        let Some(end) = end else { continue };
        if state.store.finish_operation(operation.id, &end).await? {
            settled += 1;
            tracing::warn!(
                operation = %operation.id,
                guest = operation.guest.as_ref().map(tracing::field::display),
                state = %OperationState::from(end.state),
                "operation settled"
            );
        }
    }
    if settled > 0 {
        state.inventory.announce();
    }
    Ok(settled)
}

async fn cut_off_end(state: &AppState, operation: &LiveOperation) -> End {
    if !operation.is_running {
        let why = "Paddock was ended before its turn came. Nothing was run; begin again.".to_owned();
        return interrupted(state, operation, why).await;
    }
    let left_over = end_tool(operation.tool).await;
    let what = if left_over { " Its tool was still running and has been ended." } else { "" };
    let why = format!(
        "Paddock was ended while this was at work, so its outcome is not known.{what} Check the guest, then begin again."
    );
    interrupted(state, operation, why).await
}

async fn end_tool(tool: Option<RunningTool>) -> bool {
    match tool {
        Some(tool) => end_left_over(tool).await,
        None => false,
    }
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
        finished_ms: now_ms(),
    }
}

/// The end of a bulk action whose process is gone; `None` while one of its parts goes on.
async fn whole(state: &AppState, id: OperationId, count: u32) -> Result<Option<End>, Error> {
    let parts = state.store.parts_of(id).await?;
    if parts.iter().any(|part| part.state.is_live()) {
        return Ok(None);
    }
    let succeeded = parts.iter().filter(|part| part.state == OperationState::Succeeded).count();
    let all = usize::try_from(count).is_ok_and(|count| count == succeeded);
    let failure = (!all).then(|| {
        format!(
            "Paddock was ended while this was at work: {succeeded} of {count} parts succeeded. See each of them, then \
             begin again with the rest."
        )
    });
    let end_state = if all { EndState::Succeeded } else { EndState::Interrupted };
    Ok(Some(End {
        state: end_state,
        failure,
        failure_kind: None,
        guest_after: GuestAfter::NotRead,
        finished_ms: now_ms(),
    }))
}
