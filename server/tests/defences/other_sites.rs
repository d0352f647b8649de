//! Pages of other sites that send a logged-in browser here.

use http::{Method, Request, StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;
use server::router;

use super::{
    common::{Browser, Host},
    wire::WIDE,
};

/// Every address that takes a form, with its gaps filled.
fn addresses() -> Vec<String> {
    let filled = |path: String| path.replace(['{', '}'], "");
    router::addresses().into_iter().map(filled).collect()
}

fn with(browser: &Browser, headers: &[(&'static str, &str)]) -> Browser {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Browser { headers, ..browser.clone() }
}

#[tokio::test]
async fn no_address_takes_anything_that_a_page_of_another_site_sends() {
    let host = Host::start().await;
    let admin = host.admin().await;
    for path in addresses() {
        for headers in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "http://paddock.test.evil.example")],
            &[("origin", "http://paddock.test:8080")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "http://paddock.test"), ("sec-fetch-site", "cross-site")],
            // Whoever is no trusted proxy does not say which site this is.
            &[("origin", "http://evil.example"), ("x-forwarded-host", "evil.example")],
        ] {
            let reply = with(&admin, headers).post("/guests", &path, &[]).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {headers:?}: {}", reply.body);
            assert!(reply.body.contains("came from another site"), "{path} {headers:?}: {}", reply.body);
        }
    }
    // None of them ended the session.
    assert_eq!(admin.clone().get("/guests").await.status, StatusCode::OK);
    let mut own = with(&admin, &[("origin", "http://paddock.test"), ("sec-fetch-site", "same-origin")]);
    assert_eq!(own.post("/guests", "/api/account/log_out", &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn no_other_method_gets_by_and_a_link_changes_nothing() {
    let host = Host::start().await;
    let admin = with(&host.admin().await, &[("origin", "http://evil.example")]);
    let posts: Vec<_> = server_fn_paths().filter(|(_, method)| *method == Method::POST).collect();
    assert!(posts.len() > 10, "{posts:?}");
    let send = async |method: &Method, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        admin.answer(request, axum::body::Body::empty()).await.status()
    };
    for (path, _) in &posts {
        // As a link or a picture on that page would: browsers tell no origin then.
        let mut linked = Browser { headers: Vec::new(), ..admin.clone() };
        let reply = linked.get(path).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "GET {path}: {}", reply.body);
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            assert_eq!(send(&method, path).await, StatusCode::FORBIDDEN, "{method} {path}");
        }
        for header in ["x-http-method-override", "x-method-override"] {
            let mut overriding = with(&admin, &[(header, "POST")]);
            assert_eq!(overriding.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{header} {path}");
        }
    }
}

#[tokio::test]
async fn behind_a_proxy_that_rewrites_the_host_the_site_is_the_one_the_browser_knows() {
    let host = Host::behind(&["127.0.0.1/32"], true, WIDE).await;
    let admin = host.admin().await;
    // The proxy asks for `paddock.test`, the browser for `dash.example`.
    let told = ("x-forwarded-host", "dash.example");
    let theme =
        async |headers: &[(&'static str, &str)]| with(&admin, headers).post("/guests", "/theme", &[]).await;
    assert_eq!(theme(&[told, ("origin", "https://dash.example")]).await.status, StatusCode::SEE_OTHER);
    for headers in [
        &[told, ("origin", "https://paddock.test")][..],
        &[told, ("origin", "https://evil.example")],
        // By plain HTTP anybody in between can put a page there.
        &[told, ("origin", "http://dash.example")],
        &[("origin", "https://dash.example")],
    ] {
        assert_eq!(theme(headers).await.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
}
