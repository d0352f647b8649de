//! What binds an operation to the ledger: digests of its beginning and of its end, over exactly what is stored.
//!
//! The encoding is that of [`Record`](crate::ledger::Record), fields in the order written here. A `plan` is its JSON; an
//! `operation-begin` is everything that is known when it is asked for; an `operation-end` is how it ended with every
//! step and every piece of output.

use sqlx::SqliteConnection;

use super::{lines, to_json};
use crate::{
    domain::{
        operation::{OperationId, OperationSummary},
        plan::Plan,
    },
    ledger::{Hash, Record},
    store::{StoreError, text::Text},
};

/// SHA-256 of a plan: equal for equal plans. What a person agreed to is told by this.
pub fn plan_hash(plan: &Plan) -> Hash {
    of_plan(&to_json(plan))
}

pub(in crate::store) fn of_plan(json: &str) -> Hash {
    Record::new("plan").text(json).finish()
}

/// What an operation's beginning is the digest of, as it is stored.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Beginning<'a> {
    pub id: i64,
    pub origin: &'a str,
    pub parent_id: Option<i64>,
    pub children: Option<i64>,
    pub backend: Option<&'a str>,
    pub guest: Option<&'a str>,
    pub node: Option<&'a str>,
    pub title: Option<&'a str>,
    pub action: &'a str,
    pub actor: Option<&'a str>,
    pub address: Option<&'a str>,
    pub request: Option<&'a str>,
    pub plan: &'a str,
    pub started_ms: i64,
}

impl Beginning<'_> {
    pub fn record(&self) -> Hash {
        Record::new("operation-begin")
            .int(self.id)
            .text(self.origin)
            .optional_int(self.parent_id)
            .optional_int(self.children)
            .optional_text(self.backend)
            .optional_text(self.guest)
            .optional_text(self.node)
            .optional_text(self.title)
            .text(self.action)
            .optional_text(self.actor)
            .optional_text(self.address)
            .optional_text(self.request)
            .text(self.plan)
            .int(self.started_ms)
            .finish()
    }
}

/// How an operation ended, as it is stored.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Ended<'a> {
    pub id: i64,
    pub state: &'a str,
    pub running_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    pub failure: Option<&'a str>,
    pub failure_kind: Option<&'a str>,
    pub guest_after: Option<&'a str>,
    /// How many steps follow.
    pub steps: i64,
}

/// The digest of an operation's end while it is made: first all [`step`](Self::step)s in their order, then every
/// [`piece`](Self::piece) of output in the order it came.
pub(in crate::store) struct EndRecord(Record);

impl Ended<'_> {
    pub fn record(&self) -> EndRecord {
        EndRecord(
            Record::new("operation-end")
                .int(self.id)
                .text(self.state)
                .optional_int(self.running_ms)
                .optional_int(self.finished_ms)
                .optional_text(self.failure)
                .optional_text(self.failure_kind)
                .optional_text(self.guest_after)
                .int(self.steps),
        )
    }
}

impl EndRecord {
    pub fn step(self, step: i64, outcome: &str) -> Self {
        Self(self.0.int(step).text(outcome))
    }

    pub fn piece(self, step: i64, stream: &str, at_ms: i64, text: &str) -> Self {
        Self(self.0.int(step).text(stream).int(at_ms).text(text))
    }

    pub fn finish(self) -> Hash {
        self.0.finish()
    }
}

/// The operation, its plan's hash, and the digest of its beginning.
pub(super) async fn beginning(
    connection: &mut SqliteConnection,
    id: OperationId,
) -> Result<(OperationSummary, Hash, Hash), StoreError> {
    let line = lines(&mut *connection, &[id.0]).await?.pop().ok_or(sqlx::Error::RowNotFound)?;
    let row = sqlx::query!(
        "SELECT id, origin, parent_id, children, backend, guest, node, title, action, actor, address, request, plan,
                started_ms
         FROM operations WHERE id = ?",
        id.0
    )
    .fetch_one(connection)
    .await?;
    let record = Beginning {
        id: row.id,
        origin: &row.origin,
        parent_id: row.parent_id,
        children: row.children,
        backend: row.backend.as_deref(),
        guest: row.guest.as_deref(),
        node: row.node.as_deref(),
        title: row.title.as_deref(),
        action: &row.action,
        actor: row.actor.as_deref(),
        address: row.address.as_deref(),
        request: row.request.as_deref(),
        plan: &row.plan,
        started_ms: row.started_ms,
    }
    .record();
    Ok((line?, of_plan(&row.plan), record))
}

/// The digest of an operation's end with all that its tools said; where somebody wrote into it what is no text, the
/// clause that says so.
pub(super) async fn ending(
    connection: &mut SqliteConnection,
    id: OperationId,
) -> Result<Result<Hash, &'static str>, StoreError> {
    let row = sqlx::query!(
        "SELECT state, running_ms, finished_ms, failure, failure_kind, guest_after FROM operations WHERE id = ?",
        id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    let steps = sqlx::query!(
        r#"SELECT step, outcome AS "outcome: Text" FROM operation_steps WHERE operation_id = ? ORDER BY step"#,
        id.0
    )
    .fetch_all(&mut *connection)
    .await?;
    let output = sqlx::query!(
        r#"SELECT step, stream AS "stream: Text", at_ms, text AS "text: Text" FROM operation_output
           WHERE operation_id = ? ORDER BY id"#,
        id.0
    )
    .fetch_all(connection)
    .await?;
    if !steps.iter().all(|step| step.outcome.is_text()) {
        return Ok(Err("the outcome of a step is no text"));
    }
    if !output.iter().all(|piece| piece.stream.is_text() && piece.text.is_text()) {
        return Ok(Err("a piece of its output is no text"));
    }
    let mut record = Ended {
        id: id.0,
        state: &row.state,
        running_ms: row.running_ms,
        finished_ms: row.finished_ms,
        failure: row.failure.as_deref(),
        failure_kind: row.failure_kind.as_deref(),
        guest_after: row.guest_after.as_deref(),
        steps: i64::try_from(steps.len()).unwrap_or(i64::MAX),
    }
    .record();
    for step in steps {
        record = record.step(step.step, step.outcome.as_str());
    }
    for piece in output {
        record = record.piece(piece.step, piece.stream.as_str(), piece.at_ms, piece.text.as_str());
    }
    Ok(Ok(record.finish()))
}
