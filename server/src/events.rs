//! The event stream: tells open browsers that there is something new to read.
//!
//! An event carries only a counter. What a person may see is decided where it is read, so nothing can leak here.

use std::{convert::Infallible, time::Duration};

use app::{
    auth::Caller,
    domain::account::Owed,
    service::{AppState, Standing},
};
use axum::{
    Extension,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{StreamExt as _, stream::select};
use http::StatusCode;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;

/// How often a silent stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /events`. A slow reader gets fewer events, never a longer queue: only the newest counter is kept. It ends with the
/// session, and tells of changed rights, too: there may be more to read now, or less.
pub async fn events(
    Extension(state): Extension<AppState>,
    Extension(closing): Extension<CancellationToken>,
    caller: Option<Extension<Caller>>,
) -> Response {
    let Some(Extension(caller)) = caller else { return StatusCode::UNAUTHORIZED.into_response() };
    match caller.owed {
        Some(Owed::Password) => {
            return (StatusCode::FORBIDDEN, "Choose your own password first.").into_response();
        }
        Some(Owed::Factor) => {
            return (StatusCode::FORBIDDEN, "Set up a second factor first.").into_response();
        }
        None => {}
    }
    let standing = Standing::of(&state, &caller);
    let over = standing.over.clone();
    let rights = WatchStream::from_changes(standing.rights.clone());
    let count = state.inventory.changes();
    let changes = WatchStream::new(count.clone());
    let stream = select(changes, rights.map(move |_| *count.borrow()))
        .map(move |count| {
            // Watched for as long as the stream is read.
            let _watched = &standing;
            Ok::<_, Infallible>(Event::default().event("change").data(count.to_string()))
        })
        .take_until(closing.cancelled_owned())
        .take_until(over.cancelled_owned());
    let events = Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // nginx hands each event on at once, instead of keeping them until they fill a buffer.
    ([("x-accel-buffering", "no")], events).into_response()
}
