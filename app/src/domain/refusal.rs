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

/// The field of a form that an error belongs to. Its text is the field's `name` in HTML and its option on the command
/// line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    Name,
    Backend,
    Template,
    Arguments,
    Metadata,
    Rootfs,
    Bundle,
    Timeout,
    Confirm,
    CurrentPassword,
    /// Of a second factor.
    Code,
    NewPassword,
    RepeatPassword,
    Image,
    Command,
    Env,
    Mount,
    Network,
    Cpu,
    Cores,
    Sockets,
    Memory,
    Swap,
    Pids,
    Disk,
    Size,
    Storage,
    Node,
    Vmid,
    Password,
    User,
    Role,
    Group,
    Holder,
    Scope,
    Expires,
    Privileges,
    Token,
    Session,
    SshKeys,
    Description,
    Tags,
    Snapshot,
    Mode,
    /// Of a snapshot: with the running VM's memory.
    WithMemory,
    /// Of a clone.
    Linked,
    /// Of a delete.
    Purge,
    StartAtBoot,
    Operation,
}

impl Field {
    pub const ALL: [Self; 49] = [
        Self::Name,
        Self::Backend,
        Self::Template,
        Self::Arguments,
        Self::Metadata,
        Self::Rootfs,
        Self::Bundle,
        Self::Timeout,
        Self::Confirm,
        Self::CurrentPassword,
        Self::Code,
        Self::NewPassword,
        Self::RepeatPassword,
        Self::Image,
        Self::Command,
        Self::Env,
        Self::Mount,
        Self::Network,
        Self::Cpu,
        Self::Cores,
        Self::Sockets,
        Self::Memory,
        Self::Swap,
        Self::Pids,
        Self::Disk,
        Self::Size,
        Self::Storage,
        Self::Node,
        Self::Vmid,
        Self::Password,
        Self::User,
        Self::Role,
        Self::Group,
        Self::Holder,
        Self::Scope,
        Self::Expires,
        Self::Privileges,
        Self::Token,
        Self::Session,
        Self::SshKeys,
        Self::Description,
        Self::Tags,
        Self::Snapshot,
        Self::Mode,
        Self::WithMemory,
        Self::Linked,
        Self::Purge,
        Self::StartAtBoot,
        Self::Operation,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Backend => "backend",
            Self::Template => "template",
            Self::Arguments => "arguments",
            Self::Metadata => "metadata",
            Self::Rootfs => "rootfs",
            Self::Bundle => "bundle",
            Self::Timeout => "timeout",
            Self::Confirm => "confirm",
            Self::CurrentPassword => "current-password",
            Self::Code => "code",
            Self::NewPassword => "new-password",
            Self::RepeatPassword => "repeat-password",
            Self::Image => "image",
            Self::Command => "command",
            Self::Env => "env",
            Self::Mount => "mount",
            Self::Network => "network",
            Self::Cpu => "cpu",
            Self::Cores => "cores",
            Self::Sockets => "sockets",
            Self::Memory => "memory",
            Self::Swap => "swap",
            Self::Pids => "pids",
            Self::Disk => "disk",
            Self::Size => "size",
            Self::Storage => "storage",
            Self::Node => "node",
            Self::Vmid => "vmid",
            Self::Password => "password",
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
            Self::Holder => "holder",
            Self::Scope => "scope",
            Self::Expires => "expires",
            Self::Privileges => "privileges",
            Self::Token => "token",
            Self::Session => "session",
            Self::SshKeys => "ssh-keys",
            Self::Description => "description",
            Self::Tags => "tags",
            Self::Snapshot => "snapshot",
            Self::Mode => "mode",
            Self::WithMemory => "with-memory",
            Self::Linked => "linked",
            Self::Purge => "purge",
            Self::StartAtBoot => "start-at-boot",
            Self::Operation => "operation",
        }
    }
}

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
