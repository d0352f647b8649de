//! One's own account: the first administrator, log in, log out, change the password, who is calling.

use std::{net::IpAddr, sync::Arc};

use serde_json::{Value, json};

use super::{
    AccountFailure, AppState, Error, LogInFailure, Visit, attempts::Attempt, factors, life, realms, rows,
    seen, sessions, tokens,
};
use crate::{
    auth::{Caller, Credential, password, token},
    backend::now_ms,
    domain::{
        access::BuiltIn,
        account::SessionId,
        failure::FailureKind,
        operation::OperationSummary,
        view::{AtWork, Frame},
    },
    store::{By, EntryKind, Fact, LOCAL, NewUser, Session, Store, User, user_subject},
};

/// The name of the first administrator.
pub const FIRST_ADMINISTRATOR: &str = "admin";
/// Running operations that the frame lists.
const RUNNING_SHOWN: usize = 100;

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
pub(super) async fn verified(state: &AppState, secret: &str, user: Option<&User>) -> Result<bool, Error> {
    let _permit =
        state.password_checks.acquire().await.map_err(|_| Error::Unwired("password checks are closed"))?;
    let (secret, hash) = (secret.to_owned(), user.and_then(|user| user.password_hash.clone()));
    Ok(tokio::task::spawn_blocking(move || password::verify(&secret, hash.as_deref())).await?)
}

/// A log-in that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// Where to go then.
    pub landing: String,
    /// What the browser is to keep, to be known again; `None` where it keeps something already.
    pub device: Option<String>,
}

/// Logs in. Wrong passwords cost a growing delay.
pub async fn log_in(
    visit: &Visit,
    username: &str,
    secret: &str,
    next: &str,
) -> Result<LoggedIn, LogInFailure> {
    let state = &visit.state;
    visit.session()?;
    let user = state.store.user_named(username.trim()).await.map_err(Error::from)?;
    let pass = match state.throttle.log_in(visit, username, user.as_ref()).await? {
        Ok(pass) => pass,
        Err(seconds) => {
            tracing::warn!(address = ?visit.address, seconds, "log-in refused, as too many failed");
            note_failure(visit, user.as_ref(), json!({ "known": user.is_some(), "checked": false })).await;
            return Err(LogInFailure::TooMany { seconds });
        }
    };
    let is_right = verified(state, secret, user.as_ref()).await?;
    let Some(user) = user.as_ref().filter(|_| is_right) else {
        if realms::is_asked(state, username.trim()) {
            return realms::log_in(visit, username.trim(), secret, next, pass).await;
        }
        tracing::warn!(address = ?visit.address, "log-in failed");
        note_failure(visit, user.as_ref(), json!({ "known": user.is_some() })).await;
        return Err(LogInFailure::Wrong);
    };
    pass.right();
    let done = match user.has_factor && user.may_log_in(now_ms()) {
        true => factors::ask_own(visit, user, next).await?,
        false => enter(visit, user, next, json!({})).await?.0,
    };
    renew_hash(state, user, secret).await;
    Ok(done)
}

/// Begins the session of somebody whose password was right, and whose second factor if they have one. `how`: what the ledger
/// is told of that.
pub(super) async fn enter(
    visit: &Visit,
    user: &User,
    next: &str,
    how: Value,
) -> Result<(LoggedIn, SessionId), LogInFailure> {
    if !user.may_log_in(now_ms()) {
        tracing::warn!(user = user.username, address = ?visit.address, "log-in to an account that is over");
        note_failure(visit, Some(user), json!({ "known": true })).await;
        return Err(LogInFailure::Ended);
    }
    // Before there is a session: who cannot be recorded is not let in.
    record_log_in(visit, user, how).await?;
    sessions::leave(visit, "log-in").await?;
    let (device, device_key) = match visit.device_key {
        Some(key) => (None, key),
        None => token::secret().map(|(secret, key)| (Some(secret), key)).map_err(Error::from)?,
    };
    // A new session id, so that one planted before the log-in is worth nothing.
    let session = sessions::begin(&Visit { device_key: Some(device_key), ..visit.clone() }, user).await?;
    tracing::info!(user = user.username, address = ?visit.address, "logged in");
    let owed = factors::owed(&visit.state, user);
    let landing = owed.map_or_else(|| landing(next), |owed| owed.page().to_owned());
    Ok((LoggedIn { landing, device }, session))
}

/// The one moment in which the password is known: a hash of older parameters is made anew. The log-in goes on without.
async fn renew_hash(state: &AppState, user: &User, secret: &str) {
    let Some(before) = user.password_hash.as_deref().filter(|hash| password::is_outdated(hash)) else {
        return;
    };
    let renewed = async {
        let hash = hashed(secret.to_owned()).await?;
        Ok::<_, Error>(state.store.renew_hash(user.id, before, &hash).await?)
    };
    if let Err(error) = renewed.await {
        tracing::error!(error = %error, user = user.username, "a password's hash could not be renewed");
    }
}

/// A name that is no account's is not recorded: it may be a password, typed into the wrong field.
pub(super) async fn note_failure(visit: &Visit, user: Option<&User>, detail: Value) {
    let address = visit.address_text();
    let by = By { actor: None, address: address.as_deref(), at_ms: now_ms() };
    let fact = Fact::new(EntryKind::LogInFailed, by).with(detail);
    let fact = Fact { subject: user.map(|user| user_subject(&user.username)), ..fact };
    visit.state.attempts.note(&visit.state.store, fact).await;
}

async fn record_log_in(visit: &Visit, user: &User, how: Value) -> Result<(), Error> {
    let Visit { state, .. } = visit;
    let address = visit.address_text();
    let by = By { actor: Some(&user.username), address: address.as_deref(), at_ms: now_ms() };
    let account = user_subject(&user.username);
    state.attempts.succeeded(&state.store, &account, by.address, by.at_ms).await;
    Ok(state.store.record(Fact::new(EntryKind::LoggedIn, by).on(account).with(how)).await?)
}

/// A page of this site, or the guests: never another site.
fn landing(next: &str) -> String {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && next.chars().all(|c| c.is_ascii_graphic() && c != '\\')
        && !next.starts_with("/login")
        && !next.starts_with("/api/");
    if local { next.to_owned() } else { "/".to_owned() }
}

pub async fn log_out(visit: &Visit) -> Result<(), Error> {
    let session = visit.session()?;
    sessions::leave(visit, "log-out").await?;
    session.flush().await?;
    Ok(())
}

/// Whose session this is; `None` for nobody's, an ended one, and one of an account that is gone.
pub async fn caller(visit: &Visit) -> Result<Option<Caller>, Error> {
    match sessions::of_visit(visit).await? {
        Some(found) => by_session(&visit.state, found, visit.address).await,
        None => Ok(None),
    }
}

/// `None` for somebody who needs a ticket and has none any more: that ends the session.
async fn by_session(
    state: &AppState,
    (session, user): (Session, User),
    address: Option<IpAddr>,
) -> Result<Option<Caller>, Error> {
    let Some(acts_as) = realms::acts_as(state, session.id, &user) else {
        sessions::end_found(state, &session, &user, "no-ticket", address).await?;
        return Ok(None);
    };
    Ok(Some(Caller {
        user: Some(user.id),
        credential: Credential::Session(session.id),
        rights: Arc::new(state.store.rights_of(user.id).await?),
        owed: factors::owed(state, &user),
        username: user.username,
        address,
        acts_as,
    }))
}

/// The caller as they are now; `None` once their session or token is over.
pub(super) async fn still(state: &AppState, before: &Caller) -> Result<Option<Caller>, Error> {
    match before.credential {
        Credential::CommandLine => Ok(Some(before.clone())),
        Credential::Token(id) => tokens::still(state, id, before).await,
        Credential::Session(id) => match sessions::live(state, id, before.address_text().as_deref()).await? {
            Some(found) => by_session(state, found, before.address).await,
            None => Ok(None),
        },
    }
}

/// Replaces the caller's password and ends all sessions but this one. A refusal is recorded.
pub async fn change_password(
    visit: &Visit,
    caller: &Caller,
    current: &str,
    new: &str,
    repeat: &str,
) -> Result<(), AccountFailure> {
    recorded(visit, caller, "change-password", change_checked(visit, caller, current, new, repeat)).await
}

/// Records a refusal of a change of one's own account.
pub(super) async fn recorded(
    visit: &Visit,
    caller: &Caller,
    what: &'static str,
    change: impl Future<Output = Result<(), AccountFailure>>,
) -> Result<(), AccountFailure> {
    let changed = change.await;
    if let Err(failure) = &changed
        && let Some(kind) = failure.kind()
    {
        let attempt = Attempt::new(what).on_user(&caller.username);
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
    if password::is_known_bad(new, &caller.username) {
        return Err(AccountFailure::KnownBad);
    }
    let state = &visit.state;
    let (user, this) = sessions::own_user(state, caller).await?;
    if user.realm != LOCAL {
        return Err(AccountFailure::OfRealm);
    }
    let pass = state.throttle.own_password(user.id).map_err(|seconds| AccountFailure::TooMany { seconds })?;
    if !verified(state, current, Some(&user)).await? {
        return Err(AccountFailure::WrongPassword);
    }
    pass.right();
    if new == current {
        return Err(AccountFailure::Same);
    }
    let hash = hashed(new.to_owned()).await?;
    let address = visit.address_text();
    let by = By { actor: Some(&user.username), address: address.as_deref(), at_ms: now_ms() };
    state.store.set_password(user.id, &hash, this, by).await.map_err(Error::from)?;
    state.access_changes.ring();
    sessions::renew(visit.session().map_err(Error::from)?).await?;
    tracing::info!(user = user.username, address = ?visit.address, "password changed");
    Ok(())
}

/// What the frame around every page shows.
pub async fn frame(state: &AppState, caller: &Caller) -> Result<Frame, Error> {
    state.latest.catch_up(&state.store, false).await?;
    let snapshot = state.inventory.snapshot();
    let (live, version): (Vec<_>, u64) =
        state.latest.look(|known| (known.live().cloned().collect(), known.version()));
    let seen = live.iter().filter(|operation| seen::is_seen(state, caller, operation));
    let mut running: Vec<_> =
        seen.take(RUNNING_SHOWN).map(|operation| OperationSummary::clone(operation)).collect();
    state.supervisor.note_places(&mut running);
    let now_ms = now_ms();
    Ok(Frame {
        at: rows::at(state, caller, &snapshot, version),
        username: caller.username.clone(),
        roles: caller.rights.roles(now_ms),
        may: caller.rights.somewhere(now_ms),
        host: state.host.to_string(),
        now_ms,
        running: running.iter().map(AtWork::from).collect(),
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
            assert_eq!(landing(next), "/", "{next:?}");
        }
    }
}
