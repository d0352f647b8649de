//! Gives every operation that was cut off its true end.

use std::time::Duration;

use super::{AppState, Error, operations::read_after};
use crate::{
    backend::{end_left_over, is_running, now_ms, own_process},
    domain::operation::{EndState, GuestAfter},
    store::{End, LiveOperation},
};

/// How often a server looks for operations whose command line was killed.
const INTERVAL: Duration = Duration::from_secs(30);

/// Ends every operation that nobody watches over any more as *interrupted*, with the guest's state as the host shows
/// it now. For the start, before anything new can begin. Says how many there were.
///
/// A tool that was left running is ended first: otherwise it would go on changing the guest after its state was
/// written down. An operation of another Paddock process that still runs is left to it.
pub async fn settle(state: &AppState) -> Result<usize, Error> {
    settle_where(state, |operation| operation.owner.is_none_or(|owner| !is_running(owner))).await
}

/// The same for what this process itself has not brought to an end. For the end of a shutdown.
pub async fn settle_own(state: &AppState) -> Result<usize, Error> {
    let own = own_process();
    settle_where(state, |operation| operation.owner.is_none_or(|owner| owner == own)).await
}

/// Settles now and then, for as long as the task is not dropped: a command line may be killed while a server runs.
pub async fn keep_settled(state: AppState) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = settle(&state).await {
            tracing::error!(error = %error, "operations that were cut off could not be settled");
        }
    }
}

async fn settle_where(state: &AppState, is_cut_off: impl Fn(&LiveOperation) -> bool) -> Result<usize, Error> {
    let mut cut_off = state.store.live_operations().await?;
    cut_off.retain(is_cut_off);
    for operation in &cut_off {
        let left_over = match operation.tool {
            Some(tool) => end_left_over(tool).await,
            None => false,
        };
        let driver =
            operation.guest.as_ref().and_then(|guest| Some((guest, state.registry.get(guest.backend)?)));
        let guest_after = match driver {
            Some((guest, driver)) => read_after(driver.as_ref(), guest).await,
            None => GuestAfter::NotRead,
        };
        let what = if left_over { " Its tool was still running and has been ended." } else { "" };
        let failure = Some(format!(
            "Paddock was ended while this was at work, so its outcome is not known.{what} Check the guest, then begin again."
        ));
        let end = End {
            state: EndState::Interrupted,
            failure,
            failure_kind: None,
            guest_after,
            finished_ms: now_ms(),
        };
        state.store.finish_operation(operation.id, &end).await?;
        tracing::warn!(operation = %operation.id, guest = operation.guest.as_ref().map(tracing::field::display), left_over, "operation settled as interrupted");
    }
    if !cut_off.is_empty() {
        state.inventory.announce();
    }
    Ok(cut_off.len())
}
