//! One's own account: the first administrator, log in, log out, change the password, who a session belongs to.

use std::sync::Arc;

use serde_json::json;

use super::{AccountFailure, AppState, Error, LogInFailure, Visit, attempts::Attempt, life, realms, seen};
use crate::{
    auth::{Caller, password},
    backend::now_ms,
    domain::{access::BuiltIn, failure::FailureKind, view::Frame},
    store::{By, EntryKind, Fact, LOCAL, NewUser, Store, User, UserId, user_subject},
};

/// The name of the first administrator.
pub const FIRST_ADMINISTRATOR: &str = "admin";
/// Session keys.
const USER: &str = "user";
const EPOCH: &str = "epoch";
const BEGUN: &str = "begun";
const SEEN: &str = "seen";
/// A session ends so long after its log-in, however busy it was.
pub const ABSOLUTE_LIMIT_MS: i64 = 7 * 24 * 3600 * 1000;
/// A session ends after so long without a request.
pub const IDLE_LIMIT_MS: i64 = 12 * 3600 * 1000;
/// How exactly it is known when a session was last used: a write for every request would be a waste.
const SEEN_STEP_MS: i64 = 5 * 60 * 1000;
/// Running operations that the frame lists.
const RUNNING_SHOWN: u32 = 100;

/// What the very first start did about accounts.
#[derive(Debug, PartialEq, Eq)]
pub enum FirstStart {
    /// There were accounts already; a password given for the first start was ignored.
    NotFirst,
    /// The administrator has the password that was given.
    Given,
    /// The administrator has this one-time password, which is told nowhere else.
    OneTime(String),
}

/// Makes the first administrator if there is no account at all.
pub async fn first_start(store: &Store, given: Option<String>) -> Result<FirstStart, Error> {
    if store.has_users().await? {
        return Ok(FirstStart::NotFirst);
    }
    let must_change_password = given.is_none();
    let secret = given.unwrap_or_else(password::one_time);
    let password_hash = hashed(secret.clone()).await?;
    let user = NewUser {
        must_change_password,
        created_ms: now_ms(),
        ..NewUser::local(FIRST_ADMINISTRATOR, password_hash, Some(BuiltIn::Administrator))
    };
    Ok(match (store.add_first_user(&user, life::by_server()).await?, must_change_password) {
        (false, _) => FirstStart::NotFirst,
        (true, true) => FirstStart::OneTime(secret),
        (true, false) => FirstStart::Given,
    })
}

/// Who does this, as the ledger keeps it. `address` is [`Caller::address_text`].
pub(super) fn by<'a>(caller: &'a Caller, address: &'a Option<String>) -> By<'a> {
    By { actor: Some(&caller.username), address: address.as_deref(), at_ms: now_ms() }
}

pub(super) async fn hashed(secret: String) -> Result<String, Error> {
    Ok(tokio::task::spawn_blocking(move || password::hash(&secret)).await??)
}

/// Checks a password, a bounded number at once. An unknown user takes as long as a known one.
async fn verified(state: &AppState, secret: &str, user: Option<&User>) -> Result<bool, Error> {
    let _permit =
        state.password_checks.acquire().await.map_err(|_| Error::Unwired("password checks are closed"))?;
    let (secret, hash) = (secret.to_owned(), user.and_then(|user| user.password_hash.clone()));
    Ok(tokio::task::spawn_blocking(move || password::verify(&secret, hash.as_deref())).await?)
}

/// Logs in, and says where to go then.
pub async fn log_in(visit: &Visit, username: &str, secret: &str, next: &str) -> Result<String, LogInFailure> {
    let state = &visit.state;
    let user = state.store.user_named(username.trim()).await.map_err(Error::from)?;
    let is_right = verified(state, secret, user.as_ref()).await?;
    let Some(user) = user.as_ref().filter(|_| is_right) else {
        if realms::is_asked(state, username.trim()) {
            return realms::log_in(visit, username.trim(), secret, next).await;
        }
        tracing::warn!(address = ?visit.address, "log-in failed");
        note_failure(visit, user.as_ref()).await;
        return Err(LogInFailure::Wrong);
    };
    enter(visit, user, next).await
}

/// Begins the session of somebody whose password was right, and says where to go then.
pub(super) async fn enter(visit: &Visit, user: &User, next: &str) -> Result<String, LogInFailure> {
    if !user.may_log_in(now_ms()) {
        tracing::warn!(user = user.username, address = ?visit.address, "log-in to an account that is over");
        note_failure(visit, Some(user)).await;
        return Err(LogInFailure::Ended);
    }
    let before = caller(visit).await?;
    // Before there is a session: who cannot be recorded is not let in.
    record_log_in(visit, user).await?;
    if let Some(before) = before {
        end_session(visit, &before.username, "log-in").await;
        realms::forget(visit).await?;
    }
    // A new session id, so that one planted before the log-in is worth nothing.
    begin_session(visit, user.id, user.session_epoch).await?;
    tracing::info!(user = user.username, address = ?visit.address, "logged in");
    Ok(if user.must_change_password { "/account/password".to_owned() } else { landing(next) })
}

/// A name that is no account's is not recorded: it may be a password, typed into the wrong field.
pub(super) async fn note_failure(visit: &Visit, user: Option<&User>) {
    let address = visit.address_text();
    let by = By { actor: None, address: address.as_deref(), at_ms: now_ms() };
    let fact = Fact::new(EntryKind::LogInFailed, by).with(json!({ "known": user.is_some() }));
    let fact = Fact { subject: user.map(|user| user_subject(&user.username)), ..fact };
    visit.state.attempts.note(&visit.state.store, fact).await;
}

async fn record_log_in(visit: &Visit, user: &User) -> Result<(), Error> {
    let Visit { state, .. } = visit;
    let address = visit.address_text();
    let by = By { actor: Some(&user.username), address: address.as_deref(), at_ms: now_ms() };
    let account = user_subject(&user.username);
    state.attempts.succeeded(&state.store, &account, by.address, by.at_ms).await;
    Ok(state.store.record(Fact::new(EntryKind::LoggedIn, by).on(account)).await?)
}

/// Records, once, that this session is over. It is over whatever comes of that.
async fn end_session(visit: &Visit, username: &str, why: &str) {
    let Visit { state, session, .. } = visit;
    if !state.attempts.is_first_to_tell(session.id()) {
        return;
    }
    let address = visit.address_text();
    let by = By { actor: Some(username), address: address.as_deref(), at_ms: now_ms() };
    let fact = Fact::new(EntryKind::SessionEnded, by).on(user_subject(username));
    if let Err(error) = state.store.record(fact.with(json!({ "why": why, "sessions": 1 }))).await {
        tracing::error!(error = %error, user = username, why, "the end of a session could not be recorded");
    }
}

async fn begin_session(visit: &Visit, user: UserId, epoch: i64) -> Result<(), Error> {
    visit.session.cycle_id().await?;
    visit.session.insert(USER, user.0).await?;
    visit.session.insert(EPOCH, epoch).await?;
    visit.session.insert(BEGUN, now_ms()).await?;
    visit.session.insert(SEEN, now_ms()).await?;
    Ok(())
}

/// A page of this site, or the guests: never another site.
fn landing(next: &str) -> String {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && next.chars().all(|c| c.is_ascii_graphic() && c != '\\')
        && !next.starts_with("/login")
        && !next.starts_with("/api/");
    if local { next.to_owned() } else { "/guests".to_owned() }
}

pub async fn log_out(visit: &Visit) -> Result<(), Error> {
    let caller = caller(visit).await?;
    if let Some(caller) = caller {
        end_session(visit, &caller.username, "log-out").await;
    }
    realms::forget(visit).await?;
    visit.session.flush().await?;
    Ok(())
}

/// Whose session this is; `None` for nobody's, an ended one, and one of an account that is gone.
pub async fn caller(visit: &Visit) -> Result<Option<Caller>, Error> {
    let Some(id) = visit.session.get::<i64>(USER).await? else { return Ok(None) };
    let epoch = visit.session.get::<i64>(EPOCH).await?;
    let now = now_ms();
    let begun = visit.session.get::<i64>(BEGUN).await?.unwrap_or(i64::MIN);
    let seen = visit.session.get::<i64>(SEEN).await?.unwrap_or(i64::MIN);
    let user = visit.state.store.user(UserId(id)).await?;
    // That all sessions of an older epoch are over was recorded with what ended them.
    let user = user.filter(|user| Some(user.session_epoch) == epoch && user.may_log_in(now));
    let over = match (now.saturating_sub(begun), now.saturating_sub(seen)) {
        (age, _) if age > ABSOLUTE_LIMIT_MS => Some("age"),
        (_, idle) if idle > IDLE_LIMIT_MS => Some("idle"),
        _ => None,
    };
    if let (Some(user), Some(why)) = (&user, over) {
        end_session(visit, &user.username, why).await;
    }
    let acts_as = match user.as_ref().filter(|_| over.is_none()) {
        Some(user) => realms::acts_as(visit, user).await?,
        None => None,
    };
    if let (Some(user), None, None) = (&user, over, &acts_as) {
        end_session(visit, &user.username, "no-ticket").await;
    }
    let (Some(user), Some(acts_as)) = (user, acts_as) else {
        realms::forget(visit).await?;
        visit.session.flush().await?;
        return Ok(None);
    };
    if now - seen > SEEN_STEP_MS {
        visit.session.insert(SEEN, now).await?;
    }
    Ok(Some(Caller {
        user: Some(user.id),
        rights: Arc::new(visit.state.store.rights_of(user.id).await?),
        username: user.username,
        must_change_password: user.must_change_password,
        address: visit.address,
        acts_as,
    }))
}

/// Replaces the caller's password and ends all sessions but this one. A refusal is recorded.
pub async fn change_password(
    visit: &Visit,
    caller: &Caller,
    current: &str,
    new: &str,
    repeat: &str,
) -> Result<(), AccountFailure> {
    let changed = change_checked(visit, caller, current, new, repeat).await;
    if let Err(failure) = &changed
        && let Some(kind) = failure.kind()
    {
        let attempt = Attempt::new("change-password").on_user(&caller.username);
        attempt.failed(&visit.state, caller, kind == FailureKind::Denied, kind, &failure.to_string()).await;
    }
    changed
}

async fn change_checked(
    visit: &Visit,
    caller: &Caller,
    current: &str,
    new: &str,
    repeat: &str,
) -> Result<(), AccountFailure> {
    let length = new.chars().count();
    if length < password::SHORTEST {
        return Err(AccountFailure::TooShort { length });
    }
    if new.len() > password::LONGEST {
        return Err(AccountFailure::TooLong);
    }
    if new != repeat {
        return Err(AccountFailure::Differ);
    }
    let state = &visit.state;
    let id = caller.user.ok_or(Error::NotLoggedIn)?;
    let user = state.store.user(id).await.map_err(Error::from)?.ok_or(Error::NotLoggedIn)?;
    if user.realm != LOCAL {
        return Err(AccountFailure::OfRealm);
    }
    if !verified(state, current, Some(&user)).await? {
        return Err(AccountFailure::WrongPassword);
    }
    if new == current {
        return Err(AccountFailure::Same);
    }
    let hash = hashed(new.to_owned()).await?;
    let address = visit.address_text();
    let by = By { actor: Some(&user.username), address: address.as_deref(), at_ms: now_ms() };
    let epoch = state.store.set_password(user.id, &hash, by).await.map_err(Error::from)?;
    begin_session(visit, user.id, epoch).await?;
    tracing::info!(user = user.username, address = ?visit.address, "password changed");
    Ok(())
}

/// What the frame around every page shows.
pub async fn frame(state: &AppState, caller: &Caller) -> Result<Frame, Error> {
    let mut running = state.store.running_operations(RUNNING_SHOWN).await?;
    running.retain(|operation| seen::is_seen(state, caller, operation));
    let now_ms = now_ms();
    Ok(Frame {
        username: caller.username.clone(),
        roles: caller.rights.roles(now_ms),
        may: caller.rights.somewhere(now_ms),
        host: state.host.to_string(),
        now_ms,
        running,
        damage: state.soundness.now().warning(),
    })
}

#[cfg(test)]
mod tests {
    use super::landing;

    #[test]
    fn a_log_in_never_leads_to_another_site() {
        assert_eq!(landing("/guests/lxc/web1?q=a"), "/guests/lxc/web1?q=a");
        for next in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/a\r\nX: y", "/login"]
        {
            assert_eq!(landing(next), "/guests", "{next:?}");
        }
    }
}
