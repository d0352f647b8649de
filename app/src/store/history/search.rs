//! Finding operations: the ids of the newest that a filter asks for, however many there are that it does not.
//!
//! An operation is found by its deed (who did what, where, with which result), its subject (what it was done to) and its
//! failure. Of deeds and subjects there are few, so a filter is first answered there. What remains is to merge lists that
//! are sorted by time already, one for each deed or subject, and to take the head of the merged list: as many steps as
//! there are lists and wanted rows, however long the lists. In front of it goes a short look at the newest operations:
//! it alone is enough where much of the history is asked for, which is when the lists are many.

use sqlx::SqliteConnection;

use super::words::{Part, Query, Wanted};
use crate::{
    domain::history::{Cursor, HistoryFilter},
    store::StoreError,
};

/// At how many of the newest operations is looked for each one that is wanted.
const LOOK_AT: usize = 100;
/// Up to so many failures that hold the text are looked at one by one; of more, the newest.
const FEW: i64 = 2000;
/// Lists of so many operations are looked through rather than all failures.
const SHORT: i64 = 20_000;

/// The part of the time that is looked at: from here on, and before there.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    from_ms: i64,
    before: Cursor,
}

impl Bounds {
    fn of(filter: &HistoryFilter) -> Self {
        // Nothing that begins in the millisecond `to` belongs to it.
        let to = Cursor { started_ms: filter.to_ms.unwrap_or(i64::MAX), id: i64::MIN };
        let before = filter.after.map_or(to, |after| after.min(to));
        Self { from_ms: filter.from_ms.unwrap_or(i64::MIN), before }
    }

    /// Of the rows of `table`.
    fn push(self, query: &mut Query<'_>, table: &str) {
        query.push(format_args!(" ({table}.started_ms, {table}.id) < ("));
        query.push_bind(self.before.started_ms).push(", ").push_bind(self.before.id);
        query.push(format_args!(") AND {table}.started_ms >= ")).push_bind(self.from_ms);
    }
}

/// What lists are merged: those of deeds, or those of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Deeds,
    Subjects,
}

impl Axis {
    fn column(self) -> &'static str {
        match self {
            Self::Deeds => "deed",
            Self::Subjects => "subject",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Deeds => Self::Subjects,
            Self::Subjects => Self::Deeds,
        }
    }
}

/// Rows with one of these deeds and one of these subjects.
#[derive(Debug, Clone, Copy)]
struct Pairs {
    deeds: Part,
    subjects: Part,
}

/// The newest that the filter asks for, at most so many, newest first. The connection is in a transaction, so that all that
/// is asked here is asked of the same history.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    filter: &HistoryFilter,
    limit: usize,
) -> Result<Vec<Cursor>, StoreError> {
    let wanted = Wanted::new(filter);
    let mut search = Search { connection, wanted, bounds: Bounds::of(filter), limit };
    let window = limit.saturating_mul(LOOK_AT);
    let mut found = search.look(window).await?;
    if found.len() >= limit || !search.wanted.asks_anything() {
        return Ok(found);
    }
    let Some(end) = search.end_of(window).await? else { return Ok(found) };
    search.bounds.before = end;
    search.limit = limit - found.len();
    found.extend(search.merge().await?);
    Ok(found)
}

struct Search<'a> {
    connection: &'a mut SqliteConnection,
    wanted: Wanted<'a>,
    bounds: Bounds,
    limit: usize,
}

impl Search<'_> {
    /// Those among the newest `window`.
    async fn look(&mut self, window: usize) -> Result<Vec<Cursor>, StoreError> {
        let mut query = Query::new("SELECT w.started_ms, w.id FROM (SELECT * FROM history AS h WHERE");
        self.bounds.push(&mut query, "h");
        query.push(" ORDER BY h.started_ms DESC, h.id DESC LIMIT ").push_bind(count(window));
        query.push(") AS w WHERE true");
        self.push_asked(&mut query, "w");
        if let Some(needle) = &self.wanted.needle {
            self.push_in(&mut query, " AND (w.", Axis::Deeds, Part::Holding);
            self.push_in(&mut query, " OR w.", Axis::Subjects, Part::Holding);
            query.push(" OR EXISTS (SELECT 1 FROM history_failures AS f WHERE f.id = w.id AND");
            needle.push_failure(&mut query);
            query.push("))");
        }
        query.push(" ORDER BY w.started_ms DESC, w.id DESC LIMIT ").push_bind(count(self.limit));
        self.places(query).await
    }

    /// The last of the newest `window`; `None` if there are not so many.
    async fn end_of(&mut self, window: usize) -> Result<Option<Cursor>, StoreError> {
        let mut query = Query::new("SELECT h.started_ms, h.id FROM history AS h WHERE");
        self.bounds.push(&mut query, "h");
        query.push(" ORDER BY h.started_ms DESC, h.id DESC LIMIT 1 OFFSET ");
        query.push_bind(count(window.saturating_sub(1)));
        Ok(self.places(query).await?.pop())
    }

    async fn merge(&mut self) -> Result<Vec<Cursor>, StoreError> {
        let all = Pairs { deeds: Part::All, subjects: Part::All };
        if self.wanted.needle.is_none() {
            return self.pairs(all).await;
        }
        // The text stands in one of three places: each tells its newest, and the newest of these are the newest of all.
        let mut found = self.pairs(Pairs { deeds: Part::Holding, ..all }).await?;
        found.extend(self.pairs(Pairs { subjects: Part::Holding, ..all }).await?);
        found.extend(self.failures().await?);
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        found.truncate(self.limit);
        Ok(found)
    }

    /// Merges the lists of the deeds or those of the subjects, whichever are shorter all together.
    async fn pairs(&mut self, pairs: Pairs) -> Result<Vec<Cursor>, StoreError> {
        let axis = match (self.asks(Axis::Deeds, pairs.deeds), self.asks(Axis::Subjects, pairs.subjects)) {
            (false, true) => Axis::Subjects,
            (_, false) => Axis::Deeds,
            (true, true) => {
                let deeds = self.length(Axis::Deeds, pairs.deeds).await?;
                let subjects = self.length(Axis::Subjects, pairs.subjects).await?;
                if deeds < subjects { Axis::Deeds } else { Axis::Subjects }
            }
        };
        let column = axis.column();
        let mut query = Query::new("WITH RECURSIVE merged (list, started_ms, id) AS (");
        query.push(format_args!("SELECT h.{column}, h.started_ms, h.id FROM (SELECT id"));
        self.push_from(&mut query, axis, pairs.of(axis));
        query.push(") AS k CROSS JOIN history AS h ON h.id = ");
        self.push_next(&mut query, axis, pairs, "k.id", None);
        // SQLite takes from what is still to be followed whatever comes first in this order: a heap.
        query.push(format_args!(" UNION ALL SELECT h.{column}, h.started_ms, h.id FROM merged AS m"));
        query.push(" CROSS JOIN history AS h ON h.id = ");
        self.push_next(&mut query, axis, pairs, "m.list", Some("m"));
        query.push(" ORDER BY 2 DESC, 3 DESC) SELECT started_ms, id FROM merged LIMIT ");
        query.push_bind(count(self.limit));
        self.places(query).await
    }

    /// The newest row of a list that is wanted; with `after`, of those that come after that row.
    fn push_next(&self, query: &mut Query<'_>, axis: Axis, pairs: Pairs, list: &str, after: Option<&str>) {
        let column = axis.column();
        query.push(format_args!("(SELECT x.id FROM history AS x WHERE x.{column} = {list} AND"));
        match after {
            None => self.bounds.push(query, "x"),
            Some(row) => {
                query.push(format_args!(" (x.started_ms, x.id) < ({row}.started_ms, {row}.id)"));
                query.push(" AND x.started_ms >= ").push_bind(self.bounds.from_ms);
            }
        }
        let (other, part) = (axis.other(), pairs.of(axis.other()));
        if self.asks(other, part) {
            self.push_in(query, " AND x.", other, part);
        }
        if let (Part::Failed, Some(needle)) = (pairs.deeds, &self.wanted.needle) {
            query.push(" AND EXISTS (SELECT 1 FROM history_failures AS f WHERE f.id = x.id AND");
            needle.push_failure(query);
            query.push(")");
        }
        query.push(" ORDER BY x.started_ms DESC, x.id DESC LIMIT 1)");
    }

    /// Those whose failure holds the text.
    async fn failures(&mut self) -> Result<Vec<Cursor>, StoreError> {
        let Some(needle) = self.wanted.needle.clone() else { return Ok(Vec::new()) };
        let phrase = match needle.phrase() {
            Some(phrase) if self.holding(&phrase).await? <= FEW => Some(phrase),
            _ => None,
        };
        // What is asked of deeds and subjects may leave few failures to look at.
        if phrase.is_none() {
            let failed = Pairs { deeds: Part::Failed, subjects: Part::All };
            let deeds = self.length(Axis::Deeds, failed.deeds).await?;
            let subjects = self.length(Axis::Subjects, failed.subjects).await?;
            if deeds.min(subjects) <= SHORT {
                return self.pairs(failed).await;
            }
        }
        let mut query = Query::new("SELECT f.started_ms, f.id FROM ");
        match phrase {
            Some(phrase) => {
                query.push("history_words AS w CROSS JOIN history_failures AS f ON f.id = w.rowid ");
                query.push("CROSS JOIN history AS h ON h.id = f.id WHERE history_words MATCH ");
                query.push_bind(phrase).push(" AND");
            }
            None => {
                query.push("history_failures AS f INDEXED BY history_failures_by_time ");
                query.push("CROSS JOIN history AS h ON h.id = f.id WHERE");
            }
        }
        self.bounds.push(&mut query, "f");
        query.push(" AND");
        needle.push_failure(&mut query);
        self.push_asked(&mut query, "h");
        query.push(" ORDER BY f.started_ms DESC, f.id DESC LIMIT ").push_bind(count(self.limit));
        self.places(query).await
    }

    /// How many failures hold the text, as far as they are [`FEW`].
    async fn holding(&mut self, phrase: &str) -> Result<i64, StoreError> {
        let mut query =
            Query::new("SELECT count(*) FROM (SELECT 1 FROM history_words WHERE history_words MATCH ");
        query.push_bind(phrase).push(" LIMIT ").push_bind(FEW + 1).push(")");
        Ok(query.build_query_scalar().fetch_one(&mut *self.connection).await?)
    }

    /// How many operations these lists hold together.
    async fn length(&mut self, axis: Axis, part: Part) -> Result<i64, StoreError> {
        let mut query = Query::new("SELECT coalesce(sum(n), 0)");
        self.push_from(&mut query, axis, part);
        Ok(query.build_query_scalar().fetch_one(&mut *self.connection).await?)
    }

    /// Whether that part is not simply all there are.
    fn asks(&self, axis: Axis, part: Part) -> bool {
        part != Part::All
            || match axis {
                Axis::Deeds => self.wanted.of_deeds(),
                Axis::Subjects => self.wanted.of_subjects(),
            }
    }

    /// That the rows of `table` are what is asked for, the text aside.
    fn push_asked(&self, query: &mut Query<'_>, table: &str) {
        for axis in [Axis::Deeds, Axis::Subjects] {
            if self.asks(axis, Part::All) {
                self.push_in(query, &format!(" AND {table}."), axis, Part::All);
            }
        }
    }

    fn push_from(&self, query: &mut Query<'_>, axis: Axis, part: Part) {
        match axis {
            Axis::Deeds => self.wanted.push_deeds(query, part),
            Axis::Subjects => self.wanted.push_subjects(query, part),
        }
    }

    /// `deed IN (…)`
    fn push_in(&self, query: &mut Query<'_>, before: &str, axis: Axis, part: Part) {
        query.push(before).push(axis.column()).push(" IN (SELECT id");
        self.push_from(query, axis, part);
        query.push(")");
    }

    async fn places(&mut self, mut query: Query<'_>) -> Result<Vec<Cursor>, StoreError> {
        let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *self.connection).await?;
        Ok(rows.into_iter().map(|(started_ms, id)| Cursor { started_ms, id }).collect())
    }
}

impl Pairs {
    fn of(self, axis: Axis) -> Part {
        match axis {
            Axis::Deeds => self.deeds,
            Axis::Subjects => self.subjects,
        }
    }
}

/// A JSON array of their ids, as a query takes any number of them.
pub(super) fn ids_of(places: &[Cursor]) -> String {
    serde_json::json!(places.iter().map(|place| place.id).collect::<Vec<_>>()).to_string()
}

pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
