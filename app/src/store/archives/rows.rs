//! Rows as they stand in an archive: one line for an operation, then one for each of its steps and pieces of output, all
//! with the names of their columns.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::store::operations::digest::{Beginning, Ended};

/// Kinds of an archive's lines.
pub const OPERATION: &str = "operation";
pub const STEP: &str = "operation-step";
pub const OUTPUT: &str = "operation-output";

/// An operation that has ended. How many steps follow is known beforehand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationRow<'a> {
    #[serde(borrow)]
    pub origin: Cow<'a, str>,
    pub parent_id: Option<i64>,
    pub children: Option<i64>,
    #[serde(borrow)]
    pub backend: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub guest: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub node: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    #[serde(borrow)]
    pub actor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub address: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub request: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub plan: Cow<'a, str>,
    pub started_ms: i64,
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    pub running_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    #[serde(borrow)]
    pub failure: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub failure_kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub guest_after: Option<Cow<'a, str>>,
    pub steps: i64,
    /// Its Proxmox tasks.
    pub tasks: Vec<String>,
}

impl OperationRow<'_> {
    pub fn beginning(&self, id: i64) -> Beginning<'_> {
        Beginning {
            id,
            origin: &self.origin,
            parent_id: self.parent_id,
            children: self.children,
            backend: self.backend.as_deref(),
            guest: self.guest.as_deref(),
            node: self.node.as_deref(),
            title: self.title.as_deref(),
            action: &self.action,
            actor: self.actor.as_deref(),
            address: self.address.as_deref(),
            request: self.request.as_deref(),
            plan: &self.plan,
            started_ms: self.started_ms,
        }
    }

    pub fn ended(&self, id: i64) -> Ended<'_> {
        Ended {
            id,
            state: &self.state,
            running_ms: self.running_ms,
            finished_ms: self.finished_ms,
            failure: self.failure.as_deref(),
            failure_kind: self.failure_kind.as_deref(),
            guest_after: self.guest_after.as_deref(),
            steps: self.steps,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepRow<'a> {
    pub step: i64,
    #[serde(borrow)]
    pub outcome: Cow<'a, str>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PieceRow<'a> {
    pub step: i64,
    #[serde(borrow)]
    pub stream: Cow<'a, str>,
    pub at_ms: i64,
    #[serde(borrow)]
    pub text: Cow<'a, str>,
}
