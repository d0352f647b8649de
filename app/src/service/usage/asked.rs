//! What somebody may be told of it.

use crate::{
    auth::{Caller, policy},
    domain::{
        access::{On, Privilege},
        guest::GuestId,
        usage::Series,
    },
    service::{AppState, Error, seen},
};

/// A guest's last hour, or what is newer than `after_ms`; `None` where there is no such guest for the caller. From memory
/// alone.
pub fn of_guest(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
    after_ms: Option<i64>,
) -> Option<Series> {
    let id = GuestId::parse(backend, name).ok()?;
    seen::decide(state, caller, Privilege::See, &id).ok()?;
    state.inventory.snapshot().guests.iter().find(|guest| guest.id == id)?;
    Some(state.usage.series_after(&id, after_ms.unwrap_or(i64::MIN)).unwrap_or_default())
}

/// A node's last hour, or what is newer than `after_ms`; empty where nothing was ever measured. For whoever may see any
/// guest, as all that is told of nodes.
pub fn of_node(
    state: &AppState,
    caller: &Caller,
    node: &str,
    after_ms: Option<i64>,
) -> Result<Series, Error> {
    policy::decide(caller, Privilege::See, On::Somewhere)?;
    Ok(state.usage.node_series_after(node, after_ms.unwrap_or(i64::MIN)).unwrap_or_default())
}
