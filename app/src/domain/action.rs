//! Actions: what can be asked of a guest, when, and why it is refused.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    access::Privilege,
    guest::{BackendKind, GuestId, GuestStatus},
    name::NameError,
    operation::OperationId,
};

/// What can be done with a guest. The texts of [`as_str`](Self::as_str) are in URLs, forms and the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestAction {
    Create,
    Start,
    /// Asks the guest to shut itself down, and waits.
    Shutdown,
    /// Pulls the plug.
    Stop,
    Delete,
}

impl GuestAction {
    pub const ALL: [Self; 5] = [Self::Create, Self::Start, Self::Shutdown, Self::Stop, Self::Delete];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Stop => "stop",
            Self::Delete => "delete",
        }
    }

    /// As on its button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Start => "Start",
            Self::Shutdown => "Shut down",
            Self::Stop => "Stop",
            Self::Delete => "Delete",
        }
    }

    /// What one must be allowed to do.
    pub fn privilege(self) -> Privilege {
        match self {
            Self::Create => Privilege::Create,
            Self::Start | Self::Shutdown | Self::Stop => Privilege::Power,
            Self::Delete => Privilege::Delete,
        }
    }

    /// Whether a guest in this state can be asked for this: the one rule that buttons and service share.
    ///
    /// A guest of unknown state may be stopped and deleted, so that a person can clean up; never started, as a
    /// second instance of it might run already.
    pub fn allowed_in(self, status: GuestStatus) -> bool {
        use GuestStatus::{Created, Paused, Running, Stopped, Unknown};
        match self {
            Self::Create => false,
            Self::Start => matches!(status, Stopped | Created),
            Self::Shutdown => matches!(status, Running),
            Self::Stop => matches!(status, Running | Paused | Unknown),
            Self::Delete => matches!(status, Stopped | Created | Unknown),
        }
    }
}

impl fmt::Display for GuestAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no action on a guest; there are create, start, shutdown, stop and delete")]
pub struct UnknownAction(pub String);

impl FromStr for GuestAction {
    type Err = UnknownAction;
    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| UnknownAction(text.chars().take(40).collect()))
    }
}

/// How long [`ActionRequest::Shutdown`] waits where nobody says otherwise, seconds.
pub const SHUTDOWN_SECONDS: u32 = 60;
/// The longest wait that can be asked for, seconds.
pub const LONGEST_SHUTDOWN_SECONDS: u32 = 3600;

/// One action with all that it needs: the input of a driver's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionRequest {
    Create(CreateSpec),
    Start,
    /// Seconds to wait for the guest, 1 to [`LONGEST_SHUTDOWN_SECONDS`].
    Shutdown {
        timeout_seconds: u32,
    },
    Stop,
    Delete,
}

impl ActionRequest {
    pub fn action(&self) -> GuestAction {
        match self {
            Self::Create(_) => GuestAction::Create,
            Self::Start => GuestAction::Start,
            Self::Shutdown { .. } => GuestAction::Shutdown,
            Self::Stop => GuestAction::Stop,
            Self::Delete => GuestAction::Delete,
        }
    }
}

/// What a new guest is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreateSpec {
    /// An LXC container by one of the installed templates (`busybox`, `download`, ...). The arguments go to the
    /// template script as they are, one argv word each.
    LxcTemplate { template: String, arguments: Vec<String> },
    /// An LXC container from two archives on the host: image metadata and root file system, absolute paths.
    LxcLocal { metadata: String, rootfs: String },
    /// An OCI container from a bundle on the host: absolute path of a directory with `config.json` and a root
    /// file system.
    CrunBundle { bundle: String },
}

impl CreateSpec {
    pub fn backend(&self) -> BackendKind {
        match self {
            Self::LxcTemplate { .. } | Self::LxcLocal { .. } => BackendKind::Lxc,
            Self::CrunBundle { .. } => BackendKind::Crun,
        }
    }
}

/// The field of a form that an error belongs to. Its text is the field's `name` in HTML.
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
    NewPassword,
    RepeatPassword,
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
    #[error("{} {guest}: it is {status}. Nothing was run.", cannot(*.action))]
    WrongState { guest: GuestId, action: GuestAction, status: GuestStatus },
    #[error(
        "Operation #{operation} is at work on {guest}. Nothing more was begun; wait until it ends or cancel it."
    )]
    Busy { guest: GuestId, operation: OperationId },
    #[error("{reason} Nothing was run. {cure}")]
    Unavailable { backend: BackendKind, reason: String, cure: String },
    #[error("The host is not ready for this: {reason} Nothing was run. {cure}")]
    NotReady { reason: String, cure: String },
    #[error("You lack the privilege “{privilege}”. Nothing was run; an administrator can grant it.")]
    Denied { privilege: Privilege },
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
}

fn cannot(action: GuestAction) -> &'static str {
    match action {
        GuestAction::Create => "Cannot create",
        GuestAction::Start => "Cannot start",
        GuestAction::Shutdown => "Cannot shut down",
        GuestAction::Stop => "Cannot stop",
        GuestAction::Delete => "Cannot delete",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back_from_its_own_text() {
        for action in GuestAction::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        assert!("reboot; rm".parse::<GuestAction>().is_err());
    }

    #[test]
    fn a_running_guest_cannot_be_started_or_deleted() {
        let allowed =
            |status| GuestAction::ALL.into_iter().filter(|a| a.allowed_in(status)).collect::<Vec<_>>();
        assert_eq!(allowed(GuestStatus::Running), [GuestAction::Shutdown, GuestAction::Stop]);
        assert_eq!(allowed(GuestStatus::Stopped), [GuestAction::Start, GuestAction::Delete]);
        assert_eq!(allowed(GuestStatus::Paused), [GuestAction::Stop]);
        assert_eq!(allowed(GuestStatus::Creating), []);
        assert_eq!(allowed(GuestStatus::Unknown), [GuestAction::Stop, GuestAction::Delete]);
    }

    #[test]
    fn a_refusal_says_what_happened_and_how_things_stand() {
        let guest = GuestId::parse("lxc", "web1").unwrap();
        let refusal = Refusal::WrongState { guest, action: GuestAction::Start, status: GuestStatus::Running };
        assert_eq!(refusal.to_string(), "Cannot start lxc/web1: it is running. Nothing was run.");
    }
}
