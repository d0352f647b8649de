//! The event stream: tells open browsers what has changed.

use std::{convert::Infallible, time::Duration};

use app::{
    auth::Caller,
    domain::{account::Owed, event::At},
    service::{
        AppState,
        stream::{Stream, Told},
    },
};
use axum::{
    Extension,
    extract::Query,
    response::{
        IntoResponse as _, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// How often a silent stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What a browser sends when it comes back: the id of the last event that it has heard.
const LAST_EVENT: &str = "last-event-id";

#[derive(Debug, serde::Deserialize)]
pub struct Asked {
    /// Up to where the page was told when it was made.
    since: Option<String>,
}

/// `GET /events?since=AT`: what has changed since, then every change as it comes; see [`app::domain::event`]. The last event of
/// each telling has the `At` it leads to as its id, so that whoever comes back after a break goes on from there. It ends with
/// the session, and tells of changed rights, too: there may be more to read now, or less.
pub async fn events(
    Extension(state): Extension<AppState>,
    Extension(closing): Extension<CancellationToken>,
    caller: Option<Extension<Caller>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
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
    let last = headers.get(LAST_EVENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // What cannot be read is no place to go on from: then all is read anew.
    let since: Option<At> = last.or(asked.since).and_then(|text| text.parse().ok());
    let told = stream::unfold(Stream::begin(&state, &caller, since), |mut stream| async move {
        let told = stream.next().await?;
        Some((stream::iter(written(told)), stream))
    });
    let events = Sse::new(told.flatten().take_until(closing.cancelled_owned()))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // nginx hands each event on at once, instead of keeping them until they fill a buffer.
    ([("x-accel-buffering", "no")], events).into_response()
}

/// The events as they are sent.
fn written(told: Told) -> Vec<Result<sse::Event, Infallible>> {
    use app::domain::event::Event;

    let at = told.at.to_string();
    let last = told.events.len().saturating_sub(1);
    let event = |(index, event): (usize, Event)| {
        let event = match event {
            Event::Reset => sse::Event::default().event("reset").data(&at),
            Event::News => sse::Event::default().event("news").data(""),
            Event::Guests(changed) => sse::Event::default().event("guests").data(json(&changed)),
            Event::Usage(changed) => sse::Event::default().event("usage").data(json(&changed)),
            Event::Operations(changed) => sse::Event::default().event("operations").data(json(&changed)),
        };
        Ok(if index == last { event.id(&at) } else { event })
    };
    told.events.into_iter().enumerate().map(event).collect()
}

/// On one line. Our own types always have a JSON form; should one ever not, the page reads the list again.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .inspect_err(|error| tracing::error!(%error, "an event could not be written"))
        .unwrap_or_default()
}
