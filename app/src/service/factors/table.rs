//! What is kept in memory of second factors: whose are waited for, and what authenticators are told while one is set up.

use std::collections::HashMap;

use crate::{
    auth::{factor::FactorSecret, password},
    backend::proxmox,
    domain::{account::SessionId, secret::Secret},
    store::UserId,
};

/// How long a second factor is waited for.
const FACTOR_MS: i64 = 5 * 60 * 1000;
/// How often one may be tried. Proxmox itself blocks an account's factor after some more.
const TRIES: u32 = 5;
/// Most that are waited for at once; each took a right password.
const MOST_PENDING: usize = 1000;
/// How long what an authenticator was told is good for its first code.
const SETUP_MS: i64 = 15 * 60 * 1000;
/// Most that are set up at once; each takes a session of its own.
const MOST_SETUPS: usize = 1000;
/// How long recovery codes are told.
const TOLD_MS: i64 = 2 * 60 * 1000;

/// A new key for what is waited for, which nobody guesses.
pub fn key() -> String {
    password::one_time()
}

/// Whose factor it is.
#[derive(Clone)]
pub enum Asked {
    /// Proxmox is to check it.
    Proxmox(proxmox::Factor),
    /// One of Paddock's own accounts, as of its session epoch: a new password begins it all again.
    Own { user: UserId, username: String, epoch: i64 },
}

impl Asked {
    pub fn username(&self) -> &str {
        match self {
            Self::Proxmox(factor) => factor.user(),
            Self::Own { username, .. } => username,
        }
    }
}

/// A factor that is waited for.
#[derive(Clone)]
pub struct Pending {
    pub asked: Asked,
    /// Where to go then.
    pub next: String,
    pub tries_left: u32,
    until_ms: i64,
}

impl Pending {
    pub fn new(asked: Asked, next: &str, now_ms: i64) -> Self {
        Self { asked, next: next.to_owned(), tries_left: TRIES, until_ms: now_ms + FACTOR_MS }
    }
}

/// What is waited for by the key in the browser's session, the others by their session.
#[derive(Default)]
pub struct Table {
    pending: HashMap<String, Pending>,
    setups: HashMap<SessionId, (FactorSecret, i64)>,
    told: HashMap<SessionId, (Vec<Secret>, i64)>,
}

impl Table {
    /// Drops what nobody waits for any more.
    pub fn sweep(&mut self, now_ms: i64) {
        self.pending.retain(|_, pending| now_ms < pending.until_ms);
        self.setups.retain(|_, (_, until_ms)| now_ms < *until_ms);
        self.told.retain(|_, (_, until_ms)| now_ms < *until_ms);
    }

    /// Waits for a factor.
    pub fn ask(&mut self, key: String, pending: Pending, now_ms: i64) {
        self.sweep(now_ms);
        make_room(&mut self.pending, MOST_PENDING, |pending| pending.until_ms);
        self.pending.insert(key, pending);
    }

    /// What is waited for, with one try less; `None` once there are no more tries, or the time is up.
    pub fn try_factor(&mut self, key: &str, now_ms: i64) -> Option<Pending> {
        let pending = self.pending.get_mut(key)?;
        if pending.tries_left == 0 || now_ms >= pending.until_ms {
            self.pending.remove(key);
            return None;
        }
        pending.tries_left -= 1;
        Some(pending.clone())
    }

    pub fn forget_pending(&mut self, key: &str) {
        self.pending.remove(key);
    }

    /// What the authenticator of this session's user is told: the same until a code of it was taken, or the time is up.
    pub fn setup(&self, session: SessionId, now_ms: i64) -> Option<FactorSecret> {
        self.setups.get(&session).filter(|(_, until_ms)| now_ms < *until_ms).map(|(secret, _)| secret.clone())
    }

    /// The one that is there already, where somebody was faster.
    pub fn begin_setup(&mut self, session: SessionId, fresh: FactorSecret, now_ms: i64) -> FactorSecret {
        self.sweep(now_ms);
        if let Some(secret) = self.setup(session, now_ms) {
            return secret;
        }
        make_room(&mut self.setups, MOST_SETUPS, |(_, until_ms)| *until_ms);
        self.setups.insert(session, (fresh.clone(), now_ms + SETUP_MS));
        fresh
    }

    pub fn end_setup(&mut self, session: SessionId) {
        self.setups.remove(&session);
    }

    /// Recovery codes that were just made in this session.
    pub fn tell(&mut self, session: SessionId, codes: &[String], now_ms: i64) {
        self.sweep(now_ms);
        self.told.insert(session, (codes.iter().map(Secret::new).collect(), now_ms + TOLD_MS));
    }

    pub fn told(&self, session: SessionId, now_ms: i64) -> Vec<String> {
        let fresh = self.told.get(&session).filter(|(_, until_ms)| now_ms < *until_ms);
        fresh
            .map(|(codes, _)| codes.iter().map(|code| code.expose().to_owned()).collect())
            .unwrap_or_default()
    }
}

/// Drops the oldest where there are as many as may be.
fn make_room<K: Clone + Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V>,
    most: usize,
    until: impl Fn(&V) -> i64,
) {
    if map.len() >= most
        && let Some(oldest) = map.iter().min_by_key(|(_, value)| until(value)).map(|(key, _)| key.clone())
    {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Asked {
        Asked::Own { user: UserId(1), username: "anna".to_owned(), epoch: 0 }
    }

    #[test]
    fn a_factor_is_waited_for_some_tries_and_some_minutes() {
        let mut table = Table::default();
        table.ask("a".to_owned(), Pending::new(own(), "/guests", 0), 0);
        table.ask("b".to_owned(), Pending::new(own(), "/guests", 0), 0);
        for left in (0..TRIES).rev() {
            assert_eq!(table.try_factor("a", FACTOR_MS - 1).unwrap().tries_left, left);
        }
        assert!(table.try_factor("a", 1).is_none());
        assert!(table.try_factor("b", FACTOR_MS).is_none());
        assert!(table.try_factor("c", 1).is_none());
    }

    #[test]
    fn no_table_grows_without_bound() {
        let mut table = Table::default();
        for nth in 0..3000 {
            table.ask(key(), Pending::new(own(), "/", nth), nth);
            table.begin_setup(SessionId(nth), FactorSecret::new().unwrap(), nth);
        }
        assert_eq!(table.pending.len(), MOST_PENDING);
        assert_eq!(table.setups.len(), MOST_SETUPS);
        table.sweep(SETUP_MS + 3000);
        assert_eq!((table.pending.len(), table.setups.len()), (0, 0));
    }

    #[test]
    fn an_authenticator_is_told_the_same_until_the_time_is_up() {
        let mut table = Table::default();
        let first = table.begin_setup(SessionId(1), FactorSecret::new().unwrap(), 0);
        assert_eq!(table.begin_setup(SessionId(1), FactorSecret::new().unwrap(), SETUP_MS - 1), first);
        assert_eq!(table.setup(SessionId(2), 0), None);
        assert_eq!(table.setup(SessionId(1), SETUP_MS), None);
        assert_ne!(table.begin_setup(SessionId(1), FactorSecret::new().unwrap(), SETUP_MS), first);
    }

    #[test]
    fn recovery_codes_are_told_in_their_session_and_not_for_long() {
        let mut table = Table::default();
        table.tell(SessionId(1), &["abcd".to_owned()], 0);
        assert_eq!(table.told(SessionId(1), TOLD_MS - 1), ["abcd"]);
        assert!(table.told(SessionId(2), 0).is_empty());
        assert!(table.told(SessionId(1), TOLD_MS).is_empty());
    }
}
