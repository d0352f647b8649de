//! Operations from begin to finish.

use serde::{Serialize, de::DeserializeOwned};

use super::{Store, StoreError};
use crate::{
    backend::{RunningTool, Started},
    domain::{
        action::GuestAction,
        failure::FailureKind,
        guest::GuestId,
        operation::{GuestAfter, Operation, OperationId, OperationState, OperationSummary, OutputChunk},
        plan::{Plan, StepOutcome, Stream},
    },
};

/// An operation about to begin.
#[derive(Debug, Clone)]
pub struct NewOperation<'a> {
    pub guest: &'a GuestId,
    /// What people call the guest, where its id is a number.
    pub title: Option<&'a str>,
    pub action: GuestAction,
    pub actor: &'a str,
    pub address: Option<String>,
    pub plan: &'a Plan,
    pub started_ms: i64,
    /// The Paddock process that watches over it.
    pub owner: RunningTool,
}

/// What became of the wish to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    Started(OperationId),
    /// Another operation is live on the guest; nothing was written.
    Live(OperationId),
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub struct End {
    /// Not [`OperationState::Running`].
    pub state: OperationState,
    pub failure: Option<String>,
    pub failure_kind: Option<FailureKind>,
    pub guest_after: GuestAfter,
    pub finished_ms: i64,
}

/// An operation that has no end yet.
#[derive(Debug, Clone)]
pub struct LiveOperation {
    pub id: OperationId,
    pub guest: GuestId,
    pub tool: Option<RunningTool>,
    /// `None` for one of an older Paddock.
    pub owner: Option<RunningTool>,
}

pub(super) struct OperationRow {
    pub id: i64,
    pub backend: String,
    pub guest: String,
    pub action: String,
    pub actor: String,
    pub address: Option<String>,
    pub state: String,
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    pub failure: Option<String>,
    pub guest_after: Option<String>,
    pub failure_kind: Option<String>,
    pub title: Option<String>,
}

impl TryFrom<OperationRow> for OperationSummary {
    type Error = StoreError;
    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        let id = row.id;
        let damaged = |what: String| damaged(id, what);
        Ok(Self {
            id: OperationId(id),
            guest: GuestId::parse(&row.backend, &row.guest).map_err(|e| damaged(e.to_string()))?,
            action: row
                .action
                .parse()
                .map_err(|e: crate::domain::action::UnknownAction| damaged(e.to_string()))?,
            actor: row.actor,
            address: row.address,
            state: row
                .state
                .parse()
                .map_err(|e: crate::domain::operation::UnknownState| damaged(e.to_string()))?,
            started_ms: row.started_ms,
            finished_ms: row.finished_ms,
            failure: row.failure,
            guest_after: row.guest_after.map(|json| from_json(id, &json)).transpose()?,
            // A word of a newer Paddock is no reason to hide the operation.
            failure_kind: row.failure_kind.and_then(|word| word.parse().ok()),
            title: row.title,
        })
    }
}

fn damaged(id: i64, what: String) -> StoreError {
    StoreError::Damaged { table: "operations", id, what }
}

fn from_json<T: DeserializeOwned>(id: i64, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|e| damaged(id, e.to_string()))
}

/// Our own types always have a JSON form; should one ever not, the record says so instead of being lost.
fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value)
        .unwrap_or_else(|e| serde_json::json!({ "not-recorded": e.to_string() }).to_string())
}

impl Store {
    /// Writes the operation with its plan, or says which one is in its way.
    pub async fn begin_operation(&self, new: &NewOperation<'_>) -> Result<Begun, StoreError> {
        let (backend, guest) = (new.guest.backend.as_str(), new.guest.name.as_str());
        let (action, plan) = (new.action.as_str(), to_json(new.plan));
        let (owner_pid, owner_ticks) = columns(new.owner);
        // The one in the way may end between the refusal and the look for it; then there is room for ours.
        loop {
            let written = sqlx::query!(
                "INSERT INTO operations (backend, guest, title, action, actor, address, state, plan, started_ms,
                                         owner_pid, owner_start_ticks)
                 VALUES (?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)",
                backend,
                guest,
                new.title,
                action,
                new.actor,
                new.address,
                plan,
                new.started_ms,
                owner_pid,
                owner_ticks
            )
            .execute(&self.pool)
            .await;
            match written {
                Ok(done) => return Ok(Begun::Started(OperationId(done.last_insert_rowid()))),
                Err(error)
                    if error
                        .as_database_error()
                        .is_some_and(sqlx::error::DatabaseError::is_unique_violation) =>
                {
                    if let Some(live) = self.live_operation_of(new.guest).await? {
                        return Ok(Begun::Live(live));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The operation at work on this guest.
    pub async fn live_operation_of(&self, guest: &GuestId) -> Result<Option<OperationId>, StoreError> {
        let (backend, name) = (guest.backend.as_str(), guest.name.as_str());
        let row = sqlx::query!(
            r#"SELECT id AS "id!" FROM operations WHERE backend = ? AND guest = ? AND state = 'running'"#,
            backend,
            name
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| OperationId(row.id)))
    }

    /// Makes the live operation one on another guest with another plan: the id that a new guest was to have was
    /// taken by somebody else before anything was done. Says which operation is in its way there, if one is.
    pub async fn move_operation(
        &self,
        id: OperationId,
        guest: &GuestId,
        plan: &Plan,
    ) -> Result<Option<OperationId>, StoreError> {
        let (backend, name, plan) = (guest.backend.as_str(), guest.name.as_str(), to_json(plan));
        let written = sqlx::query!(
            "UPDATE operations SET backend = ?, guest = ?, plan = ? WHERE id = ? AND state = 'running'",
            backend,
            name,
            plan,
            id.0
        )
        .execute(&self.pool)
        .await;
        match written {
            Ok(_) => Ok(None),
            Err(error)
                if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation) =>
            {
                Ok(self.live_operation_of(guest).await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Notes what the operation's step at work has set going.
    pub async fn note_started(&self, id: OperationId, what: &Started) -> Result<(), StoreError> {
        match what {
            Started::Process(tool) => {
                let (pid, ticks) = columns(*tool);
                sqlx::query!(
                    "UPDATE operations SET tool_pid = ?, tool_start_ticks = ? WHERE id = ?",
                    pid,
                    ticks,
                    id.0
                )
                .execute(&self.pool)
                .await?;
            }
            Started::Task(upid) => {
                sqlx::query!("UPDATE operations SET upid = ? WHERE id = ?", upid, id.0)
                    .execute(&self.pool)
                    .await?;
            }
        }
        Ok(())
    }

    /// Asks whichever process owns the operation to end it. False if it has ended already.
    pub async fn want_cancel(&self, id: OperationId) -> Result<bool, StoreError> {
        let done =
            sqlx::query!("UPDATE operations SET cancel_wanted = 1 WHERE id = ? AND state = 'running'", id.0)
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn is_cancel_wanted(&self, id: OperationId) -> Result<bool, StoreError> {
        let row = sqlx::query!("SELECT cancel_wanted FROM operations WHERE id = ?", id.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some_and(|row| row.cancel_wanted != 0))
    }

    /// Appends what tools said and what came of steps, in one transaction.
    pub async fn record_progress(
        &self,
        id: OperationId,
        output: &[OutputChunk],
        outcomes: &[(usize, StepOutcome)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
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
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes the end. False if the operation had ended already, which is then left as it is.
    pub async fn finish_operation(&self, id: OperationId, end: &End) -> Result<bool, StoreError> {
        let (state, guest_after) = (end.state.as_str(), to_json(&end.guest_after));
        let failure_kind = end.failure_kind.map(FailureKind::as_str);
        let done = sqlx::query!(
            "UPDATE operations
             SET state = ?, failure = ?, failure_kind = ?, guest_after = ?, finished_ms = ?, tool_pid = NULL,
                 tool_start_ticks = NULL
             WHERE id = ? AND state = 'running'",
            state,
            end.failure,
            failure_kind,
            guest_after,
            end.finished_ms,
            id.0
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All that have no end, oldest first.
    pub async fn live_operations(&self) -> Result<Vec<LiveOperation>, StoreError> {
        let rows = sqlx::query!(
            "SELECT id, backend, guest, tool_pid, tool_start_ticks, owner_pid, owner_start_ticks
             FROM operations WHERE state = 'running' ORDER BY id"
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(LiveOperation {
                    id: OperationId(row.id),
                    guest: GuestId::parse(&row.backend, &row.guest)
                        .map_err(|e| damaged(row.id, e.to_string()))?,
                    tool: process(row.tool_pid, row.tool_start_ticks),
                    owner: process(row.owner_pid, row.owner_start_ticks),
                })
            })
            .collect()
    }

    /// One operation whole.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        let found = sqlx::query_as!(
            OperationRow,
            "SELECT id, backend, guest, action, actor, address, state, started_ms, finished_ms, failure, guest_after,
                    failure_kind, title
             FROM operations WHERE id = ?",
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let plan =
            sqlx::query!("SELECT plan FROM operations WHERE id = ?", id.0).fetch_one(&self.pool).await?;
        let steps =
            sqlx::query!("SELECT outcome FROM operation_steps WHERE operation_id = ? ORDER BY step", id.0)
                .fetch_all(&self.pool)
                .await?;
        let output = sqlx::query!(
            "SELECT step, stream, at_ms, text FROM operation_output WHERE operation_id = ? ORDER BY id",
            id.0
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Some(Operation {
            summary: row.try_into()?,
            plan: from_json(id.0, &plan.plan)?,
            outcomes: steps.iter().map(|row| from_json(id.0, &row.outcome)).collect::<Result<_, _>>()?,
            output: output
                .into_iter()
                .map(|row| {
                    Ok(OutputChunk {
                        step: usize::try_from(row.step).map_err(|e| damaged(id.0, e.to_string()))?,
                        stream: stream(&row.stream).ok_or_else(|| damaged(id.0, row.stream))?,
                        at_ms: row.at_ms,
                        text: row.text,
                    })
                })
                .collect::<Result<_, StoreError>>()?,
        }))
    }
}

/// A process as two columns: its pid, its start.
fn columns(process: RunningTool) -> (i64, i64) {
    (i64::from(process.pid), i64::try_from(process.start_ticks).unwrap_or(i64::MAX))
}

fn process(pid: Option<i64>, start_ticks: Option<i64>) -> Option<RunningTool> {
    Some(RunningTool { pid: u32::try_from(pid?).ok()?, start_ticks: u64::try_from(start_ticks?).ok()? })
}

fn index(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn stream(text: &str) -> Option<Stream> {
    [Stream::Stdout, Stream::Stderr, Stream::Log].into_iter().find(|s| s.as_str() == text)
}
