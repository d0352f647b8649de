//! Sessions listed and ended.

use app::{
    domain::{
        access::BuiltIn,
        account::{SessionId, SessionInfo},
    },
    store::EntryKind,
};
use http::StatusCode;

use super::{
    common::{Host, PASSWORD},
    own, this,
};

#[tokio::test]
async fn one_sees_ones_own_sessions_and_ends_one_or_all_others() {
    let host = Host::start().await;
    let here = host.admin().await;
    let mut there = host.browser();
    there.address = "127.0.7.7".to_owned();
    there.log_in("admin", PASSWORD).await;
    let third = host.admin().await;
    let anothers = host.person("vera", BuiltIn::Viewer).await;
    let sessions = own(&here).await;
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|it| it.address.as_deref() == Some("127.0.7.7")).count(), 1);

    let end = async |id: SessionId| {
        here.wasm().post("/", "/api/account/session-end", &[("id", &id.to_string())]).await
    };
    assert_eq!(
        end(this(&anothers).await).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "it is not one's own"
    );
    assert_eq!(end(SessionId(999)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let there_id = this(&there).await;
    assert_eq!(end(there_id).await.status, StatusCode::OK);
    assert_eq!(there.get("/guests").await.status, StatusCode::SEE_OTHER);
    assert_eq!(end(there_id).await.status, StatusCode::UNPROCESSABLE_ENTITY, "it is over already");

    let reply = here.wasm().post("/", "/api/account/sessions-end-others", &[]).await;
    assert_eq!((reply.status, reply.body.trim()), (StatusCode::OK, "1"));
    assert_eq!(third.wasm().get("/api/account/sessions").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(own(&here).await.len(), 1);
    assert_eq!(own(&anothers).await.len(), 1);
}

#[tokio::test]
async fn whoever_may_change_users_ends_anyones_and_nobody_else_does() {
    let host = Host::start().await;
    let admin = host.admin().await;
    let vera = host.person("vera", BuiltIn::Viewer).await;
    let list = admin.wasm().get("/api/users/sessions?name=vera").await;
    let list: Vec<SessionInfo> = serde_json::from_str(&list.body).unwrap();
    let id = list[0].id.to_string();
    for path in ["/api/users/sessions?name=admin", "/api/users/sessions?name=nobody"] {
        assert_eq!(vera.wasm().get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let fields = [("name", "admin"), ("id", "1")];
    assert_eq!(vera.wasm().post("/", "/api/users/session-end", &fields).await.status, StatusCode::FORBIDDEN);
    let reply = vera.wasm().post("/", "/api/users/sessions-end", &[("name", "admin")]).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    let fields = [("name", "admin"), ("id", id.as_str())];
    let reply = admin.wasm().post("/", "/api/users/session-end", &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "it is no session of that user");
    let fields = [("name", "vera"), ("id", id.as_str())];
    assert_eq!(admin.wasm().post("/", "/api/users/session-end", &fields).await.status, StatusCode::OK);
    assert_eq!(vera.wasm().get("/api/account/frame").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_planted_before_the_log_in_is_worth_nothing_after_it() {
    let host = Host::start().await;
    // The attacker's own, good session, put into somebody's browser.
    let attacker = host.person("mallory", BuiltIn::Viewer).await;
    let planted = attacker.cookie.clone();
    let mut victim = host.browser();
    victim.cookie.clone_from(&planted);
    victim.log_in("admin", PASSWORD).await;
    assert_ne!(victim.cookie, planted);
    assert_eq!(victim.wasm().get("/api/users/sessions?name=admin").await.status, StatusCode::OK);
    assert_eq!(attacker.wasm().get("/api/account/frame").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_ended_session_stays_ended_though_its_cookie_and_its_row_come_back() {
    let host = Host::start().await;
    let pool = host.state.store.pool();
    let mut browser = host.admin().await;
    let cookie = browser.cookie.clone();
    let row: (String, Vec<u8>, String) =
        sqlx::query_as("SELECT id, data, expiry_date FROM tower_sessions").fetch_one(pool).await.unwrap();
    browser.post("/guests", "/api/account/log_out", &[]).await;
    let mut replayed = host.browser();
    replayed.cookie.clone_from(&cookie);
    assert_eq!(replayed.get("/guests").await.status, StatusCode::SEE_OTHER);
    // As a request does that had read it before, and writes it after.
    sqlx::query("INSERT OR REPLACE INTO tower_sessions (id, data, expiry_date) VALUES (?, ?, ?)")
        .bind(&row.0)
        .bind(&row.1)
        .bind(&row.2)
        .execute(pool)
        .await
        .unwrap();
    replayed.cookie.clone_from(&cookie);
    assert_eq!(replayed.get("/guests").await.status, StatusCode::SEE_OTHER);
    assert_eq!(replayed.wasm().get("/api/account/frame").await.status, StatusCode::UNAUTHORIZED);
    let filter =
        app::store::LedgerFilter { kind: Some(EntryKind::SessionEnded), limit: 10, ..Default::default() };
    assert_eq!(host.state.store.ledger_page(&filter).await.unwrap().len(), 1, "it ended once");
}

#[tokio::test]
async fn a_new_password_keeps_the_session_it_is_chosen_in_under_another_key() {
    let host = Host::start().await;
    let mut here = host.admin().await;
    let (cookie, id) = (here.cookie.clone(), this(&here).await);
    let fields = [("current", PASSWORD), ("new", "another password"), ("repeat", "another password")];
    here.post("/account/password", "/api/account/password", &fields).await;
    assert_eq!(this(&here).await, id);
    assert_ne!(here.cookie, cookie);
    let mut thief = host.browser();
    thief.cookie = cookie;
    assert_eq!(thief.get("/guests").await.status, StatusCode::SEE_OTHER);
}
