//! Headers of every reply: what a browser may do with it, and how long it may keep it.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, SET_COOKIE,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use leptos::{nonce::use_nonce, prelude::use_context};
use leptos_axum::ResponseOptions;

use crate::proxies::Reached;

/// Sets what holds for every reply.
pub async fn common(request: Request, next: Next) -> Response {
    // Their names change with their content, so they never go stale.
    let forever = request.uri().path().starts_with("/pkg/");
    let reached = request.extensions().get::<Reached>().cloned().unwrap_or_default();
    let mut response = next.run(request).await;
    let ok = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Forms without JavaScript find back to their page by the Referer, so it stays within the site.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    let cache = if forever && ok { "public, max-age=31536000, immutable" } else { "no-store" };
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(cache));
    // Only one that came by HTTPS shows that HTTPS works here; over plain HTTP browsers would not take it anyway.
    if reached.by_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if reached.secure_cookies {
        secure_cookies(headers);
    }
    response
}

/// Marks every cookie as one for HTTPS alone. Here, as not until a request has come is it known how.
fn secure_cookies(headers: &mut HeaderMap) {
    for (_, cookie) in headers.iter_mut().filter(|(name, _)| *name == SET_COOKIE) {
        if let Ok(secure) = HeaderValue::from_bytes(&[cookie.as_bytes(), b"; Secure"].concat()) {
            *cookie = secure;
        }
    }
}

/// Sets the page's content security policy with the nonce of its own scripts. Call while a page is rendered.
pub fn content_security_policy() {
    let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval' 'self'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    // A nonce is base64, so this always holds.
    if let Ok(value) = HeaderValue::from_str(&policy) {
        options.insert_header(CONTENT_SECURITY_POLICY, value);
    }
}
