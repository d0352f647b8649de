//! HTTPS once is HTTPS for good, and only then.

use axum::response::Response;
use http::{Request, header};

use super::{
    common::{Browser, Host, PASSWORD},
    wire::WIDE,
};

const PROXY: &str = "127.0.0.1";
const PROXIES: &str = "127.0.0.1/32";

/// A page, a file, what is not there, what sends elsewhere and what is refused.
const ADDRESSES: [&str; 7] =
    ["/login", "/pkg/known.js", "/nowhere", "/guests", "/events", "/api/guests/list", "//nowhere"];

async fn host(proxies: &[&str], https: bool) -> Host {
    let host = Host::behind(proxies, https, WIDE).await;
    std::fs::write(host.site.root.join("pkg/known.js"), "known").unwrap();
    host
}

fn browser(host: &Host, proto: Option<&str>) -> Browser {
    let proto = proto.map(|proto| ("x-forwarded-proto", proto.to_owned()));
    Browser { address: PROXY.to_owned(), headers: proto.into_iter().collect(), ..host.browser() }
}

async fn answer(browser: &Browser, path: &str) -> Response {
    browser.answer(Request::get(path), axum::body::Body::empty()).await
}

#[tokio::test]
async fn strict_transport_security_is_told_exactly_where_the_browser_came_by_https() {
    let behind = host(&[PROXIES], false).await;
    let set = host(&[], true).await;
    let both = host(&[PROXIES], true).await;
    let plain = host(&[], false).await;
    let elsewhere = host(&["127.0.0.9/32"], true).await;
    for (host, proto, by_https) in [
        (&behind, Some("https"), true),
        (&behind, Some("http"), false),
        (&behind, None, false),
        (&set, None, true),
        // Whoever says it is not asked.
        (&set, Some("http"), true),
        (&both, None, true),
        (&both, Some("http"), false),
        // Past the proxy there is no TLS.
        (&elsewhere, None, false),
        (&elsewhere, Some("https"), false),
        (&plain, None, false),
        (&plain, Some("https"), false),
    ] {
        for path in ADDRESSES {
            let reply = answer(&browser(host, proto), path).await;
            let told = reply.headers().get(header::STRICT_TRANSPORT_SECURITY);
            let told = told.map(|value| value.to_str().unwrap());
            assert_eq!(told, by_https.then_some("max-age=31536000"), "{path} {proto:?} {}", reply.status());
        }
    }
}

/// The cookies of a log-in and of a theme, as they are set.
async fn cookies(host: &Host, proto: Option<&str>) -> Vec<String> {
    let mut browser = browser(host, proto);
    let (log_in, theme) =
        (browser.log_in("admin", PASSWORD).await, browser.post("/guests", "/theme", &[]).await);
    let cookies = [&log_in, &theme].map(|reply| reply.headers.get_all(header::SET_COOKIE).iter());
    cookies.into_iter().flatten().map(|cookie| cookie.to_str().unwrap().to_ascii_lowercase()).collect()
}

#[tokio::test]
async fn cookies_are_for_https_alone_where_there_is_https_and_never_for_scripts_or_other_sites() {
    let behind = host(&[PROXIES], false).await;
    let set = host(&[], true).await;
    for (host, proto, is_secure) in [
        (&behind, Some("https"), true),
        (&behind, None, false),
        (&set, None, true),
        (&set, Some("http"), true),
    ] {
        let cookies = cookies(host, proto).await;
        let names: Vec<_> = cookies.iter().map(|cookie| cookie.split('=').next().unwrap()).collect();
        for name in ["paddock", "paddock-device", "theme"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for cookie in &cookies {
            let parts: Vec<_> = cookie.split(';').map(str::trim).collect();
            assert_eq!(
                parts.iter().filter(|part| **part == "secure").count(),
                usize::from(is_secure),
                "{cookie}"
            );
            assert!(parts.contains(&"httponly"), "{cookie}");
            assert!(parts.contains(&"samesite=lax") || parts.contains(&"samesite=strict"), "{cookie}");
        }
    }
}
