//! Refusals: why Paddock did not begin an action, and where in a form the reason belongs.

use serde::{Deserialize, Serialize};

use super::{
    access::Privilege,
    action::GuestAction,
    failure::FailureKind,
    guest::{BackendKind, GuestId, GuestStatus},
    name::NameError,
    operation::OperationId,
};

pub use super::field::Field;

/// Why Paddock did not begin an action. Nothing has been run and nothing has changed when one of these is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    #[error("{0}")]
    Name(NameError),
    #[error("{message}")]
    Field { field: Field, message: String },
    #[error("There is no guest {guest}. It may have been deleted; nothing was run.")]
    NotFound { guest: GuestId },
    #[error("{guest} exists already. Nothing was changed; choose another name.")]
    AlreadyExists { guest: GuestId },
    #[error("Cannot {} {guest}: it is {status}. Nothing was run.", .action.verb())]
    WrongState { guest: GuestId, action: GuestAction, status: GuestStatus },
    #[error("Cannot {} {guest}: it is a template. Nothing was run; clone it instead.", .action.verb())]
    IsTemplate { guest: GuestId, action: GuestAction },
    #[error(
        "{guest} is locked ({by}). Nothing was run; wait until that has ended, or unlock it if the lock is stale."
    )]
    Locked { guest: GuestId, by: String },
    #[error(
        "Operation #{operation} is at work on {guest}. Nothing more was begun; wait until it ends or cancel it."
    )]
    Busy { guest: GuestId, operation: OperationId },
    #[error("The {} backend cannot {} a guest: {reason} Nothing was run.", .backend.label(), .action.verb())]
    Unsupported { backend: BackendKind, action: GuestAction, reason: String },
    #[error("{reason} Nothing was run. {cure}")]
    Unavailable { backend: BackendKind, reason: String, cure: String },
    #[error("The host is not ready for this: {reason} Nothing was run. {cure}")]
    NotReady { reason: String, cure: String },
    /// `on` is what it was asked for on: `lxc/web1`, `everything`.
    #[error("You lack the privilege “{privilege}” on {on}. Nothing was done; an administrator can grant it.")]
    Denied { privilege: Privilege, on: String },
    /// The rights would do, but the API token that was used is for less.
    #[error(
        "This token does not hold the privilege “{privilege}” on {on}. Nothing was done; use one that does."
    )]
    DeniedByToken { privilege: Privilege, on: String },
    /// An API token was used for what a person has to do.
    #[error(
        "This is done by a person who has logged in, not with an API token. Nothing was done; log in and do it there."
    )]
    NeedsSession,
    /// The backend's own access control said no, to Paddock or to the person's own account there.
    #[error(
        "{} denies this to {} ({what}). Nothing was run; grant it there.", .backend.label(),
        .account.as_deref().unwrap_or("Paddock's own account")
    )]
    DeniedByBackend { backend: BackendKind, account: Option<String>, what: String },
    /// The account is one of the backend's, and there is no log-in of it to act with.
    #[error(
        "What this account does at {} is done by its own log-in there, and there is none. Nothing was run; log in with a browser and \
         do it there.", .backend.label()
    )]
    NeedsOwnLogIn { backend: BackendKind },
    /// The plan that was agreed to is not the plan any more.
    #[error(
        "What it takes to {} {guest} has changed since the plan was shown. Nothing was run; look at the plan as it is now.",
        .action.verb()
    )]
    PlanChanged { guest: GuestId, action: GuestAction },
    /// It was asked for with a secret, which is kept nowhere.
    #[error(
        "This was asked for with a password, which Paddock keeps nowhere. Nothing was run; ask for it anew with the password."
    )]
    NeedsSecret,
    #[error("Paddock is shutting down and begins nothing new. Nothing was run; try again once it is back.")]
    ShuttingDown,
}

impl Refusal {
    /// The form field to show it at, where it belongs to one.
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::Name(_) | Self::AlreadyExists { .. } => Some(Field::Name),
            Self::Field { field, .. } => Some(*field),
            _ => None,
        }
    }

    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Name(_) | Self::Field { .. } | Self::NeedsSecret => FailureKind::Invalid,
            Self::NotFound { .. } => FailureKind::NotFound,
            Self::AlreadyExists { .. } => FailureKind::AlreadyExists,
            Self::WrongState { .. } | Self::IsTemplate { .. } | Self::PlanChanged { .. } => {
                FailureKind::WrongState
            }
            Self::Locked { .. } | Self::Busy { .. } => FailureKind::Locked,
            Self::Unsupported { .. } => FailureKind::Unsupported,
            Self::Unavailable { .. } | Self::ShuttingDown => FailureKind::Unavailable,
            Self::NotReady { .. } => FailureKind::NotReady,
            Self::Denied { .. }
            | Self::DeniedByToken { .. }
            | Self::NeedsSession
            | Self::DeniedByBackend { .. }
            | Self::NeedsOwnLogIn { .. } => FailureKind::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_happened_and_how_things_stand() {
        let guest = GuestId::parse("lxc", "web1").unwrap();
        let refusal = Refusal::WrongState { guest, action: GuestAction::Start, status: GuestStatus::Running };
        assert_eq!(refusal.to_string(), "Cannot start lxc/web1: it is running. Nothing was run.");
    }
}
