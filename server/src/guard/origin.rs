//! Whether it is a page of Paddock itself that asks for a change.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, Method, StatusCode,
    header::{HOST, ORIGIN},
};

use crate::proxies::Reached;

/// Refuses changes that a page of another site asks for. Browsers tell the origin of every such request; a client
/// that tells none is no browser, and carries nobody's cookies by accident.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let reached = request.extensions().get::<Reached>().cloned().unwrap_or_default();
    if safe || is_same_origin(request.headers(), &reached) {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "request from another site refused");
    (
        StatusCode::FORBIDDEN,
        "This request came from another site, so nothing was done. Open Paddock itself and try there.",
    )
        .into_response()
}

fn is_same_origin(headers: &HeaderMap, reached: &Reached) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        None => {}
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return true };
    let (authority, port) = match origin.split_once("://") {
        Some(("https", authority)) => (authority, ":443"),
        // Whoever can put a page at the host's plain address is not the host.
        Some(("http", authority)) if !reached.by_https => (authority, ":80"),
        _ => return false,
    };
    // Browsers leave a scheme's own port out, proxies may not.
    let host = reached.host.as_deref().or(text(HOST.as_str())).unwrap_or_default();
    let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    let site = bare(host);
    !site.is_empty() && bare(authority) == site
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers_of(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
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
            assert_eq!(is_same_origin(&headers_of(&pairs), &Reached::default()), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn behind_a_proxy_the_site_is_what_the_browser_asked_for() {
        let by_https = Reached { by_https: true, ..Reached::default() };
        let told = |host: &str| Reached { host: Some(host.to_owned()), ..by_https.clone() };
        for (allowed, reached, host, origin) in [
            (true, &by_https, "paddock.example", "https://paddock.example"),
            (true, &by_https, "Paddock.example:443", "https://paddock.example"),
            (true, &told("paddock.example"), "127.0.0.1:3000", "https://paddock.example"),
            (true, &told("paddock.example:8443"), "127.0.0.1:3000", "https://paddock.example:8443"),
            (true, &Reached::default(), "paddock.example:80", "http://paddock.example"),
            (false, &by_https, "paddock.example", "http://paddock.example"),
            (false, &by_https, "paddock.example", "https://paddock.example:80"),
            (false, &Reached::default(), "paddock.example", "https://paddock.example:80"),
            (false, &told("paddock.example"), "127.0.0.1:3000", "https://127.0.0.1:3000"),
            (false, &told("paddock.example"), "127.0.0.1:3000", "https://evil.example"),
            (false, &told(""), "127.0.0.1:3000", "https://"),
            (false, &by_https, "", "https://:443"),
        ] {
            let headers = headers_of(&[("host", host), ("origin", origin)]);
            assert_eq!(is_same_origin(&headers, reached), allowed, "{reached:?} {host} {origin}");
        }
    }
}
