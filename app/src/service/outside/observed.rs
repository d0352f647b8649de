//! Changes that were seen on guests: Paddock's own doing is left out, the rest is recorded.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::mpsc, time::sleep};

use super::{
    WATCHED,
    watch::{Cause, Change, Event, Memory, Watch, is_at_rest},
};
use crate::{
    domain::{
        guest::GuestId,
        operation::{GuestAfter, Origin, Seen},
    },
    service::{AppState, Error},
    store::{LastDone, Noted, Observed, Source, StoreError},
};

/// Records of one guest in one hour. What flaps more often than that fills the history with nothing new.
const MOST_AN_HOUR: u32 = 60;
const HOUR_MS: i64 = 3600 * 1000;
/// A change that was seen no later than this after the reading before needs no words about when it happened.
const PROMPT_MS: i64 = 5000;
/// Guests whose changes are counted.
const MOST_COUNTED: usize = 2_000;
/// How often a record is tried to be written while the database refuses. After that the next start finds the change.
const TRIES: u32 = 10;
/// Most changes that are written at once; others wait meanwhile for their turn to write.
const AT_ONCE: usize = 200;

pub struct Observer {
    state: AppState,
    events: mpsc::UnboundedReceiver<Event>,
    counts: HashMap<GuestId, Count>,
}

impl Observer {
    /// From here on every reading of the inventory is compared.
    pub async fn begin(state: &AppState) -> Result<Self, Error> {
        let mut memory = HashMap::new();
        for kind in WATCHED {
            if state.registry.get(kind).is_some() {
                let guests = state.store.known_guests(kind).await?;
                let read_ms = state.store.read_until(Source::Guests(kind)).await?;
                memory.insert(kind, Memory { guests, read_ms });
            }
        }
        // A command line may have been at work while no server was up.
        for (guest, last) in state.store.last_operations().await? {
            if last.origin == Origin::Paddock
                && let Some(memory) = memory.get_mut(&guest.backend)
                && let (Some(after), Some(finished_ms)) = (last.guest_after, last.finished_ms)
            {
                memory.operation_ended(&guest.name, after, finished_ms);
            }
        }
        let events = state.inventory.watch(Watch::new(memory));
        Ok(Self { state: state.clone(), events, counts: HashMap::new() })
    }

    pub async fn keep(mut self) {
        let mut events = Vec::new();
        while self.events.recv_many(&mut events, AT_ONCE).await > 0 {
            for group in events.chunk_by(|one, next| one.is_change() && next.is_change()) {
                self.try_all(group).await;
            }
            events.clear();
        }
    }

    /// `group`: one event, or changes only.
    async fn try_all(&mut self, group: &[Event]) {
        for attempt in 1..=TRIES {
            match self.handle(group).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(attempt, %error, "a change seen on a guest could not be recorded");
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn handle(&mut self, group: &[Event]) -> Result<(), StoreError> {
        let store = &self.state.store;
        let mut changes = Vec::new();
        for event in group {
            match event {
                Event::Found { kind, guests, read_ms } => store.note_guests(*kind, guests, *read_ms).await?,
                Event::ReadUntil { kind, until_ms } => {
                    self.counts.retain(|_, count| !count.is_over(*until_ms));
                    store.note_read(Source::Guests(*kind), *until_ms).await?;
                }
                Event::Changed(change) => changes.push(change),
            }
        }
        if changes.is_empty() { Ok(()) } else { self.changed(&changes).await }
    }

    /// Writes all of them or, where that fails, none.
    async fn changed(&mut self, changes: &[&Change]) -> Result<(), StoreError> {
        let store = &self.state.store;
        let mut counts: HashMap<&GuestId, Count> = HashMap::new();
        let mut noted = Vec::with_capacity(changes.len());
        for change in changes {
            let mut observed = None;
            if let Some(from_ms) = self.outside_since(change).await? {
                let known = counts.get(&change.guest).or_else(|| self.counts.get(&change.guest));
                let count = known.copied().unwrap_or_default().next(change.ended_ms);
                counts.insert(&change.guest, count);
                observed = count.is_recorded().then(|| Observed {
                    seen: seen(change),
                    at_ms: change.ended_ms,
                    notes: when(change, from_ms).into_iter().chain(count.words()).collect(),
                });
            }
            noted.push(Noted {
                guest: change.guest.clone(),
                status: change.after,
                since_ms: change.began_ms,
                observed,
            });
        }
        let ids = store.note_changes(&noted).await?;
        self.counts.extend(counts.into_iter().map(|(guest, count)| (guest.clone(), count)));
        forget_calm(&mut self.counts);
        for (id, Noted { guest, status: after, .. }) in ids.iter().zip(&noted) {
            if let Some(id) = id {
                tracing::info!(operation = %id, %guest, ?after, "change from outside seen");
            }
        }
        if ids.iter().any(Option::is_some) {
            self.state.latest.written();
        }
        Ok(())
    }

    /// As the function of that name; `None` also for what is no change, only seen for the first time.
    async fn outside_since(&self, change: &Change) -> Result<Option<i64>, StoreError> {
        if change.cause == Cause::None {
            return Ok(None);
        }
        let last = self.state.store.last_done(&change.guest, change.from_ms, change.ended_ms).await?;
        Ok(outside_since(change, last.as_ref()))
    }
}

fn seen(change: &Change) -> Seen {
    match (change.before, change.after) {
        (_, None) => Seen::Gone,
        (None, Some(_)) => Seen::Appeared,
        (Some(_), Some(status)) => Seen::Became(status),
    }
}

/// Since when the change may have happened, if Paddock did not do it; `last` is its newest operation that was live
/// between the last time the guest was as before and the reading.
///
/// ```text
///   none ──────────────────────────────────────────────► outside
///   live, or the reading began before its end ─────────► its own doing
///   it left the guest as it was read, or in passing ───► its own doing
///   it left the guest otherwise ───────────────────────► outside, after its end: a job that has done its work
/// ```
fn outside_since(change: &Change, last: Option<&LastDone>) -> Option<i64> {
    let Some(last) = last else { return Some(change.from_ms) };
    let finished_ms = last.finished_ms.filter(|finished_ms| *finished_ms < change.began_ms)?;
    let left_otherwise = match last.guest_after? {
        GuestAfter::NotRead => false,
        GuestAfter::Gone => change.after.is_some(),
        GuestAfter::Status(status) => is_at_rest(status) && change.after != Some(status),
    };
    left_otherwise.then(|| change.from_ms.max(finished_ms))
}

/// When it happened, where that is not just when it was seen.
fn when(change: &Change, from_ms: i64) -> Option<String> {
    let between = || format!("it happened between {} and {}", utc(from_ms), utc(change.ended_ms));
    match change.cause {
        Cause::WhileDown => Some(format!("Seen by the first reading after Paddock's start; {}.", between())),
        _ if change.ended_ms.saturating_sub(from_ms) > PROMPT_MS => {
            Some(format!("The guest could not be read in between; {}.", between()))
        }
        _ => None,
    }
}

/// `2026-11-26 10:00:30 UTC`.
fn utc(ms: i64) -> String {
    match time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)) {
        Ok(at) => {
            let (hour, minute, second) = at.to_hms();
            format!("{} {hour:02}:{minute:02}:{second:02} UTC", at.date())
        }
        Err(_) => format!("{ms} ms after 1970"),
    }
}

/// Where more guests than [`MOST_COUNTED`] change within an hour, those that changed least are counted anew: it is the others
/// that would fill the history.
fn forget_calm(counts: &mut HashMap<GuestId, Count>) {
    let mut calm = 1;
    while counts.len() > MOST_COUNTED && calm <= MOST_AN_HOUR {
        counts.retain(|_, count| count.changes > calm);
        calm += 1;
    }
}

/// How often a guest has changed within an hour.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    begun_ms: i64,
    changes: u32,
    /// Of the hour before, not recorded.
    left_out: u32,
}

impl Count {
    fn is_over(self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.begun_ms) >= HOUR_MS
    }

    /// With one more change.
    fn next(self, now_ms: i64) -> Self {
        if self.changes == 0 || self.is_over(now_ms) {
            let left_out = self.changes.saturating_sub(MOST_AN_HOUR + 1);
            return Self { begun_ms: now_ms, changes: 1, left_out };
        }
        Self { changes: self.changes.saturating_add(1), ..self }
    }

    /// The last of them says that there are no more.
    fn is_recorded(self) -> bool {
        self.changes <= MOST_AN_HOUR + 1
    }

    fn words(self) -> Option<String> {
        if self.changes == MOST_AN_HOUR + 1 {
            return Some(format!(
                "This guest changed more than {MOST_AN_HOUR} times within an hour: no further change of it is recorded \
                 before {}.",
                utc(self.begun_ms.saturating_add(HOUR_MS))
            ));
        }
        (self.changes == 1 && self.left_out > 0).then(|| {
            format!("{} changes before this one were not recorded, as there were too many.", self.left_out)
        })
    }
}

#[cfg(test)]
mod tests;
