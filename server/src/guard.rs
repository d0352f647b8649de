//! What stands between a request and every page and function: who is calling, and from where.

use std::net::SocketAddr;

use app::{
    auth::Caller,
    request::CHOSEN,
    service::{AppState, Visit, accounts},
};
use axum::{
    extract::{ConnectInfo, Request},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use http::{
    HeaderMap, Method, StatusCode,
    header::{HOST, ORIGIN},
};
use tower_sessions::Session;

/// Where server functions are.
const FUNCTIONS: &str = "/api/";

/// Puts the [`Visit`] and, if somebody is logged in, the [`Caller`] into the request.
pub async fn identify(mut request: Request, next: Next) -> Response {
    let (Some(state), Some(session)) =
        (request.extensions().get::<AppState>().cloned(), request.extensions().get::<Session>().cloned())
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let address =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let visit = Visit { state, session, address };
    match accounts::caller(&visit).await {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!(error = %error, "the session could not be read");
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                "Paddock cannot read its database, so nobody can be recognised. See its log on the host, then reload.",
            )
                .into_response();
        }
    }
    request.extensions_mut().insert(visit);
    next.run(request).await
}

/// Sends whoever may not see pages yet to where they can change that, and back afterwards.
pub async fn pages(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Leptos routes the server functions along with the pages; each finds out by itself who is calling, and answers
    // a stranger with an error instead of a page.
    if path.starts_with(FUNCTIONS) {
        return next.run(request).await;
    }
    match request.extensions().get::<Caller>() {
        None if path != "/login" && path != "/login/factor" => {
            let wanted = request.uri().path_and_query().map_or("/", |p| p.as_str());
            let query = form_urlencoded(wanted);
            Redirect::to(&format!("/login?next={query}")).into_response()
        }
        Some(caller) if caller.must_change_password && path != "/account/password" => {
            Redirect::to("/account/password").into_response()
        }
        Some(caller) if path.starts_with("/login") && !caller.must_change_password => {
            Redirect::to("/guests").into_response()
        }
        _ => next.run(request).await,
    }
}

/// Everything but letters, digits and slashes as `%XX`.
fn form_urlencoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// Refuses changes that a page of another site asks for. Browsers tell the origin of every such request; a client
/// that tells none is no browser, and carries nobody's cookies by accident.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_same_origin(request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "request from another site refused");
    (
        StatusCode::FORBIDDEN,
        "This request came from another site, so nothing was done. Open Paddock itself and try there.",
    )
        .into_response()
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        None => {}
    }
    let host = text(HOST.as_str());
    match text(ORIGIN.as_str()) {
        None => true,
        Some(origin) => {
            let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            authority.is_some() && authority == host
        }
    }
}

/// A server function whose arguments could not be decoded never ran; leptos answers 500, and the truth is 400.
pub async fn bad_arguments(request: Request, next: Next) -> Response {
    let is_function = request.uri().path().starts_with(FUNCTIONS);
    let mut response = next.run(request).await;
    let chosen = response.headers_mut().remove(CHOSEN).is_some();
    if is_function && !chosen && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_site_itself_may_ask_for_changes() {
        for (allowed, pairs) in [
            (true, vec![("host", "h:3000")]),
            (true, vec![("host", "h:3000"), ("origin", "http://h:3000")]),
            (true, vec![("host", "h:3000"), ("origin", "http://h:3000"), ("sec-fetch-site", "same-origin")]),
            (false, vec![("host", "h:3000"), ("origin", "http://evil.example")]),
            (false, vec![("host", "h:3000"), ("origin", "http://h:3001")]),
            (false, vec![("host", "h:3000"), ("origin", "null")]),
            (false, vec![("host", "h:3000"), ("origin", "http://h:3000"), ("sec-fetch-site", "cross-site")]),
            (false, vec![("host", "h:3000"), ("sec-fetch-site", "same-site")]),
        ] {
            assert_eq!(is_same_origin(&headers(&pairs)), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn the_way_back_is_one_value_of_the_query() {
        assert_eq!(form_urlencoded("/guests?q=a&b=ü"), "/guests%3Fq%3Da%26b%3D%C3%BC");
    }
}
