//! The history: pages of it, of all guests or of one.

use super::{AppState, Error};
use crate::{
    auth::{Caller, policy},
    backend,
    domain::{
        access::Privilege,
        guest::GuestId,
        history::{Cursor, HistoryField, HistoryQuery},
        operation::{Line, place_of},
        view::HistoryPage,
    },
};

/// Lines of one page.
pub const PAGE: usize = 50;

/// One page of what the filter asks for, newest first. A filter that makes no sense gets its errors and no operations.
pub async fn page(state: &AppState, caller: &Caller, query: &HistoryQuery) -> Result<HistoryPage, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let now_ms = backend::now_ms();
    match query.read(now_ms) {
        // One more than shown tells whether there is an older page.
        Ok(filter) => Ok(page_of(now_ms, state.store.history(&filter, PAGE + 1).await?)),
        Err(errors) => Ok(HistoryPage { now_ms, operations: Vec::new(), older: None, errors }),
    }
}

/// One page of a guest's own history, newest first, also of one that is gone. `after` is where the page before it ended, or
/// empty. `None` for what can be no guest.
pub async fn timeline(
    state: &AppState,
    caller: &Caller,
    kind: &str,
    name: &str,
    after: &str,
) -> Result<Option<HistoryPage>, Error> {
    let Ok(guest) = GuestId::parse(kind, name) else { return Ok(None) };
    policy::decide(caller, Privilege::See, Some(&guest))?;
    let now_ms = backend::now_ms();
    let place =
        HistoryQuery::default().with(HistoryField::After, after).read(now_ms).map(|filter| filter.after);
    Ok(Some(match place {
        Ok(after) => page_of(now_ms, state.store.operations_of(&guest, after, PAGE + 1).await?),
        Err(errors) => HistoryPage { now_ms, operations: Vec::new(), older: None, errors },
    }))
}

fn page_of(now_ms: i64, mut operations: Vec<Line>) -> HistoryPage {
    let more = operations.len() > PAGE;
    operations.truncate(PAGE);
    let place = |oldest: &Line| {
        let (id, started_ms) = place_of(oldest);
        Cursor { started_ms, id: id.0 }.to_string()
    };
    let older = operations.last().filter(|_| more).map(place);
    HistoryPage { now_ms, operations, older, errors: Vec::new() }
}
