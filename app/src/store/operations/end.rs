//! The end of an operation, and those that have none yet.

use serde_json::json;
use sqlx::SqliteConnection;

use super::{End, LiveOperation, begin::subject, columns, digest, guest, origin, process, to_json};
use crate::{
    backend::RunningTool,
    domain::{
        failure::FailureKind,
        operation::{OperationId, OperationState, Origin},
    },
    ledger::Checkpoint,
    store::{
        Store, StoreError, access,
        entry_kind::EntryKind,
        ledger::{By, Fact, announce},
        text::Text,
    },
};

/// After these the guest is gone: Paddock's own word, and those of Proxmox's tasks that others begin.
const DELETIONS: [&str; 3] = ["delete", "task:vzdestroy", "task:qmdestroy"];

impl Store {
    /// Writes the end with its entry in the ledger. False if the operation had ended already, which is then left as
    /// it is.
    pub async fn finish_operation(&self, id: OperationId, end: &End) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let Some(checkpoint) = self.write_end(&mut transaction, id, end, end.finished_ms).await? else {
            return Ok(false);
        };
        transaction.commit().await?;
        announce(checkpoint.as_ref());
        Ok(true)
    }

    /// Writes the end and its entry, noted at this time, in the caller's transaction, which must be one of
    /// [`writing`](Self::writing). `None` if the operation had ended already. [`announce`] the checkpoint, if there is
    /// one, once that is committed.
    pub(in crate::store) async fn write_end(
        &self,
        transaction: &mut SqliteConnection,
        id: OperationId,
        end: &End,
        noted_ms: i64,
    ) -> Result<Option<Option<Checkpoint>>, StoreError> {
        let (state, guest_after) = (OperationState::from(end.state).as_str(), to_json(&end.guest_after));
        let failure_kind = end.failure_kind.map(FailureKind::as_str);
        let done = sqlx::query!(
            "UPDATE operations
             SET state = ?, failure = ?, failure_kind = ?, guest_after = ?, finished_ms = ?, tool_pid = NULL,
                 tool_start_ticks = NULL, upid = NULL, task_step = NULL
             WHERE id = ? AND state IN ('planned', 'running')",
            state,
            end.failure,
            failure_kind,
            guest_after,
            end.finished_ms,
            id.0
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let row = sqlx::query!(
            r#"SELECT backend AS "backend: Text", guest AS "guest: Text", node AS "node: Text", actor AS "actor: Text",
                      address AS "address: Text", action AS "action: Text"
               FROM operations WHERE id = ?"#,
            id.0
        )
        .fetch_one(&mut *transaction)
        .await?;
        let mut detail = match digest::ending(&mut *transaction, id).await? {
            Ok(record) => json!({ "state": state, "record": record.to_string() }),
            // Somebody else wrote into it. That it has ended is recorded all the same.
            Err(why) => json!({ "state": state, "unreadable": why }),
        };
        if let Some(kind) = failure_kind {
            detail["failure"] = json!(kind);
        }
        let [actor, address, node] =
            [&row.actor, &row.address, &row.node].map(|text| text.as_ref().map(Text::as_str));
        let by = By { actor, address, at_ms: noted_ms };
        let mut fact = Fact::new(EntryKind::OperationEnded, by).of(id.0).with(detail);
        let on = guest(row.backend.as_ref(), row.guest.as_ref()).ok().flatten();
        fact.subject = subject(on.as_ref(), node);
        let mut checkpoint = self.append(transaction, fact).await?;
        let is_gone = state == "succeeded" && DELETIONS.contains(&row.action.as_str());
        if let Some(guest) = on.filter(|_| is_gone) {
            for fact in access::forget_guest(transaction, &guest, by).await? {
                checkpoint = self.append(transaction, fact.of(id.0)).await?.or(checkpoint);
            }
        }
        Ok(Some(checkpoint))
    }

    /// Makes this process the one that watches over the operation, in place of the one that did. False if it has ended
    /// by now, or somebody else was faster.
    pub async fn adopt_operation(
        &self,
        id: OperationId,
        before: Option<RunningTool>,
        owner: RunningTool,
    ) -> Result<bool, StoreError> {
        let (pid, ticks) = columns(owner);
        let (pid_before, ticks_before) = before.map(columns).unzip();
        let done = sqlx::query!(
            "UPDATE operations SET owner_pid = ?, owner_start_ticks = ?
             WHERE id = ? AND state = 'running' AND owner_pid IS ? AND owner_start_ticks IS ?",
            pid,
            ticks,
            id.0,
            pid_before,
            ticks_before
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All that have no end, oldest first. Of one that somebody else wrote to, what can be read: it must come to an end, too.
    pub async fn live_operations(&self) -> Result<Vec<LiveOperation>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id AS "id!", origin AS "origin: Text", parent_id, children, backend AS "backend: Text",
                      guest AS "guest: Text", state AS "state: Text", tool_pid, tool_start_ticks, task_step,
                      upid AS "upid: Text", owner_pid, owner_start_ticks
               FROM operations WHERE state IN ('planned', 'running') ORDER BY id"#
        )
        .fetch_all(&self.pool)
        .await?;
        let live = rows.into_iter().map(|row| LiveOperation {
            id: OperationId(row.id),
            // Nobody but Paddock brings to an end what is nobody's.
            origin: origin(&row.origin).unwrap_or(Origin::Paddock),
            parent: row.parent_id.map(OperationId),
            children: row.children.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            guest: guest(row.backend.as_ref(), row.guest.as_ref()).ok().flatten(),
            is_running: row.state.as_str() == OperationState::Running.as_str(),
            tool: process(row.tool_pid, row.tool_start_ticks),
            task: row
                .upid
                .and_then(|upid| upid.read("task").ok())
                .map(|upid| (row.task_step.and_then(|step| usize::try_from(step).ok()), upid)),
            owner: process(row.owner_pid, row.owner_start_ticks),
        });
        Ok(live.collect())
    }
}
