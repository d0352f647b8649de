//! Finding operations: the ids of the newest that a filter asks for, however many there are that it does not.
//!
//! An operation is found by its kind (what was done, where, with which result), its actor, its subject (what it was done
//! to) and its failure. Of kinds and actors there are few and of subjects not many, so a filter is first answered there.
//! What remains is to merge lists that are sorted by time already, one for each kind, actor and kind, or subject, and to
//! take the head of the merged list: as many steps as there are lists and wanted rows, however long the lists. In front of
//! it goes a short look at the newest operations: it alone is enough where much of the history is asked for.
//!
//! Two conditions that each hold of many operations but of few together would have to be looked for through all of either.
//! What a search will cost is therefore reckoned before ([`plan`](super::plan)), and one that would take too long looks
//! back only so far, and says how far.

mod failures;

use sqlx::SqliteConnection;

use super::{
    plan::{Axis, Cost, Effort, Source},
    words::{NAMES, Part, Query, Wanted, quoted},
};
use crate::{
    domain::history::{Cursor, HistoryFilter},
    store::StoreError,
};

/// At how many of the newest operations is looked for each one that is wanted.
const LOOK_AT: usize = 100;
/// So many names that hold the text are noted.
const MANY_NAMES: i64 = 8000;
/// So many words of an index may begin with two letters.
const MANY_WORDS: i64 = 200;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Newest first.
    pub places: Vec<Cursor>,
    /// Where the search stopped before it had found as many as were wanted: what is older was not looked at.
    pub stopped: Option<Cursor>,
}

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

/// The newest that the filter asks for, at most so many, newest first. The connection is in a transaction, so that all that
/// is asked here is asked of the same history.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    filter: &HistoryFilter,
    limit: usize,
    effort: Effort,
) -> Result<Found, StoreError> {
    let wanted = Wanted::new(filter);
    let mut search = Search { connection, wanted, bounds: Bounds::of(filter), limit, effort, names: None };
    let window = limit.saturating_mul(LOOK_AT);
    let places = search.look(window).await?;
    let mut found = Found { places, stopped: None };
    if found.places.len() >= limit || !search.wanted.asks_anything() {
        return Ok(found);
    }
    let Some(end) = search.end_of(window).await? else { return Ok(found) };
    search.bounds.before = end;
    search.limit = limit - found.places.len();
    let older = search.merge().await?;
    found.stopped = older.stopped.filter(|_| older.places.len() < search.limit);
    found.places.extend(older.places);
    Ok(found)
}

pub(super) struct Search<'a> {
    connection: &'a mut SqliteConnection,
    pub wanted: Wanted<'a>,
    bounds: Bounds,
    pub limit: usize,
    effort: Effort,
    /// How many names hold the text, once they stand in [`NAMES`].
    pub names: Option<i64>,
}

impl Search<'_> {
    /// Those among the newest `window`.
    async fn look(&mut self, window: usize) -> Result<Vec<Cursor>, StoreError> {
        let mut query = Query::new("SELECT x.started_ms, x.id FROM (SELECT * FROM history AS h WHERE");
        self.bounds.push(&mut query, "h");
        query.push(" ORDER BY h.started_ms DESC, h.id DESC LIMIT ").push_bind(count(window));
        query.push(") AS x WHERE true");
        self.push_asked(&mut query, Source::ALL, None);
        if let Some(needle) = &self.wanted.needle {
            query.push(" AND (x.kind IN (SELECT id");
            self.wanted.push_kinds(&mut query, Part::Holding);
            query.push(") OR x.actor IN (SELECT id");
            self.wanted.push_actors(&mut query, Part::Holding);
            query.push(") OR EXISTS (SELECT 1 FROM history_subjects AS s WHERE s.id = x.subject AND");
            needle.push_names(&mut query, "s");
            query.push(") OR EXISTS (SELECT 1 FROM history_failures AS f WHERE f.id = x.id AND");
            needle.push_failure(&mut query);
            query.push("))");
        }
        query.push(" ORDER BY x.started_ms DESC, x.id DESC LIMIT ").push_bind(count(self.limit));
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

    async fn merge(&mut self) -> Result<Found, StoreError> {
        // The text stands in one of four places: each tells its newest, and the newest of these are the newest of all.
        let sources = match &self.wanted.needle {
            None => vec![Source::ALL],
            Some(_) => vec![
                Source { kinds: Part::Holding, ..Source::ALL },
                Source { actors: Part::Holding, ..Source::ALL },
                Source { subjects: Part::Holding, ..Source::ALL },
            ],
        };
        if self.wanted.needle.is_some() && !self.wanted.of_subjects() {
            self.note_names().await?;
        }
        let span = self.span().await?;
        let (mut plans, mut cost) = (Vec::new(), Cost::default());
        for source in sources {
            let (axis, of_it) = self.cheapest(source, span).await?;
            plans.push((source, axis));
            cost = cost + of_it;
        }
        let failures = match self.wanted.needle {
            Some(_) => Some(self.plan_failures(span).await?),
            None => None,
        };
        cost = failures.iter().fold(cost, |sum, (_, of_it)| sum + *of_it);
        let stopped = match cost.affordable(self.effort, span) {
            Some(rows) => self.stop_after(rows).await?,
            None => None,
        };
        let mut places = Vec::new();
        for (source, axis) in plans {
            places.extend(self.lists(source, axis).await?);
        }
        if let Some((way, _)) = failures {
            places.extend(self.failures(way).await?);
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.dedup();
        places.truncate(self.limit);
        Ok(Found { places, stopped })
    }

    /// How many operations there are between the bounds, about: ids grow with time but for what is brought in later.
    async fn span(&mut self) -> Result<i64, StoreError> {
        let mut query = Query::new("SELECT h.started_ms, h.id FROM history AS h WHERE");
        self.bounds.push(&mut query, "h");
        query.push(" ORDER BY h.started_ms, h.id LIMIT 1");
        let first = self.places(query).await?.pop();
        Ok(first.map_or(0, |first| (self.bounds.before.id - first.id).abs() + 1))
    }

    /// Looks no further back than about so many operations. Where that is; `None` if it is all there are.
    async fn stop_after(&mut self, rows: i64) -> Result<Option<Cursor>, StoreError> {
        let id = self.bounds.before.id.saturating_sub(rows);
        let mut query = Query::new("SELECT started_ms, id FROM history WHERE id >= ");
        query.push_bind(id).push(" ORDER BY id LIMIT 1");
        let mut place = self.places(query).await?.pop();
        if place.is_none_or(|place| place.started_ms >= self.bounds.before.started_ms) {
            // Ids and times have nothing to do with each other here.
            place = self.end_of(usize::try_from(self.effort.least).unwrap_or(usize::MAX)).await?;
        }
        let Some(place) = place.filter(|place| place.started_ms > self.bounds.from_ms) else {
            return Ok(None);
        };
        self.bounds.from_ms = place.started_ms;
        Ok(Some(Cursor { started_ms: place.started_ms, id: 0 }))
    }

    /// Notes the names that hold the text, unless they are too many or the text too short for the index.
    async fn note_names(&mut self) -> Result<(), StoreError> {
        let Some(needle) = self.wanted.needle.clone() else { return Ok(()) };
        let Some(phrase) = self.phrase("history_names_terms").await? else { return Ok(()) };
        let mut query =
            Query::new("CREATE TEMP TABLE IF NOT EXISTS history_found_names (id INTEGER PRIMARY KEY)");
        query.build().execute(&mut *self.connection).await?;
        Query::new(format!("DELETE FROM {NAMES}")).build().execute(&mut *self.connection).await?;
        let mut query = Query::new(format!("INSERT INTO {NAMES} SELECT "));
        if needle.is_plain() {
            query.push("rowid FROM history_names WHERE history_names MATCH ").push_bind(phrase);
        } else {
            query.push("s.id FROM history_names AS w CROSS JOIN history_subjects AS s ON s.id = w.rowid ");
            query.push("WHERE history_names MATCH ").push_bind(phrase).push(" AND");
            needle.push_names(&mut query, "s");
        }
        query.push(" LIMIT ").push_bind(MANY_NAMES);
        let noted = query.build().execute(&mut *self.connection).await?.rows_affected();
        self.names = i64::try_from(noted).ok().filter(|noted| *noted < MANY_NAMES);
        Ok(())
    }

    /// What an index is asked for, to find the text; `None` if it cannot find it. `terms` are its words.
    async fn phrase(&mut self, terms: &str) -> Result<Option<String>, StoreError> {
        let Some(needle) = &self.wanted.needle else { return Ok(None) };
        if let Some(phrase) = needle.phrase() {
            return Ok(Some(phrase));
        }
        let Some((first, last)) = needle.words() else { return Ok(None) };
        let mut query = Query::new(format!("SELECT term FROM {terms} WHERE term >= "));
        query.push_bind(first).push(" AND term <= ").push_bind(last).push(" LIMIT ").push_bind(MANY_WORDS);
        let words: Vec<String> = query.build_query_scalar().fetch_all(&mut *self.connection).await?;
        if count(words.len()) == MANY_WORDS {
            return Ok(None);
        }
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        // No word begins so: the empty one is found nowhere.
        Ok(Some(if words.is_empty() { quoted("") } else { words.join(" OR ") }))
    }

    /// Merges the lists of one axis.
    async fn lists(&mut self, source: Source, axis: Axis) -> Result<Vec<Cursor>, StoreError> {
        let mut query;
        if axis == Axis::Time {
            query =
                Query::new("SELECT x.started_ms, x.id FROM history AS x INDEXED BY history_by_time WHERE");
            self.bounds.push(&mut query, "x");
            self.push_asked(&mut query, source, Some(axis));
            self.push_failed(&mut query, source);
            query.push(" ORDER BY x.started_ms DESC, x.id DESC LIMIT ").push_bind(count(self.limit));
        } else {
            query = Query::new("WITH RECURSIVE merged (list, kind, started_ms, id) AS (");
            query.push("SELECT l.list, l.kind, h.started_ms, h.id FROM (");
            self.push_lists(&mut query, source, axis);
            query.push(") AS l CROSS JOIN history AS h ON h.id = ");
            self.push_next(&mut query, source, axis, "l", false);
            // SQLite takes from what is still to be followed whatever comes first in this order: a heap.
            query.push(" UNION ALL SELECT m.list, m.kind, h.started_ms, h.id FROM merged AS m");
            query.push(" CROSS JOIN history AS h ON h.id = ");
            self.push_next(&mut query, source, axis, "m", true);
            query.push(" ORDER BY 3 DESC, 4 DESC) SELECT started_ms, id FROM merged LIMIT ");
            query.push_bind(count(self.limit));
        }
        self.places(query).await
    }

    fn push_lists(&self, query: &mut Query<'_>, source: Source, axis: Axis) {
        match axis {
            Axis::Subjects => {
                query.push("SELECT id AS list, 0 AS kind");
                self.wanted.push_subjects(query, source.subjects);
            }
            Axis::Actors => {
                query.push("SELECT a.id AS list, k.id AS kind FROM (SELECT id");
                self.wanted.push_actors(query, source.actors);
                query.push(") AS a CROSS JOIN (SELECT id");
                self.wanted.push_kinds(query, source.kinds);
                query.push(") AS k");
            }
            Axis::Kinds | Axis::Time => {
                query.push("SELECT 0 AS list, id AS kind");
                self.wanted.push_kinds(query, source.kinds);
            }
        }
    }

    /// The newest row of a list that is wanted; of those that come after the row of `list`, if it `is_row`.
    fn push_next(&self, query: &mut Query<'_>, source: Source, axis: Axis, list: &str, is_row: bool) {
        query.push(format_args!(
            "(SELECT x.id FROM history AS x INDEXED BY {} WHERE {} AND",
            axis.index(),
            axis.is_of(list)
        ));
        if is_row {
            query.push(format_args!(" (x.started_ms, x.id) < ({list}.started_ms, {list}.id)"));
            query.push(" AND x.started_ms >= ").push_bind(self.bounds.from_ms);
        } else {
            self.bounds.push(query, "x");
        }
        self.push_asked(query, source, Some(axis));
        self.push_failed(query, source);
        query.push(" ORDER BY x.started_ms DESC, x.id DESC LIMIT 1)");
    }

    /// How many lists an axis has of a source, and how many operations they hold together.
    pub async fn length(&mut self, source: Source, axis: Axis) -> Result<(i64, i64), StoreError> {
        let mut query = Query::new("SELECT count(*), coalesce(sum(n), 0)");
        match axis {
            Axis::Actors => self.wanted.push_actors(&mut query, source.actors),
            Axis::Subjects => self.wanted.push_subjects(&mut query, source.subjects),
            Axis::Kinds | Axis::Time => self.wanted.push_kinds(&mut query, source.kinds),
        }
        Ok(query.build_query_as().fetch_one(&mut *self.connection).await?)
    }

    /// That the row `x` is what is asked for by the axes that are not gone through.
    fn push_asked(&self, query: &mut Query<'_>, source: Source, axis: Option<Axis>) {
        if source.asks_kinds(&self.wanted) && !matches!(axis, Some(Axis::Kinds | Axis::Actors)) {
            query.push(" AND x.kind IN (SELECT id");
            self.wanted.push_kinds(query, source.kinds);
            query.push(")");
        }
        if source.asks_actors(&self.wanted) && axis != Some(Axis::Actors) {
            query.push(" AND x.actor IN (SELECT id");
            self.wanted.push_actors(query, source.actors);
            query.push(")");
        }
        if !source.asks_subjects(&self.wanted) || axis == Some(Axis::Subjects) {
            return;
        }
        match (&self.wanted.needle, source.subjects) {
            (Some(_), Part::Holding) if !self.wanted.of_subjects() && self.names.is_some() => {
                query.push(format_args!(" AND x.subject IN {NAMES}"));
            }
            (Some(needle), Part::Holding) if !self.wanted.of_subjects() => {
                query.push(" AND EXISTS (SELECT 1 FROM history_subjects AS s WHERE s.id = x.subject AND");
                needle.push_names(query, "s");
                query.push(")");
            }
            _ => {
                query.push(" AND x.subject IN (SELECT id");
                self.wanted.push_subjects(query, source.subjects);
                query.push(")");
            }
        }
    }

    async fn places(&mut self, mut query: Query<'_>) -> Result<Vec<Cursor>, StoreError> {
        let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *self.connection).await?;
        Ok(rows.into_iter().map(|(started_ms, id)| Cursor { started_ms, id }).collect())
    }
}

/// A JSON array of their ids, as a query takes any number of them.
pub(super) fn ids_of(places: &[Cursor]) -> String {
    serde_json::json!(places.iter().map(|place| place.id).collect::<Vec<_>>()).to_string()
}

pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
