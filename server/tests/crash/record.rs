//! The whole record as it stands in the database, read past the program.

use std::{collections::BTreeMap, path::Path};

use app::{
    domain::plan::{Answer, Plan, Work},
    ledger::{Entry, Hash},
};
use sqlx::{
    FromRow, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

#[derive(Debug, FromRow)]
pub struct Operation {
    pub id: i64,
    pub origin: String,
    pub backend: Option<String>,
    pub guest: Option<String>,
    pub action: String,
    pub state: String,
    pub plan: String,
    pub started_ms: i64,
    pub running_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    pub failure: Option<String>,
    pub failure_kind: Option<String>,
    pub guest_after: Option<String>,
}

impl Operation {
    pub fn is_live(&self) -> bool {
        matches!(self.state.as_str(), "planned" | "running")
    }

    pub fn subject(&self) -> Option<String> {
        Some(format!("{}/{}", self.backend.as_ref()?, self.guest.as_ref()?))
    }

    /// How many tasks its plan begins, where it begins nothing else.
    pub fn tasks_only(&self) -> Option<usize> {
        let plan: Plan = serde_json::from_str(&self.plan).unwrap();
        let is_task = |work: &Work| matches!(work, Work::Api(call) if call.answer == Answer::Task);
        plan.steps.iter().all(|step| is_task(&step.work)).then_some(plan.steps.len())
    }
}

/// Everything that is recorded.
pub struct Book {
    pub operations: BTreeMap<i64, Operation>,
    /// The operation of each Proxmox task.
    pub tasks: BTreeMap<String, i64>,
    pub entries: Vec<Entry>,
}

impl Book {
    pub fn read(database: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(database).read_only(true);
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
            let book = Self::of(&pool).await;
            pool.close().await;
            book
        })
    }

    async fn of(pool: &SqlitePool) -> Self {
        // One moment for all of it.
        let mut at = pool.begin().await.unwrap();
        let operations: Vec<Operation> = sqlx::query_as(
            "SELECT id, origin, backend, guest, action, state, plan, started_ms, running_ms, finished_ms,
                    failure, failure_kind, guest_after
             FROM operations",
        )
        .fetch_all(&mut *at)
        .await
        .unwrap();
        let tasks: Vec<(String, i64)> =
            sqlx::query_as("SELECT upid, operation_id FROM tasks").fetch_all(&mut *at).await.unwrap();
        let entries: Vec<EntryRow> = sqlx::query_as(
            "SELECT seq, at_ms, kind, actor, address, subject, operation, detail, previous, hash
             FROM ledger ORDER BY seq",
        )
        .fetch_all(&mut *at)
        .await
        .unwrap();
        Self {
            operations: operations.into_iter().map(|operation| (operation.id, operation)).collect(),
            tasks: tasks.into_iter().collect(),
            entries: entries.into_iter().map(Entry::from).collect(),
        }
    }

    pub fn live(&self) -> Vec<i64> {
        self.operations.values().filter(|operation| operation.is_live()).map(|one| one.id).collect()
    }
}

#[derive(FromRow)]
struct EntryRow {
    seq: i64,
    at_ms: i64,
    kind: String,
    actor: Option<String>,
    address: Option<String>,
    subject: Option<String>,
    operation: Option<i64>,
    detail: String,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            seq: row.seq,
            at_ms: row.at_ms,
            kind: row.kind,
            actor: row.actor,
            address: row.address,
            subject: row.subject,
            operation: row.operation,
            detail: row.detail,
            previous: Hash(row.previous.try_into().unwrap()),
            hash: Hash(row.hash.try_into().unwrap()),
        }
    }
}
