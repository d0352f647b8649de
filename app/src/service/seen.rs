//! What of guests and of the history a caller may see, by what the inventory knows of the guests.

use super::AppState;
use crate::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        access::{On, Place, Privilege, Scope},
        action::Refusal,
        guest::{BackendKind, GuestId},
        history::{HistoryFilter, Within},
        operation::{Line, OperationSummary},
    },
};

/// Decides on a guest by its id. Its pool and tags are those of the inventory; of one that is gone there are none.
pub(super) fn decide(
    state: &AppState,
    caller: &Caller,
    privilege: Privilege,
    guest: &GuestId,
) -> Result<(), Refusal> {
    let snapshot = state.inventory.snapshot();
    let known = snapshot.guest(guest);
    policy::decide(
        caller,
        privilege,
        On::Guest(known.map_or_else(|| Place::id(guest), |guest| Place::of(guest))),
    )
}

/// Whether this operation is there for the caller: it was done with a guest whose history they may see, or by themselves.
pub fn is_seen(state: &AppState, caller: &Caller, operation: &OperationSummary) -> bool {
    operation.actor.as_ref() == Some(&caller.username)
        || match &operation.guest {
            Some(guest) => decide(state, caller, Privilege::History, guest).is_ok(),
            None => policy::decide(caller, Privilege::History, On::Everything).is_ok(),
        }
}

/// A record that cannot be read is for those who may see all.
pub(super) fn is_line_seen(state: &AppState, caller: &Caller, line: &Line) -> bool {
    match line {
        Ok(operation) => is_seen(state, caller, operation),
        Err(_) => policy::decide(caller, Privilege::History, On::Everything).is_ok(),
    }
}

/// The part of the history that somebody may see.
#[derive(Debug, Clone)]
pub struct Visible(Option<Within>);

impl Visible {
    /// For whoever may read the database itself.
    pub fn all() -> Self {
        Self(None)
    }

    pub fn to(state: &AppState, caller: &Caller) -> Self {
        Self(history(state, caller))
    }

    /// The filter, of that part alone.
    pub(super) fn of(self, filter: HistoryFilter) -> HistoryFilter {
        HistoryFilter { within: self.0, ..filter }
    }
}

/// `None` for all of it.
fn history(state: &AppState, caller: &Caller) -> Option<Within> {
    let (rights, now_ms) = (&caller.rights, now_ms());
    if rights.allow(Privilege::History, On::Everything, now_ms) {
        return None;
    }
    // A place without a name is covered by nothing but what covers the whole backend.
    let whole = |backend: &BackendKind| {
        let place = Place { backend: *backend, name: None, pool: None, tags: &[] };
        rights.allow(Privilege::History, On::Guest(place), now_ms)
    };
    let backends: Vec<BackendKind> = BackendKind::ALL.into_iter().filter(whole).collect();
    let snapshot = state.inventory.snapshot();
    let known = snapshot.guests.iter().filter(|guest| {
        !backends.contains(&guest.id.backend)
            && rights.allow(Privilege::History, On::Guest(Place::of(guest)), now_ms)
    });
    let mut guests: Vec<GuestId> = known.map(|guest| guest.id.clone()).collect();
    for right in &rights.list {
        if let Scope::Guest(id) = &right.scope
            && !guests.contains(id)
            && rights.allow(Privilege::History, On::Guest(Place::id(id)), now_ms)
        {
            guests.push(id.clone());
        }
    }
    Some(Within { backends, guests })
}
