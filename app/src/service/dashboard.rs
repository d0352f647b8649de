//! The dashboard: what needs a person first, then what goes on. From memory, but for a few short questions to the database.

mod concerns;

use super::{AppState, Error, Visible, nodes, seen};
use crate::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        access::{On, Privilege},
        dashboard::{Concern, ConcernKind, Dashboard},
        guest::Guest,
        history::HistoryFilter,
        operation::OperationSummary,
    },
    store::User,
};

/// Lines of the history.
const RECENT: usize = 8;
/// Operations at work that are shown.
const RUNNING: u32 = 100;
/// Failures that are looked at.
const FAILURES: usize = 100;
/// An older failure is history: whoever left the guest so knows.
const FAILURE_NEWS_MS: i64 = 7 * 24 * 3600 * 1000;

/// What this person may see of it all.
pub async fn page(state: &AppState, caller: &Caller) -> Result<Dashboard, Error> {
    let now_ms = now_ms();
    let snapshot = state.inventory.snapshot();
    let guests: Vec<&Guest> = snapshot
        .guests
        .iter()
        .map(|guest| -> &Guest { guest })
        .filter(|guest| policy::sees(caller, guest))
        .collect();
    let nodes = nodes::views(state, caller);

    let mut concerns = Vec::new();
    concerns.extend(state.soundness.now().warning().map(concerns::damage));
    if policy::decide(caller, Privilege::See, On::Somewhere).is_ok() {
        concerns.extend(snapshot.backends.values().filter_map(concerns::backend));
        concerns.extend(nodes.iter().flat_map(concerns::node));
    }
    concerns.extend(failed(state, caller, &guests, now_ms).await?);
    concerns.extend(guests.iter().filter_map(|guest| concerns::guest(guest, caller)));
    if policy::decide(caller, Privilege::Users, On::Everything).is_ok() {
        let users = state.store.users().await?;
        concerns.extend(concerns::accounts(&users, state.requires_factor, now_ms));
    }

    let mut running = state.store.running_operations(RUNNING).await?;
    running.retain(|operation| seen::is_seen(state, caller, operation));
    state.supervisor.note_places(&mut running);
    let filter = Visible::to(state, caller).of(HistoryFilter::default());
    // Those at work stand above already.
    let newest = state.store.history(&filter, RECENT + running.len()).await?.operations;
    let is_over = |line: &Result<OperationSummary, _>| line.as_ref().map_or(true, |it| !it.state.is_live());
    Ok(Dashboard {
        now_ms,
        concerns: concerns::in_order(concerns),
        running,
        recent: newest.into_iter().filter(is_over).take(RECENT).collect(),
        counts: nodes::count(guests.into_iter()),
        nodes,
    })
}

/// The guests that are still there and whose last operation did not do its work.
async fn failed(
    state: &AppState,
    caller: &Caller,
    guests: &[&Guest],
    now_ms: i64,
) -> Result<Vec<Concern>, Error> {
    let last = state.store.last_failures(now_ms - FAILURE_NEWS_MS, FAILURES).await?;
    let concern = |operation: OperationSummary| {
        let guest = guests.iter().find(|guest| Some(&guest.id) == operation.guest.as_ref())?;
        let is_told = seen::is_seen(state, caller, &operation) && !concerns::is_of_console(&operation);
        is_told.then(|| concerns::failure(guest, operation))
    };
    Ok(last.into_iter().filter_map(concern).collect())
}
