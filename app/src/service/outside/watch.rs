//! Compares readings of a backend's guests: which of them has come to rest otherwise than before. Pure but for its memory.
//!
//! ```text
//!   at rest: running, stopped, paused, created, not there      passing: starting, stopping, creating
//!   unknown: passing at first, at rest once it has lasted
//! ```
//!
//! What passes is no change: a guest that restarts has been running all the time.

use std::collections::{HashMap, hash_map::Entry};

use crate::domain::{
    guest::{BackendKind, Guest, GuestId, GuestStatus},
    name::GuestName,
    operation::GuestAfter,
};
use crate::store::KnownGuest;

/// A state that cannot be told is a passing one for so long: a file may have been read while it was written.
const UNKNOWN_HOLDS_MS: i64 = 3000;
/// How often it is told up to when a backend has been read.
const READ_EVERY_MS: i64 = 60_000;

/// What a reading came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The backend was never read before: so it was found.
    Found {
        kind: BackendKind,
        guests: Vec<(GuestName, GuestStatus)>,
        read_ms: i64,
    },
    Changed(Change),
    /// All changes up to this time have been told.
    ReadUntil {
        kind: BackendKind,
        until_ms: i64,
    },
}

impl Event {
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Changed(_))
    }
}

/// A guest that has come to rest otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub guest: GuestId,
    /// `None`: it was not there.
    pub before: Option<GuestStatus>,
    /// `None`: it is gone.
    pub after: Option<GuestStatus>,
    /// It happened after this time, milliseconds since 1970: it was as before then.
    pub from_ms: i64,
    /// When the reading that told it began and ended.
    pub began_ms: i64,
    pub ended_ms: i64,
    pub cause: Cause,
}

/// What is known of a change's cause without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Open,
    /// As [`Open`](Self::Open), and Paddock was not up when it happened.
    WhileDown,
    /// Nothing is known of how the guest was before.
    None,
}

/// What was known before the first reading.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub guests: Vec<KnownGuest>,
    /// `None`: the backend was never read.
    pub read_ms: Option<i64>,
}

impl Memory {
    /// An operation of Paddock left the guest so; perhaps nobody has read it since.
    pub fn operation_ended(&mut self, name: &GuestName, after: GuestAfter, finished_ms: i64) {
        let Some(rest) = left_by(after) else { return };
        let at = self.guests.iter().position(|known| known.name == *name);
        if at.is_some_and(|at| self.guests[at].since_ms >= finished_ms) {
            return;
        }
        if let Some(at) = at {
            self.guests.swap_remove(at);
        }
        let status = rest.status();
        self.guests.extend(status.map(|status| KnownGuest {
            name: name.clone(),
            status,
            since_ms: finished_ms,
        }));
    }
}

/// All backends that are watched.
#[derive(Debug, Default)]
pub struct Watch {
    backends: HashMap<BackendKind, Backend>,
}

#[derive(Debug)]
struct Backend {
    guests: HashMap<GuestName, Known>,
    /// When the newest reading began, perhaps one of an earlier server.
    read_ms: Option<i64>,
    told_ms: i64,
    /// Counts readings of this process.
    round: u64,
}

#[derive(Debug)]
struct Known {
    rest: Rest,
    /// Since when it is passing: the last time it was seen at rest, and whether an earlier server saw that.
    left: Option<(i64, Cause)>,
    /// When it was first seen in a state that cannot be told.
    unknown_ms: Option<i64>,
    round: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    At(GuestStatus),
    /// It was not there.
    Absent,
    /// It was passing when it was first seen.
    NeverSeen,
}

impl Rest {
    fn status(self) -> Option<GuestStatus> {
        match self {
            Self::At(status) => Some(status),
            Self::Absent | Self::NeverSeen => None,
        }
    }
}

impl Watch {
    pub fn new(memory: impl IntoIterator<Item = (BackendKind, Memory)>) -> Self {
        let backend = |Memory { guests, read_ms }| {
            // An operation that ended before it was first seen so has nothing to do with what comes.
            let left = |since_ms| Some((since_ms, Cause::WhileDown)).filter(|(at, _)| Some(*at) > read_ms);
            let known = |KnownGuest { name, status, since_ms }| {
                (name, Known { left: left(since_ms), ..Known::new(Rest::At(status)) })
            };
            Backend { guests: guests.into_iter().map(known).collect(), read_ms, told_ms: i64::MIN, round: 0 }
        };
        Self { backends: memory.into_iter().map(|(kind, memory)| (kind, backend(memory))).collect() }
    }

    /// A whole list of the backend's guests, read between these times. Lists must be handed in in the order in which
    /// they were read, none begun before the one before it ended.
    pub fn reading(
        &mut self,
        kind: BackendKind,
        guests: &[Guest],
        began_ms: i64,
        ended_ms: i64,
    ) -> Vec<Event> {
        let Some(backend) = self.backends.get_mut(&kind) else { return Vec::new() };
        let mut events = backend.reading(kind, guests, began_ms, ended_ms);
        if began_ms.saturating_sub(backend.told_ms) >= READ_EVERY_MS {
            backend.told_ms = began_ms;
            events.push(Event::ReadUntil { kind, until_ms: backend.told_until(began_ms) });
        }
        events
    }

    /// An operation of Paddock left the guest so: that is how it was before what comes.
    pub fn operation_ended(&mut self, guest: &GuestId, after: GuestAfter) {
        let Some(backend) = self.backends.get_mut(&guest.backend) else { return };
        if let Some(rest) = left_by(after) {
            let known = Known { round: backend.round, ..Known::new(rest) };
            backend.guests.insert(guest.name.clone(), known);
        }
    }
}

impl Backend {
    fn reading(&mut self, kind: BackendKind, guests: &[Guest], began_ms: i64, ended_ms: i64) -> Vec<Event> {
        self.round += 1;
        let Some(before_ms) = self.read_ms.replace(began_ms) else {
            return vec![self.found(kind, guests, began_ms)];
        };
        let span = Span {
            kind,
            before: (before_ms, if self.round == 1 { Cause::WhileDown } else { Cause::Open }),
            began_ms,
            ended_ms,
        };
        let mut events = Vec::new();
        for guest in guests {
            let known = match self.guests.entry(guest.id.name.clone()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(Known::new(Rest::Absent)),
            };
            known.round = self.round;
            events.extend(known.seen(&guest.id.name, guest.status, &span));
        }
        let round = self.round;
        self.guests.retain(|name, known| {
            if known.round == round {
                return true;
            }
            if known.rest.status().is_some() {
                events.push(span.change(name, known, None));
            }
            false
        });
        events
    }

    /// A guest that is passing may come to another rest than before: should this server not live to see it, the next one
    /// must know since when that may have happened, and which operation of Paddock was at work then.
    fn told_until(&self, began_ms: i64) -> i64 {
        let passing = self.guests.values().filter_map(|known| Some(known.left?.0));
        passing.min().map_or(began_ms, |left_ms| left_ms.min(began_ms))
    }

    fn found(&mut self, kind: BackendKind, guests: &[Guest], read_ms: i64) -> Event {
        let rest = |status| if is_at_rest(status) { Rest::At(status) } else { Rest::NeverSeen };
        let known = |guest: &Guest| {
            let known = Known { round: self.round, ..Known::new(rest(guest.status)) };
            (guest.id.name.clone(), known)
        };
        self.guests = guests.iter().map(known).collect();
        let at_rest = guests.iter().filter(|guest| is_at_rest(guest.status));
        let guests = at_rest.map(|guest| (guest.id.name.clone(), guest.status)).collect();
        Event::Found { kind, guests, read_ms }
    }
}

/// One reading and the one before it.
struct Span {
    kind: BackendKind,
    before: (i64, Cause),
    began_ms: i64,
    ended_ms: i64,
}

impl Span {
    fn change(&self, name: &GuestName, known: &Known, after: Option<GuestStatus>) -> Event {
        let (from_ms, cause) = known.left.unwrap_or(self.before);
        Event::Changed(Change {
            guest: GuestId::new(self.kind, name.clone()),
            before: known.rest.status(),
            after,
            from_ms,
            began_ms: self.began_ms,
            ended_ms: self.ended_ms,
            cause: if known.rest == Rest::NeverSeen { Cause::None } else { cause },
        })
    }
}

impl Known {
    fn new(rest: Rest) -> Self {
        Self { rest, left: None, unknown_ms: None, round: 0 }
    }

    fn seen(&mut self, name: &GuestName, status: GuestStatus, span: &Span) -> Option<Event> {
        let has_lasted = match status {
            GuestStatus::Unknown => {
                let since_ms = *self.unknown_ms.get_or_insert(span.began_ms);
                span.began_ms.saturating_sub(since_ms) >= UNKNOWN_HOLDS_MS
            }
            _ => {
                self.unknown_ms = None;
                is_at_rest(status)
            }
        };
        let rest = Rest::At(status);
        if rest == self.rest {
            self.left = None;
            return None;
        }
        if !has_lasted {
            self.left.get_or_insert(span.before);
            return None;
        }
        let event = span.change(name, self, Some(status));
        self.rest = rest;
        self.left = None;
        Some(event)
    }
}

/// What an operation left, where that is known and at rest.
fn left_by(after: GuestAfter) -> Option<Rest> {
    match after {
        GuestAfter::Gone => Some(Rest::Absent),
        GuestAfter::Status(status) if is_at_rest(status) => Some(Rest::At(status)),
        GuestAfter::Status(_) | GuestAfter::NotRead => None,
    }
}

/// Told at once, whatever it was before.
pub fn is_at_rest(status: GuestStatus) -> bool {
    match status {
        GuestStatus::Running | GuestStatus::Stopped | GuestStatus::Paused | GuestStatus::Created => true,
        GuestStatus::Starting | GuestStatus::Stopping | GuestStatus::Creating | GuestStatus::Unknown => false,
    }
}

#[cfg(test)]
mod tests;
