//! What is remembered of recent attempts: pure, of bounded size, and with a bound on the entries that come of it.

use std::{collections::HashMap, net::IpAddr};

use hashlink::{LruCache, lru_cache::Entry};
use serde_json::json;

use crate::store::{By, EntryKind, Fact};

/// How long a window lasts, milliseconds.
pub(super) const WINDOW_MS: i64 = 3600 * 1000;
/// Windows that are remembered at once. Each writes at most one count an hour.
pub(super) const WINDOWS: usize = 256;
/// Entries of their own for each kind in an hour, however many addresses and accounts there are.
pub(super) const SINGLES_IN_ALL: u32 = 500;

/// Entries of their own for each window. What somebody who is logged in tries is worth more than a stranger's guesses.
pub(super) const fn singles(kind: EntryKind) -> u32 {
    match kind {
        EntryKind::LogInFailed => 20,
        _ => 100,
    }
}

/// Attempts that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: EntryKind,
    /// A whole network for IPv6, where one person has 2^64 addresses.
    address: Option<String>,
    /// Of a log-in the account it was for, of an action who tried it.
    account: Option<String>,
}

impl Key {
    pub fn of(fact: &Fact<'_>) -> Self {
        let account = match fact.kind {
            EntryKind::LogInFailed => fact.subject.clone(),
            _ => fact.by.actor.map(str::to_owned),
        };
        Self { kind: fact.kind, address: fact.by.address.map(network), account }
    }
}

fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => {
            let mut segments = ip.segments();
            segments[4..].fill(0);
            format!("{}/64", std::net::Ipv6Addr::from(segments))
        }
        Ok(ip) => ip.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// Attempts that have no entry of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    /// `None` for the rest of many windows.
    of: Result<Key, EntryKind>,
    pub tries: u64,
    first_ms: i64,
    last_ms: i64,
}

impl Count {
    pub fn one(key: Key, at_ms: i64) -> Self {
        Self { of: Ok(key), tries: 1, first_ms: at_ms, last_ms: at_ms }
    }

    pub fn fact(&self, at_ms: i64) -> Fact<'_> {
        let detail = json!({ "tries": self.tries, "first_ms": self.first_ms, "last_ms": self.last_ms });
        match &self.of {
            Err(kind) => Fact::new(*kind, By { at_ms, ..By::default() }).with(detail),
            Ok(Key { kind, address, account }) => {
                let is_log_in = *kind == EntryKind::LogInFailed;
                let actor = account.as_deref().filter(|_| !is_log_in);
                let fact = Fact::new(*kind, By { actor, address: address.as_deref(), at_ms }).with(detail);
                Fact { subject: account.clone().filter(|_| is_log_in), ..fact }
            }
        }
    }
}

/// Attempts counted so far.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    tries: u64,
    first_ms: i64,
    last_ms: i64,
}

impl Tally {
    fn add(&mut self, tries: u64, first_ms: i64, last_ms: i64) {
        self.first_ms = if self.tries == 0 { first_ms } else { self.first_ms.min(first_ms) };
        self.last_ms = if self.tries == 0 { last_ms } else { self.last_ms.max(last_ms) };
        self.tries += tries;
    }

    fn take(&mut self, of: Result<Key, EntryKind>) -> Option<Count> {
        let Self { tries, first_ms, last_ms } = std::mem::take(self);
        (tries > 0).then_some(Count { of, tries, first_ms, last_ms })
    }
}

/// One hour.
#[derive(Debug, Clone, Copy)]
struct Window {
    begun_ms: i64,
    singles: u32,
    tally: Tally,
}

impl Window {
    fn begin(at_ms: i64) -> Self {
        Self { begun_ms: at_ms, singles: 0, tally: Tally::default() }
    }

    /// Also for a clock that was set back.
    fn is_over(&self, at_ms: i64) -> bool {
        at_ms.abs_diff(self.begun_ms) >= WINDOW_MS.unsigned_abs()
    }
}

pub(super) struct Table {
    windows: LruCache<Key, Window>,
    /// Of each kind: all its entries, and what was counted in windows that had to make room.
    kinds: HashMap<EntryKind, Window>,
}

impl Default for Table {
    fn default() -> Self {
        Self { windows: LruCache::new(WINDOWS), kinds: HashMap::new() }
    }
}

impl Table {
    /// Whether this attempt gets an entry of its own; and counts that are to be written first.
    pub fn admit(&mut self, key: &Key, at_ms: i64) -> (bool, Vec<Count>) {
        let mut due = Vec::new();
        let kind = self.kinds.entry(key.kind).or_insert_with(|| Window::begin(at_ms));
        if kind.is_over(at_ms) {
            due.extend(kind.tally.take(Err(key.kind)));
            *kind = Window::begin(at_ms);
        }
        self.make_room(key, at_ms);
        let window = match self.windows.entry(key.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Window::begin(at_ms)),
        };
        if window.is_over(at_ms) {
            due.extend(window.tally.take(Ok(key.clone())));
            *window = Window::begin(at_ms);
        }
        let kind = self.kinds.entry(key.kind).or_insert_with(|| Window::begin(at_ms));
        if window.singles < singles(key.kind) && kind.singles < SINGLES_IN_ALL {
            window.singles += 1;
            kind.singles += 1;
            return (true, due);
        }
        window.tally.add(1, at_ms, at_ms);
        (false, due)
    }

    /// The window that was used least lately goes where there is none left for this one.
    fn make_room(&mut self, key: &Key, at_ms: i64) {
        if self.windows.len() < WINDOWS || self.windows.contains_key(key) {
            return;
        }
        if let Some((old, window)) = self.windows.remove_lru() {
            let Tally { tries, first_ms, last_ms } = window.tally;
            if tries > 0 {
                let rest = self.kinds.entry(old.kind).or_insert_with(|| Window::begin(at_ms));
                rest.tally.add(tries, first_ms, last_ms);
            }
        }
    }

    /// Counts what could not be written, for another time.
    pub fn put_back(&mut self, count: Count) {
        let Count { of, tries, first_ms, last_ms } = count;
        let window = match of {
            Err(kind) => self.kinds.entry(kind).or_insert_with(|| Window::begin(last_ms)),
            Ok(key) => {
                self.make_room(&key, last_ms);
                match self.windows.entry(key) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(Window::begin(last_ms)),
                }
            }
        };
        window.tally.add(tries, first_ms, last_ms);
    }

    /// The counts of failed log-ins that a success ends. Their windows stay: who may log in gets no more entries by it.
    pub fn of_success(&mut self, account: &str, address: Option<&str>) -> Vec<Count> {
        let address = address.map(network);
        let windows = self.windows.iter_mut().filter(|(key, _)| {
            let same_place = key.account.is_none() && key.address == address;
            key.kind == EntryKind::LogInFailed && (same_place || key.account.as_deref() == Some(account))
        });
        windows.filter_map(|(key, window)| window.tally.take(Ok(key.clone()))).collect()
    }

    /// The counts whose hour is over. Their windows are forgotten.
    pub fn over(&mut self, at_ms: i64) -> Vec<Count> {
        self.close(|window| window.is_over(at_ms))
    }

    pub fn all(&mut self) -> Vec<Count> {
        self.close(|_| true)
    }

    fn close(&mut self, is_over: impl Fn(&Window) -> bool) -> Vec<Count> {
        let over = self.windows.iter().filter(|(_, window)| is_over(window));
        let over: Vec<Key> = over.map(|(key, _)| key.clone()).collect();
        let windows = over.into_iter().filter_map(|key| {
            let mut window = self.windows.remove(&key)?;
            window.tally.take(Ok(key))
        });
        let mut due: Vec<Count> = windows.collect();
        self.kinds.retain(|kind, window| {
            let over = is_over(window);
            if over {
                due.extend(window.tally.take(Err(*kind)));
            }
            !over
        });
        due
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.windows.len()
    }
}
