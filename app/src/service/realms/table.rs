//! What is kept of log-ins at Proxmox: tickets of those who are in, half tickets of those who still owe a factor.

use std::collections::HashMap;

use crate::{
    auth::password,
    backend::{Person, proxmox::Factor},
    service::accounts::{ABSOLUTE_LIMIT_MS, IDLE_LIMIT_MS},
    store::{User, UserId},
};

/// How long a second factor is waited for.
const FACTOR_MS: i64 = 5 * 60 * 1000;
/// How often one may be tried. Proxmox itself blocks an account's factor after some more.
const TRIES: u32 = 5;
/// Most that are waited for at once; each took a right password.
const MOST_PENDING: usize = 1000;

/// A new key, which nobody guesses.
pub fn key() -> String {
    password::one_time()
}

/// Somebody's ticket.
pub struct Held {
    person: Person,
    user: UserId,
    epoch: i64,
    begun_ms: i64,
    seen_ms: i64,
}

impl Held {
    pub fn new(person: Person, user: &User, now_ms: i64) -> Self {
        Self { person, user: user.id, epoch: user.session_epoch, begun_ms: now_ms, seen_ms: now_ms }
    }

    fn goes_on(&self, now_ms: i64) -> bool {
        !self.person.is_over()
            && now_ms - self.begun_ms <= ABSOLUTE_LIMIT_MS
            && now_ms - self.seen_ms <= IDLE_LIMIT_MS
    }
}

/// A factor that is waited for.
#[derive(Clone)]
pub struct Pending {
    pub factor: Factor,
    /// Where to go then.
    pub next: String,
    pub tries_left: u32,
    until_ms: i64,
}

impl Pending {
    pub fn new(factor: Factor, next: &str, now_ms: i64) -> Self {
        Self { factor, next: next.to_owned(), tries_left: TRIES, until_ms: now_ms + FACTOR_MS }
    }
}

/// By the keys that sessions have.
#[derive(Default)]
pub struct Table {
    held: HashMap<String, Held>,
    pending: HashMap<String, Pending>,
}

impl Table {
    pub fn keep(&mut self, key: String, held: Held) {
        self.held.insert(key, held);
    }

    /// The ticket of that session, which is this user's; it is in use.
    pub fn used(&mut self, key: &str, user: &User, now_ms: i64) -> Option<Person> {
        let held = self.held.get_mut(key)?;
        if held.user != user.id || held.epoch != user.session_epoch || !held.goes_on(now_ms) {
            self.held.remove(key);
            return None;
        }
        held.seen_ms = now_ms;
        Some(held.person.clone())
    }

    pub fn forget(&mut self, key: &str) {
        self.held.remove(key);
    }

    /// Every ticket whose session may go on, with the user and the epoch of the session.
    pub fn all(&mut self, now_ms: i64) -> Vec<(String, UserId, i64, Person)> {
        self.held.retain(|_, held| held.goes_on(now_ms));
        self.pending.retain(|_, pending| now_ms < pending.until_ms);
        let all = self.held.iter();
        all.map(|(key, held)| (key.clone(), held.user, held.epoch, held.person.clone())).collect()
    }

    /// Waits for a factor.
    pub fn ask(&mut self, key: String, pending: Pending, now_ms: i64) {
        self.pending.retain(|_, pending| now_ms < pending.until_ms);
        if self.pending.len() >= MOST_PENDING {
            let oldest = self.pending.iter().min_by_key(|(_, pending)| pending.until_ms);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.pending.remove(&oldest);
            }
        }
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

    pub fn forget_factor(&mut self, key: &str) {
        self.pending.remove(key);
    }
}
