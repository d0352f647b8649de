//! What is recorded while an operation is at work.

use sqlx::SqliteConnection;

use super::{begin::note_task, index, to_json};
use crate::{
    domain::{
        operation::{OperationId, OutputChunk},
        plan::{StepOutcome, StepResult},
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
        append_output(&mut transaction, id, output).await?;
        for (step, outcome) in outcomes {
            // Noted once it began, but that may not have succeeded; and one that is not known is taken for another's.
            if let Some(upid) = task_of(outcome) {
                note_task(&mut transaction, upid, id).await?;
            }
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

/// The Proxmox task that a step was.
fn task_of(outcome: &StepOutcome) -> Option<&str> {
    match &outcome.result {
        StepResult::Answered { upid, .. } | StepResult::NotAnswered { upid } => upid.as_deref(),
        _ => None,
    }
}

pub(in crate::store) async fn append_output(
    connection: &mut SqliteConnection,
    id: OperationId,
    output: &[OutputChunk],
) -> Result<(), sqlx::Error> {
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
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
