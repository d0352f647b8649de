//! What a search costs, reckoned before it is made, and the cheapest way to make it.

use std::ops::Add;

use super::{
    search::{Search, count},
    words::{Part, Wanted},
};
use crate::store::StoreError;

/// How much a search may do before it stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Tenths of a microsecond, as the costs below reckon.
    pub budget: i64,
    /// Operations that are looked through all the same.
    pub least: i64,
}

/// Of a page: a good part of what it may take, as not all is reckoned.
pub(super) const PAGE: Effort = Effort { budget: 250_000, least: 10_000 };

// What things cost on a common processor, tenths of a microsecond.
/// The head of a list.
const HEAD: i64 = 30;
/// A row that is looked at in its index.
const ROW: i64 = 3;
/// A row whose names or failure are looked at, too.
const TEXT: i64 = 20;
/// More lists than these are not counted up.
const MANY_LISTS: i64 = 3000;

/// Rows of one kind, one actor and one subject of these parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub kinds: Part,
    pub actors: Part,
    pub subjects: Part,
}

impl Source {
    pub const ALL: Self = Self { kinds: Part::All, actors: Part::All, subjects: Part::All };

    /// Whether those are not simply all there are.
    pub fn asks_kinds(self, wanted: &Wanted<'_>) -> bool {
        self.kinds != Part::All || wanted.of_kinds()
    }

    pub fn asks_actors(self, wanted: &Wanted<'_>) -> bool {
        self.actors != Part::All || wanted.of_actors()
    }

    pub fn asks_subjects(self, wanted: &Wanted<'_>) -> bool {
        self.subjects != Part::All || wanted.of_subjects()
    }
}

/// What lists are merged: one for each kind, for each actor and kind, for each subject, or the only one of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Kinds,
    Actors,
    Subjects,
    Time,
}

impl Axis {
    pub fn index(self) -> &'static str {
        match self {
            Self::Kinds => "history_by_kind",
            Self::Actors => "history_by_actor",
            Self::Subjects => "history_by_subject",
            Self::Time => "history_by_time",
        }
    }

    /// That the row `x` is of a list.
    pub fn is_of(self, list: &str) -> String {
        match self {
            Self::Kinds => format!("x.kind = {list}.kind"),
            Self::Actors => format!("x.actor = {list}.list AND x.kind = {list}.kind"),
            Self::Subjects => format!("x.subject = {list}.list"),
            Self::Time => "true".to_owned(),
        }
    }
}

/// Tenths of a microsecond: what is to be paid whatever the time looked at, and what grows with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    fixed: i64,
    by_time: i64,
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.saturating_add(other.fixed),
            by_time: self.by_time.saturating_add(other.by_time),
        }
    }
}

impl Cost {
    pub fn sum(self) -> i64 {
        self.fixed.saturating_add(self.by_time)
    }

    /// Of looking at so many failures one after the other.
    pub fn text(rows: i64) -> Self {
        Self { fixed: 0, by_time: rows.saturating_mul(TEXT) }
    }

    /// Of looking at so many failures that an index named.
    pub fn found(rows: i64) -> Self {
        Self { fixed: rows.saturating_mul(TEXT), by_time: 0 }
    }

    fn lists(lists: i64, rows: i64, each: i64) -> Self {
        Self { fixed: lists.saturating_mul(HEAD), by_time: rows.saturating_mul(each) }
    }

    /// How many of the operations of a time can be gone through; `None` for all of them.
    pub fn affordable(self, Effort { budget, least }: Effort, span: i64) -> Option<i64> {
        // However much the lists cost, the search gets on.
        let left = (budget - self.fixed).max(budget / 4);
        if left >= self.by_time {
            return None;
        }
        let rows = i128::from(span) * i128::from(left) / i128::from(self.by_time);
        Some(i64::try_from(rows).unwrap_or(i64::MAX).max(least))
    }
}

impl Search<'_> {
    /// The axis by which a source costs least, of a time with about so many operations.
    pub async fn cheapest(&mut self, source: Source, span: i64) -> Result<(Axis, Cost), StoreError> {
        let wanted = &self.wanted;
        let asks = [source.asks_kinds(wanted), source.asks_actors(wanted), source.asks_subjects(wanted)];
        let [asks_kinds, asks_actors, asks_subjects] = asks;
        let is_by_name = source.subjects == Part::Holding && !wanted.of_subjects();
        // Where nothing else is asked of the rows of a list, each that is read is one that is wanted.
        let found = count(self.limit);
        let of = |is_all_wanted: bool, rows: i64| {
            let is_all_wanted = is_all_wanted && source.kinds != Part::Failed;
            if is_all_wanted { found.min(rows) } else { rows.min(span) }
        };
        let (kinds, of_kinds) = self.length(source, Axis::Kinds).await?;
        let row = if is_by_name && self.names.is_none() { TEXT } else { ROW };
        // Of the rows that are gone through, only those that failed have a failure to be looked at.
        let (of_failed, of_any) = match source.kinds {
            Part::Failed => (TEXT, row + TEXT * of_kinds / span.max(of_kinds).max(1)),
            _ => (row, row),
        };
        let mut best =
            (Axis::Kinds, Cost::lists(kinds, of(!asks_actors && !asks_subjects, of_kinds), of_failed));
        let mut take = |axis, cost: Cost| {
            if cost.sum() < best.1.sum() {
                best = (axis, cost);
            }
        };
        take(Axis::Time, Cost::lists(1, of(false, span), of_any));
        if asks_actors {
            let (actors, rows) = self.length(source, Axis::Actors).await?;
            let cost =
                Cost::lists(actors.saturating_mul(kinds), of(!asks_subjects, rows.min(of_kinds)), of_failed);
            take(Axis::Actors, cost);
        }
        if asks_subjects && (!is_by_name || self.names.is_some()) {
            let (subjects, rows) = match self.names.filter(|_| is_by_name) {
                Some(names) if names > MANY_LISTS => (names, span),
                _ => self.length(source, Axis::Subjects).await?,
            };
            take(Axis::Subjects, Cost::lists(subjects, of(!asks_kinds && !asks_actors, rows), of_any));
        }
        Ok(best)
    }
}
