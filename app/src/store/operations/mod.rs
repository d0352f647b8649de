//! Operations from begin to finish.

mod begin;
pub(super) mod digest;
mod end;
mod progress;
mod read;

use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;
use crate::{
    backend::RunningTool,
    domain::{
        action::ActionRequest,
        failure::FailureKind,
        guest::GuestId,
        operation::{Deed, EndState, GuestAfter, OperationId, OperationSummary, Origin},
        plan::Plan,
    },
};

pub(super) use begin::{note_task, set_running};
pub use digest::plan_hash;
pub(super) use progress::append_output;

/// An operation about to begin.
#[derive(Debug, Clone)]
pub struct NewOperation<'a> {
    pub origin: Origin,
    /// The bulk action that it is one part of.
    pub parent: Option<OperationId>,
    /// For a bulk action: how many parts it has.
    pub children: Option<u32>,
    pub guest: Option<&'a GuestId>,
    pub node: Option<&'a str>,
    /// What people call the guest, where its id is a number.
    pub title: Option<&'a str>,
    pub action: Deed,
    /// `None`: unknown.
    pub actor: Option<&'a str>,
    pub address: Option<String>,
    /// `None` where Paddock was not asked.
    pub request: Option<&'a ActionRequest>,
    pub plan: &'a Plan,
    /// When it was asked for.
    pub started_ms: i64,
    /// The Paddock process that watches over it; `None` for what Paddock only saw.
    pub owner: Option<RunningTool>,
}

/// What became of the wish to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It waits for its turn, or for [`run_operation`](super::Store::run_operation).
    Planned(OperationId),
    /// Another operation is live on the guest; nothing was written.
    Live(OperationId),
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub struct End {
    pub state: EndState,
    pub failure: Option<String>,
    pub failure_kind: Option<FailureKind>,
    pub guest_after: GuestAfter,
    pub finished_ms: i64,
}

/// An operation that has no end yet.
#[derive(Debug, Clone)]
pub struct LiveOperation {
    pub id: OperationId,
    pub origin: Origin,
    pub parent: Option<OperationId>,
    pub children: Option<u32>,
    pub guest: Option<GuestId>,
    /// It had left the line.
    pub is_running: bool,
    pub tool: Option<RunningTool>,
    /// The Proxmox task whose outcome is not recorded, and the index of its step in the plan.
    pub task: Option<(Option<usize>, String)>,
    /// `None` for one of an older Paddock, and for what Paddock only saw.
    pub owner: Option<RunningTool>,
}

pub(super) struct OperationRow {
    pub id: i64,
    pub origin: String,
    pub parent_id: Option<i64>,
    pub children: Option<i64>,
    pub backend: Option<String>,
    pub guest: Option<String>,
    pub node: Option<String>,
    pub title: Option<String>,
    pub action: String,
    pub actor: Option<String>,
    pub address: Option<String>,
    pub state: String,
    pub started_ms: i64,
    pub running_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    pub failure: Option<String>,
    pub failure_kind: Option<String>,
    pub guest_after: Option<String>,
}

impl TryFrom<OperationRow> for OperationSummary {
    type Error = StoreError;
    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        let id = row.id;
        let damaged = |what: String| damaged(id, what);
        Ok(Self {
            id: OperationId(id),
            origin: origin(id, &row.origin)?,
            parent: row.parent_id.map(OperationId),
            children: row.children.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            guest: guest(id, row.backend.as_deref(), row.guest.as_deref())?,
            node: row.node,
            title: row.title,
            action: row
                .action
                .parse()
                .map_err(|e: crate::domain::operation::UnknownDeed| damaged(e.to_string()))?,
            actor: row.actor,
            address: row.address,
            state: row
                .state
                .parse()
                .map_err(|e: crate::domain::operation::UnknownState| damaged(e.to_string()))?,
            started_ms: row.started_ms,
            running_ms: row.running_ms,
            finished_ms: row.finished_ms,
            failure: row.failure,
            // A word of a newer Paddock is no reason to hide the operation.
            failure_kind: row.failure_kind.and_then(|word| word.parse().ok()),
            guest_after: row.guest_after.map(|json| from_json(id, &json)).transpose()?,
        })
    }
}

fn origin(id: i64, text: &str) -> Result<Origin, StoreError> {
    Origin::parse(text).ok_or_else(|| damaged(id, format!("“{text}” is no origin")))
}

pub(super) fn guest(
    id: i64,
    backend: Option<&str>,
    name: Option<&str>,
) -> Result<Option<GuestId>, StoreError> {
    let both = backend.zip(name);
    both.map(|(backend, name)| GuestId::parse(backend, name).map_err(|e| damaged(id, e.to_string())))
        .transpose()
}

fn damaged(id: i64, what: String) -> StoreError {
    StoreError::Damaged { table: "operations", id, what }
}

pub(super) fn from_json<T: DeserializeOwned>(id: i64, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|e| damaged(id, e.to_string()))
}

/// For what must be shown or done whatever somebody did to the database: rows that make no sense are left out. That
/// they were changed is told by the proof.
pub(super) fn readable<T>(rows: impl IntoIterator<Item = Result<T, StoreError>>) -> Vec<T> {
    let note = |row: Result<T, StoreError>| {
        row.inspect_err(|error| tracing::error!(error = %error, "an operation is left out")).ok()
    };
    rows.into_iter().filter_map(note).collect()
}

/// Our own types always have a JSON form; should one ever not, the record says so instead of being lost.
fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value)
        .unwrap_or_else(|e| serde_json::json!({ "not-recorded": e.to_string() }).to_string())
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
