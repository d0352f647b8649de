//! The beginning of an operation, and its way to its turn.

use serde_json::json;
use sqlx::SqliteConnection;

use super::{Begun, NewOperation, columns, digest, to_json};
use crate::{
    backend::{RunningTool, Started},
    domain::{
        guest::GuestId,
        operation::{Deed, OperationId, OperationSummary},
        plan::Plan,
    },
    ledger::{Checkpoint, Hash},
    store::{
        Store, StoreError,
        entry_kind::EntryKind,
        ledger::{By, Fact, announce},
    },
};

/// What stands for a guest in the ledger.
pub(super) fn subject(guest: Option<&GuestId>, node: Option<&str>) -> Option<String> {
    guest.map(ToString::to_string).or_else(|| node.map(|node| format!("node:{node}")))
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

impl Store {
    /// Writes the operation with its plan and its entry in the ledger, or says which one is in its way.
    pub async fn begin_operation(&self, new: &NewOperation<'_>) -> Result<Begun, StoreError> {
        let mut transaction = self.writing().await?;
        match self.write_begin(&mut transaction, new, new.started_ms).await {
            Ok((id, checkpoint)) => {
                transaction.commit().await?;
                announce(checkpoint.as_ref());
                Ok(Begun::Planned(id))
            }
            Err(StoreError::Other(error)) if is_unique_violation(&error) => {
                // Nobody else writes meanwhile, so the one in the way is still there.
                let live = live_on(&mut transaction, new.guest).await?;
                live.map(Begun::Live).ok_or(StoreError::Other(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes an operation and its entry, noted at this time, in the caller's transaction, which must be one of
    /// [`writing`](Self::writing). [`announce`] the checkpoint once that is committed.
    pub(in crate::store) async fn write_begin(
        &self,
        transaction: &mut SqliteConnection,
        new: &NewOperation<'_>,
        noted_ms: i64,
    ) -> Result<(OperationId, Option<Checkpoint>), StoreError> {
        let id = insert(&mut *transaction, new).await?;
        let by = By { actor: new.actor, address: new.address.as_deref(), at_ms: noted_ms };
        let entry = begun_entry(&mut *transaction, id, EntryKind::OperationBegun, by).await?;
        Ok((id, self.append(transaction, entry).await?))
    }

    /// Its turn has come. False if it is not waiting any more: it was cancelled or settled.
    pub async fn run_operation(&self, id: OperationId, now_ms: i64) -> Result<bool, StoreError> {
        Ok(set_running(&mut *self.pool.acquire().await?, id, now_ms).await?)
    }

    /// The operation at work on this guest, or waiting for its turn.
    pub async fn live_operation_of(&self, guest: &GuestId) -> Result<Option<OperationId>, StoreError> {
        live_on(&mut *self.pool.acquire().await?, Some(guest)).await
    }

    /// Makes the live operation one on another guest with another plan: the id that a new guest was to have was
    /// taken by somebody else before anything was done. Says which operation is in its way there, if one is.
    pub async fn move_operation(
        &self,
        id: OperationId,
        guest: &GuestId,
        plan: &Plan,
        by: By<'_>,
    ) -> Result<Option<OperationId>, StoreError> {
        let (backend, name, plan) = (guest.backend.as_str(), guest.name.as_str(), to_json(plan));
        let mut transaction = self.writing().await?;
        let written = sqlx::query!(
            "UPDATE operations SET backend = ?, guest = ?, plan = ? WHERE id = ? AND state IN ('planned', 'running')",
            backend,
            name,
            plan,
            id.0
        )
        .execute(&mut *transaction)
        .await;
        match written {
            Ok(_) => {}
            Err(error) if is_unique_violation(&error) => return live_on(&mut transaction, Some(guest)).await,
            Err(error) => return Err(error.into()),
        }
        note_last(&mut transaction, guest, id.0).await?;
        let entry = begun_entry(&mut transaction, id, EntryKind::OperationMoved, by).await?;
        let checkpoint = self.append(&mut transaction, entry).await?;
        transaction.commit().await?;
        announce(checkpoint.as_ref());
        Ok(None)
    }

    /// Notes what the operation's step at work has set going.
    pub async fn note_started(&self, id: OperationId, step: usize, what: &Started) -> Result<(), StoreError> {
        match what {
            Started::Process(tool) => self.note_process(id, *tool).await,
            Started::Task(upid) => {
                let step = super::index(step);
                let mut transaction = self.writing().await?;
                sqlx::query!("UPDATE operations SET upid = ?, task_step = ? WHERE id = ?", upid, step, id.0)
                    .execute(&mut *transaction)
                    .await?;
                note_task(&mut transaction, upid, id).await?;
                Ok(transaction.commit().await?)
            }
        }
    }

    async fn note_process(&self, id: OperationId, tool: RunningTool) -> Result<(), StoreError> {
        let (pid, ticks) = columns(tool);
        sqlx::query!(
            "UPDATE operations SET tool_pid = ?, tool_start_ticks = ? WHERE id = ?",
            pid,
            ticks,
            id.0
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// False if it is not waiting any more.
pub(in crate::store) async fn set_running(
    connection: &mut SqliteConnection,
    id: OperationId,
    running_ms: i64,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE operations SET state = 'running', running_ms = ? WHERE id = ? AND state = 'planned'",
        running_ms,
        id.0
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes which operation a Proxmox task belongs to. False if it is noted already.
pub(in crate::store) async fn note_task(
    connection: &mut SqliteConnection,
    upid: &str,
    id: OperationId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO tasks (upid, operation_id) VALUES (?, ?) ON CONFLICT (upid) DO NOTHING",
        upid,
        id.0
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn insert(
    connection: &mut SqliteConnection,
    new: &NewOperation<'_>,
) -> Result<OperationId, sqlx::Error> {
    let (origin, action, plan) = (new.origin.as_str(), new.action.to_string(), to_json(new.plan));
    let (backend, name) = (new.guest.map(|g| g.backend.as_str()), new.guest.map(|g| g.name.as_str()));
    let (parent, request) = (new.parent.map(|parent| parent.0), new.request.map(to_json));
    let (owner_pid, owner_ticks) = new.owner.map(columns).unzip();
    let done = sqlx::query!(
        "INSERT INTO operations (origin, parent_id, children, backend, guest, node, title, action, actor, address, state,
                                 request, plan, started_ms, owner_pid, owner_start_ticks)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'planned', ?, ?, ?, ?, ?)",
        origin,
        parent,
        new.children,
        backend,
        name,
        new.node,
        new.title,
        action,
        new.actor,
        new.address,
        request,
        plan,
        new.started_ms,
        owner_pid,
        owner_ticks
    )
    .execute(&mut *connection)
    .await?;
    let id = done.last_insert_rowid();
    // What Proxmox does besides, a console that somebody opened, does not hide what was done to the guest.
    if let Some(guest) = new.guest.filter(|_| !matches!(new.action, Deed::Task(_))) {
        note_last(connection, guest, id).await?;
    }
    Ok(OperationId(id))
}

async fn note_last(connection: &mut SqliteConnection, guest: &GuestId, id: i64) -> Result<(), sqlx::Error> {
    let (backend, name) = (guest.backend.as_str(), guest.name.as_str());
    sqlx::query!(
        "INSERT INTO last_operations (backend, guest, operation_id) VALUES (?, ?, ?)
         ON CONFLICT (backend, guest) DO UPDATE SET operation_id = excluded.operation_id
         WHERE (SELECT started_ms FROM operations WHERE id = excluded.operation_id)
            >= (SELECT started_ms FROM operations WHERE id = last_operations.operation_id)",
        backend,
        name,
        id
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn live_on(
    connection: &mut SqliteConnection,
    guest: Option<&GuestId>,
) -> Result<Option<OperationId>, StoreError> {
    let Some(guest) = guest else { return Ok(None) };
    let (backend, name) = (guest.backend.as_str(), guest.name.as_str());
    let row = sqlx::query!(
        r#"SELECT id AS "id!" FROM operations
           WHERE backend = ? AND guest = ? AND state IN ('planned', 'running') AND origin = 'paddock'"#,
        backend,
        name
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| OperationId(row.id)))
}

/// The entry that binds the operation's beginning, as it stands in the database now.
async fn begun_entry<'a>(
    connection: &mut SqliteConnection,
    id: OperationId,
    kind: EntryKind,
    by: By<'a>,
) -> Result<Fact<'a>, StoreError> {
    let (summary, plan, record): (OperationSummary, Hash, Hash) = digest::beginning(connection, id).await?;
    let mut detail = json!({
        "action": summary.action.to_string(),
        "origin": summary.origin.as_str(),
        "plan": plan.to_string(),
        "record": record.to_string(),
    });
    if let Some(parent) = summary.parent {
        detail["parent"] = json!(parent.0);
    }
    let fact = Fact::new(kind, by).of(id.0).with(detail);
    Ok(match subject(summary.guest.as_ref(), summary.node.as_deref()) {
        Some(subject) => fact.on(subject),
        None => fact,
    })
}
