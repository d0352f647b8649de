//! Views: what pages are told and forms tell, made of the other words. Each is one answer of the service.

use serde::{Deserialize, Serialize};

use super::{
    access::{Privilege, Privileges},
    action::{GuestAction, Refusal},
    event::At,
    form::{Choices, Offered},
    guest::{BackendKind, Guest, GuestDetail, GuestId, Snapshot},
    history::FilterError,
    host::BackendState,
    list::{ListLine, ListQuery, Listed},
    operation::{Deed, Line, Operation, OperationId, OperationState, OperationSummary, Origin},
    plan::Plan,
    usage::{Sample, Spark},
    words,
};

/// All guests of the host, from memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestList {
    /// As of when it is: a stream of events goes on from here.
    pub at: At,
    /// The server's clock, milliseconds since 1970, so that "2 min ago" is the same in page and browser.
    pub now_ms: i64,
    pub backends: Vec<BackendHealth>,
    /// Sorted by what people call them.
    pub guests: Vec<GuestRow>,
    /// Why this person cannot create guests, if so.
    pub create_refusal: Option<Refusal>,
}

/// One backend and whether its guests are as of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendHealth {
    pub state: BackendState,
    /// The last reading failed; the guests shown are older.
    pub stale: Option<Stale>,
    /// Since when the server has found it unavailable each time it looked, milliseconds since 1970.
    pub unavailable_ms: Option<i64>,
}

/// Why guests are shown as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The error's sentence.
    pub why: String,
    /// When a reading failed first since the last good one, milliseconds since 1970.
    pub since_ms: i64,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestRow {
    pub guest: Guest,
    /// What was last done with it, running or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastOperation>,
    /// What it uses, where that is measured: while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<RowUsage>,
    /// What this person may do with it.
    pub may: Privileges,
}

/// What a guest uses now, and in the last few moments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowUsage {
    pub now: Sample,
    pub spark: Spark,
}

impl Listed for GuestRow {
    fn guest(&self) -> &Guest {
        &self.guest
    }

    fn last_ms(&self) -> Option<i64> {
        self.last.as_ref().map(|last| last.at_ms)
    }

    fn sample(&self) -> Option<&Sample> {
        self.usage.as_ref().map(|usage| &usage.now)
    }
}

/// As much of an operation as a row shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastOperation {
    pub id: OperationId,
    pub action: Deed,
    pub origin: Origin,
    /// As [`OperationSummary::actor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    pub state: OperationState,
    /// When it ended, or was asked for while it is live; milliseconds since 1970.
    pub at_ms: i64,
}

impl LastOperation {
    pub fn of(operation: &OperationSummary) -> Self {
        Self {
            id: operation.id,
            action: operation.action.clone(),
            origin: operation.origin,
            actor: operation.actor.clone(),
            state: operation.state,
            at_ms: operation.touched_ms(),
        }
    }

    /// Who did it, for people: `unknown` where nobody knows.
    pub fn who(&self) -> &str {
        self.actor.as_deref().unwrap_or("unknown")
    }
}

/// One page of the list, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPage {
    pub query: ListQuery,
    /// From 1 on.
    pub page: usize,
    /// At least 1.
    pub pages: usize,
    /// All guests that this person sees.
    pub total: usize,
    /// Those that the filter lets through.
    pub found: usize,
    /// Guests by their index in `list`.
    pub lines: Vec<ListLine>,
    /// The guests of this page.
    pub list: GuestList,
}

impl ListPage {
    /// There is no guest that is not on it.
    pub fn is_all(&self) -> bool {
        self.list.guests.len() == self.total
    }
}

/// One guest's own page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestPage {
    pub now_ms: i64,
    pub detail: GuestDetail,
    /// The operation at work on it.
    pub live: Option<OperationSummary>,
    /// Newest first, at most ten.
    pub recent: Vec<Line>,
    /// Every action on a guest that is there, in their one order, each with why it cannot be had now.
    pub actions: Vec<ActionChoice>,
    /// What this person may do with it.
    pub may: Privileges,
}

impl GuestPage {
    /// Why this person does not see what was done with it.
    pub fn history_refusal(&self) -> Option<Refusal> {
        let privilege = Privilege::History;
        let refusal = || Refusal::Denied { privilege, on: self.detail.guest.id.to_string() };
        (!self.may.holds(privilege)).then(refusal)
    }

    /// Why it cannot be had now.
    pub fn refusal(&self, action: GuestAction) -> Option<&Refusal> {
        self.actions.iter().find(|choice| choice.action == action)?.refusal.as_ref()
    }
}

/// A guest's snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotList {
    pub now_ms: i64,
    /// Oldest first.
    pub snapshots: Vec<Snapshot>,
}

/// What the form of an action offers, read from the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormPage {
    pub guest: Guest,
    pub action: GuestAction,
    /// Why it cannot be had now.
    pub refusal: Option<Refusal>,
    pub choices: Offered,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionChoice {
    pub action: GuestAction,
    pub refusal: Option<Refusal>,
}

/// What an action would run. Nothing has been run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub now_ms: i64,
    pub guest: Guest,
    pub action: GuestAction,
    /// The refusal, where it could not be begun now.
    pub plan: Result<Plan, Refusal>,
    /// SHA-256 of the plan, hexadecimal: sent along with what it is agreed to by.
    pub hash: Option<String>,
    /// What has to be typed to agree to it.
    #[serde(default)]
    pub confirm: Option<String>,
}

/// What an operation would run if it were done again. Nothing has been run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    pub operation: OperationId,
    pub action: GuestAction,
    /// What people call the guest; for a new one, what it would be called.
    pub name: String,
    pub plan: Result<Plan, Refusal>,
    pub hash: Option<String>,
    /// What has to be typed to agree to it.
    #[serde(default)]
    pub confirm: Option<String>,
}

/// What a bulk action would run. Nothing has been run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkPreview {
    pub now_ms: i64,
    pub action: GuestAction,
    pub parts: Vec<BulkPart>,
    /// SHA-256 over all plans, hexadecimal.
    pub hash: String,
}

/// One guest of a bulk action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkPart {
    pub guest: GuestId,
    pub title: Option<String>,
    /// The refusal, where it would be left out.
    pub plan: Result<Plan, Refusal>,
}

/// What can be chosen on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateChoices {
    /// Those that can create guests here.
    pub backends: Vec<BackendState>,
    /// Of each backend that this person may make guests with.
    pub choices: Vec<(BackendKind, Offered)>,
    pub refusal: Option<Refusal>,
}

impl CreateChoices {
    pub fn of(&self, kind: BackendKind) -> &[(Choices, Vec<String>)] {
        self.choices.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, choices)| choices)
    }
}

/// What a creation would run. Nothing has been run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatePreview {
    pub plan: Result<Plan, Refusal>,
    pub hash: Option<String>,
    /// The id that it would have now, where that is not its name.
    pub id: Option<GuestId>,
}

/// One page of the history, or of one guest's, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    pub now_ms: i64,
    pub operations: Vec<Line>,
    /// The filter's field `after` for the next, older page; `None` on the last.
    pub older: Option<String>,
    /// The search would have taken too long and stopped: nothing that began before then was looked at (milliseconds since
    /// 1970). `older` goes on from there.
    #[serde(default)]
    pub searched_to_ms: Option<i64>,
    /// What is wrong with the filter. There are no operations then: it asks for nothing that could be shown.
    pub errors: Vec<FilterError>,
}

/// One operation's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationPage {
    pub now_ms: i64,
    pub operation: Operation,
    /// It is running, and this person may end it.
    pub can_cancel: bool,
    /// The parts of a bulk action.
    pub parts: Vec<Line>,
    /// Where it can be planned again; `None` for what Paddock was not asked to do.
    pub again: Option<String>,
    /// The plan as a shell script, to be run by hand; `None` for one without steps.
    pub script: Option<String>,
}

/// An operation at work, as the frame names it: in words, so that not every page carries the reading of operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtWork {
    pub id: OperationId,
    /// `Starting lxc/web1`
    pub what: String,
    pub who: String,
    /// Its place in line; none once it runs.
    pub place: Option<String>,
    pub since_ms: i64,
}

impl From<&OperationSummary> for AtWork {
    fn from(operation: &OperationSummary) -> Self {
        let doing = match &operation.action {
            Deed::Action(action) => words::doing(*action).to_owned(),
            other => words::sentence(&words::came_to(other, operation.state)),
        };
        Self {
            id: operation.id,
            what: format!("{doing} {}", operation.on_what()),
            who: operation.who().to_owned(),
            place: operation.in_line(),
            since_ms: operation.running_ms.unwrap_or(operation.started_ms),
        }
    }
}

/// What the frame around every page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// As of when this answer is: a stream of events goes on from here.
    pub at: At,
    pub username: String,
    /// The names of all roles held: `operator, viewer`.
    pub roles: String,
    /// What may be done at one place or another.
    pub may: Privileges,
    pub host: String,
    pub now_ms: i64,
    /// Operations at work now, oldest first.
    pub running: Vec<AtWork>,
    /// What was changed in the record by somebody else than Paddock, and what to do.
    pub damage: Option<String>,
}
