//! Gives every operation that was cut off its true end.
//!
//! ```text
//!   owner gone ─┬─ waited in line ────────────────────────────────────────► interrupted: nothing was run
//!               ├─ a bulk action ── once all its parts have ended ─────────► by them
//!               └─ at work (`cut_off`) ─┬─ all its steps were over ────────► as they ended
//!                                       ├─ a Proxmox task ── followed ─────► as it ended (`adopt`)
//!                                       └─ a tool of this host ── ended ───► interrupted, with the guest as it is
//! ```

use std::time::Duration;

use futures::future::join_all;

use super::{AppState, Error, cut_off};
use crate::{
    backend::{is_running, now_ms, own_process},
    domain::operation::{EndState, GuestAfter, OperationId, OperationState, Origin},
    store::{End, LiveOperation},
};

/// How often a server looks for operations whose command line was killed: one small query.
const INTERVAL: Duration = Duration::from_secs(2);

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
    let (wholes, parts): (Vec<_>, Vec<_>) =
        cut_off.iter().partition(|operation| operation.children.is_some());
    let mut settled = 0;
    for together in [parts, wholes] {
        // Each on its own guest: none waits for another's tool to end.
        let each = join_all(together.iter().map(|operation| settle_one(state, patience, operation))).await;
        for (operation, is_settled) in together.iter().zip(each) {
            match is_settled {
                Ok(is_settled) => settled += usize::from(is_settled),
                // It stays live, and is looked at again; the others are none the worse for it.
                Err(error) => {
                    tracing::error!(operation = %operation.id, %error, "an operation could not be settled");
                }
            }
        }
    }
    if settled > 0 {
        state.latest.written();
    }
    Ok(settled)
}

/// False if it goes on, or had been settled.
async fn settle_one(state: &AppState, patience: Patience, operation: &LiveOperation) -> Result<bool, Error> {
    let end = match operation.children {
        Some(count) => whole(state, operation.id, count).await?,
        None => cut_off::end(state, patience, operation).await?,
    };
    let Some(end) = end else { return Ok(false) };
    let is_settled = state.store.finish_operation(operation.id, &end).await?;
    if is_settled {
        if let Some(guest) = &operation.guest {
            state.inventory.operation_ended(guest, end.guest_after);
        }
        tracing::warn!(
            operation = %operation.id,
            guest = operation.guest.as_ref().map(tracing::field::display),
            state = %OperationState::from(end.state),
            "operation settled"
        );
    }
    Ok(is_settled)
}

/// The end of a bulk action whose process is gone; `None` while one of its parts goes on.
async fn whole(state: &AppState, id: OperationId, count: u32) -> Result<Option<End>, Error> {
    let parts = state.store.parts_of(id).await?;
    let readable = || parts.iter().flatten();
    if readable().any(|part| part.state.is_live()) {
        return Ok(None);
    }
    let succeeded = readable().filter(|part| part.state == OperationState::Succeeded).count();
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
