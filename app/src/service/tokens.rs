//! API tokens: what stands in for a log-in where a program asks. A token leaves of its owner's rights what it names, and
//! does nothing to the account itself.

use std::sync::Arc;

use serde_json::json;

use super::{
    AppState, Error, TokenFailure, Visit,
    accounts::by,
    attempts::Attempt,
    factors,
    sessions::own_user,
    users::{self, told},
};
use crate::{
    auth::{ActsAs, Caller, Credential, token},
    backend::now_ms,
    domain::{
        access::{Limit, Privileges, Rights, Scope},
        account::{NewToken, SessionId, TokenId, TokenInfo},
        action::{Field, Refusal},
        name, words,
    },
    store::{self, By, EntryKind, Fact, Token, User},
};

/// Longest name of a token, characters.
const LONGEST_NAME: usize = 64;
/// How long a token lasts at most, and where nothing else is asked for, days.
pub const MOST_DAYS: u32 = 365;
pub const USUAL_DAYS: u32 = 90;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// How many tokens one person may have, those that are over among them.
const MOST: i64 = 50;
/// How exactly it is known when a token was last used.
const USED_STEP_MS: i64 = 5 * 60 * 1000;

/// A token as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenForm<'a> {
    pub name: &'a str,
    pub privileges: Privileges,
    /// As [`Scope`] is written; empty for everything.
    pub scope: &'a str,
    /// A number; empty for [`USUAL_DAYS`].
    pub days: &'a str,
}

fn field(field: Field, message: impl Into<String>) -> Error {
    Refusal::Field { field, message: message.into() }.into()
}

fn checked_name(name: &str) -> Result<&str, Error> {
    if let Some(name) = name::label(name, LONGEST_NAME) {
        return Ok(name);
    }
    let message = format!(
        "The name of a token has 1 to {LONGEST_NAME} letters, digits, blanks, dots, underscores and dashes. Nothing was \
         changed."
    );
    Err(field(Field::Token, message))
}

fn checked_limit(form: &TokenForm<'_>) -> Result<Limit, Error> {
    if form.privileges.is_empty() {
        return Err(field(Field::Privileges, "Choose at least one privilege. Nothing was changed."));
    }
    let scope = match form.scope.trim() {
        "" => Scope::Everything,
        text => text.parse().map_err(|bad| field(Field::Scope, format!("{bad} Nothing was changed.")))?,
    };
    Ok(Limit { privileges: form.privileges, scope })
}

fn checked_days(days: &str) -> Result<i64, Error> {
    let days = match days.trim() {
        "" => Some(USUAL_DAYS),
        text => text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days)),
    };
    match days {
        Some(days) => Ok(i64::from(days) * DAY_MS),
        None => {
            let message = format!("A token lasts 1 to {MOST_DAYS} days. Nothing was changed.");
            Err(field(Field::Expires, message))
        }
    }
}

/// One's own tokens, newest first.
pub async fn own(state: &AppState, caller: &Caller) -> Result<Vec<TokenInfo>, Error> {
    let (user, _) = own_user(state, caller).await?;
    Ok(state.store.tokens_of(user.id).await?)
}

/// No user is called so.
fn told_key(session: SessionId) -> String {
    format!("token of session {session}")
}

/// The token that was just made in this session, for two minutes.
pub fn told_to(state: &AppState, caller: &Caller) -> Result<Option<String>, Error> {
    let (user, session) = caller.session()?;
    Ok(state.told.to(user, &told_key(session), now_ms()))
}

/// Makes a token. Its secret is in the answer and told nowhere else.
pub async fn add(state: &AppState, caller: &Caller, form: &TokenForm<'_>) -> Result<NewToken, Error> {
    let added = async {
        let (user, this) = own_user(state, caller).await?;
        let (name, limit) = (checked_name(form.name)?, checked_limit(form)?);
        let address = caller.address_text();
        let by = by(caller, &address);
        let expires_ms = by.at_ms.saturating_add(checked_days(form.days)?);
        let (secret, secret_hash) = token::secret()?;
        let new = store::NewToken { name, secret_hash, limit: &limit, expires_ms, most: MOST };
        match state.store.add_token(&user, &new, by).await? {
            Ok(info) => {
                tracing::info!(user = user.username, token = %info.id, "API token added");
                let bearer = token::bearer(info.id, &secret);
                state.told.keep(user.id, &told_key(this), bearer.clone(), by.at_ms);
                Ok(NewToken { bearer, info })
            }
            Err(store::Changed::InUse) => {
                let message =
                    format!("You have {MOST} tokens already. Nothing was changed; remove one first.");
                Err(field(Field::Token, message))
            }
            Err(why) => {
                Err(told(why, Field::Token, &format!("token {name}")).err().unwrap_or(Error::NotFound))
            }
        }
    };
    Attempt::new("add-token").answered(state, caller, added.await).await
}

/// Removes one of one's own tokens. It is worth nothing from now on.
pub async fn remove(state: &AppState, caller: &Caller, id: TokenId) -> Result<(), Error> {
    let removed = async {
        let (user, _) = own_user(state, caller).await?;
        remove_one(state, caller, &user, id).await
    };
    Attempt::new("remove-token").answered(state, caller, removed.await).await
}

/// Anybody's tokens, for those who may read users.
pub async fn of_user(state: &AppState, caller: &Caller, name: &str) -> Result<Vec<TokenInfo>, Error> {
    users::may_read(caller)?;
    let user = users::named(state, name).await?;
    Ok(state.store.tokens_of(user.id).await?)
}

/// Removes one of anybody's tokens.
pub async fn remove_of_user(state: &AppState, caller: &Caller, name: &str, id: TokenId) -> Result<(), Error> {
    users::changing(state, caller, Attempt::new("remove-token"), async || {
        let user = users::named(state, name).await?;
        remove_one(state, caller, &user, id).await
    })
    .await
}

async fn remove_one(state: &AppState, caller: &Caller, user: &User, id: TokenId) -> Result<(), Error> {
    let address = caller.address_text();
    if !state.store.remove_token(user, id, by(caller, &address)).await? {
        let message = format!("{} has no token {id}. Nothing was changed.", user.username);
        return Err(field(Field::Token, message));
    }
    state.access_changes.ring();
    tracing::info!(user = user.username, actor = caller.username, token = %id, "API token removed");
    Ok(())
}

/// Whose token this is, with what it leaves of their rights.
pub async fn caller(visit: &Visit, bearer: &str) -> Result<Caller, TokenFailure> {
    let found = recognised(visit, bearer).await;
    if let Err(failure @ (TokenFailure::Unknown | TokenFailure::Expired { .. } | TokenFailure::Ended)) =
        &found
    {
        tracing::warn!(address = ?visit.address, %failure, "a request with an API token was refused");
        let address = visit.address_text();
        let by = By { actor: None, address: address.as_deref(), at_ms: now_ms() };
        let fact = Fact::new(EntryKind::LogInFailed, by).with(json!({ "by": "token" }));
        visit.state.attempts.note(&visit.state.store, fact).await;
    }
    found
}

async fn recognised(visit: &Visit, bearer: &str) -> Result<Caller, TokenFailure> {
    let (state, now) = (&visit.state, now_ms());
    let (id, secret_hash) = token::read(bearer).ok_or(TokenFailure::Unknown)?;
    let token = state.store.token(id, &secret_hash).await?.ok_or(TokenFailure::Unknown)?;
    if token.info.expires_ms <= now {
        return Err(TokenFailure::Expired { since: words::iso(token.info.expires_ms) });
    }
    let caller = owner(state, &token, visit.address).await?.ok_or(TokenFailure::Ended)?;
    if token.info.used_ms.is_none_or(|used| now.saturating_sub(used) > USED_STEP_MS) {
        let address = visit.address_text();
        if let Err(error) = state.store.token_used(id, address.as_deref(), now).await {
            tracing::warn!(error = %error, token = %id, "the use of a token could not be noted");
        }
    }
    Ok(caller)
}

/// The token's owner as a caller, if their account goes on.
async fn owner(
    state: &AppState,
    token: &Token,
    address: Option<std::net::IpAddr>,
) -> Result<Option<Caller>, Error> {
    let user = state.store.user(token.user).await?.filter(|user| user.may_log_in(now_ms()));
    let Some(user) = user else { return Ok(None) };
    let rights = state.store.rights_of(user.id).await?;
    Ok(Some(Caller {
        user: Some(user.id),
        // A token is Paddock's: Proxmox does not know it.
        acts_as: ActsAs::without_log_in(&user),
        owed: factors::owed(state, &user),
        username: user.username,
        credential: Credential::Token(token.info.id),
        rights: Arc::new(Rights { limit: Some(token.info.limit.clone()), ..rights }),
        address,
    }))
}

/// Somebody whose token was recognised before, as they are now; `None` once it is over.
pub(super) async fn still(state: &AppState, id: TokenId, before: &Caller) -> Result<Option<Caller>, Error> {
    let token = state.store.token_again(id).await?;
    match token.filter(|token| now_ms() < token.info.expires_ms) {
        Some(token) => owner(state, &token, before.address).await,
        None => Ok(None),
    }
}
