//! Addresses written so that one part of a server takes them for something else than another.

use app::service::accounts::FirstStart;
use http::{Request, StatusCode};

use super::common::{Browser, Host, PASSWORD, browser::Reply};

/// How every page begins, also one that says that there is none.
const PAGE: &str = "<html";
const PAGES: [&str; 7] =
    ["guests", "guests/new", "history", "access", "account", "guests/lxc/web1", "history/export?format=csv"];
const FUNCTIONS: [&str; 4] =
    ["api/guests/list", "api/account/sessions", "api/operations/list", "api/users/sessions?name=admin"];

/// The same address, written otherwise.
fn disguised(path: &str) -> Vec<String> {
    let (path, query) =
        path.split_once('?').map_or((path, String::new()), |(path, q)| (path, format!("?{q}")));
    let (first, rest) =
        path.split_once('/').map_or((path, String::new()), |(first, rest)| (first, format!("/{rest}")));
    let (mut letters, doubled) = (first.chars(), path.replace('/', "//"));
    let encoded = format!("%{:02x}{}", u32::from(letters.next().unwrap()), letters.as_str());
    let written = [
        format!("//{path}"),
        format!("///{path}"),
        format!("/{doubled}//"),
        format!("/{path}/"),
        format!("/./{path}"),
        format!("/{path}/."),
        format!("/%2e/{path}"),
        format!("/login/../{path}"),
        format!("/login/%2e%2e/{path}"),
        format!("/login/.%2E/{path}"),
        format!("/login/..%2f{path}"),
        format!("/login%2f..%2f{path}"),
        format!("/pkg/../{path}"),
        format!("/pkg/..%5c{path}"),
        format!("/pkg/..;/{path}"),
        format!("/login;/../{path}"),
        format!("/login\\..\\{path}"),
        format!("/{first};x=1{rest}"),
        format!("/{path};"),
        format!("/{path};.js"),
        format!("/{path}%00"),
        format!("/{path}%20"),
        format!("/{path}%3f"),
        format!("/{path}.css"),
        format!("/{path}/login"),
        format!("/{path}/pkg/known.js"),
        format!("/{encoded}{rest}"),
        format!("/{}", path.replace('/', "%2f")),
        format!("/{}", path.replace('/', "\\")),
        format!("/{}", path.to_uppercase()),
        format!("/{}{rest}", first.to_uppercase()),
        format!("/%2f{path}"),
        format!("/api/{path}"),
        format!("/api/../{path}"),
        format!("//login/{path}"),
        format!("//[/{path}"),
        format!("//@/{path}"),
        format!("//:99999/{path}"),
        format!("http://evil.example/{path}"),
        format!("http://evil.example//{path}"),
    ];
    written.into_iter().map(|path| path + &query).collect()
}

/// Where an answer sends the browser is on this site.
fn stays_here(reply: &Reply, asked: &str) {
    if let Some(to) = &reply.location {
        let to = to.replace(['\t', '\r', '\n'], "");
        assert!(
            to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\"),
            "{asked} leads to {to}"
        );
    }
}

async fn ask(browser: &Browser, path: &str) -> Option<Reply> {
    // What is no address to a client is none to send.
    let _: http::Uri = path.parse().ok()?;
    let reply = browser.clone().get(path).await;
    stays_here(&reply, path);
    assert!(!reply.status.is_server_error(), "{path}: {} {}", reply.status, reply.body);
    Some(reply)
}

#[tokio::test]
async fn no_way_of_writing_an_address_shows_a_page_to_a_stranger() {
    let host = Host::start().await;
    std::fs::write(host.site.root.join("pkg/known.js"), "known").unwrap();
    let (stranger, mut admin) = (host.browser(), host.admin().await);
    assert!(admin.get("/guests").await.body.contains(PAGE), "pages begin otherwise");
    let mut tried = 0;
    for path in PAGES.iter().flat_map(|path| disguised(path)) {
        let Some(reply) = ask(&stranger, &path).await else { continue };
        tried += 1;
        assert!(!reply.body.contains(PAGE), "{path} shows a page: {}", reply.body);
        match reply.status {
            StatusCode::NOT_FOUND => {}
            StatusCode::SEE_OTHER => {
                let to = reply.location.unwrap();
                assert!(to.starts_with("/login?next=/"), "{path} leads to {to}");
            }
            status => panic!("{path}: {status}: {}", reply.body),
        }
        // Whoever may see pages is not sent elsewhere, either.
        ask(&admin, &path).await;
    }
    assert!(tried > 200, "{tried}");
}

#[tokio::test]
async fn no_way_of_writing_an_address_calls_a_function_for_a_stranger() {
    let host = Host::start().await;
    let (stranger, admin) = (host.browser().wasm(), host.admin().await.wasm());
    for function in FUNCTIONS {
        assert_eq!(admin.clone().get(&format!("/{function}")).await.status, StatusCode::OK, "{function}");
        for path in disguised(function) {
            let Some(reply) = ask(&stranger, &path).await else { continue };
            let is_refused = matches!(
                reply.status,
                StatusCode::UNAUTHORIZED
                    | StatusCode::NOT_FOUND
                    | StatusCode::SEE_OTHER
                    | StatusCode::BAD_REQUEST
            );
            assert!(is_refused, "{path}: {} {}", reply.status, reply.body);
        }
    }
    for path in disguised("api/account/log_out").into_iter().chain(disguised("api/guests/act")) {
        if path.parse::<http::Uri>().is_ok() {
            let reply = host
                .browser()
                .post("/guests", &path, &[("backend", "lxc"), ("name", "a"), ("action", "start")])
                .await;
            stays_here(&reply, &path);
            assert_ne!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn no_way_of_writing_an_address_gets_round_the_one_time_password() {
    let (host, first) = Host::with_password(None).await;
    let FirstStart::OneTime(password) = first else { panic!("{first:?}") };
    let mut due = host.browser();
    due.log_in("admin", &password).await;
    for path in PAGES.iter().chain(&FUNCTIONS).flat_map(|path| disguised(path)) {
        let Some(reply) = ask(&due, &path).await else { continue };
        assert_ne!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
        assert!(!reply.body.contains(PAGE), "{path} shows a page: {}", reply.body);
    }
    let fields = [("current", password.as_str()), ("new", PASSWORD), ("repeat", PASSWORD)];
    due.post("/account/password", "/api/account/password", &fields).await;
    assert_eq!(due.get("/guests").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_others_read_as_another_is_nobodys() {
    let host = Host::start().await;
    let (stranger, admin) = (host.browser(), host.admin().await);
    for path in [
        "//guests",
        "/login//guests",
        "/./guests",
        "/guests/.",
        "/login/../guests",
        "/login/%2e%2e/guests",
        "/login/.%2E/guests",
        "/login\\..\\guests",
        "//evil.example/guests",
        "//[/guests",
        "//:99999/guests",
        "/guests//",
        "/api/../guests",
    ] {
        for browser in [&stranger, &admin] {
            let reply = ask(browser, path).await.unwrap();
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {}", reply.body);
            assert!(!reply.body.contains(PAGE), "{path} shows a page: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn files_of_the_site_are_served_and_no_others() {
    let host = Host::start().await;
    std::fs::write(host.site.root.join("pkg/known.js"), "known").unwrap();
    std::fs::write(host.dir.path().join("secret.txt"), "nobody's business").unwrap();
    std::fs::create_dir(host.site.root.join("pkg/inner")).unwrap();
    let (stranger, admin) = (host.browser(), host.admin().await);
    let mut known = stranger.clone();
    let reply = known.get("/pkg/known.js").await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, "known"));
    assert_eq!(reply.headers["cache-control"], "public, max-age=31536000, immutable");
    let outside = host.dir.path().join("secret.txt").display().to_string();
    let mut paths: Vec<String> = ["secret.txt", "paddock.db", "lxc.conf"]
        .into_iter()
        .flat_map(|name| {
            [
                "/../",
                "/pkg/../../",
                "/%2e%2e/",
                "/.%2e/",
                "/..%2f",
                "/%2e%2e%2f",
                "/..%5c",
                "/%2e%2e%5c",
                "/..\\",
                "/..;/",
                "/pkg/..%2f..%2f",
                "/pkg/%2e%2e/%2e%2e/",
                "/..%252f",
                "/%252e%252e%252f",
                "/..%c0%af",
                "/....//",
                "/pkg/.../.../",
                "/pkg/known.js/../../../",
                "/pkg/known.js%00/../../../",
                "//../",
                "/",
            ]
            .map(|way| format!("{way}{name}"))
        })
        .collect();
    paths.extend(
        ["/etc/passwd", "//etc/passwd", "/%2fetc/passwd", "/%2f%2fetc%2fpasswd", "/pkg//etc/passwd"]
            .map(str::to_owned),
    );
    paths.extend([
        outside.clone(),
        format!("/{outside}"),
        outside.replace('/', "%2f"),
        format!("/pkg{outside}"),
    ]);
    paths.extend(
        [
            "/pkg",
            "/pkg/",
            "/pkg/inner",
            "/pkg/inner/",
            "//pkg",
            "//evil.example",
            "//evil.example/%2e%2e",
            "/\\evil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/pkg/..%2f/evil.example/",
        ]
        .map(str::to_owned),
    );
    for path in paths {
        for browser in [&stranger, &admin] {
            let Some(reply) = ask(browser, &path).await else { continue };
            assert_ne!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
            for inside in ["nobody's business", "SQLite format 3", "lxc.net", "root:"] {
                assert!(!reply.body.contains(inside), "{path}: {}", reply.body);
            }
        }
    }
}

#[tokio::test]
async fn no_redirect_leads_to_another_site() {
    let host = Host::start().await;
    let stranger = host.browser();
    for path in [
        "//evil.example",
        "//evil.example/guests",
        "/guests?next=//evil.example",
        "/login?next=//evil.example",
    ] {
        ask(&stranger, path).await;
    }
    for next in [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\\/evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/%0a/evil.example",
    ] {
        let fields = [("username", "admin"), ("password", PASSWORD), ("next", next)];
        let reply = host.browser().post("/login", "/api/account/log_in", &fields).await;
        assert_eq!(reply.status, StatusCode::FOUND);
        stays_here(&reply, next);
    }
    // The theme goes back to the page it was chosen on.
    for referer in [
        "http://evil.example/",
        "http://evil.example//other.example/x",
        "http://evil.example/\\other.example",
        "http://evil.example/../..//other.example",
        "//evil.example",
        "javascript:alert(1)",
        "http://paddock.test/history",
    ] {
        let request = Request::post("/theme")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::REFERER, referer);
        let response = stranger.answer(request, axum::body::Body::empty()).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{referer}");
        let to = response.headers()[http::header::LOCATION].to_str().unwrap();
        assert!(
            to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\t']),
            "{referer} leads to {to}"
        );
        assert!(!to.contains("other.example"), "{referer} leads to {to}");
    }
}
