//! Operations: one action on one guest by one actor, with its plan and how it ended.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    action::GuestAction,
    failure::FailureKind,
    guest::{GuestId, GuestStatus},
    plan::{Plan, StepOutcome, Stream},
};

/// Counts up from 1 in the order of beginning; shown as `#12`, in URLs as `/history/12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub i64);

impl OperationId {
    pub fn href(self) -> String {
        format!("/history/{}", self.0)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an operation is in its life. Every one that ran reaches exactly one of the ends, and never leaves it.
///
/// ```text
///             ┌──► Succeeded     every step did its work and the guest is as expected
///   Running ──┼──► Failed        a step failed, was killed, timed out or answered nonsense
///             ├──► Cancelled     a person asked for its end
///             └──► Interrupted   Paddock itself was ended in the middle; settled at its next start
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationState {
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Interrupted,
}

impl OperationState {
    pub const ALL: [Self; 5] =
        [Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Interrupted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    pub fn is_live(self) -> bool {
        self == Self::Running
    }
}

impl fmt::Display for OperationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no operation state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not the state of an operation")]
pub struct UnknownState(pub String);

impl FromStr for OperationState {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// The guest as it was read from the host when the operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestAfter {
    Status(GuestStatus),
    Gone,
    /// The host could not be asked.
    NotRead,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationSummary {
    pub id: OperationId,
    pub guest: GuestId,
    /// What people called the guest then, where its id is a number.
    #[serde(default)]
    pub title: Option<String>,
    pub action: GuestAction,
    /// The person's user name.
    pub actor: String,
    /// The network address it was asked from.
    pub address: Option<String>,
    pub state: OperationState,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    /// Why it did not succeed: what happened, how things stand, what to do.
    pub failure: Option<String>,
    /// What kind of failure that was; `None` also for operations of an older Paddock.
    #[serde(default)]
    pub failure_kind: Option<FailureKind>,
    pub guest_after: Option<GuestAfter>,
}

/// An operation whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub summary: OperationSummary,
    pub plan: Plan,
    /// As far as it has come: at most one for each of the plan's steps, in their order.
    pub outcomes: Vec<StepOutcome>,
    pub output: Vec<OutputChunk>,
}

/// A piece of what a tool said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputChunk {
    /// Index of the plan's step.
    pub step: usize,
    pub stream: Stream,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// The tool's bytes as text; what is not UTF-8 is replaced.
    pub text: String,
}
