//! What binds an operation to the ledger: digests of its beginning and of its end, over exactly what is stored.
//!
//! The encoding is that of [`Record`](crate::ledger::Record), fields in the order written here. A `plan` is its JSON; an
//! `operation-begin` is everything that is known when it is asked for; an `operation-end` is how it ended with every
//! step and every piece of output.

use sqlx::SqliteConnection;

use super::{OperationRow, to_json};
use crate::{
    domain::{
        operation::{OperationId, OperationSummary},
        plan::Plan,
    },
    ledger::{Hash, Record},
    store::StoreError,
};

/// SHA-256 of a plan: equal for equal plans. What a person agreed to is told by this.
pub fn plan_hash(plan: &Plan) -> Hash {
    of_plan(&to_json(plan))
}

pub(super) fn of_plan(json: &str) -> Hash {
    Record::new("plan").text(json).finish()
}

/// The operation, its plan's hash, and the digest of its beginning.
pub(super) async fn beginning(
    connection: &mut SqliteConnection,
    id: OperationId,
) -> Result<(OperationSummary, Hash, Hash), StoreError> {
    let row = sqlx::query_as!(
        OperationRow,
        "SELECT id, origin, parent_id, children, backend, guest, node, title, action, actor, address, state, started_ms,
                running_ms, finished_ms, failure, failure_kind, guest_after
         FROM operations WHERE id = ?",
        id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    let more =
        sqlx::query!("SELECT request, plan FROM operations WHERE id = ?", id.0).fetch_one(connection).await?;
    let record = begin_record(&row, more.request.as_deref(), &more.plan);
    Ok((row.try_into()?, of_plan(&more.plan), record))
}

fn begin_record(row: &OperationRow, request: Option<&str>, plan: &str) -> Hash {
    Record::new("operation-begin")
        .int(row.id)
        .text(&row.origin)
        .optional_int(row.parent_id)
        .optional_int(row.children)
        .optional_text(row.backend.as_deref())
        .optional_text(row.guest.as_deref())
        .optional_text(row.node.as_deref())
        .optional_text(row.title.as_deref())
        .text(&row.action)
        .optional_text(row.actor.as_deref())
        .optional_text(row.address.as_deref())
        .optional_text(request)
        .text(plan)
        .int(row.started_ms)
        .finish()
}

/// The digest of an operation's end with all that its tools said.
pub(super) async fn ending(connection: &mut SqliteConnection, id: OperationId) -> Result<Hash, StoreError> {
    let row = sqlx::query!(
        "SELECT state, running_ms, finished_ms, failure, failure_kind, guest_after FROM operations WHERE id = ?",
        id.0
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut record = Record::new("operation-end")
        .int(id.0)
        .text(&row.state)
        .optional_int(row.running_ms)
        .optional_int(row.finished_ms)
        .optional_text(row.failure.as_deref())
        .optional_text(row.failure_kind.as_deref())
        .optional_text(row.guest_after.as_deref());
    let steps =
        sqlx::query!("SELECT step, outcome FROM operation_steps WHERE operation_id = ? ORDER BY step", id.0)
            .fetch_all(&mut *connection)
            .await?;
    record = record.int(i64::try_from(steps.len()).unwrap_or(i64::MAX));
    for step in steps {
        record = record.int(step.step).text(&step.outcome);
    }
    let output = sqlx::query!(
        "SELECT step, stream, at_ms, text FROM operation_output WHERE operation_id = ? ORDER BY id",
        id.0
    )
    .fetch_all(connection)
    .await?;
    for piece in output {
        record = record.int(piece.step).text(&piece.stream).int(piece.at_ms).text(&piece.text);
    }
    Ok(record.finish())
}
