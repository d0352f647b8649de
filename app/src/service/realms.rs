//! Accounts of Proxmox: log in with one, with its second factor where it has one, and act with its own ticket.
//!
//! ```text
//!   anna@pve, password ─► Proxmox ─► ticket ────────────────────────────► account known? ─► session, ticket kept
//!                              └──► asks for a factor ─► page, code ─► ticket ──┘ no: made, without any right
//! ```
//!
//! Tickets are in this process's memory alone, by the number of the session. They are renewed while the session goes on;
//! without its ticket the session is over, also after a restart of Paddock.

mod table;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    AppState, Error, LogInFailure, Visit,
    accounts::{self, LoggedIn},
    factors, sessions,
    throttle::Pass,
};
use crate::{
    auth::{ActsAs, Caller},
    backend::{
        self, Backend, Error as BackendError, Person, now_ms,
        proxmox::{Entry, Factor, RENEW_AFTER},
    },
    domain::{account::SessionId, action::Refusal, realm, secret::Secret},
    store::{By, LOCAL, NewUser, User},
};
use table::Table;

/// How many passwords Proxmox is asked about at once: it takes seconds over a wrong one, and has other work.
const CHECKS: usize = 2;
/// How often tickets are looked through, and the realms asked for again.
const PAUSE: Duration = Duration::from_secs(60);

/// What is known of people's log-ins at Proxmox. Cheap to clone.
#[derive(Clone)]
pub struct Realms {
    table: Arc<Mutex<Table>>,
    offered: Arc<Mutex<Vec<String>>>,
    checks: Arc<Semaphore>,
}

impl Default for Realms {
    fn default() -> Self {
        Self { table: Arc::default(), offered: Arc::default(), checks: Arc::new(Semaphore::new(CHECKS)) }
    }
}

impl Realms {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the ticket of a session that ends.
    pub(super) fn forget(&self, session: SessionId) {
        self.table().forget(session);
    }

    /// The realms as they were read last; none where there is no Proxmox.
    pub fn offered(&self) -> Vec<String> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn at_proxmox(state: &AppState) -> Option<backend::Realms> {
    state.registry.iter().find_map(|driver| driver.realms())
}

/// The account that is meant: what was typed, of the realm that was chosen unless it names one itself.
pub fn account(state: &AppState, typed: &str, realm: &str) -> String {
    let (typed, realm) = (typed.trim(), realm.trim());
    let offered = state.realms.offered();
    let is_realm = |name: &str| offered.iter().any(|it| it == name);
    // A directory's own names may have an `@` in them: what counts is whether it ends in a realm that there is.
    let names_one = realm::parts(typed).is_some_and(|(_, end)| is_realm(end));
    if names_one || !is_realm(realm) { typed.to_owned() } else { format!("{typed}@{realm}") }
}

/// Whether it is an account of one of the realms that can be chosen.
pub(super) fn is_offered(state: &AppState, account: &str) -> bool {
    let realm = realm::parts(account).map(|(_, realm)| realm);
    realm.is_some_and(|realm| state.realms.offered().iter().any(|it| it == realm))
}

/// Whether Proxmox is asked about this name.
pub(super) fn is_asked(state: &AppState, username: &str) -> bool {
    backend::Realms::is_account(username) && at_proxmox(state).is_some()
}

/// Logs in with an account of Proxmox, and says where to go then.
pub(super) async fn log_in(
    visit: &Visit,
    username: &str,
    secret: &str,
    next: &str,
    pass: Pass,
) -> Result<LoggedIn, LogInFailure> {
    let state = &visit.state;
    let proxmox = at_proxmox(state).ok_or(LogInFailure::Wrong)?;
    let entry = {
        let _turn = turn(state).await?;
        proxmox.log_in(username, &Secret::new(secret)).await
    };
    match entry {
        Ok(Entry::In(person)) => {
            pass.right();
            enter(visit, person, next).await
        }
        Ok(Entry::Factor(factor)) => {
            pass.right();
            factors::ask_proxmox(visit, factor, next).await
        }
        Ok(Entry::Wrong) => Err(wrong(visit, username).await),
        Err(error) => Err(unasked(&error)),
    }
}

async fn turn(state: &AppState) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
    state.realms.checks.acquire().await.map_err(|_| Error::Unwired("checks at Proxmox are closed"))
}

async fn wrong(visit: &Visit, username: &str) -> LogInFailure {
    tracing::warn!(address = ?visit.address, "log-in at Proxmox failed");
    match visit.state.store.user_named(username).await {
        Ok(user) => accounts::note_failure(visit, user.as_ref(), json!({ "known": user.is_some() })).await,
        Err(error) => return LogInFailure::Other(error.into()),
    }
    LogInFailure::Wrong
}

fn unasked(error: &BackendError) -> LogInFailure {
    tracing::error!(%error, "Proxmox could not be asked about a log-in");
    LogInFailure::Unasked
}

/// Whoever Proxmox lets in with that code; `None` for a wrong one.
pub(super) async fn answer(
    visit: &Visit,
    factor: &Factor,
    typed: &str,
) -> Result<Option<Person>, LogInFailure> {
    let state = &visit.state;
    let proxmox = at_proxmox(state).ok_or(LogInFailure::FactorOver)?;
    let entry = {
        let _turn = turn(state).await?;
        proxmox.answer(factor, &Secret::new(typed.trim())).await
    };
    match entry {
        Ok(Entry::In(person)) => Ok(Some(person)),
        Ok(Entry::Factor(_) | Entry::Wrong) => Ok(None),
        Err(error) => Err(unasked(&error)),
    }
}

/// Whoever Proxmox let in, into Paddock; an account that is new here is made, with no right at all.
pub(super) async fn enter(visit: &Visit, person: Person, next: &str) -> Result<LoggedIn, LogInFailure> {
    let state = &visit.state;
    let user = match known(state, &person).await? {
        Some(user) => user,
        None => {
            let address = visit.address_text();
            let by = By { actor: Some(person.user()), address: address.as_deref(), at_ms: now_ms() };
            state.store.add_user(&of_realm(person.user()), by).await.map_err(Error::from)?;
            tracing::info!(user = person.user(), "an account of Proxmox is new here");
            known(state, &person).await?.ok_or(Error::Unwired("an account is gone as it was made"))?
        }
    };
    let (done, session) = accounts::enter(visit, &user, next, json!({})).await?;
    state.realms.table().keep(session, person);
    Ok(done)
}

/// The account of that person here. One of the same letters that is not theirs keeps them out: it may have rights.
async fn known(state: &AppState, person: &Person) -> Result<Option<User>, LogInFailure> {
    let user = state.store.user_named(person.user()).await.map_err(Error::from)?;
    let realm = realm::parts(person.user()).map(|(_, realm)| realm);
    match user {
        Some(user) if user.username != person.user() || Some(user.realm.as_str()) != realm => {
            tracing::warn!(
                user = person.user(),
                other = user.username,
                "an account here has the name of one of Proxmox"
            );
            Err(LogInFailure::NameTaken)
        }
        user => Ok(user),
    }
}

/// An account of Proxmox, for those who have none here yet.
pub(super) fn of_realm(account: &str) -> NewUser {
    NewUser {
        username: account.to_owned(),
        realm: realm::parts(account).map_or_else(String::new, |(_, realm)| realm.to_owned()),
        password_hash: None,
        role: None,
        must_change_password: false,
        created_ms: now_ms(),
    }
}

/// As whom the user of this session acts; `None` where they need a ticket and the session has none: it is over then.
pub(super) fn acts_as(state: &AppState, session: SessionId, user: &User) -> Option<ActsAs> {
    if user.realm == LOCAL {
        return Some(ActsAs::Paddock);
    }
    state.realms.table().ticket(session).map(ActsAs::Person)
}

/// The driver as this caller is to use it: what they do at a backend where they have an account is done by that.
pub(super) fn acting(driver: Arc<dyn Backend>, caller: &Caller) -> Result<Arc<dyn Backend>, Refusal> {
    match &caller.acts_as {
        ActsAs::Paddock => Ok(driver),
        _ if driver.realms().is_none() => Ok(driver),
        ActsAs::Person(person) => Ok(driver.acting_as(person).unwrap_or(driver)),
        ActsAs::Nobody => Err(Refusal::NeedsOwnLogIn { backend: driver.kind() }),
    }
}

/// Renews tickets in time, drops those whose session is over, and reads the realms, for as long as the server runs.
pub async fn keep(state: AppState) {
    loop {
        read_realms(&state).await;
        renew(&state, RENEW_AFTER).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads which realms there are. What was read before stays where Proxmox does not answer.
pub async fn read_realms(state: &AppState) {
    let Some(proxmox) = at_proxmox(state) else { return };
    match proxmox.list().await {
        Ok(realms) => *state.realms.offered.lock().unwrap_or_else(PoisonError::into_inner) = realms,
        Err(error) => tracing::warn!(%error, "the realms of Proxmox cannot be read"),
    }
}

/// What [`keep`] does each time about tickets: those of this age are renewed.
pub async fn renew(state: &AppState, age: Duration) {
    let all = state.realms.table().all();
    for (session, person) in all {
        match sessions::live(state, session, None).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                state.realms.forget(session);
                continue;
            }
            // The next look tells.
            Err(error) => {
                tracing::warn!(%error, "it cannot be seen whether a session goes on");
                continue;
            }
        }
        if let Err(error) = person.renew(age).await {
            tracing::warn!(user = person.user(), %error, "a ticket of Proxmox cannot be renewed; its session is over");
            state.realms.forget(session);
            state.access_changes.ring();
        }
    }
}
