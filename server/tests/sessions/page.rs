//! The page of one's own account, without JavaScript.

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
