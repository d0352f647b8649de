//! Gives every operation that was cut off its true end.

use super::{AppState, Error, operations::read_after};
use crate::{
    backend::{end_left_over, now_ms},
    domain::operation::{GuestAfter, OperationState},
    store::End,
};

/// Ends every operation that is still marked as running as *interrupted*, with the guest's state as the host shows
/// it now. For the start, before anything new can begin, and for the end of a shutdown. Says how many there were.
///
/// A tool that was left running is ended first: otherwise it would go on changing the guest after its state was
/// written down.
pub async fn settle(state: &AppState) -> Result<usize, Error> {
    let cut_off = state.store.live_operations().await?;
    for operation in &cut_off {
        let left_over = match operation.tool {
            Some(tool) => end_left_over(tool).await,
            None => false,
        };
        let guest_after = match state.registry.get(operation.guest.backend) {
            Some(driver) => read_after(driver.as_ref(), &operation.guest).await,
            None => GuestAfter::NotRead,
        };
        let what = if left_over { " Its tool was still running and has been ended." } else { "" };
        let failure = Some(format!(
            "Paddock was ended while this was at work, so its outcome is not known.{what} Check the guest, then begin again."
        ));
        let end = End { state: OperationState::Interrupted, failure, guest_after, finished_ms: now_ms() };
        state.store.finish_operation(operation.id, &end).await?;
        tracing::warn!(operation = %operation.id, guest = %operation.guest, left_over, "operation settled as interrupted");
    }
    if !cut_off.is_empty() {
        state.inventory.announce();
    }
    Ok(cut_off.len())
}
