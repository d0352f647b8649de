//! Operations from begin to finish.

mod begin;
mod cancel;
pub(super) mod digest;
mod end;
mod progress;
mod read;
mod row;

use serde::{Serialize, de::DeserializeOwned};

use super::{StoreError, text::Text};
use crate::{
    backend::RunningTool,
    domain::{
        action::ActionRequest,
        failure::FailureKind,
        guest::GuestId,
        operation::{Deed, EndState, GuestAfter, OperationId, Origin},
        plan::Plan,
    },
};

pub(super) use begin::{note_task, set_running};
pub use digest::plan_hash;
pub(super) use progress::append_output;
pub use read::Progress;
pub(super) use row::{OperationRow, lines, readable, rows};

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

/// `None` where that is no origin.
fn origin(text: &Text) -> Option<Origin> {
    Origin::parse(text.as_str())
}

pub(super) fn guest(backend: Option<&Text>, name: Option<&Text>) -> Result<Option<GuestId>, String> {
    let both = backend.zip(name).map(|(backend, name)| (backend.as_str(), name.as_str()));
    both.map(|(backend, name)| {
        GuestId::parse(backend, name).map_err(|_| format!("“{backend}/{name}” is no guest"))
    })
    .transpose()
}

fn damaged(id: i64, what: String) -> StoreError {
    StoreError::Damaged { table: "operations", id, what }
}

/// `what` is what the text is, for the clause that says what is wrong.
fn from_json<T: DeserializeOwned>(id: i64, what: &str, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|e| damaged(id, format!("its {what} cannot be read: {e}")))
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
