//! One operation whole.

use super::{OperationRow, damaged, digest, from_json};
use crate::{
    domain::{
        operation::{LedgerPlace, Operation, OperationId, OperationSummary, OutputChunk},
        plan::Stream,
    },
    ledger::Hash,
    store::{Store, StoreError, ledger::fixed},
};

impl Store {
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        let found = sqlx::query_as!(
            OperationRow,
            "SELECT id, origin, parent_id, children, backend, guest, node, title, action, actor, address, state,
                    started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
             FROM operations WHERE id = ?",
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let more = sqlx::query!("SELECT request, plan FROM operations WHERE id = ?", id.0)
            .fetch_one(&self.pool)
            .await?;
        let steps =
            sqlx::query!("SELECT outcome FROM operation_steps WHERE operation_id = ? ORDER BY step", id.0)
                .fetch_all(&self.pool)
                .await?;
        Ok(Some(Operation {
            summary: row.try_into()?,
            request: more.request.map(|json| from_json(id.0, &json)).transpose()?,
            plan: from_json(id.0, &more.plan)?,
            plan_hash: digest::of_plan(&more.plan).to_string(),
            outcomes: steps.iter().map(|row| from_json(id.0, &row.outcome)).collect::<Result<_, _>>()?,
            output: self.output_of(id).await?,
            ledger: self.ledger_of(id).await?,
        }))
    }

    async fn output_of(&self, id: OperationId) -> Result<Vec<OutputChunk>, StoreError> {
        let rows = sqlx::query!(
            "SELECT step, stream, at_ms, text FROM operation_output WHERE operation_id = ? ORDER BY id",
            id.0
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(OutputChunk {
                    step: usize::try_from(row.step).map_err(|e| damaged(id.0, e.to_string()))?,
                    stream: stream(&row.stream).ok_or_else(|| damaged(id.0, row.stream))?,
                    at_ms: row.at_ms,
                    text: row.text,
                })
            })
            .collect()
    }

    async fn ledger_of(&self, id: OperationId) -> Result<Vec<LedgerPlace>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT seq AS "seq!", kind, hash FROM ledger WHERE operation = ? ORDER BY seq"#,
            id.0
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let hash = Hash(fixed("ledger", row.seq, row.hash)?).to_string();
                Ok(LedgerPlace { seq: row.seq, kind: row.kind, hash })
            })
            .collect()
    }

    /// The parts of a bulk action, in their order.
    pub async fn parts_of(&self, parent: OperationId) -> Result<Vec<OperationSummary>, StoreError> {
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", origin, parent_id, children, backend, guest, node, title, action, actor, address,
                      state, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
               FROM operations WHERE parent_id = ? ORDER BY id"#,
            parent.0
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(OperationSummary::try_from).collect()
    }
}

fn stream(text: &str) -> Option<Stream> {
    [Stream::Stdout, Stream::Stderr, Stream::Log].into_iter().find(|s| s.as_str() == text)
}
