//! Operations for an export: every column as it stands in the database, with what binds it to the ledger.
//!
//! Nothing is parsed that need not be, so that also a record that was changed by hand is told as it stands.

use serde::Serialize;

use super::search::{self, ids_of};
use crate::{
    domain::{
        history::{Cursor, HistoryFilter},
        operation::GuestAfter,
        words,
    },
    ledger::Hash,
    store::{Store, StoreError, operations::digest},
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
    ) -> Result<Vec<HistoryRecord>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids = ids_of(&search::find(&mut transaction, filter, limit).await?);
        let rows = sqlx::query!(
            r#"SELECT o.id AS "id!", o.origin AS "origin!", o.parent_id, o.backend, o.guest, o.title, o.node,
                      o.action AS "action!", o.actor, o.address, o.state AS "state!", o.started_ms AS "started_ms!",
                      o.running_ms, o.finished_ms, o.failure_kind, o.failure, o.guest_after, o.plan AS "plan!",
                      b.seq AS "begun_seq?", b.hash AS "begun_hash?: Vec<u8>", e.seq AS "ended_seq?",
                      e.hash AS "ended_hash?: Vec<u8>"
               FROM operations AS o
               LEFT JOIN ledger AS b ON b.seq = (
                   SELECT min(seq) FROM ledger WHERE operation = o.id AND kind = 'operation-begun')
               LEFT JOIN ledger AS e ON e.seq = (
                   SELECT max(seq) FROM ledger WHERE operation = o.id AND kind = 'operation-ended')
               WHERE o.id IN (SELECT value FROM json_each(?)) ORDER BY o.started_ms DESC, o.id DESC"#,
            ids
        )
        .fetch_all(&mut *transaction)
        .await?;
        let records = rows.into_iter().map(|row| HistoryRecord {
            id: row.id,
            origin: row.origin,
            parent: row.parent_id,
            backend: row.backend,
            guest: row.guest,
            title: row.title,
            node: row.node,
            action: row.action,
            actor: row.actor,
            address: row.address,
            state: row.state,
            started: words::precise(row.started_ms),
            started_ms: row.started_ms,
            running: row.running_ms.map(words::precise),
            running_ms: row.running_ms,
            finished: row.finished_ms.map(words::precise),
            finished_ms: row.finished_ms,
            failure_kind: row.failure_kind,
            failure: row.failure,
            guest_after: row.guest_after.map(guest_after),
            plan_hash: digest::of_plan(&row.plan).to_string(),
            begun_seq: row.begun_seq,
            begun_hash: row.begun_hash.map(hash),
            ended_seq: row.ended_seq,
            ended_hash: row.ended_hash.map(hash),
        });
        Ok(records.collect())
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
