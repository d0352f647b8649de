//! Wrong passwords cost time: a growing delay for the account and for the address that they come from.
//!
//! ```text
//!   a try ─► its keys ──► each has tries left, or its delay is over ──► counted at all of them, the password is checked
//!                   └──► one is still waiting ─► refused unchecked, and costs nothing more
//!   right: not counted after all
//! ```
//!
//! | from where | counted at |
//! |---|---|
//! | a browser that this account has logged in with | that browser alone: nobody else can lock it out |
//! | an address that it has logged in from | the address, and the account at this address |
//! | anywhere else | these two, and the account at all such places together |
//! | with the right password, for a second factor | the address, and the factor from this known browser, or from all others |
//!
//! So however many addresses guess, an account is worth a few tries an hour to them, and its user is not kept out. Whoever
//! has no known place left gets a new password on the host, which begins the account's count anew. A name that is no
//! account's is counted as one that is. All of it is in memory, of bounded size, and forgotten after an hour of quiet.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hashlink::LruCache;
use sha2::{Digest as _, Sha256};

use super::{Error, Visit, sessions};
use crate::{
    backend::now_ms,
    domain::account::SecretHash,
    store::{Known, User, UserId},
};

/// The first delay; each further wrong password doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// After so long without a try all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Keys of each kind that are remembered.
const KEYS: usize = 4096;

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    /// With the epoch: a new password begins the count anew.
    Known(UserId, i64),
    /// A name that is no account's, hashed, as it may be long.
    Nobody(SecretHash),
}

/// Whole networks for IPv6, where one person has 2^64 addresses.
type Place = Option<IpAddr>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(Place),
    AccountAt(Who, Place),
    Account(Who),
    Device(UserId, SecretHash),
    /// Whoever is logged in and changes the password.
    OwnPassword(UserId),
    /// Codes of whoever has told the password: those from a browser that the account has logged in with, or all others.
    Factor(Who, Option<SecretHash>),
}

impl Key {
    /// Wrong passwords that cost nothing yet.
    fn free(self) -> u32 {
        match self {
            Self::Address(_) | Self::Account(_) => 20,
            Self::Device(..) | Self::Factor(..) => 10,
            Self::AccountAt(..) | Self::OwnPassword(_) => 5,
        }
    }

    /// Which table it is in: strangers' names push out no accounts.
    fn table(self) -> usize {
        match self {
            Self::Address(_) => 0,
            Self::AccountAt(Who::Known(..), _) => 1,
            Self::AccountAt(Who::Nobody(_), _) => 2,
            Self::Account(Who::Known(..)) => 3,
            Self::Account(Who::Nobody(_)) => 4,
            Self::Device(..) => 5,
            Self::OwnPassword(_) => 6,
            Self::Factor(..) => 7,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    tries: u32,
    last: Duration,
}

impl Tally {
    fn delay(self, free: u32) -> Duration {
        match self.tries.saturating_sub(free) {
            0 => Duration::ZERO,
            over => FIRST_DELAY.saturating_mul(1 << (over - 1).min(16)).min(LONGEST_DELAY),
        }
    }
}

/// Pure: times are those since the start.
struct Table([LruCache<Key, Tally>; 8]);

impl Default for Table {
    fn default() -> Self {
        Self(std::array::from_fn(|_| LruCache::new(KEYS)))
    }
}

impl Table {
    /// Counts a try at each of the keys; or says how long to wait, and counts nothing.
    fn admit(&mut self, keys: &[Key], now: Duration) -> Result<(), Duration> {
        let mut wait = Duration::ZERO;
        for key in keys {
            let table = &mut self.0[key.table()];
            let Some(tally) = table.get(key).copied() else { continue };
            if now.saturating_sub(tally.last) >= FORGOTTEN {
                table.remove(key);
            } else {
                wait = wait.max((tally.last + tally.delay(key.free())).saturating_sub(now));
            }
        }
        if wait > Duration::ZERO {
            return Err(wait);
        }
        for key in keys {
            let table = &mut self.0[key.table()];
            let tries = table.get(key).map_or(0, |tally| tally.tries);
            table.insert(*key, Tally { tries: tries.saturating_add(1), last: now });
        }
        Ok(())
    }

    /// The password was right: what was counted for it is taken back, and whoever knows it is welcome where they are.
    fn right(&mut self, keys: &[Key]) {
        for key in keys {
            let table = &mut self.0[key.table()];
            match key {
                Key::Address(_) | Key::Account(_) => {
                    if let Some(tally) = table.get_mut(key) {
                        tally.tries = tally.tries.saturating_sub(1);
                    }
                }
                Key::AccountAt(..) | Key::Device(..) | Key::OwnPassword(_) | Key::Factor(..) => {
                    table.remove(key);
                }
            }
        }
    }
}

/// What is remembered of wrong passwords. Cheap to clone.
#[derive(Clone)]
pub(super) struct Throttle {
    table: Arc<Mutex<Table>>,
    start: Instant,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { table: Arc::default(), start: Instant::now() }
    }
}

/// A password that may be checked. It counts as wrong unless it is told to be [`right`](Self::right).
pub(super) struct Pass {
    throttle: Throttle,
    keys: Vec<Key>,
}

impl Pass {
    pub fn right(self) {
        self.throttle.table.lock().unwrap_or_else(PoisonError::into_inner).right(&self.keys);
    }
}

impl Throttle {
    fn admit(&self, keys: Vec<Key>) -> Result<Pass, u64> {
        let now = self.start.elapsed();
        let admitted = self.table.lock().unwrap_or_else(PoisonError::into_inner).admit(&keys, now);
        match admitted {
            Ok(()) => Ok(Pass { throttle: self.clone(), keys }),
            Err(wait) => Err(wait.as_secs() + 1),
        }
    }

    /// Whether a log-in's password may be checked now; else in how many seconds.
    pub async fn log_in(
        &self,
        visit: &Visit,
        name: &str,
        user: Option<&User>,
    ) -> Result<Result<Pass, u64>, Error> {
        let known = known_places(visit, user).await?;
        Ok(self.admit(keys(visit, name, user, &known)))
    }

    /// As [`log_in`](Self::log_in), for the code of a second factor: counted by itself, as the right password before it
    /// would take back each wrong one.
    pub async fn factor(
        &self,
        visit: &Visit,
        name: &str,
        user: Option<&User>,
    ) -> Result<Result<Pass, u64>, Error> {
        let device = known_device(visit, &known_places(visit, user).await?);
        let keys = vec![Key::Address(visit.address.map(network)), Key::Factor(who(name, user), device)];
        Ok(self.admit(keys))
    }

    /// As [`log_in`](Self::log_in), for the password of somebody who is logged in.
    pub fn own_password(&self, user: UserId) -> Result<Pass, u64> {
        self.admit(vec![Key::OwnPassword(user)])
    }
}

/// From where the account has logged in lately. Nobody has no places, and is asked for as many.
async fn known_places(visit: &Visit, user: Option<&User>) -> Result<Vec<Known>, Error> {
    let id = user.map_or(UserId(0), |user| user.id);
    let since_ms = now_ms() - sessions::REMEMBERED_MS;
    Ok(visit.state.store.known_places(id, since_ms).await?)
}

fn keys(visit: &Visit, name: &str, user: Option<&User>, known: &[Known]) -> Vec<Key> {
    let place = visit.address.map(network);
    let who = who(name, user);
    if let (Some(user), Some(device)) = (user, known_device(visit, known)) {
        return vec![Key::Device(user.id, device)];
    }
    let mut keys = vec![Key::Address(place), Key::AccountAt(who, place)];
    let is_known = known.iter().any(|it| {
        let address = it.address.as_deref().and_then(|text| text.parse().ok());
        place.is_some() && address.map(network) == place
    });
    if !is_known {
        keys.push(Key::Account(who));
    }
    keys
}

fn who(name: &str, user: Option<&User>) -> Who {
    match user {
        Some(user) => Who::Known(user.id, user.session_epoch),
        None => Who::Nobody(Sha256::digest(name.trim().to_lowercase()).into()),
    }
}

/// The browser, if the account has logged in with it.
fn known_device(visit: &Visit, known: &[Known]) -> Option<SecretHash> {
    visit.device_key.filter(|key| known.iter().any(|it| it.device_key.as_deref() == Some(key.as_slice())))
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => {
            let mut segments = ip.segments();
            segments[4..].fill(0);
            Ipv6Addr::from(segments).into()
        }
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Key = Key::Account(Who::Known(UserId(1), 0));

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_delay_grows_to_a_quarter_of_an_hour_and_no_further() {
        let mut table = Table::default();
        let mut now = Duration::ZERO;
        let mut delays = Vec::new();
        for _ in 0..40 {
            if let Err(wait) = table.admit(&[ANNA], now) {
                delays.push(wait.as_secs());
                assert!(table.admit(&[ANNA], now + wait - Duration::from_millis(1)).is_err());
                now += wait;
                table.admit(&[ANNA], now).unwrap();
            }
        }
        assert_eq!(delays.len(), 40 - 21, "the first ones cost nothing");
        assert_eq!(delays[..12], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert!(delays[12..].iter().all(|delay| *delay == 900));
        assert!(table.admit(&[ANNA], now + FORGOTTEN).is_ok());
        assert!(table.admit(&[ANNA], now + FORGOTTEN).is_ok(), "it begins anew");
    }

    #[test]
    fn a_refused_try_costs_nothing_more_and_a_right_password_is_not_counted() {
        let mut table = Table::default();
        for _ in 0..21 {
            table.admit(&[ANNA], Duration::ZERO).unwrap();
        }
        for _ in 0..1000 {
            assert_eq!(table.admit(&[ANNA], Duration::ZERO), Err(seconds(1)));
        }
        for nth in 1..1000 {
            table.admit(&[ANNA], seconds(nth)).unwrap();
            table.right(&[ANNA]);
        }
    }

    #[test]
    fn many_at_once_get_no_more_tries_than_one_after_the_other() {
        let throttle = Throttle::default();
        let passes: Vec<_> = (0..100).map(|_| throttle.admit(vec![ANNA])).collect();
        assert_eq!(passes.iter().filter(|pass| pass.is_ok()).count(), 21);
    }

    #[test]
    fn names_that_are_no_accounts_push_out_no_account_and_no_table_grows() {
        let mut table = Table::default();
        for _ in 0..21 {
            table.admit(&[ANNA], Duration::ZERO).unwrap();
        }
        for nth in 0..20_000u32 {
            let nobody = Who::Nobody(Sha256::digest(nth.to_be_bytes()).into());
            let place = Some(IpAddr::from(nth.to_be_bytes()));
            table
                .admit(
                    &[Key::Address(place), Key::Account(nobody), Key::AccountAt(nobody, place)],
                    Duration::ZERO,
                )
                .unwrap();
        }
        assert!(table.admit(&[ANNA], Duration::ZERO).is_err());
        assert!(table.0.iter().all(|table| table.len() <= KEYS));
    }

    #[test]
    fn an_ipv6_network_is_one_place() {
        let at = |text: &str| network(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
