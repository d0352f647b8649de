//! The body of a request: read whole before anything is done with it, within its size and time, or not at all.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header::CONNECTION};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// Largest request body, bytes: forms are small.
const LARGEST: usize = 256 * 1024;

/// Hands on requests whose body has come whole in this time.
pub async fn whole(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    if body.size_hint().lower() > LARGEST as u64 {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, too_large());
    }
    match tokio::time::timeout(limit, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(whole)) => {
            let body = Body::from(whole.to_bytes());
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            refusal(StatusCode::PAYLOAD_TOO_LARGE, too_large())
        }
        Ok(Err(error)) => {
            tracing::debug!(error = %error, "the body of a request broke off");
            refusal(StatusCode::BAD_REQUEST, "This request broke off, so nothing was done.\n".to_owned())
        }
        Err(_) => {
            let text = format!(
                "This request did not come whole within {} s, so nothing was done. Try again.\n",
                limit.as_secs_f32()
            );
            refusal(StatusCode::REQUEST_TIMEOUT, text)
        }
    }
}

fn too_large() -> String {
    format!("This request is larger than {} KiB, so nothing was done.\n", LARGEST / 1024)
}

/// What is left of the body is not waited for.
fn refusal(status: StatusCode, text: String) -> Response {
    (status, [(CONNECTION, HeaderValue::from_static("close"))], text).into_response()
}
