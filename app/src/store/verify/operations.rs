//! Every operation held against its entries in the ledger: its beginning, and its end with all steps and all output.
//!
//! A page of operations is walked through table by table, each once and in its order. Of an operation no more is kept
//! than the digests in the making.

use std::time::Instant;

use futures::TryStreamExt as _;
use serde::Deserialize;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    PAGE, Pace,
    cells::{BadCell, cell},
    lists,
};
use crate::{
    domain::operation::OperationState,
    ledger::{Damage, Hash, Report},
    store::{
        entry_kind::EntryKind,
        operations::digest::{Beginning, EndRecord, Ended},
    },
};

/// An operation as it stands in its tables, beside what the ledger tells of it.
struct Held {
    id: i64,
    begun: Hash,
    /// `None` while it has no end.
    ended: Option<EndRecord>,
    begun_told: Option<Hash>,
    ended_told: Option<Hash>,
    /// Something of it cannot be read, which has been told.
    is_bad: bool,
}

/// What the proof needs of an entry's detail.
#[derive(Deserialize)]
struct Told {
    record: Hash,
}

/// The next page.
struct Page {
    held: Vec<Held>,
    from: i64,
    to: i64,
}

impl Page {
    fn of(&mut self, id: i64) -> Option<&mut Held> {
        let at = self.held.binary_search_by_key(&id, |held| held.id).ok()?;
        self.held.get_mut(at)
    }
}

/// The look through the operations.
pub(super) struct Operations {
    pub report: Report,
    /// How many are as they were recorded.
    pub sound: u64,
    /// How many no entry binds.
    pub unbound: u64,
    pace: Pace,
    /// Those up to this one began before there was a ledger.
    unbound_up_to: i64,
    /// Those up to this one were moved into a file.
    archived_up_to: i64,
}

impl Operations {
    /// Adds to what was found already.
    pub fn new(report: Report, pace: Pace, unbound_up_to: i64, archived_up_to: i64) -> Self {
        Self { report, sound: 0, unbound: 0, pace, unbound_up_to, archived_up_to }
    }

    pub async fn look(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut from = Some(i64::MIN);
        while let Some(first) = from {
            let since = Instant::now();
            let mut page = self.begin_page(db, first).await?;
            self.steps(db, &mut page).await?;
            self.output(db, &mut page).await?;
            self.entries(db, &mut page).await?;
            from = page.to.checked_add(1);
            for held in page.held {
                self.compare(held);
            }
            for operation in lists::hidden(db, page.from, page.to).await? {
                self.report.add(Damage::Hidden { operation });
            }
            self.pace.rest(since).await;
        }
        Ok(())
    }

    async fn begin_page(&mut self, db: &mut SqliteConnection, from: i64) -> Result<Page, sqlx::Error> {
        let mut page = Page { held: Vec::new(), from, to: i64::MAX };
        let mut rows = sqlx::query(
            "SELECT id, origin, parent_id, children, backend, guest, node, title, action, actor, address, state,
                    request, plan, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after,
                    (SELECT count(*) FROM operation_steps WHERE operation_id = o.id) AS steps
             FROM operations AS o WHERE id >= ? ORDER BY id LIMIT ?",
        )
        .bind(from)
        .bind(PAGE)
        .fetch(db);
        let mut count = 0;
        while let Some(row) = rows.try_next().await? {
            count += 1;
            let id: i64 = row.try_get("id").unwrap_or(i64::MAX);
            page.held.push(held(id, &row).unwrap_or_else(|bad| {
                self.unreadable(format!("operation {id}"), bad);
                Held { id, begun: Hash::ZERO, ended: None, begun_told: None, ended_told: None, is_bad: true }
            }));
        }
        if count == PAGE {
            page.to = page.held.last().map_or(i64::MAX, |held| held.id);
        }
        Ok(page)
    }

    async fn steps(&mut self, db: &mut SqliteConnection, page: &mut Page) -> Result<(), sqlx::Error> {
        let mut rows = sqlx::query(
            "SELECT operation_id, step, outcome FROM operation_steps WHERE operation_id BETWEEN ? AND ?
             ORDER BY operation_id, step",
        )
        .bind(page.from)
        .bind(page.to)
        .fetch(db);
        while let Some(row) = rows.try_next().await? {
            let add = |record: EndRecord| Ok(record.step(cell(&row, "step")?, cell(&row, "outcome")?));
            self.add(page, &row, "a step", add);
        }
        Ok(())
    }

    async fn output(&mut self, db: &mut SqliteConnection, page: &mut Page) -> Result<(), sqlx::Error> {
        let mut rows = sqlx::query(
            "SELECT operation_id, step, stream, at_ms, text FROM operation_output WHERE operation_id BETWEEN ? AND ?
             ORDER BY operation_id, id",
        )
        .bind(page.from)
        .bind(page.to)
        .fetch(db);
        while let Some(row) = rows.try_next().await? {
            let add = |record: EndRecord| {
                let (step, stream) = (cell(&row, "step")?, cell(&row, "stream")?);
                Ok(record.piece(step, stream, cell(&row, "at_ms")?, cell(&row, "text")?))
            };
            self.add(page, &row, "the output", add);
        }
        Ok(())
    }

    /// Writes a row that belongs to an operation's end into its digest.
    fn add(
        &mut self,
        page: &mut Page,
        row: &SqliteRow,
        what: &str,
        add: impl FnOnce(EndRecord) -> Result<EndRecord, BadCell>,
    ) {
        let Ok(id) = row.try_get("operation_id") else { return };
        // What belongs to no operation is shown by nothing; that an operation is gone, its entries tell.
        let Some(held) = page.of(id).filter(|held| !held.is_bad) else { return };
        // What has no end yet may still grow, and is not bound.
        let Some(record) = held.ended.take() else { return };
        match add(record) {
            Ok(record) => held.ended = Some(record),
            Err(bad) => {
                held.is_bad = true;
                self.unreadable(format!("{what} of operation {id}"), bad);
            }
        }
    }

    async fn entries(&mut self, db: &mut SqliteConnection, page: &mut Page) -> Result<(), sqlx::Error> {
        let [begun, moved, ended] =
            [EntryKind::OperationBegun, EntryKind::OperationMoved, EntryKind::OperationEnded]
                .map(EntryKind::as_str);
        let mut rows = sqlx::query(
            "SELECT operation, kind, detail FROM ledger
             WHERE operation BETWEEN ? AND ? AND kind IN (?, ?, ?) ORDER BY operation, seq",
        )
        .bind(page.from)
        .bind(page.to)
        .bind(begun)
        .bind(moved)
        .bind(ended)
        .fetch(db);
        let mut missing = None;
        while let Some(row) = rows.try_next().await? {
            let Ok(id) = row.try_get("operation") else { continue };
            let Some(held) = page.of(id) else {
                if missing != Some(id) && id > self.archived_up_to {
                    self.report.add(Damage::RecordMissing { operation: id });
                }
                missing = Some(id);
                continue;
            };
            let told =
                cell::<&str>(&row, "detail").ok().and_then(|text| serde_json::from_str::<Told>(text).ok());
            // An entry that tells of no record proves none.
            let Some(Told { record }) = told else { continue };
            if cell::<&str>(&row, "kind") == Ok(ended) {
                held.ended_told = Some(record);
            } else {
                // The last one counts: it may have moved.
                held.begun_told = Some(record);
            }
        }
        Ok(())
    }

    fn compare(&mut self, held: Held) {
        let operation = held.id;
        if held.is_bad {
            return;
        }
        let is_bound = operation > self.unbound_up_to;
        let archived = operation <= self.archived_up_to;
        let damage = match (held.begun_told, held.ended.map(EndRecord::finish), held.ended_told) {
            _ if archived => Some(Damage::RecordUnknown { operation }),
            (None, _, _) if is_bound => Some(Damage::RecordUnknown { operation }),
            (Some(told), _, _) if told != held.begun => {
                Some(Damage::RecordChanged { operation, which: "beginning" })
            }
            (None, Some(_), None) if !is_bound => {
                self.unbound += 1;
                return;
            }
            (_, ended, told) if ended != told => Some(Damage::RecordChanged { operation, which: "end" }),
            _ => None,
        };
        match damage {
            Some(damage) => self.report.add(damage),
            None => self.sound += 1,
        }
    }

    fn unreadable(&mut self, at: String, bad: BadCell) {
        self.report.add(Damage::Malformed { at, why: bad.to_string() });
    }
}

fn held(id: i64, row: &SqliteRow) -> Result<Held, BadCell> {
    let begun = Beginning {
        id,
        origin: cell(row, "origin")?,
        parent_id: cell(row, "parent_id")?,
        children: cell(row, "children")?,
        backend: cell(row, "backend")?,
        guest: cell(row, "guest")?,
        node: cell(row, "node")?,
        title: cell(row, "title")?,
        action: cell(row, "action")?,
        actor: cell(row, "actor")?,
        address: cell(row, "address")?,
        request: cell(row, "request")?,
        plan: cell(row, "plan")?,
        started_ms: cell(row, "started_ms")?,
    };
    let end = Ended {
        id,
        state: cell(row, "state")?,
        running_ms: cell(row, "running_ms")?,
        finished_ms: cell(row, "finished_ms")?,
        failure: cell(row, "failure")?,
        failure_kind: cell(row, "failure_kind")?,
        guest_after: cell(row, "guest_after")?,
        steps: cell(row, "steps")?,
    };
    let is_live = [OperationState::Planned, OperationState::Running].iter().any(|s| s.as_str() == end.state);
    Ok(Held {
        id,
        begun: begun.record(),
        ended: (!is_live).then(|| end.record()),
        begun_told: None,
        ended_told: None,
        is_bad: false,
    })
}
