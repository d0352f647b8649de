//! Second factors: asked for after the password, set up by their user, taken off by whoever may.
//!
//! ```text
//!   password right ─► no factor ─────────────────────────────────────► session
//!                └──► a factor ─► page, five minutes, five tries ──► code, or recovery code ─► session
//!
//!   Off ──► key and QR code shown, a code of it and the password told ──► On ──► code and password told ──► Off
//! ```
//!
//! A code is taken once, and none that is older than one that was taken; a recovery code is taken once. Those of Proxmox's
//! accounts are asked for on the same page, and checked by Proxmox ([`realms`]).

mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::{
    AccountFailure, AppState, Error, LogInFailure, Visit,
    accounts::{self, LoggedIn},
    realms, sessions,
};
use crate::{
    auth::{Caller, factor, factor::FactorSecret, qr},
    backend::{now_ms, proxmox},
    domain::account::{FactorInfo, FactorSetup, Owed, SecretHash, SessionId},
    store::{By, Factor, LOCAL, NewFactor, User},
};
use table::{Asked, Pending, Table};

/// The key of the session layer's row.
const FACTOR: &str = "factor";
/// Where a second factor is asked for.
const FACTOR_PAGE: &str = "/login/factor";
/// What the key that seals is made for.
pub(super) const SEALED: &str = "paddock second factors";

/// What is remembered of second factors. Cheap to clone.
#[derive(Clone, Default)]
pub struct Factors(Arc<Mutex<Table>>);

impl Factors {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody who is logged in has to do first.
pub(super) fn owed(state: &AppState, user: &User) -> Option<Owed> {
    if user.must_change_password {
        return Some(Owed::Password);
    }
    (is_required(state, user) && !user.has_factor).then_some(Owed::Factor)
}

fn is_required(state: &AppState, user: &User) -> bool {
    user.realm == LOCAL && (user.factor_required || state.requires_factor)
}

/// The password was right: asks this browser for a code.
pub(super) async fn ask_own(visit: &Visit, user: &User, next: &str) -> Result<LoggedIn, LogInFailure> {
    let (username, epoch) = (user.username.clone(), user.session_epoch);
    ask(visit, Asked::Own { user: user.id, username, epoch }, next).await
}

/// As [`ask_own`], for what Proxmox is to check.
pub(super) async fn ask_proxmox(
    visit: &Visit,
    factor: proxmox::Factor,
    next: &str,
) -> Result<LoggedIn, LogInFailure> {
    if !factor.takes_totp && !factor.takes_recovery {
        return Err(LogInFailure::OtherFactor);
    }
    ask(visit, Asked::Proxmox(factor), next).await
}

async fn ask(visit: &Visit, asked: Asked, next: &str) -> Result<LoggedIn, LogInFailure> {
    let session = visit.session()?;
    // As with a log-in: a session planted before must not be the one that is answered in.
    sessions::renew(session).await?;
    let key = table::key();
    session.insert(FACTOR, &key).await.map_err(Error::from)?;
    visit.state.factors.table().ask(key, Pending::new(asked, next, now_ms()), now_ms());
    Ok(LoggedIn { landing: FACTOR_PAGE.to_owned(), device: None })
}

/// Answers what the log-in has asked for, in the same browser.
pub async fn answer(visit: &Visit, typed: &str) -> Result<LoggedIn, LogInFailure> {
    let state = &visit.state;
    let session = visit.session()?;
    let key = session.get::<String>(FACTOR).await.map_err(Error::from)?;
    // Counted before it is tried, so that many at once are not more tries.
    let pending = key.as_ref().and_then(|key| state.factors.table().try_factor(key, now_ms()));
    let (Some(key), Some(pending)) = (key, pending) else { return Err(LogInFailure::FactorOver) };
    let username = pending.asked.username();
    let user = state.store.user_named(username).await.map_err(Error::from)?;
    let pass = state.throttle.factor(visit, username, user.as_ref()).await?;
    let pass = pass.map_err(|seconds| LogInFailure::TooMany { seconds })?;
    let done = match &pending.asked {
        Asked::Proxmox(factor) => match realms::answer(visit, factor, typed).await? {
            Some(person) => {
                leave_waiting(visit, &key).await?;
                Some(realms::enter(visit, person, &pending.next).await?)
            }
            None => None,
        },
        Asked::Own { user: id, epoch, .. } => {
            let Some(user) = user.as_ref().filter(|user| user.id == *id && user.session_epoch == *epoch)
            else {
                return Err(LogInFailure::FactorOver);
            };
            match take(state, user, typed, visit.address_text().as_deref()).await? {
                Some(by) => {
                    leave_waiting(visit, &key).await?;
                    Some(accounts::enter(visit, user, &pending.next, json!({ "factor": by })).await?.0)
                }
                None => None,
            }
        }
    };
    if let Some(done) = done {
        pass.right();
        return Ok(done);
    }
    tracing::warn!(address = ?visit.address, "a second factor was wrong");
    accounts::note_failure(visit, user.as_ref(), json!({ "known": user.is_some(), "factor": true })).await;
    Err(if pending.tries_left == 0 { LogInFailure::FactorOver } else { LogInFailure::WrongFactor })
}

async fn leave_waiting(visit: &Visit, key: &str) -> Result<(), Error> {
    visit.state.factors.table().forget_pending(key);
    visit.session()?.remove::<String>(FACTOR).await?;
    Ok(())
}

/// Takes a code or a recovery code, and says which it was; `None` for a wrong one, and for one that was taken before.
async fn take(
    state: &AppState,
    user: &User,
    typed: &str,
    address: Option<&str>,
) -> Result<Option<&'static str>, Error> {
    let at_ms = now_ms();
    if let Some(hash) = factor::recovery_hash(typed) {
        let by = By { actor: Some(&user.username), address, at_ms };
        let is_taken = state.store.take_recovery_code(user.id, &hash, by).await?;
        return Ok(is_taken.then_some("recovery-code"));
    }
    let Some(stored) = state.store.factor(user.id).await? else { return Ok(None) };
    let Some(step) = opened(state, user, &stored)?.step_of(typed, at_ms) else { return Ok(None) };
    Ok(state.store.take_step(user.id, step).await?.then_some("totp"))
}

fn opened(state: &AppState, user: &User, stored: &Factor) -> Result<FactorSecret, Error> {
    let bytes = state.sealer.open(&stored.secret, &sealed_for(user));
    bytes
        .and_then(|bytes| FactorSecret::read(&bytes))
        .ok_or_else(|| Error::Sealed { user: user.username.clone() })
}

fn sealed_for(user: &User) -> String {
    format!("user:{}", user.id.0)
}

/// The second factor of the caller's own account, and what an authenticator is to know where there is none.
pub async fn own(state: &AppState, caller: &Caller) -> Result<FactorInfo, Error> {
    if caller.owed == Some(Owed::Password) {
        return Err(Error::PasswordChangeDue);
    }
    let (user, session) = sessions::own_user(state, caller).await?;
    if user.realm != LOCAL {
        return Ok(FactorInfo::AtProxmox);
    }
    let is_required = is_required(state, &user);
    if let Some(stored) = state.store.factor(user.id).await? {
        let codes = state.factors.table().told(session, now_ms());
        let (since_ms, codes_left) = (stored.created_ms, stored.codes_left);
        return Ok(FactorInfo::On { is_required, since_ms, codes_left, codes });
    }
    let secret = state.factors.table().begin_setup(session, FactorSecret::new()?, now_ms());
    let address = secret.address(&format!("Paddock {}", state.host), &user.username);
    let qr = qr::code(&address).ok_or(Error::Unwired("an address is too long for a QR code"))?;
    Ok(FactorInfo::Off { is_required, setup: FactorSetup { key: secret.typed(), qr } })
}

/// Sets up the factor whose key [`own`] has told, and ends all other sessions. Then `own` tells its recovery codes.
pub async fn set_up(
    visit: &Visit,
    caller: &Caller,
    password: &str,
    code: &str,
) -> Result<(), AccountFailure> {
    accounts::recorded(visit, caller, "add-factor", async {
        let state = &visit.state;
        let (user, session) = local_user(state, caller).await?;
        if user.has_factor {
            return Err(AccountFailure::HasFactor);
        }
        let secret = state.factors.table().setup(session, now_ms()).ok_or(AccountFailure::SetupOver)?;
        let pass = checked(state, &user, password).await?;
        let step = secret.step_of(code, now_ms()).ok_or(AccountFailure::WrongCode)?;
        pass.right();
        let (codes, hashes) = fresh_codes()?;
        let sealed = state.sealer.seal(secret.expose(), &sealed_for(&user)).map_err(Error::from)?;
        let new = NewFactor { secret: &sealed, step, codes: &hashes, session };
        let address = visit.address_text();
        let by = accounts::by(caller, &address);
        if !state.store.add_factor(user.id, new, by).await.map_err(Error::from)? {
            return Err(AccountFailure::HasFactor);
        }
        state.access_changes.ring();
        sessions::renew(visit.session().map_err(Error::from)?).await?;
        keep_codes(state, session, &codes);
        state.factors.table().end_setup(session);
        tracing::info!(user = user.username, address = ?visit.address, "second factor set up");
        Ok(())
    })
    .await
}

/// Makes new recovery codes, which [`own`] then tells; all before are worth nothing.
pub async fn renew_codes(
    visit: &Visit,
    caller: &Caller,
    password: &str,
    code: &str,
) -> Result<(), AccountFailure> {
    accounts::recorded(visit, caller, "renew-recovery-codes", async {
        let state = &visit.state;
        let (user, session) = proven(visit, caller, password, code).await?;
        let (codes, hashes) = fresh_codes()?;
        let address = visit.address_text();
        let by = accounts::by(caller, &address);
        if !state.store.renew_recovery_codes(user.id, &hashes, by).await.map_err(Error::from)? {
            return Err(AccountFailure::NoFactor);
        }
        keep_codes(state, session, &codes);
        Ok(())
    })
    .await
}

/// Takes off the caller's own factor.
pub async fn remove_own(
    visit: &Visit,
    caller: &Caller,
    password: &str,
    code: &str,
) -> Result<(), AccountFailure> {
    accounts::recorded(visit, caller, "remove-factor", async {
        let state = &visit.state;
        let (user, _) = proven(visit, caller, password, code).await?;
        let address = visit.address_text();
        let by = accounts::by(caller, &address);
        if !state.store.remove_factor(user.id, by).await.map_err(Error::from)? {
            return Err(AccountFailure::NoFactor);
        }
        state.access_changes.ring();
        tracing::info!(user = user.username, address = ?visit.address, "second factor removed");
        Ok(())
    })
    .await
}

/// Whoever has both the password and the factor.
async fn proven(
    visit: &Visit,
    caller: &Caller,
    password: &str,
    code: &str,
) -> Result<(User, SessionId), AccountFailure> {
    let state = &visit.state;
    let (user, session) = local_user(state, caller).await?;
    if !user.has_factor {
        return Err(AccountFailure::NoFactor);
    }
    let pass = checked(state, &user, password).await?;
    if take(state, &user, code, visit.address_text().as_deref()).await?.is_none() {
        return Err(AccountFailure::WrongCode);
    }
    pass.right();
    Ok((user, session))
}

async fn local_user(state: &AppState, caller: &Caller) -> Result<(User, SessionId), AccountFailure> {
    let (user, session) = sessions::own_user(state, caller).await?;
    if user.realm != LOCAL {
        return Err(AccountFailure::OfRealm);
    }
    if user.must_change_password {
        return Err(Error::PasswordChangeDue.into());
    }
    Ok((user, session))
}

/// The password is right. The try still counts until the code is right, too.
async fn checked(
    state: &AppState,
    user: &User,
    password: &str,
) -> Result<super::throttle::Pass, AccountFailure> {
    let pass = state.throttle.own_password(user.id).map_err(|seconds| AccountFailure::TooMany { seconds })?;
    if !accounts::verified(state, password, Some(user)).await? {
        return Err(AccountFailure::WrongPassword);
    }
    Ok(pass)
}

fn fresh_codes() -> Result<(Vec<String>, Vec<SecretHash>), Error> {
    Ok(factor::recovery_codes()?.into_iter().unzip())
}

fn keep_codes(state: &AppState, session: SessionId, codes: &[String]) {
    state.factors.table().tell(session, codes, now_ms());
}
