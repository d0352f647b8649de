//! What one open page is told by itself: small changes, and only of what its person may see.
//!
//! Nothing is kept for anybody: each stream knows how far it has told, and reads what has come since from the journals that all
//! share when its reader has room for more. So a slow reader is told less often, and costs no more.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{AppState, Standing, rows::Rows, seen, usage::Tick};
use crate::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        event::{At, Event, GuestsChanged, OperationsChanged, UsageChanged, Used},
        guest::GuestId,
        operation::OperationSummary,
        usage::Sample,
    },
};

/// Between two tellings: a hundred guests that start at once are a few events, not a hundred.
const GATHER: Duration = Duration::from_millis(50);
/// Less than this is not told at once, thousandths of a core and bytes.
const CPU: u32 = 10;
const MEMORY: u64 = 1024 * 1024;
/// At every so many moments all is told, so that many small steps do not add up to a lie.
const WHOLE: u64 = 6;
/// A right that runs out later than this is looked for again before then.
const FAR: Duration = Duration::from_secs(3600);

/// What is told at once, and up to where that leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub at: At,
    pub events: Vec<Event>,
}

/// One open page.
pub struct Stream {
    state: AppState,
    caller: Caller,
    standing: Standing,
    at: Option<At>,
    guests: watch::Receiver<u64>,
    operations: watch::Receiver<u64>,
    usage: watch::Receiver<u64>,
    /// What guests used when that was told last.
    tick: Arc<Tick>,
    news: watch::Receiver<u64>,
    is_begun: bool,
    next: Instant,
}

impl Stream {
    /// From `since` on, which is what the page shows; without it the page is told to read.
    pub fn begin(state: &AppState, caller: &Caller, since: Option<At>) -> Self {
        Self {
            standing: Standing::of(state, caller),
            state: state.clone(),
            caller: caller.clone(),
            at: since,
            guests: state.inventory.changes(),
            operations: state.latest.changes(),
            usage: state.usage.changes(),
            tick: state.usage.latest(),
            news: state.news.hear(),
            is_begun: false,
            next: Instant::now(),
        }
    }

    /// Waits until there is something to tell. `None` once the session is over.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            let is_first = !std::mem::replace(&mut self.is_begun, true);
            let has_news = if is_first { false } else { self.wait().await? };
            self.caller.rights = self.standing.rights.borrow_and_update().clone();
            let mut told = self.tell();
            if has_news {
                told.events.push(Event::News);
            }
            self.at = Some(told.at);
            told.events.extend(self.tell_usage().map(Event::Usage));
            if !told.events.is_empty() {
                self.next = Instant::now() + GATHER;
                return Some(told);
            }
        }
    }

    /// Until something has changed; whether it was something of the frame. `None` once the session is over.
    async fn wait(&mut self) -> Option<bool> {
        sleep_until(self.next).await;
        let mut has_news = false;
        // The bells and the rights live as long as this does.
        tokio::select! {
            biased;
            () = self.standing.over.cancelled() => return None,
            _ = self.standing.rights.changed() => {}
            _ = self.guests.changed() => {}
            _ = self.operations.changed() => {}
            _ = self.usage.changed() => {}
            _ = self.news.changed() => has_news = true,
            () = sleep(until_a_right_ends(&self.caller)) => {}
        }
        // Either is told of below, whoever rang first.
        self.guests.mark_unchanged();
        self.operations.mark_unchanged();
        self.usage.mark_unchanged();
        Some(has_news)
    }

    /// What guests use now, once for each moment; those alone that use something else than a moment ago.
    fn tell_usage(&mut self) -> Option<UsageChanged> {
        let tick = self.state.usage.latest();
        if tick.number == self.tick.number {
            return None;
        }
        let before = std::mem::replace(&mut self.tick, tick.clone());
        let is_whole = tick.number % WHOLE == 0 || tick.number != before.number + 1;
        let snapshot = self.state.inventory.snapshot();
        let used = |(id, sample): (&GuestId, &Sample)| {
            if !is_whole && is_about(before.guests.get(id), sample) {
                return None;
            }
            policy::sees(&self.caller, snapshot.guest(id)?).then(|| {
                let (cpu, memory) = sample.levels();
                Used(id.to_string(), sample.cpu.map(|cpus| cpus.0), sample.memory, format!("{cpu}{memory}"))
            })
        };
        Some(UsageChanged { at_ms: tick.at_ms, guests: tick.guests.iter().filter_map(used).collect() })
    }

    /// What has come since the last time.
    fn tell(&self) -> Told {
        let now_ms = now_ms();
        // The operations first: one that ended may be told a moment before its guest is read again, never the other way.
        let (operations, came) = self
            .state
            .latest
            .look(|known| (known.version(), self.at.and_then(|at| known.since(at.operations))));
        let (snapshot, since) = match self.at {
            Some(at) => self.state.inventory.since(at.guests),
            None => (self.state.inventory.snapshot(), None),
        };
        let at = At {
            boot: self.state.inventory.boot(),
            guests: snapshot.version,
            operations,
            rights: self.caller.rights.fingerprint(now_ms),
        };
        let is_same = self.at.is_some_and(|before| (before.boot, before.rights) == (at.boot, at.rights));
        let (Some(since), Some(came), true) = (since, came, is_same) else {
            return Told { at, events: vec![Event::Reset] };
        };
        let mut events = Vec::new();
        let mut touched: HashSet<&GuestId> = came.iter().filter_map(|it| it.guest.as_ref()).collect();
        let (mut put, mut gone) = (Vec::new(), Vec::new());
        let (tick, usage) = (self.state.usage.latest(), &self.state.usage);
        self.state.latest.look(|known| {
            let rows = Rows { caller: &self.caller, known, usage, tick: &tick, now_ms };
            for change in &since.changes {
                let Some(id) = change.id() else { continue };
                touched.remove(id);
                match change.after.as_ref().and_then(|guest| rows.row(guest)) {
                    Some(row) => put.push(row),
                    // Of one they never saw nothing is told.
                    None if change.before.as_ref().is_some_and(|it| policy::sees(&self.caller, it)) => {
                        gone.push(id.clone());
                    }
                    None => {}
                }
            }
            let changed = touched.iter().filter_map(|id| snapshot.guest(id));
            put.extend(changed.filter_map(|guest| rows.row(guest)));
        });
        let backends = since.health.then(|| snapshot.backends.values().cloned().collect());
        if !(put.is_empty() && gone.is_empty() && backends.is_none()) {
            events.push(Event::Guests(GuestsChanged { now_ms, put, gone, backends }));
        }
        let mut operations: Vec<OperationSummary> = came
            .iter()
            .filter(|it| seen::is_seen(&self.state, &self.caller, it))
            .map(|it| OperationSummary::clone(it))
            .collect();
        if !operations.is_empty() {
            self.state.supervisor.note_places(&mut operations);
            events.push(Event::Operations(OperationsChanged { now_ms, operations }));
        }
        Told { at, events }
    }
}

/// As a page shows them they are the same.
fn is_about(before: Option<&Sample>, now: &Sample) -> bool {
    before.is_some_and(|before| {
        let cpu = |sample: &Sample| sample.cpu.map_or(0, |cpus| cpus.0);
        let memory = |sample: &Sample| sample.memory.unwrap_or_default();
        before.levels() == now.levels()
            && cpu(before).abs_diff(cpu(now)) < CPU
            && memory(before).abs_diff(memory(now)) < MEMORY
    })
}

/// How long every right of the caller's holds: there is no other sign of its end.
fn until_a_right_ends(caller: &Caller) -> Duration {
    let now_ms = now_ms();
    let ends = caller.rights.list.iter().filter_map(|right| right.expires_ms).filter(|end| *end > now_ms);
    let next = ends.min().and_then(|end| u64::try_from(end - now_ms).ok());
    next.map_or(FAR, |ms| Duration::from_millis(ms).min(FAR))
}
