//! What lets somebody in and keeps others out: sessions, API tokens, and what wrong passwords cost.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;

mod at_once;
mod brute_force;
mod ended;
mod page;
mod tokens;

use app::{
    auth::{Caller, Credential},
    domain::account::{SessionId, SessionInfo},
};
use common::{Browser, Host};
use http::StatusCode;

/// One's own sessions, as the wasm client asks.
async fn own(browser: &Browser) -> Vec<SessionInfo> {
    let reply = browser.wasm().get("/api/account/sessions").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

/// The number of the session that this browser has.
async fn this(browser: &Browser) -> SessionId {
    own(browser).await.into_iter().find(|it| it.is_this).unwrap().id
}

/// Whoever is logged in in this browser.
async fn caller(host: &Host, browser: &Browser, username: &str) -> Caller {
    let user = host.state.store.user_named(username).await.unwrap().unwrap();
    Caller {
        user: Some(user.id),
        credential: Credential::Session(this(browser).await),
        rights: host.state.store.rights_of(user.id).await.unwrap().into(),
        username: user.username,
        ..Caller::command_line("")
    }
}
