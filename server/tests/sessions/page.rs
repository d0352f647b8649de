//! The pages of one's own account and of somebody else's, without JavaScript.

use app::{
    domain::access::BuiltIn,
    store::{EntryKind, LedgerFilter},
};
use http::StatusCode;

use super::{
    common::{Host, PASSWORD},
    own,
};

#[tokio::test]
async fn sessions_are_seen_and_ended_and_tokens_made_without_javascript() {
    let host = Host::start().await;
    let mut here = host.admin().await;
    let mut there = host.browser();
    there.address = "127.0.7.7".to_owned();
    there.log_in("admin", PASSWORD).await;
    let page = here.get("/account").await;
    assert_eq!(page.status, StatusCode::OK);
    for words in ["127.0.7.7", "this one", "End all others", "None yet.", "/account/password"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let reply = here.post("/account", "/api/account/sessions-end-others", &[]).await;
    assert_eq!(reply.location.as_deref(), Some("/account"));
    assert_eq!(own(&here).await.len(), 1);
    assert_eq!(there.get("/account").await.location.as_deref(), Some("/login?next=/account"));

    let fields = [("name", "nightly"), ("privileges[]", "see"), ("scope", "tag:lab"), ("days", "")];
    let reply = here.post("/account", "/api/account/token-add", &fields).await;
    assert_eq!(reply.location.as_deref(), Some("/account"), "{}", reply.body);
    let page = here.get("/account").await;
    assert!(page.body.contains("nightly") && page.body.contains("pdk_1_"), "{}", page.body);
    // In no other session.
    let page = host.admin().await.get("/account").await;
    assert!(page.body.contains("nightly") && !page.body.contains("pdk_1_"), "{}", page.body);
    let fields = [("name", "nightly"), ("privileges[]", "see"), ("scope", ""), ("days", "400")];
    let reply = here.post("/account", "/api/account/token-add", &fields).await;
    let page = here.get(&reply.location.unwrap()).await;
    assert!(page.body.contains("A token lasts 1 to 365 days."), "{}", page.body);
}

#[tokio::test]
async fn whoever_may_change_users_ends_sessions_and_removes_tokens_on_a_users_page() {
    let host = Host::start().await;
    let (mut admin, mut vera) = (host.admin().await, host.person("vera", BuiltIn::Viewer).await);
    let mut auditor = host.person("ada", BuiltIn::Auditor).await;
    let fields = [("name", "nightly"), ("privileges[]", "see"), ("scope", "tag:lab"), ("days", "")];
    vera.post("/account", "/api/account/token-add", &fields).await;
    let (session, page) = (own(&vera).await[0].id.to_string(), "/access/users/vera");

    // Whoever reads sees them and no button; she herself finds hers on the page of her own account.
    let body = auditor.get(page).await.body;
    for words in ["Sessions", "API tokens", "nightly", "tag:lab"] {
        assert!(body.contains(words), "{words}: {body}");
    }
    assert!(!body.contains("/api/users/"), "{body}");
    let body = vera.get(page).await.body;
    assert!(!body.contains("nightly"), "{body}");
    assert_eq!(auditor.wasm().get("/api/users/tokens?name=vera").await.status, StatusCode::OK);
    assert_eq!(vera.wasm().get("/api/users/tokens?name=ada").await.status, StatusCode::FORBIDDEN);
    let remove = [("name", "vera"), ("id", "1")];
    let reply = auditor.wasm().post(page, "/api/users/token-remove", &remove).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);

    let body = admin.get(page).await.body;
    assert!(body.contains("/api/users/session-end") && body.contains("/api/users/token-remove"), "{body}");
    let reply = admin.post(page, "/api/users/token-remove", &remove).await;
    assert_eq!(reply.location.as_deref(), Some("/access/users/vera?"), "one is back on that page");
    assert!(!admin.get(page).await.body.contains("nightly"));
    let fields = [("name", "vera"), ("id", session.as_str())];
    let reply = admin.post(page, "/api/users/session-end", &fields).await;
    assert_eq!(reply.location.as_deref(), Some("/access/users/vera?"));
    assert!(admin.get(page).await.body.contains("Logged in nowhere."));
    assert_eq!(vera.get("/guests").await.status, StatusCode::SEE_OTHER);
    let filter = LedgerFilter { kind: Some(EntryKind::TokenRemoved), limit: 10, ..LedgerFilter::default() };
    let entries = host.state.store.ledger_page(&filter).await.unwrap();
    let removed = &entries[0].entry;
    assert_eq!((removed.actor.as_deref(), removed.subject.as_deref()), (Some("admin"), Some("user:vera")));
}
