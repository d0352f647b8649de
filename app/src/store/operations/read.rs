//! One operation whole.

use super::{damaged, digest, from_json, lines};
use crate::{
    domain::{
        operation::{LedgerPlace, Line, Operation, OperationId, OperationState, OutputChunk},
        plan::Stream,
    },
    ledger::Hash,
    store::{Store, StoreError, text::Text},
};

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub state: OperationState,
    /// How many steps have an outcome.
    pub steps: usize,
}

impl Store {
    /// As a line of the history has it.
    pub async fn operation_line(&self, id: OperationId) -> Result<Option<Line>, StoreError> {
        Ok(lines(&mut *self.pool.acquire().await?, &[id.0]).await?.pop())
    }

    /// Damaged where any part of its record is.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        let Some(line) = self.operation_line(id).await? else { return Ok(None) };
        let text = |text: Text, column| text.read(column).map_err(|what| damaged(id.0, what));
        let more = sqlx::query!(
            r#"SELECT request AS "request: Text", plan AS "plan: Text" FROM operations WHERE id = ?"#,
            id.0
        )
        .fetch_one(&self.pool)
        .await?;
        let steps = sqlx::query!(
            r#"SELECT outcome AS "outcome: Text" FROM operation_steps WHERE operation_id = ? ORDER BY step"#,
            id.0
        )
        .fetch_all(&self.pool)
        .await?;
        let request = more.request.map(|json| text(json, "request")).transpose()?;
        let plan = text(more.plan, "plan")?;
        let output = self.output_after(id, 0, u32::MAX).await?;
        let outcome = |json| from_json(id.0, "outcome of a step", &text(json, "outcome of a step")?);
        Ok(Some(Operation {
            summary: line?,
            request: request.map(|json| from_json(id.0, "request", &json)).transpose()?,
            plan: from_json(id.0, "plan", &plan)?,
            plan_hash: digest::of_plan(&plan).to_string(),
            outcomes: steps.into_iter().map(|row| outcome(row.outcome)).collect::<Result<_, _>>()?,
            output_end: output.last().map_or(0, |(number, _)| *number),
            output: output.into_iter().map(|(_, piece)| piece).collect(),
            ledger: self.ledger_of(id).await?,
        }))
    }

    /// How far it has come; `None` where there is no such operation.
    pub async fn progress_of(&self, id: OperationId) -> Result<Option<Progress>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT state AS "state: Text",
                      (SELECT count(*) FROM operation_steps WHERE operation_id = operations.id) AS "steps!: i64"
               FROM operations WHERE id = ?"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        let progress = |state: Text, steps| {
            let state = state.read("state").map_err(|what| damaged(id.0, what))?;
            let state = state.parse::<OperationState>().map_err(|what| damaged(id.0, what.to_string()))?;
            Ok(Progress { state, steps: usize::try_from(steps).unwrap_or_default() })
        };
        row.map(|row| progress(row.state, row.steps)).transpose()
    }

    /// What was said after the piece with that number, each with its own, oldest first, at most so many.
    pub async fn output_after(
        &self,
        id: OperationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, OutputChunk)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id AS "id!", step, stream AS "stream: Text", at_ms, text AS "text: Text" FROM operation_output
               WHERE operation_id = ? AND id > ? ORDER BY id LIMIT ?"#,
            id.0,
            after,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let piece = OutputChunk {
                    step: usize::try_from(row.step).map_err(|e| damaged(id.0, e.to_string()))?,
                    stream: stream(row.stream.as_str())
                        .ok_or_else(|| damaged(id.0, format!("“{}” says nothing", row.stream.as_str())))?,
                    at_ms: row.at_ms,
                    text: row.text.read("output").map_err(|what| damaged(id.0, what))?,
                };
                Ok((row.id, piece))
            })
            .collect()
    }

    /// An entry that was changed is told as it stands.
    async fn ledger_of(&self, id: OperationId) -> Result<Vec<LedgerPlace>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT seq AS "seq!", kind AS "kind: Text", at_ms, actor AS "actor: Text", hash FROM ledger
               WHERE operation = ? ORDER BY seq"#,
            id.0
        )
        .fetch_all(&self.pool)
        .await?;
        let hash = |bytes: Vec<u8>| bytes.try_into().map(|bytes| Hash(bytes).to_string()).unwrap_or_default();
        let places = rows.into_iter().map(|row| LedgerPlace {
            seq: row.seq,
            kind: row.kind.legible(),
            at_ms: row.at_ms,
            actor: row.actor.map(Text::legible),
            hash: hash(row.hash),
        });
        Ok(places.collect())
    }

    /// The parts of a bulk action, in their order.
    pub async fn parts_of(&self, parent: OperationId) -> Result<Vec<Line>, StoreError> {
        let mut db = self.pool.begin().await?;
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM operations WHERE parent_id = ? ORDER BY id"#,
            parent.0
        )
        .fetch_all(&mut *db)
        .await?;
        Ok(lines(&mut db, &ids).await?)
    }
}

fn stream(text: &str) -> Option<Stream> {
    [Stream::Stdout, Stream::Stderr, Stream::Log].into_iter().find(|s| s.as_str() == text)
}
