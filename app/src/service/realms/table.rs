//! What is kept of log-ins at Proxmox: tickets of those who are in, half tickets of those who still owe a factor.

use std::collections::HashMap;

use crate::{
    auth::password,
    backend::{Person, proxmox::Factor},
    domain::account::SessionId,
};

/// How long a second factor is waited for.
const FACTOR_MS: i64 = 5 * 60 * 1000;
/// How often one may be tried. Proxmox itself blocks an account's factor after some more.
const TRIES: u32 = 5;
/// Most that are waited for at once; each took a right password.
const MOST_PENDING: usize = 1000;

/// A new key for what is waited for, which nobody guesses.
pub fn key() -> String {
    password::one_time()
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

/// Tickets by their session, what is waited for by the key in the browser's.
#[derive(Default)]
pub struct Table {
    held: HashMap<SessionId, Person>,
    pending: HashMap<String, Pending>,
}

impl Table {
    pub fn keep(&mut self, session: SessionId, person: Person) {
        self.held.insert(session, person);
    }

    /// The ticket of that session, unless it is over.
    pub fn ticket(&mut self, session: SessionId) -> Option<Person> {
        self.held.get(&session).filter(|person| !person.is_over()).cloned()
    }

    pub fn forget(&mut self, session: SessionId) {
        self.held.remove(&session);
    }

    /// Every ticket.
    pub fn all(&mut self, now_ms: i64) -> Vec<(SessionId, Person)> {
        self.pending.retain(|_, pending| now_ms < pending.until_ms);
        self.held.iter().map(|(session, person)| (*session, person.clone())).collect()
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
