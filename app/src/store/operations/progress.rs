//! What is recorded while an operation is at work.

use super::{index, to_json};
use crate::{
    domain::{
        operation::{OperationId, OutputChunk},
        plan::StepOutcome,
    },
    store::{Store, StoreError},
};

impl Store {
    /// Appends what tools said and what came of steps, in one transaction.
    pub async fn record_progress(
        &self,
        id: OperationId,
        output: &[OutputChunk],
        outcomes: &[(usize, StepOutcome)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        for chunk in output {
            let (step, stream) = (index(chunk.step), chunk.stream.as_str());
            sqlx::query!(
                "INSERT INTO operation_output (operation_id, step, stream, at_ms, text) VALUES (?, ?, ?, ?, ?)",
                id.0,
                step,
                stream,
                chunk.at_ms,
                chunk.text
            )
            .execute(&mut *transaction)
            .await?;
        }
        for (step, outcome) in outcomes {
            let (step, outcome) = (index(*step), to_json(outcome));
            sqlx::query!(
                "INSERT INTO operation_steps (operation_id, step, outcome) VALUES (?, ?, ?)
                 ON CONFLICT (operation_id, step) DO UPDATE SET outcome = excluded.outcome",
                id.0,
                step,
                outcome
            )
            .execute(&mut *transaction)
            .await?;
            // Its task has been seen to its end: there is nothing left to follow.
            sqlx::query!(
                "UPDATE operations SET upid = NULL, task_step = NULL WHERE id = ? AND task_step = ?",
                id.0,
                step
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
