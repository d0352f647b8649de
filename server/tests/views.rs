//! Saved views of the guests' list: one's own, bounded, and gone with nobody's leave but one's own.
#![expect(clippy::unwrap_used, reason = "what cannot be read has failed")]

mod common;

use app::{
    api::saved_views::SavedView,
    domain::{access::BuiltIn, list::saved::MOST},
};
use common::{Browser, Host, browser::Reply};
use http::StatusCode;

async fn views(browser: &Browser) -> Vec<SavedView> {
    let reply = browser.wasm().get("/api/views/list").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

async fn save(browser: &Browser, fields: &[(&str, &str)]) -> Reply {
    browser.wasm().post("/guests", "/api/views/save", fields).await
}

async fn refused(browser: &Browser, fields: &[(&str, &str)], words: &str) {
    let before = views(browser).await;
    let reply = save(browser, fields).await;
    assert!(reply.status.is_client_error(), "{fields:?}: {}", reply.status);
    assert!(reply.body.contains(words), "{fields:?}: {}", reply.body);
    assert_eq!(views(browser).await, before, "nothing was changed");
}

#[tokio::test]
async fn a_view_is_saved_changed_renamed_and_removed() {
    let host = Host::start().await;
    let admin = host.admin().await;
    assert_eq!(views(&admin).await, []);
    let lab = [("name", " Lab "), ("q", " tag:lab  status:running"), ("sort", "-cpu"), ("group", "node")];
    assert_eq!(save(&admin, &lab).await.status, StatusCode::OK);
    let href = "/guests?q=tag%3Alab%20status%3Arunning&sort=-cpu&group=node";
    let all = views(&admin).await;
    assert_eq!((all[0].name.as_str(), all[0].href().as_str()), ("Lab", href));

    // The same name is the same view, and words that mean nothing are the usual ones.
    assert_eq!(
        save(&admin, &[("name", "Lab"), ("q", "x"), ("sort", "no-such"), ("group", "?")]).await.status,
        StatusCode::OK
    );
    assert_eq!(save(&admin, &[("name", "Web"), ("q", "web")]).await.status, StatusCode::OK);
    let all = views(&admin).await;
    let hrefs: Vec<String> = all.iter().map(SavedView::href).collect();
    assert_eq!(hrefs, ["/guests?q=x", "/guests?q=web"]);

    let id = all[0].id.0.to_string();
    refused(&admin, &[("id", &id), ("name", "Web"), ("q", "x")], "You have another view “Web”").await;
    refused(&admin, &[("id", "999"), ("name", "New"), ("q", "x")], "no such view any more").await;
    let renamed = [("id", id.as_str()), ("name", "Labor"), ("q", "x")];
    assert_eq!(save(&admin, &renamed).await.status, StatusCode::OK);
    assert_eq!(views(&admin).await[0].name, "Labor");

    // Without a script one is back where one was, and sees it.
    let mut plain = host.admin().await;
    let reply = plain.post("/guests?q=web", "/api/views/save", &[("name", "Two"), ("q", "web web2")]).await;
    assert_eq!(reply.location.as_deref(), Some("/guests?q=web"), "{}", reply.body);
    let page = plain.get("/guests?q=web").await.body;
    let tabs = page.split_once(r#"<nav aria-label="Saved views""#).unwrap().1.split_once("</nav>").unwrap().0;
    for words in ["All guests<", ">Labor<", "aria-current=\"page\">Web<", "?q=web%20web2\">Two<"] {
        assert!(tabs.contains(words), "{words}: {tabs}");
    }

    let gone = admin.wasm().post("/guests", "/api/views/remove", &[("id", id.as_str())]).await;
    assert_eq!(gone.status, StatusCode::OK);
    let again = admin.wasm().post("/guests", "/api/views/remove", &[("id", id.as_str())]).await;
    assert!(again.body.contains("no such view any more"), "{}", again.body);
    assert_eq!(views(&admin).await.len(), 2);
}

#[tokio::test]
async fn views_are_ones_own_and_not_without_end() {
    let host = Host::start().await;
    let admin = host.admin().await;
    for n in 0..MOST {
        let name = format!("view {n}");
        assert_eq!(save(&admin, &[("name", &name), ("q", "x")]).await.status, StatusCode::OK);
    }
    refused(&admin, &[("name", "one more"), ("q", "x")], "remove one first").await;
    assert_eq!(save(&admin, &[("name", "view 0"), ("q", "y")]).await.status, StatusCode::OK);
    refused(&admin, &[("name", "view 0")], "which needs no view").await;
    refused(&admin, &[("name", "<script>"), ("q", "x")], "letters, digits, blanks").await;
    refused(&admin, &[("name", "view 0"), ("q", &"x".repeat(501))], "at most 500 characters").await;

    let viewer = host.person("vera", BuiltIn::Viewer).await;
    assert_eq!(views(&viewer).await, []);
    let id = views(&admin).await[0].id.0.to_string();
    let others = viewer.wasm().post("/guests", "/api/views/remove", &[("id", id.as_str())]).await;
    assert!(others.body.contains("no such view"), "{}", others.body);
    refused(&viewer, &[("id", &id), ("name", "mine"), ("q", "x")], "no such view").await;
    assert_eq!(views(&admin).await.len(), MOST);
    let stranger = host.browser();
    assert_eq!(stranger.wasm().get("/api/views/list").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(save(&stranger, &[("name", "x"), ("q", "x")]).await.status, StatusCode::UNAUTHORIZED);
}
