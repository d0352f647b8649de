//! Sessions: one's own, and for those who may anyone's.
//!
//! ```text
//!   log-in ──► goes on ──► ended: by log-out, by another log-in, by its user, by whoever may, by age, idle
//!                     └──► over with its account's epoch (password, disabled) or with the account
//! ```
//!
//! A cookie leads to a row of the session layer, and that to nothing but the number of a session here: what is ended here
//! is over, whatever cookie or row comes back.

use std::{net::IpAddr, time::Duration};

use super::{AppState, Error, Visit, accounts::by, attempts::Attempt, life::by_server, users};
use crate::{
    auth::{Caller, Credential},
    backend::now_ms,
    domain::{
        account::{SessionId, SessionInfo},
        action::{Field, Refusal},
    },
    store::{By, NewSession, Session, User},
};

/// A session ends so long after its log-in, however busy it was.
pub const ABSOLUTE_LIMIT_MS: i64 = 7 * 24 * 3600 * 1000;
/// A session ends after so long without a request.
pub const IDLE_LIMIT_MS: i64 = 12 * 3600 * 1000;
/// How exactly it is known when a session was last used: a write for every request would be a waste.
const SEEN_STEP_MS: i64 = 5 * 60 * 1000;
/// How long one that is over is remembered: so long its address and its browser are known.
pub(super) const REMEMBERED_MS: i64 = 90 * 24 * 3600 * 1000;
/// The key of the session layer's row.
const KEY: &str = "session";
/// How often it is looked for sessions whose time is over.
const SWEEP_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Begins a session in the place of whatever the visit had.
pub(super) async fn begin(visit: &Visit, user: &User) -> Result<SessionId, Error> {
    let session = visit.session()?;
    let address = visit.address_text();
    let new = NewSession {
        user: user.id,
        epoch: user.session_epoch,
        address: address.as_deref(),
        device: &visit.device,
        device_key: visit.device_key,
        begun_ms: now_ms(),
    };
    let id = visit.state.store.begin_session(&new).await?;
    renew(session).await?;
    session.insert(KEY, id).await?;
    Ok(id)
}

/// Another key for the browser, so that one planted or seen before is worth nothing.
pub(super) async fn renew(session: &tower_sessions::Session) -> Result<(), Error> {
    Ok(session.cycle_id().await?)
}

/// The session of this visit and whose it is; `None` where there is none that goes on. What is over is forgotten.
pub(super) async fn of_visit(visit: &Visit) -> Result<Option<(Session, User)>, Error> {
    let Some(layer) = &visit.session else { return Ok(None) };
    let Some(id) = layer.get::<SessionId>(KEY).await? else { return Ok(None) };
    let found = live(&visit.state, id, visit.address_text().as_deref()).await?;
    match &found {
        Some((session, _)) => note_use(visit, session).await,
        None => layer.flush().await?,
    }
    Ok(found)
}

/// The session of that number with whose it is, if it goes on. One that has run out is ended.
pub(super) async fn live(
    state: &AppState,
    id: SessionId,
    address: Option<&str>,
) -> Result<Option<(Session, User)>, Error> {
    let now = now_ms();
    let Some((session, user)) = state.store.session(id).await? else { return Ok(None) };
    let account_ended = (!user.may_log_in(now)).then_some("account-ended");
    if let Some(why) = account_ended.or_else(|| run_out(&session, now)) {
        let by = By { actor: Some(&user.username), address, at_ms: now };
        // It is over whatever comes of that.
        if let Err(error) = state.store.end_session(&user, id, why, by).await {
            tracing::error!(error = %error, user = user.username, why, "the end of a session could not be recorded");
        }
        return Ok(None);
    }
    Ok(Some((session, user)))
}

/// Ends a session that goes on but for this.
pub(super) async fn end_found(
    state: &AppState,
    session: &Session,
    user: &User,
    why: &str,
    address: Option<IpAddr>,
) -> Result<(), Error> {
    let address = address.map(|address| address.to_string());
    let by = By { actor: Some(&user.username), address: address.as_deref(), at_ms: now_ms() };
    state.realms.forget(session.id);
    if let Err(error) = state.store.end_session(user, session.id, why, by).await {
        tracing::error!(error = %error, user = user.username, why, "the end of a session could not be recorded");
        state.store.end_unrecorded(session.id, by.at_ms).await?;
    }
    state.access_changes.ring();
    Ok(())
}

fn run_out(session: &Session, now: i64) -> Option<&'static str> {
    if now.saturating_sub(session.begun_ms) > ABSOLUTE_LIMIT_MS {
        Some("age")
    } else if now.saturating_sub(session.seen_ms) > IDLE_LIMIT_MS {
        Some("idle")
    } else {
        None
    }
}

async fn note_use(visit: &Visit, session: &Session) {
    let now = now_ms();
    if now.saturating_sub(session.seen_ms) <= SEEN_STEP_MS {
        return;
    }
    let address = visit.address_text();
    if let Err(error) = visit.state.store.session_seen(session.id, address.as_deref(), now).await {
        tracing::warn!(error = %error, "the use of a session could not be noted");
    }
}

/// Ends the session that this visit has, also where that cannot be recorded: nobody is kept logged in against their will.
pub(super) async fn leave(visit: &Visit, why: &str) -> Result<(), Error> {
    if let Some((session, user)) = of_visit(visit).await? {
        end_found(&visit.state, &session, &user, why, visit.address).await?;
    }
    Ok(())
}

fn told(session: Session, caller: &Caller) -> SessionInfo {
    SessionInfo {
        is_this: caller.credential == Credential::Session(session.id),
        id: session.id,
        device: session.device,
        address: session.address,
        begun_ms: session.begun_ms,
        seen_ms: session.seen_ms,
    }
}

/// The user's sessions that go on, the one used last first.
async fn list(state: &AppState, caller: &Caller, user: &User) -> Result<Vec<SessionInfo>, Error> {
    let now = now_ms();
    if !user.may_log_in(now) {
        return Ok(Vec::new());
    }
    let sessions = state.store.sessions_of(user.id).await?;
    Ok(sessions.into_iter().filter(|it| run_out(it, now).is_none()).map(|it| told(it, caller)).collect())
}

/// Who asks, by their session.
pub(super) async fn own_user(state: &AppState, caller: &Caller) -> Result<(User, SessionId), Error> {
    let (user, session) = caller.session()?;
    let user = state.store.user(user).await?.ok_or(Error::NotLoggedIn)?;
    Ok((user, session))
}

/// One's own sessions, the one used last first.
pub async fn own(state: &AppState, caller: &Caller) -> Result<Vec<SessionInfo>, Error> {
    let (user, _) = own_user(state, caller).await?;
    list(state, caller, &user).await
}

/// Ends one of one's own sessions.
pub async fn end(state: &AppState, caller: &Caller, id: SessionId) -> Result<(), Error> {
    let ended = async {
        let (user, _) = own_user(state, caller).await?;
        end_one(state, caller, &user, id, "ended").await
    };
    Attempt::new("end-session").answered(state, caller, ended.await).await
}

/// Ends all of one's own sessions but the one that asks, and says how many there were.
pub async fn end_others(state: &AppState, caller: &Caller) -> Result<u64, Error> {
    let ended = async {
        let (user, this) = own_user(state, caller).await?;
        end_all(state, caller, &user, Some(this), "ended").await
    };
    Attempt::new("end-sessions").answered(state, caller, ended.await).await
}

/// Anybody's sessions, for those who may read users.
pub async fn of_user(state: &AppState, caller: &Caller, name: &str) -> Result<Vec<SessionInfo>, Error> {
    users::may_read(caller)?;
    let user = users::named(state, name).await?;
    list(state, caller, &user).await
}

/// Ends one of anybody's sessions.
pub async fn end_of_user(state: &AppState, caller: &Caller, name: &str, id: SessionId) -> Result<(), Error> {
    users::changing(state, caller, Attempt::new("end-session"), async || {
        let user = users::named(state, name).await?;
        end_one(state, caller, &user, id, "ended-by-administrator").await
    })
    .await
}

/// Ends all of anybody's sessions, and says how many there were.
pub async fn end_all_of_user(state: &AppState, caller: &Caller, name: &str) -> Result<u64, Error> {
    users::changing(state, caller, Attempt::new("end-sessions"), async || {
        let user = users::named(state, name).await?;
        end_all(state, caller, &user, None, "ended-by-administrator").await
    })
    .await
}

async fn end_one(
    state: &AppState,
    caller: &Caller,
    user: &User,
    id: SessionId,
    why: &str,
) -> Result<(), Error> {
    let address = caller.address_text();
    if !state.store.end_session(user, id, why, by(caller, &address)).await? {
        let message = format!("{} has no session {id} that goes on. Nothing was changed.", user.username);
        return Err(Refusal::Field { field: Field::Session, message }.into());
    }
    state.access_changes.ring();
    tracing::info!(user = user.username, actor = caller.username, session = %id, "session ended");
    Ok(())
}

async fn end_all(
    state: &AppState,
    caller: &Caller,
    user: &User,
    but: Option<SessionId>,
    why: &str,
) -> Result<u64, Error> {
    let address = caller.address_text();
    let count = state.store.end_sessions(user, but, why, by(caller, &address)).await?;
    state.access_changes.ring();
    tracing::info!(user = user.username, actor = caller.username, count, "sessions ended");
    Ok(count)
}

/// Ends the sessions whose time is over and that nobody asked with since, and forgets old ones, for as long as the server
/// runs.
pub async fn keep_swept(state: AppState) {
    loop {
        if let Err(error) = sweep(&state, now_ms()).await {
            tracing::error!(error = %error, "sessions could not be looked through");
        }
        tokio::time::sleep(SWEEP_PAUSE).await;
    }
}

/// What [`keep_swept`] does each time.
pub async fn sweep(state: &AppState, now_ms: i64) -> Result<(), Error> {
    let store = &state.store;
    let (begun_before, seen_before) = (now_ms - ABSOLUTE_LIMIT_MS, now_ms - IDLE_LIMIT_MS);
    for (id, user) in store.overdue_sessions(begun_before, seen_before).await? {
        let Some(user) = store.user(user).await? else { continue };
        let is_old = store.session(id).await?.is_some_and(|(session, _)| session.begun_ms < begun_before);
        let by = By { at_ms: now_ms, ..by_server() };
        store.end_session(&user, id, if is_old { "age" } else { "idle" }, by).await?;
    }
    store.forget_sessions(now_ms - REMEMBERED_MS).await?;
    Ok(())
}
