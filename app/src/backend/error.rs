//! What goes wrong at a backend: one set of errors for all of them.

use crate::domain::{
    action::{Field, GuestAction, Refusal},
    failure::FailureKind,
    guest::{BackendKind, GuestId, GuestStatus},
    plan::Exit,
};

/// Why a backend could not answer, plan or do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("There is no guest {0}.")]
    NotFound(GuestId),
    #[error("{0} exists already.")]
    AlreadyExists(GuestId),
    /// The tool says that the guest's state does not allow this.
    #[error("The guest's state does not allow this: {words}")]
    WrongState { words: String },
    /// The tool holds a lock on the guest.
    #[error("{guest} is locked ({by}).")]
    Locked { guest: GuestId, by: String },
    /// The backend's access control says no; in its words, with path and privilege where it tells them.
    #[error("{} denies this{}: {what}.", .backend.label(), .account.as_ref().map(|it| format!(" to {it}")).unwrap_or_default())]
    Denied {
        backend: BackendKind,
        /// Who asked with an account of their own there; `None` for Paddock's.
        account: Option<String>,
        what: String,
    },
    /// The backend has no such action.
    #[error("The {} backend cannot {} a guest: {reason}", .backend.label(), .action.verb())]
    Unsupported { backend: BackendKind, action: GuestAction, reason: String },
    /// A command that was run in the guest ended with something else than 0.
    #[error("The command in the guest ended with {exit}.")]
    CommandFailed { exit: Exit },
    /// A file was not changed, and is as it was.
    #[error("{path} was not changed: {detail}.")]
    NotEdited { path: String, detail: String },
    /// An input that the driver does not take; nothing was run.
    #[error("{message}")]
    Invalid { field: Field, message: String },
    /// The host lacks something this action needs; nothing was run.
    #[error("{reason} {cure}")]
    NotReady { reason: String, cure: String },
    /// The backend as a whole cannot be used.
    #[error("{reason} {cure}")]
    Unavailable { backend: BackendKind, reason: String, cure: String },
    /// The time was up. The words are the tool's, or how things stand now; they may be empty.
    #[error("The time was up{}", timed_out(.words))]
    TimedOut { words: String },
    #[error("The tool was ended because its operation was cancelled.")]
    Cancelled,
    /// The guest did not reach the state waited for.
    #[error(
        "The guest was not {wanted} in the time given: it is {}, and nothing more was done to it.",
        .found.map_or("gone", GuestStatus::as_str)
    )]
    NotReached { wanted: GuestStatus, found: Option<GuestStatus> },
    /// The tool failed in its own words.
    #[error("{program}: {exit}{}", with_words(.words))]
    ToolFailed { program: String, exit: Exit, words: String },
    /// A service failed in its own words; it has no exit code.
    #[error("{service}: {words}")]
    ServiceFailed { service: String, words: String },
    /// The tool said it succeeded, and the host shows that it did not.
    #[error("The tool reported success, but {what}.")]
    NotDone { what: String },
    /// The tool or the kernel answered something that cannot be understood.
    #[error("{source_name} answered something Paddock does not understand: {detail}")]
    Garbled { source_name: String, detail: String },
    /// A file of the tool or the kernel could not be read.
    #[error("Cannot read {path}: {detail}")]
    Unreadable { path: String, detail: String },
}

fn timed_out(words: &str) -> String {
    if words.is_empty() { ", and the tool was ended.".to_owned() } else { format!(": {words}") }
}

fn with_words(words: &str) -> String {
    if words.is_empty() { ", without a word".to_owned() } else { format!(": {words}") }
}

impl Error {
    /// As a refusal of the action on this guest: for errors met before anything was run.
    pub fn into_refusal(self, guest: &GuestId) -> Refusal {
        let unavailable = |reason: String| Refusal::Unavailable {
            backend: guest.backend,
            reason,
            cure: "Look at the host, then try again.".to_owned(),
        };
        match self {
            Self::NotFound(guest) => Refusal::NotFound { guest },
            Self::AlreadyExists(guest) => Refusal::AlreadyExists { guest },
            Self::Invalid { field, message } => Refusal::Field { field, message },
            Self::NotReady { reason, cure } => Refusal::NotReady { reason, cure },
            Self::WrongState { words } => Refusal::NotReady {
                reason: format!("the guest's state does not allow it ({words})."),
                cure: "Reload to see its state.".to_owned(),
            },
            Self::Unavailable { backend, reason, cure } => Refusal::Unavailable { backend, reason, cure },
            Self::Locked { guest, by } => Refusal::Locked { guest, by },
            Self::Denied { backend, account, what } => Refusal::DeniedByBackend { backend, account, what },
            Self::Unsupported { backend, action, reason } => Refusal::Unsupported { backend, action, reason },
            other => unavailable(other.to_string()),
        }
    }

    /// Which of the few kinds of failure this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::NotFound(_) => FailureKind::NotFound,
            Self::AlreadyExists(_) => FailureKind::AlreadyExists,
            Self::WrongState { .. } => FailureKind::WrongState,
            Self::Locked { .. } => FailureKind::Locked,
            Self::Denied { .. } => FailureKind::Denied,
            Self::Unsupported { .. } => FailureKind::Unsupported,
            Self::CommandFailed { .. } => FailureKind::CommandFailed,
            Self::Invalid { .. } => FailureKind::Invalid,
            Self::NotReady { .. } | Self::NotEdited { .. } => FailureKind::NotReady,
            Self::Unavailable { .. } | Self::Unreadable { .. } => FailureKind::Unavailable,
            Self::TimedOut { .. } | Self::NotReached { .. } => FailureKind::TimedOut,
            Self::Cancelled => FailureKind::Cancelled,
            Self::ToolFailed { .. }
            | Self::ServiceFailed { .. }
            | Self::NotDone { .. }
            | Self::Garbled { .. } => FailureKind::ToolFailed,
        }
    }
}
