//! A row as a line of the history, also where somebody else than Paddock wrote to it.

use std::collections::HashMap;

use sqlx::SqliteConnection;

use super::{StoreError, guest, origin};
use crate::{
    domain::operation::{DamagedRecord, Line, OperationId, OperationSummary},
    store::text::Text,
};

#[derive(Debug, Clone)]
pub(in crate::store) struct OperationRow {
    pub id: i64,
    pub origin: Text,
    pub parent_id: Option<i64>,
    pub children: Option<i64>,
    pub backend: Option<Text>,
    pub guest: Option<Text>,
    pub node: Option<Text>,
    pub title: Option<Text>,
    pub action: Text,
    pub actor: Option<Text>,
    pub address: Option<Text>,
    pub state: Text,
    pub started_ms: i64,
    pub running_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    pub failure: Option<Text>,
    pub failure_kind: Option<Text>,
    pub guest_after: Option<Text>,
}

impl OperationRow {
    pub fn line(self) -> Line {
        let (id, started_ms) = (OperationId(self.id), self.started_ms);
        self.summary().map_err(|what| DamagedRecord { id, started_ms, what })
    }

    /// Or what is wrong with it, as a clause.
    fn summary(self) -> Result<OperationSummary, String> {
        let text = |text: Option<Text>, column| text.map(|text: Text| text.read(column)).transpose();
        Ok(OperationSummary {
            id: OperationId(self.id),
            origin: origin(&self.origin).ok_or_else(|| format!("“{}” is no origin", self.origin.as_str()))?,
            parent: self.parent_id.map(OperationId),
            children: self.children.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            guest: guest(self.backend.as_ref(), self.guest.as_ref())?,
            node: text(self.node, "node")?,
            title: text(self.title, "title")?,
            action: parsed(self.action, "action")?,
            actor: text(self.actor, "actor")?,
            address: text(self.address, "address")?,
            state: parsed(self.state, "state")?,
            started_ms: self.started_ms,
            running_ms: self.running_ms,
            finished_ms: self.finished_ms,
            failure: text(self.failure, "failure")?,
            // A word of a newer Paddock is no reason to hide the operation.
            failure_kind: self.failure_kind.and_then(|word| word.as_str().parse().ok()),
            guest_after: text(self.guest_after, "state of the guest")?
                .map(|json| serde_json::from_str(&json).map_err(|e| format!("its state of the guest: {e}")))
                .transpose()?,
            place: None,
        })
    }
}

fn parsed<T: std::str::FromStr<Err: ToString>>(text: Text, column: &str) -> Result<T, String> {
    text.read(column)?.parse().map_err(|error: T::Err| error.to_string())
}

impl From<DamagedRecord> for StoreError {
    fn from(record: DamagedRecord) -> Self {
        super::damaged(record.id.0, record.what)
    }
}

/// `ids` is a JSON array, as a query takes any number of them.
pub(in crate::store) async fn rows(
    db: &mut SqliteConnection,
    ids: &str,
) -> Result<Vec<OperationRow>, sqlx::Error> {
    sqlx::query_as!(
        OperationRow,
        r#"SELECT id AS "id!", origin AS "origin: Text", parent_id, children, backend AS "backend: Text",
                  guest AS "guest: Text", node AS "node: Text", title AS "title: Text", action AS "action: Text",
                  actor AS "actor: Text", address AS "address: Text", state AS "state: Text", started_ms, running_ms,
                  finished_ms, failure AS "failure: Text", failure_kind AS "failure_kind: Text",
                  guest_after AS "guest_after: Text"
           FROM operations WHERE id IN (SELECT value FROM json_each(?))"#,
        ids
    )
    .fetch_all(db)
    .await
}

/// In the order of the ids; those that are gone are left out.
pub(in crate::store) async fn lines(
    db: &mut SqliteConnection,
    ids: &[i64],
) -> Result<Vec<Line>, sqlx::Error> {
    let asked = serde_json::json!(ids).to_string();
    let mut found: HashMap<i64, Line> =
        rows(db, &asked).await?.into_iter().map(|row| (row.id, row.line())).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// For what cannot show a damaged record: those are left out. That they were changed is told by the proof.
pub(in crate::store) fn readable(
    lines: impl IntoIterator<Item = Line>,
) -> impl Iterator<Item = OperationSummary> {
    let note = |line: Line| {
        line.inspect_err(|record| tracing::error!(operation = %record.id, what = record.what, "a damaged record is left out")).ok()
    };
    lines.into_iter().filter_map(note)
}
