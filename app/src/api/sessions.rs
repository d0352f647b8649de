//! Sessions and API tokens: one's own, and for those who may anyone's.

use leptos::prelude::*;

use super::ApiError;
use crate::domain::access::Privilege;
pub use crate::domain::account::{NewToken, SessionInfo, TokenInfo};

/// One's own sessions, the one used last first.
#[server(prefix = "/api", endpoint = "account/sessions", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_sessions() -> Result<Vec<SessionInfo>, ApiError> {
    use crate::{request, service::sessions};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(sessions::own(&state, &caller).await?)
    })
    .await
}

/// Ends one of one's own sessions.
#[server(prefix = "/api", endpoint = "account/session-end")]
pub async fn end_session(id: i64) -> Result<(), ApiError> {
    use crate::{domain::account::SessionId, request, service::sessions};
    request::reply(async {
        let (state, caller) = request::context()?;
        sessions::end(&state, &caller, SessionId(id)).await?;
        request::redirect("/account");
        Ok(())
    })
    .await
}

/// Ends all of one's own sessions but this one, and says how many there were.
#[server(prefix = "/api", endpoint = "account/sessions-end-others")]
pub async fn end_other_sessions() -> Result<u64, ApiError> {
    use crate::{request, service::sessions};
    request::reply(async {
        let (state, caller) = request::context()?;
        let count = sessions::end_others(&state, &caller).await?;
        request::redirect("/account");
        Ok(count)
    })
    .await
}

/// Anybody's sessions, for those who may read users.
#[server(prefix = "/api", endpoint = "users/sessions", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_user_sessions(name: String) -> Result<Vec<SessionInfo>, ApiError> {
    use crate::{request, service::sessions};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(sessions::of_user(&state, &caller, &name).await?)
    })
    .await
}

/// Ends one of anybody's sessions.
#[server(prefix = "/api", endpoint = "users/session-end")]
pub async fn end_user_session(name: String, id: i64) -> Result<(), ApiError> {
    use crate::{domain::account::SessionId, request, service::sessions};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(sessions::end_of_user(&state, &caller, &name, SessionId(id)).await?)
    })
    .await
}

/// Ends all of anybody's sessions, and says how many there were.
#[server(prefix = "/api", endpoint = "users/sessions-end")]
pub async fn end_user_sessions(name: String) -> Result<u64, ApiError> {
    use crate::{request, service::sessions};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(sessions::end_all_of_user(&state, &caller, &name).await?)
    })
    .await
}

/// One's own API tokens, newest first, without their secrets.
#[server(prefix = "/api", endpoint = "account/tokens", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_tokens() -> Result<Vec<TokenInfo>, ApiError> {
    use crate::{request, service::tokens};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(tokens::own(&state, &caller).await?)
    })
    .await
}

/// The token that was just made in this session, or nothing: for the page that shows it after a form without JavaScript.
#[server(prefix = "/api", endpoint = "account/token-told", input = leptos::server_fn::codec::GetUrl)]
pub async fn told_token() -> Result<String, ApiError> {
    use crate::{request, service::tokens};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(tokens::told_to(&state, &caller)?.unwrap_or_default())
    })
    .await
}

/// Makes an API token. Its secret is in this answer and told nowhere else. `scope` as grants write it, empty for
/// everything; `days` empty for 90.
#[server(prefix = "/api", endpoint = "account/token-add")]
pub async fn add_token(
    name: String,
    #[server(default)] privileges: Vec<Privilege>,
    #[server(default)] scope: String,
    #[server(default)] days: String,
) -> Result<NewToken, ApiError> {
    use crate::{
        request,
        service::tokens::{self, TokenForm},
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let privileges = privileges.into_iter().collect();
        let form = TokenForm { name: &name, privileges, scope: &scope, days: &days };
        let token = tokens::add(&state, &caller, &form).await?;
        request::redirect("/account");
        Ok(token)
    })
    .await
}

/// Removes one of one's own API tokens. It is worth nothing from now on.
#[server(prefix = "/api", endpoint = "account/token-remove")]
pub async fn remove_token(id: i64) -> Result<(), ApiError> {
    use crate::{domain::account::TokenId, request, service::tokens};
    request::reply(async {
        let (state, caller) = request::context()?;
        tokens::remove(&state, &caller, TokenId(id)).await?;
        request::redirect("/account");
        Ok(())
    })
    .await
}

/// Anybody's API tokens, newest first, for those who may read users.
#[server(prefix = "/api", endpoint = "users/tokens", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_user_tokens(name: String) -> Result<Vec<TokenInfo>, ApiError> {
    use crate::{request, service::tokens};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(tokens::of_user(&state, &caller, &name).await?)
    })
    .await
}

/// Removes one of anybody's API tokens.
#[server(prefix = "/api", endpoint = "users/token-remove")]
pub async fn remove_user_token(name: String, id: i64) -> Result<(), ApiError> {
    use crate::{domain::account::TokenId, request, service::tokens};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(tokens::remove_of_user(&state, &caller, &name, TokenId(id)).await?)
    })
    .await
}
