//! What the dashboard, the nodes' pages and the command palette are told. Each is one answer of the service.

use serde::{Deserialize, Serialize};

use super::{
    guest::{BackendKind, GuestStatus},
    host::Node,
    operation::{Line, OperationSummary},
};

/// How the whole stands, as far as one person may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dashboard {
    pub now_ms: i64,
    /// What needs a person, the most pressing first.
    pub concerns: Vec<Concern>,
    /// At work now, oldest first.
    pub running: Vec<OperationSummary>,
    /// The newest operations that have ended, newest first.
    pub recent: Vec<Line>,
    pub counts: Counts,
    /// By name; empty for those who see no guest at all.
    pub nodes: Vec<NodeView>,
}

/// Something that needs a person: what is the matter, how things stand, and the one thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    pub kind: ConcernKind,
    /// "web1: start failed"
    pub title: String,
    /// Sentences; empty where the title says it all.
    pub detail: String,
    /// Since when, milliseconds since 1970, where that is known.
    pub since_ms: Option<i64>,
    /// The one thing to do, as on its link.
    pub todo: String,
    /// Where that is done; `None` for what is done on the host itself.
    pub href: Option<String>,
}

/// In the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConcernKind {
    /// The history was changed outside Paddock.
    Damaged,
    /// A backend cannot be used, or a node is down.
    Unavailable,
    /// What is shown of a backend may be old.
    Stale,
    /// The last operation on a guest did not do its work.
    Failed,
    /// A guest is in a state that nobody can tell.
    Unknown,
    /// A storage, or the memory of a node, is nearly full.
    Full,
    /// A guest is locked by its backend.
    Locked,
    /// There is something to know about a guest before one acts.
    Noted,
    /// An account lacks what it must have.
    Owed,
}

/// How many guests there are, and how they are. Only what there is any of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub total: usize,
    /// In the order of [`GuestStatus::ALL`].
    pub by_status: Vec<(GuestStatus, usize)>,
    pub by_backend: Vec<(BackendKind, usize)>,
}

/// A node as it was read last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    pub node: Node,
    /// Those whose guests run there.
    pub backends: Vec<BackendKind>,
    /// When it was read, milliseconds since 1970.
    pub at_ms: i64,
    /// Its guests that this person may see.
    pub counts: Counts,
}

/// All nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodesPage {
    pub now_ms: i64,
    /// By name; empty until they have been read for the first time.
    pub nodes: Vec<NodeView>,
    /// Why nodes could not be read, or are shown as they were.
    pub problems: Vec<NodesProblem>,
}

/// A backend whose nodes could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodesProblem {
    pub backend: BackendKind,
    /// One sentence.
    pub why: String,
}

/// Something that the command palette has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    pub kind: HitKind,
    /// "web1", "Stop web1", "History"
    pub title: String,
    /// What tells it from others of that title; empty where nothing need.
    pub detail: String,
    /// Where it leads: always a page, never an action by itself.
    pub href: String,
    /// Of a guest.
    pub status: Option<GuestStatus>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HitKind {
    Guest,
    /// Leads to the page that shows what it would run.
    Action,
    Page,
    Operation,
}

impl HitKind {
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Guest => "Guest",
            Self::Action => "Action",
            Self::Page => "Page",
            Self::Operation => "Operation",
        }
    }
}
