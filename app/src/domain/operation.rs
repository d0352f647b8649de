//! Operations: one action on one guest by one actor, with its plan and how it ended.

mod deed;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    action::ActionRequest,
    failure::FailureKind,
    guest::{GuestId, GuestStatus},
    plan::{Plan, StepOutcome, Stream},
};
pub use deed::{Deed, Seen, UnknownDeed};

/// Counts up from 1 in the order of beginning; shown as `#12`, in URLs as `/history/12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
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

/// Where an operation is in its life. Every one reaches exactly one of the ends, and never leaves it: the database
/// refuses any other way.
///
/// ```text
///                            ┌──► Succeeded     every step did its work and the guest is as expected
///   Planned ──► Running ─────┼──► Failed        a step failed, was killed or answered nonsense
///      │                     ├──► TimedOut      a step took longer than its plan allows
///      ├─────────────────────┼──► Cancelled     a person asked for its end
///      └─────────────────────┴──► Interrupted   Paddock itself was ended in the middle; settled at its next start
/// ```
///
/// One that is planned waits for its turn: a backend works at a few operations at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationState {
    Planned,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    Interrupted,
}

/// The states that are ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndState {
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    Interrupted,
}

impl From<EndState> for OperationState {
    fn from(end: EndState) -> Self {
        match end {
            EndState::Succeeded => Self::Succeeded,
            EndState::Failed => Self::Failed,
            EndState::Cancelled => Self::Cancelled,
            EndState::TimedOut => Self::TimedOut,
            EndState::Interrupted => Self::Interrupted,
        }
    }
}

impl OperationState {
    pub const ALL: [Self; 7] = [
        Self::Planned,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
        Self::Interrupted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
        }
    }

    /// As a heading or a tab.
    pub fn label(self) -> &'static str {
        match self {
            Self::Planned => "Waiting",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::TimedOut => "Timed out",
            Self::Interrupted => "Interrupted",
        }
    }

    pub fn is_live(self) -> bool {
        matches!(self, Self::Planned | Self::Running)
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

/// Who set an operation going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Somebody, through Paddock.
    Paddock,
    /// A Proxmox task that somebody else started: a shell, Proxmox's own pages, another tool.
    Task,
    /// Nobody known: only the change was seen.
    Observed,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Paddock, Self::Task, Self::Observed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paddock => "paddock",
            Self::Task => "task",
            Self::Observed => "observed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text)
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
    pub origin: Origin,
    /// The bulk action that it is one part of.
    pub parent: Option<OperationId>,
    /// How many parts a bulk action has; `None` for every other operation.
    pub children: Option<u32>,
    /// `None` for a bulk action and for a Proxmox task that concerns no single guest.
    pub guest: Option<GuestId>,
    /// The node, where the record tells it.
    pub node: Option<String>,
    /// What people called the guest then, where its id is a number.
    pub title: Option<String>,
    pub action: Deed,
    /// The person's user name, or how Proxmox calls whoever started the task. `None`: nobody knows.
    pub actor: Option<String>,
    /// The network address it was asked from.
    pub address: Option<String>,
    pub state: OperationState,
    /// When it was asked for, milliseconds since 1970.
    pub started_ms: i64,
    /// When it left the line and its work began.
    pub running_ms: Option<i64>,
    pub finished_ms: Option<i64>,
    /// Why it did not succeed: what happened, how things stand, what to do.
    pub failure: Option<String>,
    /// What kind of failure that was; `None` also for operations of an older Paddock.
    #[serde(default)]
    pub failure_kind: Option<FailureKind>,
    pub guest_after: Option<GuestAfter>,
    /// Which in its backend's line it is, from 1 on, while it waits for its turn in the Paddock that was asked.
    #[serde(default)]
    pub place: Option<usize>,
}

impl OperationSummary {
    /// For people, while it waits: `3rd in line`.
    pub fn in_line(&self) -> Option<String> {
        self.place.map(|place| format!("{} in line", ordinal(place)))
    }

    /// When it ended, or was asked for while it is live.
    pub fn touched_ms(&self) -> i64 {
        self.finished_ms.unwrap_or(self.started_ms)
    }

    /// Who did it, for people: `unknown` where nobody knows.
    pub fn who(&self) -> &str {
        self.actor.as_deref().unwrap_or("unknown")
    }

    /// What it was done to, for people: the guest by the name it had, `12 guests`, a node.
    pub fn on_what(&self) -> String {
        match &self.guest {
            Some(guest) => self.title.clone().unwrap_or_else(|| guest.name.to_string()),
            None => beside_guests(self.children.map(i64::from), self.node.as_deref()),
        }
    }
}

/// `1st`, `22nd`, `113th`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// What was done to no single guest was done to this, for people: `12 guests`, a node.
pub fn beside_guests(children: Option<i64>, node: Option<&str>) -> String {
    match (children, node) {
        (Some(1), _) => "1 guest".to_owned(),
        (Some(count), _) => format!("{count} guests"),
        (None, Some(node)) => node.to_owned(),
        (None, None) => "the host".to_owned(),
    }
}

/// A record that cannot be read as one: somebody else than Paddock wrote to it. That it was changed, and how, is proven by
/// `paddock verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedRecord {
    pub id: OperationId,
    pub started_ms: i64,
    /// What is wrong with it, as a clause.
    pub what: String,
}

/// One line of the history, whatever somebody did to its record.
pub type Line = Result<OperationSummary, DamagedRecord>;

/// Which operation a line is of, and when that was asked for.
pub fn place_of(line: &Line) -> (OperationId, i64) {
    match line {
        Ok(operation) => (operation.id, operation.started_ms),
        Err(record) => (record.id, record.started_ms),
    }
}

/// An operation whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub summary: OperationSummary,
    /// What was asked for, secrets masked; `None` where Paddock was not asked. It is not read back from an answer: no
    /// page shows it, and the reading of every kind of request would be a good part of what a browser loads.
    #[serde(skip_deserializing)]
    pub request: Option<ActionRequest>,
    pub plan: Plan,
    /// SHA-256 of the plan, hexadecimal.
    pub plan_hash: String,
    /// As far as it has come: at most one for each of the plan's steps, in their order.
    pub outcomes: Vec<StepOutcome>,
    pub output: Vec<OutputChunk>,
    /// Its entries in the ledger, in their order; none for an operation that is older than the ledger.
    pub ledger: Vec<LedgerPlace>,
}

/// Where in the ledger something stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPlace {
    pub seq: i64,
    /// `operation-begun`, `cancel-requested`, `operation-ended`.
    pub kind: String,
    pub at_ms: i64,
    /// Who did what it tells; `None`: nobody knows.
    pub actor: Option<String>,
    /// SHA-256, hexadecimal.
    pub hash: String,
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
