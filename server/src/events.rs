//! The event stream: tells open browsers what has changed.

use std::{convert::Infallible, time::Duration};

use app::{
    auth::Caller,
    domain::{
        account::Owed,
        event::{At, Said},
        operation::OperationId,
    },
    service::{
        self, AppState,
        log_stream::{Heard, LogStream},
        stream::Told,
    },
};
use axum::{
    Extension,
    extract::{Path, Query},
    response::{
        IntoResponse as _, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// How often a silent stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What an event says that says nothing but its name. A browser drops one without data, and tells nobody.
const NOTHING: &str = "{}";
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
    let caller = match allowed(caller) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let last = last_event(&headers);
    // What cannot be read is no place to go on from: then all is read anew.
    let since: Option<At> = last.or(asked.since).and_then(|text| text.parse().ok());
    let told =
        stream::unfold(service::stream::Stream::begin(&state, &caller, since), |mut stream| async move {
            let told = stream.next().await?;
            Some((stream::iter(written(told)), stream))
        });
    sent(told.flatten(), closing)
}

/// `GET /events/operations/{id}?after=PIECE&steps=COUNT`: what the operation has said since, then what it says, and when its page
/// is to be read again. It ends after the operation, with an event `ended`; see [`Said`].
pub async fn operation(
    Extension(state): Extension<AppState>,
    Extension(closing): Extension<CancellationToken>,
    caller: Option<Extension<Caller>>,
    Path(id): Path<String>,
    Query(mut heard): Query<Heard>,
    headers: HeaderMap,
) -> Response {
    let caller = match allowed(caller) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(after) = last_event(&headers).and_then(|id| id.parse().ok()) {
        heard.after = after;
    }
    let Ok(id) = id.parse() else { return StatusCode::NOT_FOUND.into_response() };
    match LogStream::begin(&state, &caller, OperationId(id), heard).await {
        Ok(Some(stream)) => {
            let told = stream::unfold(stream, |mut stream| async move {
                let told = stream.next().await?;
                Some((stream::iter(told.into_iter().map(said)), stream))
            });
            sent(told.flatten(), closing)
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "what an operation says cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whoever may be told anything at all.
fn allowed(caller: Option<Extension<Caller>>) -> Result<Caller, (StatusCode, &'static str)> {
    let Some(Extension(caller)) = caller else { return Err((StatusCode::UNAUTHORIZED, "")) };
    let due = match caller.owed {
        Some(Owed::Password) => "Choose your own password first.",
        Some(Owed::Factor) => "Set up a second factor first.",
        None => return Ok(caller),
    };
    Err((StatusCode::FORBIDDEN, due))
}

fn last_event(headers: &HeaderMap) -> Option<String> {
    headers.get(LAST_EVENT).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn sent(
    events: impl Stream<Item = Result<sse::Event, Infallible>> + Send + 'static,
    closing: CancellationToken,
) -> Response {
    let events = Sse::new(events.take_until(closing.cancelled_owned()))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // nginx hands each event on at once, instead of keeping them until they fill a buffer.
    ([("x-accel-buffering", "no")], events).into_response()
}

fn said(said: Said) -> Result<sse::Event, Infallible> {
    Ok(match said {
        Said::Output(pieces) => {
            let last = pieces.last().map_or(0, |(number, _)| *number);
            sse::Event::default().event("output").id(last.to_string()).data(json(&pieces))
        }
        Said::Changed => sse::Event::default().event("changed").data(NOTHING),
        Said::Ended => sse::Event::default().event("ended").data(NOTHING),
    })
}

/// The events as they are sent.
fn written(told: Told) -> Vec<Result<sse::Event, Infallible>> {
    use app::domain::event::Event;

    let at = told.at.to_string();
    let last = told.events.len().saturating_sub(1);
    let event = |(index, event): (usize, Event)| {
        let event = match event {
            Event::Reset => sse::Event::default().event("reset").data(&at),
            Event::News => sse::Event::default().event("news").data(NOTHING),
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
