//! PULSE: the cluster's short list of tasks, read for everybody at once.
//!
//! Proxmox notes a task in it at its begin and at its end, on whichever node, while `/cluster/resources` lags by up to
//! 10 s. So it is the one thing that is asked for often.
//!
//! ```text
//!   elsewhere          one request every 1.3 s, 46 a minute
//!   on a node itself   /etc/pve/.version every 0.1 s, a file; a request where that says so, 46 a minute in vain at most
//! ```
//!
//! Beside it the list of guests is read 6 times a minute, and what else is read now and then came to 5 in the minute that was
//! measured: 57 of the 60 requests that an idle minute may cost.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{backend::Error, domain::task::Task};

use super::{
    Client,
    host::{Glance, Version},
    num::Rows,
    tasks,
    wire::guest::TaskRow,
};

/// Between two requests elsewhere.
const PERIOD: Duration = Duration::from_millis(1300);
/// Between two requests on a node itself while its file tells of nothing.
const HOST_PERIOD: Duration = Duration::from_secs(10);
/// The longest pause while requests fail.
const LONGEST: Duration = Duration::from_secs(30);
/// Between two looks at the file.
const GLANCE: Duration = Duration::from_millis(100);
/// Requests that may be made in a row because the file says so and bring nothing new, as each node's own watch over its
/// tasks makes the file say so every 10 s; the next one is earned within a [`PERIOD`].
const MOST_EARNED: f64 = 10.0;
/// Whoever waited for a beat so long ago is still taken to listen: it is just reading what it heard of.
const LISTENS: Duration = Duration::from_secs(3);
/// Most that are taken from the short list: many times what it can hold.
const MOST_LISTED: usize = 20_000;

/// One reading.
#[derive(Debug, Clone, Default)]
pub struct Beat {
    /// Goes up with each.
    pub number: u64,
    /// Goes up where a node's file says that guests have come, gone or moved.
    pub guests: u64,
    /// When it was asked for.
    pub at: Option<Instant>,
    /// Running ones, and of each node the newest that ended; without the names of guests that the list alone tells.
    pub tasks: Arc<Vec<Task>>,
}

/// The one place where the short list is read.
pub struct Pulse {
    /// Held by whoever waits for the next reading; the others have what that brings.
    turn: tokio::sync::Mutex<Option<Glance>>,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    beat: Beat,
    tried: Option<Instant>,
    failures: u32,
    listened: Option<Instant>,
    version: Option<Version>,
    earned: Earned,
}

/// Requests that may be made in vain because the file says so.
struct Earned {
    requests: f64,
    at: Option<Instant>,
}

impl Default for Earned {
    fn default() -> Self {
        Self { requests: MOST_EARNED, at: None }
    }
}

/// What is to be done.
enum Due {
    Ask,
    /// Nothing need be asked, but there are other guests than before.
    Guests,
    Wait(Duration),
}

impl Pulse {
    /// `glance` where Paddock runs on a node of the cluster.
    pub fn new(glance: Option<Glance>) -> Self {
        Self { turn: tokio::sync::Mutex::new(glance), last: Mutex::default() }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first reading after this one. Those who wait share it, and one that cannot be had is tried again for as
    /// long as somebody waits.
    pub async fn next(&self, client: &Client, after: u64) -> Beat {
        self.last().listened = Some(Instant::now());
        let mut glance = self.turn.lock().await;
        loop {
            let version = match glance.as_mut() {
                Some(glance) => glance.version().await,
                None => None,
            };
            let due = {
                let mut last = self.last();
                last.listened = Some(Instant::now());
                if last.beat.number > after {
                    return last.beat.clone();
                }
                last.due(version, Instant::now())
            };
            match due {
                Due::Ask => {
                    if let Err(error) = self.ask(client).await {
                        tracing::debug!(%error, "the tasks of Proxmox cannot be read; trying again");
                    }
                }
                Due::Guests => self.last().beat.number += 1,
                Due::Wait(time) => sleep(time).await,
            }
        }
    }

    /// The list as it is now; as it was last read where somebody listens, as they would have heard of a newer one.
    pub async fn tasks(&self, client: &Client) -> Result<Arc<Vec<Task>>, Error> {
        {
            let last = self.last();
            let is_listened = last.listened.is_some_and(|at| at.elapsed() < LISTENS);
            if is_listened && last.failures == 0 && last.beat.at.is_some() {
                return Ok(Arc::clone(&last.beat.tasks));
            }
        }
        self.ask(client).await
    }

    async fn ask(&self, client: &Client) -> Result<Arc<Vec<Task>>, Error> {
        let at = Instant::now();
        let answer = client.get::<Rows<TaskRow>>("/cluster/tasks", &[]).await;
        let mut last = self.last();
        match answer {
            Ok(Rows(rows)) => {
                let tasks: Arc<Vec<Task>> =
                    Arc::new(rows.iter().take(MOST_LISTED).filter_map(tasks::row).collect());
                (last.tried, last.failures) = (Some(at), 0);
                if tasks != last.beat.tasks {
                    last.earned.give();
                }
                last.beat = Beat {
                    number: last.beat.number + 1,
                    guests: last.beat.guests,
                    at: Some(at),
                    tasks: Arc::clone(&tasks),
                };
                Ok(tasks)
            }
            Err(error) => {
                last.tried = Some(Instant::now());
                last.failures += 1;
                // What the file said is still to be asked for.
                last.version = None;
                Err(error)
            }
        }
    }
}

impl Last {
    fn due(&mut self, version: Option<Version>, now: Instant) -> Due {
        let Some(tried) = self.tried else {
            self.version = version;
            return Due::Ask;
        };
        let usual = if version.is_some() { HOST_PERIOD } else { PERIOD };
        let period = usual.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        let left = period.saturating_sub(now.saturating_duration_since(tried));
        if left.is_zero() {
            self.changed(version);
            return Due::Ask;
        }
        let Some(version) = version else { return Due::Wait(left) };
        let (tasks, guests) = match &self.version {
            Some(before) => (before.tasks != version.tasks, before.guests != version.guests),
            None => (self.failures == 0, false),
        };
        if tasks && self.earned.take(now) {
            self.changed(Some(version));
            return Due::Ask;
        }
        if guests && !tasks {
            self.changed(Some(version));
            return Due::Guests;
        }
        Due::Wait(left.min(GLANCE))
    }

    fn changed(&mut self, version: Option<Version>) {
        if let (Some(before), Some(now)) = (&self.version, &version)
            && before.guests != now.guests
        {
            self.beat.guests += 1;
        }
        self.version = version;
    }
}

impl Earned {
    fn take(&mut self, now: Instant) -> bool {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.requests = (self.requests + since.div_duration_f64(PERIOD)).min(MOST_EARNED);
        self.at = Some(now);
        let has_one = self.requests >= 1.0;
        if has_one {
            self.requests -= 1.0;
        }
        has_one
    }

    fn give(&mut self) {
        self.requests = (self.requests + 1.0).min(MOST_EARNED);
    }
}

#[cfg(test)]
mod tests;
