//! What stands between a request and every page and function: who is calling, and from where.

mod kept;
mod origin;
mod paths;

use app::{
    auth::{Caller, device, token},
    domain::account::Owed,
    request::{CHOSEN, DEVICE},
    service::{AppState, TokenFailure, Visit, accounts, tokens},
};
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, COOKIE, SET_COOKIE, USER_AGENT, WWW_AUTHENTICATE},
};
use tower_sessions::Session;

use crate::proxies::Reached;

pub use kept::{SESSION_COOKIE, session_cookie};
pub use origin::same_origin;
pub use paths::{is_plain, plain_path};

/// Where server functions are.
const FUNCTIONS: &str = "/api/";

/// Where a browser keeps what it is known by when somebody logs in again: nobody else can make it wait.
const DEVICE_COOKIE: &str = "paddock-device";
/// How long it keeps that, seconds.
const DEVICE_KEPT: u32 = 400 * 24 * 3600;

/// Puts the [`Visit`] and, if somebody is logged in or sends an API token, the [`Caller`] into the request.
///
/// A request with a token has no session, whatever cookies it carries; one that is not good is refused, and never taken for
/// a request without.
pub async fn identify(mut request: Request, next: Next) -> Response {
    let (Some(state), Some(session)) =
        (request.extensions().get::<AppState>().cloned(), request.extensions().get::<Session>().cloned())
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let address = request.extensions().get::<Reached>().and_then(|reached| reached.address);
    let headers = request.headers();
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let visit = Visit {
        state,
        session: Some(session),
        address,
        device: device::describe(user_agent),
        device_key: cookie(headers, DEVICE_COOKIE).and_then(token::hash_of),
    };
    let (visit, caller) = match bearer(headers) {
        None => {
            let caller = accounts::caller(&visit).await;
            (visit, caller)
        }
        Some(text) => {
            let visit = Visit { session: None, ..visit };
            match tokens::caller(&visit, text).await {
                Ok(caller) => (visit, Ok(Some(caller))),
                Err(TokenFailure::Other(error)) => (visit, Err(error)),
                Err(failure) => {
                    let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
                    return (StatusCode::UNAUTHORIZED, challenge, format!("{failure}\n")).into_response();
                }
            }
        }
    };
    match caller {
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
    let mut response = next.run(request).await;
    if let Some(Ok(secret)) = response.headers_mut().remove(DEVICE).as_ref().map(HeaderValue::to_str) {
        let cookie = format!(
            "{DEVICE_COOKIE}={secret}; Path=/api/account/; Max-Age={DEVICE_KEPT}; SameSite=Strict; HttpOnly"
        );
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// What stands behind `Bearer`; `None` for a request that has no such header. One that cannot be read is an empty token,
/// which is none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut found = None;
    for value in headers.get_all(AUTHORIZATION) {
        let bytes = value.as_bytes();
        if bytes.len() >= 6 && bytes[..6].eq_ignore_ascii_case(b"bearer") {
            let text = value.to_str().unwrap_or_default().get(6..).unwrap_or_default();
            found = Some(if found.is_some() { "" } else { text.trim() });
        }
    }
    found
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
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
        None => next.run(request).await,
        Some(caller) => match caller.owed.map(Owed::page) {
            Some(page) if path != page => Redirect::to(page).into_response(),
            None if path.starts_with("/login") => Redirect::to("/").into_response(),
            _ => next.run(request).await,
        },
    }
}

/// As [`pages`], where there is none: no page is made for somebody who may see none. A program is told in a word.
pub async fn missing(request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(FUNCTIONS) {
        return (StatusCode::NOT_FOUND, "There is no such function.\n").into_response();
    }
    pages(request, next).await
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

    fn headers_of(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_token_is_what_stands_behind_its_scheme_and_there_is_one() {
        let bearer = |pairs: &[(&'static str, &'static str)]| bearer(&headers_of(pairs)).map(str::to_owned);
        assert_eq!(bearer(&[]), None);
        assert_eq!(bearer(&[("authorization", "Basic YTpi")]), None);
        for value in ["Bearer pdk_1_ff", "bearer  pdk_1_ff ", "BEARER pdk_1_ff"] {
            assert_eq!(bearer(&[("authorization", value)]).as_deref(), Some("pdk_1_ff"));
        }
        for value in ["Bearer", "Bearer "] {
            assert_eq!(bearer(&[("authorization", value)]).as_deref(), Some(""));
        }
        let mut two = headers_of(&[("authorization", "Bearer a")]);
        two.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert_eq!(super::bearer(&two), Some(""));
    }

    #[test]
    fn the_way_back_is_one_value_of_the_query() {
        assert_eq!(form_urlencoded("/guests?q=a&b=ü"), "/guests%3Fq%3Da%26b%3D%C3%BC");
    }
}
