//! The list of guests, from memory: the whole, and one page of it.

use std::sync::Arc;

use super::{AppState, Error, Snapshot, latest};
use crate::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        access::{On, Place, Privilege, Privileges},
        event::At,
        guest::Guest,
        list::{ListLine, ListQuery, Listed, arrange},
        operation::OperationSummary,
        view::{GuestList, GuestRow, LastOperation, ListPage},
    },
};

/// Lines of one page. Without JavaScript there are more pages; with it the rest is read afterwards.
pub const PAGE: usize = 100;

/// What the caller may do with this guest; `None` where they may not even see it.
pub(super) fn may(caller: &Caller, guest: &Guest, now_ms: i64) -> Option<Privileges> {
    let on = On::Guest(Place::of(guest));
    let allowed = |privilege: &Privilege| caller.rights.allow(*privilege, on, now_ms);
    if !allowed(&Privilege::See) {
        return None;
    }
    Some(Privilege::ALL.into_iter().filter(allowed).collect())
}

/// One line of the list; `None` where the caller may not see the guest.
pub(super) fn row(caller: &Caller, guest: &Guest, known: &latest::Known, now_ms: i64) -> Option<GuestRow> {
    let may = may(caller, guest, now_ms)?;
    let last = known.of(&guest.id).filter(|_| may.holds(Privilege::History));
    Some(GuestRow { guest: guest.clone(), last: last.map(|last| LastOperation::of(last)), may })
}

/// All guests that the caller sees.
pub async fn list(state: &AppState, caller: &Caller) -> Result<GuestList, Error> {
    state.latest.catch_up(&state.store, false).await?;
    let (snapshot, now_ms) = (state.inventory.snapshot(), now_ms());
    let (operations, guests) = state.latest.look(|known| {
        let rows = snapshot.guests.iter().filter_map(|guest| row(caller, guest, known, now_ms));
        (known.version(), rows.collect())
    });
    Ok(GuestList {
        at: at(state, caller, &snapshot, operations),
        now_ms,
        backends: snapshot.backends.values().cloned().collect(),
        guests,
        create_refusal: policy::decide(caller, Privilege::Create, On::Somewhere).err(),
    })
}

/// What has been told up to now: of guests by this snapshot, of operations up to that version.
pub(super) fn at(state: &AppState, caller: &Caller, snapshot: &Snapshot, operations: u64) -> At {
    At {
        boot: state.inventory.boot(),
        guests: snapshot.version,
        operations,
        rights: caller.rights.fingerprint(now_ms()),
    }
}

/// A guest that the caller sees.
struct Visible<'a> {
    guest: &'a Guest,
    last: Option<&'a Arc<OperationSummary>>,
}

impl Listed for Visible<'_> {
    fn guest(&self) -> &Guest {
        self.guest
    }

    fn last_ms(&self) -> Option<i64> {
        self.last.map(|last| last.touched_ms())
    }
}

/// One page of what the query asks for. `page` counts from 1; one past the last is the last.
pub async fn page(
    state: &AppState,
    caller: &Caller,
    query: &ListQuery,
    page: usize,
) -> Result<ListPage, Error> {
    state.latest.catch_up(&state.store, false).await?;
    let (snapshot, now_ms) = (state.inventory.snapshot(), now_ms());
    let list = state.latest.look(|known| {
        let sees = |guest: &&Arc<Guest>| policy::sees(caller, guest);
        let history =
            |guest: &Guest| caller.rights.allow(Privilege::History, On::Guest(Place::of(guest)), now_ms);
        let visible = |guest| Visible { guest, last: known.of(&guest.id).filter(|_| history(guest)) };
        let all: Vec<Visible<'_>> =
            snapshot.guests.iter().filter(sees).map(|guest| visible(guest.as_ref())).collect();
        let arranged = arrange(&all, query);
        let pages = arranged.lines.len().div_ceil(PAGE).max(1);
        let page = page.clamp(1, pages);
        let mut guests = Vec::new();
        let mut lines = Vec::new();
        for line in arranged.lines.into_iter().skip((page - 1) * PAGE).take(PAGE) {
            match line {
                ListLine::Heading(_) => lines.push(line),
                // It was seen a moment ago; should a grant have just run out, it is left out.
                ListLine::Guest(of) => {
                    if let Some(row) = row(caller, all[of].guest, known, now_ms) {
                        lines.push(ListLine::Guest(guests.len()));
                        guests.push(row);
                    }
                }
            }
        }
        ListPage {
            query: query.clone(),
            page,
            pages,
            total: all.len(),
            found: arranged.found,
            lines,
            list: GuestList {
                at: at(state, caller, &snapshot, known.version()),
                now_ms,
                backends: snapshot.backends.values().cloned().collect(),
                guests,
                create_refusal: policy::decide(caller, Privilege::Create, On::Somewhere).err(),
            },
        }
    });
    Ok(list)
}
