//! A session's cookie is taken away from whoever logs out, and from nobody else.

use app::api::account::LogOut;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, header::SET_COOKIE};
use leptos::server_fn::ServerFn as _;

/// The name of the session's cookie.
pub const SESSION_COOKIE: &str = "paddock";

/// Drops the word that takes the session's cookie away.
///
/// At log-in, and with a new password, a session gets another id. A request that was under way meanwhile, for a file or for
/// events, comes with the old one, and the session layer answers that it is worth nothing: but what the browser would drop is
/// the new one, and the person would be logged out. One that is worth nothing does no harm where it is.
pub async fn session_cookie(request: Request, next: Next) -> Response {
    let is_log_out = request.uri().path() == LogOut::PATH;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !is_log_out && headers.get_all(SET_COOKIE).iter().any(takes_away) {
        let kept: Vec<_> =
            headers.get_all(SET_COOKIE).iter().filter(|set| !takes_away(set)).cloned().collect();
        headers.remove(SET_COOKIE);
        for set in kept {
            headers.append(SET_COOKIE, set);
        }
    }
    response
}

fn takes_away(set: &HeaderValue) -> bool {
    let value =
        set.as_bytes().strip_prefix(SESSION_COOKIE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
    value.is_some_and(|value| value.is_empty() || value.starts_with(b";"))
}
