//! Operations for an export: every column as it stands in the database, with what binds it to the ledger.
//!
//! A record that was changed by hand is told as it stands, and marked where that can be seen by itself.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    PAGE, Part,
    search::{self, ids_of},
};
use crate::{
    domain::{
        history::{Cursor, HistoryFilter},
        operation::GuestAfter,
        plan::Plan,
        words,
    },
    ledger::Hash,
    store::{
        Store, StoreError,
        operations::{OperationRow, digest, rows},
        text::Text,
    },
};

/// One operation as an export has it. The fields are the columns of CSV and the keys of JSON Lines, in this order; none is
/// ever renamed or given another meaning, and new ones come at the end. A time is RFC 3339 in UTC, and `…_ms` the same in
/// milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryRecord {
    pub id: i64,
    /// `paddock`; `task`, begun in Proxmox by somebody else; `observed`, seen only by what it changed.
    pub origin: String,
    /// The bulk action that it is one part of.
    pub parent: Option<i64>,
    /// `proxmox-lxc`, `proxmox-vm`, `lxc` or `crun`; none where it concerns no single guest.
    pub backend: Option<String>,
    /// Its name; the VMID with Proxmox.
    pub guest: Option<String>,
    /// What people called the guest then, where its name is a number.
    pub title: Option<String>,
    pub node: Option<String>,
    /// `start`, `task:vncproxy`, `observed:running`, ...
    pub action: String,
    /// None: unknown.
    pub actor: Option<String>,
    /// The network address it was asked from.
    pub address: Option<String>,
    /// planned, running, succeeded, failed, cancelled, timed-out or interrupted.
    pub state: String,
    /// When it was asked for.
    pub started: String,
    pub started_ms: i64,
    /// When its turn came.
    pub running: Option<String>,
    pub running_ms: Option<i64>,
    pub finished: Option<String>,
    pub finished_ms: Option<i64>,
    /// `not-found`, `tool-failed`, ...
    pub failure_kind: Option<String>,
    pub failure: Option<String>,
    /// How the guest was read from the host at the end: its status, `gone` or `not-read`.
    pub guest_after: Option<String>,
    /// SHA-256 of the plan, hexadecimal, as are the others.
    pub plan_hash: String,
    /// The ledger's entry of its beginning; none for an operation that is older than the ledger.
    pub begun_seq: Option<i64>,
    pub begun_hash: Option<String>,
    /// That of its end.
    pub ended_seq: Option<i64>,
    pub ended_hash: Option<String>,
    /// How many guests a bulk action is for; none for every other operation.
    pub children: Option<i64>,
    /// What is wrong with a record that somebody else than Paddock wrote to, so that it cannot be read as one; the other
    /// fields are as they stand then. That one can be read proves nothing: `paddock verify` does.
    pub damaged: Option<String>,
}

impl HistoryRecord {
    pub fn place(&self) -> Cursor {
        Cursor { started_ms: self.started_ms, id: self.id }
    }
}

impl Store {
    /// As [`history`](Self::history) finds them.
    pub async fn history_records(
        &self,
        filter: &HistoryFilter,
        limit: usize,
    ) -> Result<Part<HistoryRecord>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let found = search::find(&mut transaction, filter, limit, PAGE).await?;
        let ids = ids_of(&found.places);
        let bound = sqlx::query_as!(
            Bound,
            r#"SELECT o.id AS "id!", o.plan AS "plan!: Text", b.seq AS "begun_seq?", b.hash AS "begun_hash?: Vec<u8>",
                      e.seq AS "ended_seq?", e.hash AS "ended_hash?: Vec<u8>"
               FROM operations AS o
               LEFT JOIN ledger AS b ON b.seq = (
                   SELECT min(seq) FROM ledger WHERE operation = o.id AND kind = 'operation-begun')
               LEFT JOIN ledger AS e ON e.seq = (
                   SELECT max(seq) FROM ledger WHERE operation = o.id AND kind = 'operation-ended')
               WHERE o.id IN (SELECT value FROM json_each(?))"#,
            ids
        )
        .fetch_all(&mut *transaction)
        .await?;
        let rows = rows(&mut transaction, &ids).await?;
        let mut bound: HashMap<i64, Bound> = bound.into_iter().map(|row| (row.id, row)).collect();
        let records = rows.into_iter().filter_map(|row| Some((row.id, record(bound.remove(&row.id)?, row))));
        let mut records: HashMap<i64, HistoryRecord> = records.collect();
        let operations = found.places.iter().filter_map(|place| records.remove(&place.id)).collect();
        Ok(Part { operations, stopped: found.stopped })
    }
}

/// What binds an operation to the ledger.
struct Bound {
    id: i64,
    plan: Text,
    begun_seq: Option<i64>,
    begun_hash: Option<Vec<u8>>,
    ended_seq: Option<i64>,
    ended_hash: Option<Vec<u8>>,
}

fn record(bound: Bound, row: OperationRow) -> HistoryRecord {
    let plan = bound.plan.read("plan");
    let fault = row.clone().line().err().map(|record| record.what);
    let plan_fault = || match &plan {
        Ok(json) => serde_json::from_str::<Plan>(json).err().map(|e| format!("its plan cannot be read: {e}")),
        Err(what) => Some(what.clone()),
    };
    let damaged = fault.or_else(plan_fault);
    let maybe = |text: Option<Text>| text.map(Text::legible);
    HistoryRecord {
        id: row.id,
        origin: row.origin.legible(),
        parent: row.parent_id,
        backend: maybe(row.backend),
        guest: maybe(row.guest),
        title: maybe(row.title),
        node: maybe(row.node),
        action: row.action.legible(),
        actor: maybe(row.actor),
        address: maybe(row.address),
        state: row.state.legible(),
        started: words::precise(row.started_ms),
        started_ms: row.started_ms,
        running: row.running_ms.map(words::precise),
        running_ms: row.running_ms,
        finished: row.finished_ms.map(words::precise),
        finished_ms: row.finished_ms,
        failure_kind: maybe(row.failure_kind),
        failure: maybe(row.failure),
        guest_after: maybe(row.guest_after).map(guest_after),
        plan_hash: plan.map(|json| digest::of_plan(&json).to_string()).unwrap_or_default(),
        begun_seq: bound.begun_seq,
        begun_hash: bound.begun_hash.map(hash),
        ended_seq: bound.ended_seq,
        ended_hash: bound.ended_hash.map(hash),
        children: row.children,
        damaged,
    }
}

fn guest_after(json: String) -> String {
    match serde_json::from_str(&json) {
        Ok(GuestAfter::Status(status)) => status.to_string(),
        Ok(GuestAfter::Gone) => "gone".to_owned(),
        Ok(GuestAfter::NotRead) => "not-read".to_owned(),
        Err(_) => json,
    }
}

/// Empty for what is none.
fn hash(bytes: Vec<u8>) -> String {
    bytes.try_into().map(|bytes| Hash(bytes).to_string()).unwrap_or_default()
}
