//! All guests at one moment, and what has changed since another.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use crate::domain::{
    guest::{BackendKind, Guest, GuestId},
    view::BackendHealth,
};

/// So many changes are remembered, or two of each guest where that is more: then the whole list, which whoever was away for
/// longer reads again, costs less than they would.
const REMEMBERED: usize = 2_000;

/// All guests at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Goes up by one with every change.
    pub version: u64,
    pub backends: BTreeMap<BackendKind, BackendHealth>,
    /// Sorted by what people call them. Those that stay as they were are shared with the snapshot before.
    pub guests: Vec<Arc<Guest>>,
    /// Their places, sorted by their ids.
    by_id: Vec<u32>,
}

impl Snapshot {
    pub fn guest(&self, id: &GuestId) -> Option<&Arc<Guest>> {
        let place = |at: &u32| usize::try_from(*at).unwrap_or(usize::MAX);
        let found = self.by_id.binary_search_by(|at| self.guests[place(at)].id.cmp(id)).ok()?;
        self.guests.get(place(&self.by_id[found]))
    }

    /// These are all guests of that backend now. What that changes, in no particular order.
    pub(super) fn replace(&mut self, kind: BackendKind, guests: Vec<Guest>) -> Vec<Change> {
        let of_kind = |guest: &&Arc<Guest>| guest.id.backend == kind;
        let mut before: HashMap<&GuestId, &Arc<Guest>> =
            self.guests.iter().filter(of_kind).map(|guest| (&guest.id, guest)).collect();
        let (mut after, mut changes) = (Vec::with_capacity(guests.len()), Vec::new());
        for guest in guests {
            match before.remove(&guest.id) {
                Some(same) if **same == guest => after.push(same.clone()),
                old => {
                    let guest = Arc::new(guest);
                    after.push(guest.clone());
                    changes.push(Change { before: old.cloned(), after: Some(guest) });
                }
            }
        }
        let gone = before.into_values().map(|guest| Change { before: Some(guest.clone()), after: None });
        changes.extend(gone);
        if !changes.is_empty() {
            self.guests.retain(|guest| guest.id.backend != kind);
            self.guests.extend(after);
            self.sort();
        }
        changes
    }

    pub(super) fn sort(&mut self) {
        self.guests.sort_by(|a, b| (a.label(), &a.id).cmp(&(b.label(), &b.id)));
        self.by_id = (0..).take(self.guests.len()).collect();
        let guests = &self.guests;
        self.by_id.sort_by(|a, b| {
            let id = |at: &u32| guests.get(usize::try_from(*at).unwrap_or(usize::MAX)).map(|guest| &guest.id);
            id(a).cmp(&id(b))
        });
    }
}

/// One guest, before and after. One that came has no before, one that went no after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub before: Option<Arc<Guest>>,
    pub after: Option<Arc<Guest>>,
}

impl Change {
    pub fn id(&self) -> Option<&GuestId> {
        self.after.as_ref().or(self.before.as_ref()).map(|guest| &guest.id)
    }
}

/// The newest changes, each with the version of the snapshot that has it.
#[derive(Debug, Default)]
pub(super) struct Journal {
    changes: VecDeque<(u64, Change)>,
    /// What changed up to this version is remembered no more.
    forgotten: u64,
    /// The version in which a backend's health changed last.
    health: u64,
}

/// What has changed since a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    /// One for each guest, however often it has changed.
    pub changes: Vec<Change>,
    /// The health of a backend has changed.
    pub health: bool,
}

impl Journal {
    /// `guests`: how many there are.
    pub fn note(&mut self, version: u64, changes: Vec<Change>, health: bool, guests: usize) {
        if health {
            self.health = version;
        }
        self.changes.extend(changes.into_iter().map(|change| (version, change)));
        while self.changes.len() > REMEMBERED.max(2 * guests) {
            if let Some((version, _)) = self.changes.pop_front() {
                self.forgotten = version;
            }
        }
    }

    /// `None` where too much has happened in between.
    pub fn since(&self, version: u64) -> Option<Since> {
        if version < self.forgotten {
            return None;
        }
        let from = self.changes.partition_point(|(at, _)| *at <= version);
        let mut first = HashMap::new();
        for (_, change) in self.changes.range(from..) {
            if let Some(id) = change.id() {
                first.entry(id).or_insert(&change.before);
            }
        }
        let mut told = HashSet::new();
        let newest = self.changes.range(from..).rev().filter_map(|(_, change)| {
            let id = change.id()?;
            let before = (*first.get(id)?).clone();
            let change = Change { before, after: change.after.clone() };
            (told.insert(id) && change.before != change.after).then_some(change)
        });
        Some(Since { changes: newest.collect(), health: self.health > version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guest::GuestStatus::{self, Running, Stopped};

    fn guest(name: &str, status: GuestStatus) -> Guest {
        Guest::new(GuestId::parse("lxc", name).unwrap(), status)
    }

    fn told(since: Option<Since>) -> Vec<(String, Option<GuestStatus>, Option<GuestStatus>)> {
        let status = |guest: &Option<Arc<Guest>>| guest.as_ref().map(|guest| guest.status);
        let told = |change: &Change| {
            (change.id().unwrap().name.to_string(), status(&change.before), status(&change.after))
        };
        let mut all: Vec<_> = since.unwrap().changes.iter().map(told).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    #[test]
    fn a_reading_tells_what_came_what_went_and_what_is_another_and_shares_the_rest() {
        let mut snapshot = Snapshot::default();
        assert_eq!(
            snapshot.replace(BackendKind::Lxc, vec![guest("b", Running), guest("a", Stopped)]).len(),
            2
        );
        let before = snapshot.clone();
        assert_eq!(snapshot.replace(BackendKind::Lxc, vec![guest("a", Stopped), guest("b", Running)]), []);
        assert!(Arc::ptr_eq(&snapshot.guests[0], &before.guests[0]));
        let changes = snapshot.replace(BackendKind::Lxc, vec![guest("c", Running), guest("b", Stopped)]);
        let since = Since { changes, health: false };
        assert_eq!(
            told(Some(since)),
            [
                ("a".to_owned(), Some(Stopped), None),
                ("b".to_owned(), Some(Running), Some(Stopped)),
                ("c".to_owned(), None, Some(Running)),
            ]
        );
        assert_eq!(snapshot.replace(BackendKind::Crun, Vec::new()), []);
        for guest in &snapshot.guests {
            assert_eq!(snapshot.guest(&guest.id), Some(guest));
        }
        assert_eq!(snapshot.guest(&GuestId::parse("lxc", "a").unwrap()), None);
        let names: Vec<&str> = snapshot.guests.iter().map(|guest| guest.id.name.as_str()).collect();
        assert_eq!(names, ["b", "c"]);
    }

    #[test]
    fn what_changed_often_is_told_once_and_what_is_as_it_was_not_at_all() {
        let (mut snapshot, mut journal) = (Snapshot::default(), Journal::default());
        for (version, guests) in [
            vec![guest("a", Stopped)],
            vec![guest("a", Running)],
            vec![guest("a", Running), guest("b", Stopped)],
            vec![guest("a", Stopped)],
        ]
        .into_iter()
        .enumerate()
        {
            let changes = snapshot.replace(BackendKind::Lxc, guests);
            journal.note(version as u64 + 1, changes, false, 2);
        }
        assert_eq!(told(journal.since(0)), [("a".to_owned(), None, Some(Stopped))]);
        assert_eq!(told(journal.since(1)), []);
        assert_eq!(told(journal.since(2)), [("a".to_owned(), Some(Running), Some(Stopped))]);
        assert_eq!(
            told(journal.since(3)),
            [("a".to_owned(), Some(Running), Some(Stopped)), ("b".to_owned(), Some(Stopped), None)]
        );
        assert_eq!(told(journal.since(4)), []);
    }

    #[test]
    fn whoever_was_away_for_too_long_is_told_so() {
        let mut journal = Journal::default();
        let come = |n: u64| Change { before: None, after: Some(Arc::new(guest(&format!("g{n}"), Running))) };
        for version in 1..=REMEMBERED as u64 + 2 {
            journal.note(version, vec![come(version)], version == 5, 1);
        }
        assert_eq!(journal.since(1), None);
        let since = journal.since(2).unwrap();
        assert_eq!((since.changes.len(), since.health), (REMEMBERED, true));
        assert!(!journal.since(5).unwrap().health);
        for version in 0..3 * REMEMBERED as u64 {
            journal.note(REMEMBERED as u64 + 3 + version, vec![come(version)], false, REMEMBERED);
        }
        assert_eq!(journal.changes.len(), 2 * REMEMBERED, "of many guests more is remembered");
    }
}
