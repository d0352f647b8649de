//! When a backend is read: after a change, at a slow beat, and ever more seldom while it fails.
//!
//! ```text
//!              heard, or a source is new
//!           ┌──────────────────────────────┐
//!   read ─► wait: 25 ms, 50 ms, ... 5 s, 5 s, ...         where changes are heard; up to a minute where readings are long
//!   read ─► wait: the backend's interval                  where they are not, or where the backend hears them itself:
//!                                                         then single guests are read in between
//!   read ─► wait: twice as long each time, about 30 s     while it fails
//! ```
//!
//! The kernel may tell of a change a moment before it can be read, and of some not at all: an address by DHCP. So the
//! readings after one become rarer by and by.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Inventory, LONGEST_PAUSE, RETRY};
use crate::backend::{Backend, Heard, Watcher};

/// Between two readings while there is much to hear.
const SOON: Duration = Duration::from_millis(25);
/// Readings may take one part in so many of all the time, however much there is to hear.
const SHARE: u32 = 3;
/// Between two readings while there is nothing to hear: the slow comparison.
pub(super) const BEAT: Duration = Duration::from_secs(5);
/// That may take one part in so many of the time: with thousands of guests it is rarer.
const SHARE_OF_REST: u32 = 50;
/// However many there are.
const LONGEST_BEAT: Duration = Duration::from_secs(60);

/// How long at least, and at most, after a reading that took so long.
fn pauses(after: Duration, work: Duration, beat: Duration) -> (Duration, Duration) {
    let least = SOON.max(work * (SHARE - 1));
    let beat = work.saturating_mul(SHARE_OF_REST).min(LONGEST_BEAT).max(beat);
    (least, after.min(beat).max(least))
}

/// Reads one backend for ever.
pub(super) struct Feed<'a> {
    inventory: &'a Inventory,
    backend: &'a dyn Backend,
    ear: Ear,
    /// That nothing is heard has been said.
    is_told: bool,
}

/// What listens to a backend's sources.
enum Ear {
    Open(Watcher),
    /// Not to be tried before then.
    Shut(Instant),
}

impl<'a> Feed<'a> {
    pub fn new(inventory: &'a Inventory, backend: &'a dyn Backend) -> Self {
        Self { inventory, backend, ear: Ear::Shut(Instant::now()), is_told: false }
    }

    pub async fn run(mut self) {
        let interval = self.backend.list_interval();
        let mut backoff = backoff(interval);
        let mut after = SOON;
        // What was read before anybody listened may be old by now.
        let mut pause = Duration::ZERO;
        loop {
            let heard = self.pause(pause, after).await;
            let began = Instant::now();
            if !self.inventory.is_available(self.backend.kind()) {
                self.ear = Ear::Shut(began);
                sleep(RETRY).await;
                self.inventory.probe(self.backend).await;
                (pause, after) = (Duration::ZERO, SOON);
                continue;
            }
            if !self.inventory.refresh(self.backend).await {
                sleep(backoff.next().unwrap_or(LONGEST_PAUSE)).await;
                (pause, after) = (Duration::ZERO, SOON);
                continue;
            }
            backoff = self::backoff(interval);
            match self.listen().await {
                Some(new) => {
                    after = if heard || new { SOON } else { after.saturating_mul(2) };
                    (pause, after) = pauses(after, began.elapsed(), self.inventory.beat);
                }
                None => (pause, after) = (SOON, interval),
            }
        }
    }

    /// Waits for the next reading: `least` in any case, `most` unless there is something to hear. True if there was.
    async fn pause(&mut self, least: Duration, most: Duration) -> bool {
        let began = Instant::now();
        sleep(least).await;
        let end = began + most;
        loop {
            let heard = tokio::select! {
                heard = self.backend.heard() => heard,
                // Either of the two may be for ever.
                heard = timeout_at(end, watched(&mut self.ear)) => {
                    if let Ok(Err(error)) = &heard {
                        self.shut(&error.to_string(), false);
                    }
                    return heard.is_ok();
                }
            };
            match heard {
                Heard::List => return true,
                Heard::Guests(names) => self.inventory.refresh_some(self.backend, &names).await,
            }
        }
    }

    /// Brings what is listened to up to date. `None` where nothing can be heard, else whether something is new.
    async fn listen(&mut self) -> Option<bool> {
        if matches!(self.ear, Ear::Shut(until) if Instant::now() < until) {
            return None;
        }
        let sources = match self.backend.sources().await {
            Ok(sources) => sources?,
            Err(error) => {
                self.shut(&error.to_string(), false);
                return None;
            }
        };
        let was_shut = matches!(self.ear, Ear::Shut(_));
        let ear = std::mem::replace(&mut self.ear, Ear::Shut(Instant::now()));
        // Thousands of paths are looked at.
        let followed = tokio::task::spawn_blocking(move || {
            let mut watcher = match ear {
                Ear::Open(watcher) => watcher,
                Ear::Shut(_) => Watcher::new()?,
            };
            let new = watcher.follow(&sources)?;
            Ok::<_, std::io::Error>((watcher, new))
        });
        let (error, is_absent) = match followed.await {
            Ok(Ok((watcher, new))) => {
                if was_shut {
                    tracing::info!(backend = %self.backend.kind(), "changes on the host are heard");
                }
                self.ear = Ear::Open(watcher);
                self.is_told = false;
                return Some(new);
            }
            Ok(Err(error)) => (error.to_string(), error.kind() == std::io::ErrorKind::NotFound),
            Err(error) => (error.to_string(), false),
        };
        self.shut(&error, is_absent);
        None
    }

    /// From here on it is read at its interval, until listening works again. Said once.
    fn shut(&mut self, error: &str, is_absent: bool) {
        let backend = self.backend.kind();
        if !self.is_told && is_absent {
            tracing::info!(%backend, "there is nothing to listen to yet: the host is read at an interval");
        } else if !self.is_told {
            tracing::warn!(%backend, error, "changes on the host are not heard: it is read at an interval");
        }
        self.is_told = true;
        // Whether it is there costs nothing to ask; what the kernel has no room for is not asked for all the time.
        self.ear = Ear::Shut(Instant::now() + if is_absent { Duration::ZERO } else { BEAT });
    }
}

async fn watched(ear: &mut Ear) -> std::io::Result<()> {
    match ear {
        Ear::Open(watcher) => watcher.changed().await,
        Ear::Shut(_) => std::future::pending().await,
    }
}

/// Twice as long after each failure in a row, and no two backends in step.
fn backoff(interval: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(interval)
        .with_max_delay((LONGEST_PAUSE / 2).max(interval))
        .without_max_times()
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_that_fails_is_read_ever_more_seldom_and_no_two_in_step() {
        let interval = Duration::from_millis(500);
        let pauses: Vec<Duration> = backoff(interval).take(1000).collect();
        assert_eq!(pauses.len(), 1000);
        for (i, pause) in pauses.iter().enumerate() {
            let least = interval.saturating_mul(1 << i.min(16)).min(LONGEST_PAUSE / 2);
            assert!((least..=least * 2).contains(pause), "{i}: {pause:?}");
        }
        let seldom = Duration::from_secs(60);
        assert!(backoff(seldom).take(10).all(|pause| pause >= seldom));
        assert_ne!(backoff(interval).take(5).collect::<Vec<_>>(), pauses[..5], "no two in step");
    }

    #[test]
    fn where_a_reading_is_long_the_slow_comparison_is_rare() {
        let ms = Duration::from_millis;
        assert_eq!(pauses(SOON, ms(1), BEAT), (SOON, SOON), "there may be more to hear");
        assert_eq!(pauses(ms(400), ms(50), BEAT), (ms(100), ms(400)));
        assert_eq!(pauses(Duration::MAX, ms(50), BEAT), (ms(100), BEAT));
        assert_eq!(pauses(Duration::MAX, ms(300), BEAT), (ms(600), ms(15_000)));
        assert_eq!(pauses(Duration::MAX, ms(9_000), BEAT), (ms(18_000), LONGEST_BEAT));
        assert_eq!(pauses(SOON, ms(300), BEAT), (ms(600), ms(600)));
    }
}
