//! API tokens over HTTP.

use std::time::{Duration, Instant};

use app::{
    domain::{
        access::BuiltIn,
        account::{NewToken, TokenInfo},
    },
    store::By,
};
use futures::StreamExt as _;
use http::{StatusCode, header};

use super::common::{Browser, Host, PASSWORD, browser::Reply};

/// Makes a token as the wasm client does.
async fn token(browser: &Browser, name: &str, privileges: &[&str], scope: &str) -> NewToken {
    let reply = try_token(browser, name, privileges, scope, "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

async fn try_token(browser: &Browser, name: &str, privileges: &[&str], scope: &str, days: &str) -> Reply {
    let mut fields = vec![("name", name), ("scope", scope), ("days", days)];
    fields.extend(privileges.iter().map(|privilege| ("privileges[]", *privilege)));
    browser.wasm().post("/account", "/api/account/token-add", &fields).await
}

/// A program that sends it.
fn program(host: &Host, bearer: &str) -> Browser {
    Browser { token: Some(bearer.to_owned()), json: true, ..host.browser() }
}

#[tokio::test]
async fn a_token_does_what_it_is_for_and_no_more_and_leaves_no_cookie() {
    let host = Host::start().await;
    let admin = host.admin().await;
    let see = token(&admin, "see", &["see"], "").await;
    let mut see = program(&host, &see.bearer);
    let reply = see.get("/api/guests/list").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert!(!reply.headers.contains_key(header::SET_COOKIE));
    let reply = see.try_act("lxc/web1", "start").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.body);
    assert!(reply.body.contains("denied-by-token"), "{}", reply.body);
    // Its owner may read users; it may not.
    assert_eq!(see.get("/api/users/sessions?name=admin").await.status, StatusCode::FORBIDDEN);
    let lab = token(&admin, "lab", &["see", "users"], "tag:lab").await;
    let mut lab = program(&host, &lab.bearer);
    assert_eq!(lab.get("/api/users/sessions?name=admin").await.status, StatusCode::FORBIDDEN);
    drop(lab.body("/events").await);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_and_no_cookie_helps_it() {
    let host = Host::start().await;
    let admin = host.admin().await;
    let good = token(&admin, "a", &["see"], "").await;
    let over = token(&admin, "b", &["see"], "").await;
    sqlx::query("UPDATE api_tokens SET expires_ms = 1000 WHERE id = ?")
        .bind(over.info.id.0)
        .execute(host.state.store.pool())
        .await
        .unwrap();
    let removed = token(&admin, "c", &["see"], "").await;
    let fields = [("id", removed.info.id.to_string())];
    let fields = [("id", fields[0].1.as_str())];
    assert_eq!(admin.wasm().post("/", "/api/account/token-remove", &fields).await.status, StatusCode::OK);
    let another_id = good.bearer.replacen("pdk_1_", "pdk_2_", 1);
    assert_ne!(another_id, good.bearer);
    for (bearer, why) in [
        ("", "not valid"),
        ("pdk_1_00", "not valid"),
        (another_id.as_str(), "not valid"),
        (removed.bearer.as_str(), "not valid"),
        (over.bearer.as_str(), "over since 1970-01-01T00:00:01Z"),
    ] {
        let mut program = Browser { cookie: admin.cookie.clone(), ..program(&host, bearer) };
        for path in ["/api/guests/list", "/guests", "/events", "/history/export?format=csv", "/login"] {
            let reply = program.get(path).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path} {bearer}");
            assert!(reply.body.contains(why), "{path} {bearer}: {}", reply.body);
            assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer");
            assert!(!reply.headers.contains_key(header::SET_COOKIE));
        }
    }
    assert_eq!(program(&host, &good.bearer).get("/api/guests/list").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_does_nothing_to_the_account_it_is_of() {
    let host = Host::start().await;
    let admin = host.admin().await;
    let all: Vec<&str> =
        app::domain::access::Privilege::ALL.into_iter().map(app::domain::access::Privilege::as_str).collect();
    let whole = token(&admin, "whole", &all, "everything").await;
    // Not even with its owner's cookie.
    let mut program = Browser { cookie: admin.cookie.clone(), ..program(&host, &whole.bearer) };
    for path in ["/api/account/sessions", "/api/account/tokens"] {
        assert_eq!(program.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let passwords = [("current", PASSWORD), ("new", "another password"), ("repeat", "another password")];
    let log_in = [("username", "admin"), ("password", PASSWORD)];
    let token_fields = [("name", "more"), ("privileges[]", "see")];
    for (path, fields) in [
        ("/api/account/token-add", &token_fields[..]),
        ("/api/account/token-remove", &[("id", "1")]),
        ("/api/account/session-end", &[("id", "1")]),
        ("/api/account/sessions-end-others", &[]),
        ("/api/account/password", &passwords),
        ("/api/account/log_out", &[]),
        ("/api/account/log_in", &log_in),
    ] {
        let reply = program.post("/account", path, fields).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}: {}", reply.body);
        assert!(reply.body.contains("needs-session"), "{path}: {}", reply.body);
        assert!(!reply.headers.contains_key(header::SET_COOKIE), "{path}");
    }
    // What it holds by its owner's rights on others it may do.
    assert_eq!(program.get("/api/users/sessions?name=admin").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_use_is_noted_now_and_then_and_the_secret_is_nowhere() {
    let host = Host::start().await;
    let admin = host.admin().await;
    let made = token(&admin, "a", &["see"], "").await;
    let mut program = program(&host, &made.bearer);
    program.address = "127.0.3.4".to_owned();
    let list = async || -> Vec<TokenInfo> {
        serde_json::from_str(&admin.wasm().get("/api/account/tokens").await.body).unwrap()
    };
    assert_eq!(list().await, std::slice::from_ref(&made.info));
    program.get("/api/guests/list").await;
    let used = list().await[0].clone();
    assert_eq!(used.used_address.as_deref(), Some("127.0.3.4"));
    program.address = "127.0.3.5".to_owned();
    program.get("/api/guests/list").await;
    assert_eq!(list().await, [used], "not with every request");
    let secret = made.bearer.rsplit('_').next().unwrap();
    for file in ["paddock.db", "paddock.db-wal"] {
        let bytes = std::fs::read(host.dir.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file}");
    }
    let reply = try_token(&admin, "a", &["see"], "", "").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "the name is taken: {}", reply.body);
    let reply = try_token(&admin, "z", &["see"], "", "366").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.body);
    assert_eq!(try_token(&admin, "z", &["fly"], "", "").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_token_ends_with_its_removal_and_with_its_owners_account_also_in_a_stream() {
    let host = Host::start().await;
    let admin = host.admin().await;
    let vera = host.person("vera", BuiltIn::Viewer).await;
    let mut streams = Vec::new();
    let mut made = Vec::new();
    for name in ["a", "b"] {
        let token = token(&vera, name, &["see"], "").await;
        let mut stream = program(&host, &token.bearer).body("/events").await;
        stream.next().await.unwrap().unwrap();
        streams.push(stream);
        made.push(token);
    }
    let ended = async |stream: &mut axum::body::BodyDataStream| {
        let begun = Instant::now();
        let end = async { while stream.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(20), end).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    };
    let id = made[0].info.id.to_string();
    assert_eq!(
        vera.wasm().post("/", "/api/account/token-remove", &[("id", &id)]).await.status,
        StatusCode::OK
    );
    ended(&mut streams[0]).await;
    let change = app::store::UserChange { is_disabled: Some(true), ..Default::default() };
    // As another process does it.
    host.state.store.change_user("vera", change, By::default()).await.unwrap();
    ended(&mut streams[1]).await;
    let reply = program(&host, &made[1].bearer).get("/api/guests/list").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.body.contains("disabled"), "{}", reply.body);
    drop(admin);
}
