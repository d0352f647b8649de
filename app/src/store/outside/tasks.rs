//! Proxmox tasks that somebody else began, each once.

use crate::{
    domain::{
        guest::{BackendKind, GuestId},
        operation::{OperationId, OutputChunk},
    },
    store::{
        End, NewOperation, Store, StoreError,
        ledger::announce,
        operations::{append_output, guest, note_task, set_running},
        text::Text,
    },
};

/// How a task of somebody else ended, and what it said.
#[derive(Debug, Clone)]
pub struct Ended {
    pub end: End,
    pub output: Vec<OutputChunk>,
}

/// A task that was brought in while it ran, and whose end is not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub id: OperationId,
    pub upid: String,
    pub guest: Option<GuestId>,
}

/// A live operation of Paddock that may have begun tasks whose names are not noted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginner {
    pub guest: GuestId,
    /// It makes a guest, so that its tasks may be about another one than its own.
    pub makes_guest: bool,
    /// Who began it: their account at Proxmox, if they have one there.
    pub actor: Option<String>,
}

impl Store {
    /// Records a task as an operation that runs or, with `ended`, has ended; `noted_ms` is now. `None` if the task
    /// belongs to an operation already; nothing is written then.
    pub async fn import_task(
        &self,
        upid: &str,
        new: &NewOperation<'_>,
        ended: Option<&Ended>,
        noted_ms: i64,
    ) -> Result<Option<OperationId>, StoreError> {
        let mut transaction = self.writing().await?;
        let (id, begun) = self.write_begin(&mut transaction, new, noted_ms).await?;
        if !note_task(&mut transaction, upid, id).await? {
            return Ok(None);
        }
        set_running(&mut transaction, id, new.started_ms).await?;
        let finished = match ended {
            Some(Ended { end, output }) => {
                append_output(&mut transaction, id, output).await?;
                self.write_end(&mut transaction, id, end, noted_ms).await?.flatten()
            }
            None => None,
        };
        transaction.commit().await?;
        announce(begun.as_ref());
        announce(finished.as_ref());
        Ok(Some(id))
    }

    /// Writes the end of a task that was brought in while it ran. False if that had been written already.
    pub async fn finish_import(
        &self,
        id: OperationId,
        ended: &Ended,
        noted_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let is_live =
            sqlx::query!("SELECT id FROM operations WHERE id = ? AND state IN ('planned', 'running')", id.0)
                .fetch_optional(&mut *transaction)
                .await?
                .is_some();
        if !is_live {
            return Ok(false);
        }
        append_output(&mut transaction, id, &ended.output).await?;
        let finished = self.write_end(&mut transaction, id, &ended.end, noted_ms).await?;
        transaction.commit().await?;
        announce(finished.flatten().as_ref());
        Ok(true)
    }

    /// Whether the task belongs to an operation, Paddock's own or one brought in.
    pub async fn is_task_known(&self, upid: &str) -> Result<bool, StoreError> {
        let row = sqlx::query!("SELECT operation_id FROM tasks WHERE upid = ?", upid)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// The tasks that were brought in while they ran, oldest first.
    pub async fn unfinished_imports(&self) -> Result<Vec<Import>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT operations.id AS "id!", backend AS "backend: Text", guest AS "guest: Text",
                      tasks.upid AS "upid!: Text"
               FROM operations JOIN tasks ON operation_id = operations.id
               WHERE state IN ('planned', 'running') AND origin = 'task' ORDER BY operations.id"#
        )
        .fetch_all(&self.pool)
        .await?;
        let imports = rows.into_iter().map(|row| Import {
            id: OperationId(row.id),
            upid: row.upid.legible(),
            // Where somebody wrote to it, its end is recorded all the same.
            guest: guest(row.backend.as_ref(), row.guest.as_ref()).ok().flatten(),
        });
        Ok(imports.collect())
    }

    /// Paddock's live operations on guests of Proxmox, of this process and of others.
    pub async fn beginners(&self) -> Result<Vec<Beginner>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id AS "id!", backend AS "backend: Text", guest AS "guest: Text",
                      action IN ('create', 'clone') AS "makes_guest!: bool", actor AS "actor: Text"
               FROM operations WHERE state IN ('planned', 'running') AND origin = 'paddock'"#
        )
        .fetch_all(&self.pool)
        .await?;
        let mut beginners = Vec::new();
        for row in rows {
            let guest = guest(row.backend.as_ref(), row.guest.as_ref()).ok().flatten();
            let is_proxmox =
                |guest: &GuestId| matches!(guest.backend, BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm);
            let guest = guest.filter(is_proxmox);
            beginners.extend(guest.map(|guest| Beginner {
                guest,
                makes_guest: row.makes_guest,
                actor: row.actor.map(Text::legible),
            }));
        }
        Ok(beginners)
    }
}
