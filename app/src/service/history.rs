//! The history: pages of it, of all guests or of one.

use super::{AppState, Error, Visible, seen};
use crate::{
    auth::Caller,
    backend,
    domain::{
        access::Privilege,
        guest::GuestId,
        history::{Cursor, FilterError, HistoryField, HistoryQuery},
        operation::{Line, place_of},
        view::HistoryPage,
    },
};

/// Lines of one page.
pub const PAGE: usize = 50;

/// One page of what the filter asks for, newest first. A filter that makes no sense gets its errors and no operations.
pub async fn page(state: &AppState, caller: &Caller, query: &HistoryQuery) -> Result<HistoryPage, Error> {
    let now_ms = backend::now_ms();
    match query.read(now_ms) {
        // One more than shown tells whether there is an older page.
        Ok(filter) => {
            let filter = Visible::to(state, caller).of(filter);
            let mut found = state.store.history(&filter, PAGE + 1).await?;
            state.supervisor.note_places(found.operations.iter_mut().flatten());
            Ok(page_of(now_ms, found.operations, found.stopped))
        }
        Err(errors) => Ok(wrong(now_ms, errors)),
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
    if seen::decide(state, caller, Privilege::History, &guest).is_err() {
        return Ok(None);
    }
    let now_ms = backend::now_ms();
    let place =
        HistoryQuery::default().with(HistoryField::After, after).read(now_ms).map(|filter| filter.after);
    Ok(Some(match place {
        Ok(after) => {
            let mut operations = state.store.operations_of(&guest, after, PAGE + 1).await?;
            state.supervisor.note_places(operations.iter_mut().flatten());
            page_of(now_ms, operations, None)
        }
        Err(errors) => wrong(now_ms, errors),
    }))
}

fn wrong(now_ms: i64, errors: Vec<FilterError>) -> HistoryPage {
    HistoryPage { now_ms, operations: Vec::new(), older: None, searched_to_ms: None, errors }
}

/// `stopped` is where a search did.
fn page_of(now_ms: i64, mut operations: Vec<Line>, stopped: Option<Cursor>) -> HistoryPage {
    let more = operations.len() > PAGE;
    operations.truncate(PAGE);
    let place = |oldest: &Line| {
        let (id, started_ms) = place_of(oldest);
        Cursor { started_ms, id: id.0 }
    };
    let stopped = stopped.filter(|_| !more);
    let older = stopped.or_else(|| operations.last().filter(|_| more).map(place));
    HistoryPage {
        now_ms,
        operations,
        older: older.map(|place| place.to_string()),
        searched_to_ms: stopped.map(|place| place.started_ms),
        errors: Vec::new(),
    }
}
