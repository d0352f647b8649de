//! The list of guests, from memory: the whole, and one page of it.

use std::sync::Arc;

use super::{AppState, Error, Snapshot, Usage, latest, usage::Tick};
use crate::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        access::{On, Place, Privilege, Privileges},
        event::At,
        guest::Guest,
        list::{ListLine, ListQuery, Listed, arrange},
        operation::OperationSummary,
        usage::Sample,
        view::{GuestList, GuestRow, LastOperation, ListPage, RowUsage},
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

/// What rows are made from, besides the guests.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub caller: &'a Caller,
    pub known: &'a latest::Known,
    pub usage: &'a Usage,
    pub tick: &'a Tick,
    pub now_ms: i64,
}

impl Rows<'_> {
    /// One line of the list; `None` where the caller may not see the guest.
    pub fn row(&self, guest: &Guest) -> Option<GuestRow> {
        let may = may(self.caller, guest, self.now_ms)?;
        let last = self.known.of(&guest.id).filter(|_| may.holds(Privilege::History));
        let usage = self
            .tick
            .guests
            .get(&guest.id)
            .map(|now| RowUsage { now: *now, spark: self.usage.spark(&guest.id).unwrap_or_default() });
        Some(GuestRow { guest: guest.clone(), last: last.map(|last| LastOperation::of(last)), usage, may })
    }
}

/// All guests that the caller sees.
pub async fn list(state: &AppState, caller: &Caller) -> Result<GuestList, Error> {
    state.latest.catch_up(&state.store, false).await?;
    let (snapshot, tick, now_ms) = (state.inventory.snapshot(), state.usage.latest(), now_ms());
    let (operations, guests) = state.latest.look(|known| {
        let rows = Rows { caller, known, usage: &state.usage, tick: &tick, now_ms };
        (known.version(), snapshot.guests.iter().filter_map(|guest| rows.row(guest)).collect())
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
    sample: Option<&'a Sample>,
}

impl Listed for Visible<'_> {
    fn guest(&self) -> &Guest {
        self.guest
    }

    fn last_ms(&self) -> Option<i64> {
        self.last.map(|last| last.touched_ms())
    }

    fn sample(&self) -> Option<&Sample> {
        self.sample
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
    let (snapshot, tick, now_ms) = (state.inventory.snapshot(), state.usage.latest(), now_ms());
    let list = state.latest.look(|known| {
        let sees = |guest: &&Arc<Guest>| policy::sees(caller, guest);
        let history =
            |guest: &Guest| caller.rights.allow(Privilege::History, On::Guest(Place::of(guest)), now_ms);
        let seen = snapshot.guests.iter().filter(sees).map(|guest| Visible {
            guest,
            last: known.of(&guest.id).filter(|_| history(guest)),
            sample: tick.guests.get(&guest.id),
        });
        let all: Vec<Visible<'_>> = seen.collect();
        let arranged = arrange(&all, query);
        let pages = arranged.lines.len().div_ceil(PAGE).max(1);
        let page = page.clamp(1, pages);
        let rows = Rows { caller, known, usage: &state.usage, tick: &tick, now_ms };
        let mut guests = Vec::new();
        let mut lines = Vec::new();
        for line in arranged.lines.into_iter().skip((page - 1) * PAGE).take(PAGE) {
            match line {
                ListLine::Heading(_) => lines.push(line),
                // It was seen a moment ago; should a grant have just run out, it is left out.
                ListLine::Guest(of) => {
                    if let Some(row) = rows.row(all[of].guest) {
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
