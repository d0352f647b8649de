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
    store::{LastDone, Observed, Source, Store, StoreError},
};

/// Records of one guest in one hour. What flaps more often than that fills the history with nothing new.
const MOST_AN_HOUR: u32 = 60;
const HOUR_MS: i64 = 3600 * 1000;
/// A change that was seen no later than this after the reading before needs no words about when it happened.
const PROMPT_MS: i64 = 5000;
/// How often a record is tried to be written while the database refuses. After that the next start finds the change.
const TRIES: u32 = 10;

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
        while let Some(event) = self.events.recv().await {
            for attempt in 1..=TRIES {
                match self.handle(&event).await {
                    Ok(()) => break,
                    Err(error) => {
                        tracing::error!(attempt, %error, "a change seen on a guest could not be recorded");
                        sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        }
    }

    async fn handle(&mut self, event: &Event) -> Result<(), StoreError> {
        let store = &self.state.store;
        match event {
            Event::Found { kind, guests, read_ms } => store.note_guests(*kind, guests, *read_ms).await,
            Event::ReadUntil { kind, until_ms } => {
                self.counts.retain(|_, count| !count.is_over(*until_ms));
                store.note_read(Source::Guests(*kind), *until_ms).await
            }
            Event::Changed(change) => self.changed(change).await,
        }
    }

    async fn changed(&mut self, change: &Change) -> Result<(), StoreError> {
        let store = &self.state.store;
        let last = match change.cause {
            Cause::None => return known(store, change).await,
            Cause::Open | Cause::WhileDown => {
                store.last_done(&change.guest, change.from_ms, change.ended_ms).await?
            }
        };
        let Some(from_ms) = outside_since(change, last.as_ref()) else {
            return known(store, change).await;
        };
        let count = self.counts.get(&change.guest).copied().unwrap_or_default().next(change.ended_ms);
        let observed = count.is_recorded().then(|| Observed {
            guest: change.guest.clone(),
            seen: seen(change),
            at_ms: change.ended_ms,
            notes: when(change, from_ms).into_iter().chain(count.words()).collect(),
        });
        let id = store.note_change(&change.guest, change.after, change.began_ms, observed.as_ref()).await?;
        self.counts.insert(change.guest.clone(), count);
        if let Some(id) = id {
            tracing::info!(operation = %id, guest = %change.guest, after = ?change.after, "change from outside seen");
            self.state.latest.written();
        }
        Ok(())
    }
}

/// Without a record of its own.
async fn known(store: &Store, change: &Change) -> Result<(), StoreError> {
    store.note_change(&change.guest, change.after, change.began_ms, None).await.map(drop)
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
