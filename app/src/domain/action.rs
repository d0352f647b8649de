//! Actions: what can be asked of a guest, and when.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    access::Privilege,
    guest::{BackendKind, Guest, GuestStatus},
    secret::Secrets,
    spec::{BackupMode, Changes, CloneSpec, CreateRequest, CreateSpec},
};

pub use super::refusal::{Field, Refusal};

/// What can be done with a guest. The texts of [`as_str`](Self::as_str) are in URLs, forms and the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestAction {
    Create,
    Start,
    /// Asks the guest to shut itself down, and waits.
    Shutdown,
    /// Pulls the plug.
    Stop,
    /// Shuts it down, or ends it, and starts it again.
    Reboot,
    /// Presses a VM's reset button.
    Reset,
    Pause,
    Resume,
    /// Writes a VM's memory to disk and ends it; the next start goes on from there.
    Hibernate,
    /// Runs a command in the guest.
    Exec,
    Clone,
    /// Turns the guest into a template, for good.
    MakeTemplate,
    Snapshot,
    /// Puts the guest back to a snapshot.
    Rollback,
    DeleteSnapshot,
    /// Changes limits, description, tags, start at boot.
    Configure,
    /// Makes a disk larger.
    Resize,
    /// Moves the guest to another node.
    Migrate,
    Backup,
    /// Removes a lock that was left behind.
    Unlock,
    Delete,
}

impl GuestAction {
    pub const ALL: [Self; 21] = [
        Self::Create,
        Self::Start,
        Self::Shutdown,
        Self::Stop,
        Self::Reboot,
        Self::Reset,
        Self::Pause,
        Self::Resume,
        Self::Hibernate,
        Self::Exec,
        Self::Clone,
        Self::MakeTemplate,
        Self::Snapshot,
        Self::Rollback,
        Self::DeleteSnapshot,
        Self::Configure,
        Self::Resize,
        Self::Migrate,
        Self::Backup,
        Self::Unlock,
        Self::Delete,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Shutdown => "shutdown",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Reset => "reset",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Hibernate => "hibernate",
            Self::Exec => "exec",
            Self::Clone => "clone",
            Self::MakeTemplate => "make-template",
            Self::Snapshot => "snapshot",
            Self::Rollback => "rollback",
            Self::DeleteSnapshot => "delete-snapshot",
            Self::Configure => "configure",
            Self::Resize => "resize",
            Self::Migrate => "migrate",
            Self::Backup => "backup",
            Self::Unlock => "unlock",
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
            Self::Reboot => "Reboot",
            Self::Reset => "Reset",
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Hibernate => "Hibernate",
            Self::Exec => "Run a command",
            Self::Clone => "Clone",
            Self::MakeTemplate => "Make a template",
            Self::Snapshot => "Take a snapshot",
            Self::Rollback => "Roll back",
            Self::DeleteSnapshot => "Delete the snapshot",
            Self::Configure => "Configure",
            Self::Resize => "Grow a disk",
            Self::Migrate => "Migrate",
            Self::Backup => "Back up",
            Self::Unlock => "Unlock",
            Self::Delete => "Delete",
        }
    }

    /// What is done to a guest, as in "Cannot VERB lxc/web1".
    pub fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Shutdown => "shut down",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Reset => "reset",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Hibernate => "hibernate",
            Self::Exec => "run a command in",
            Self::Clone => "clone",
            Self::MakeTemplate => "make a template of",
            Self::Snapshot => "take a snapshot of",
            Self::Rollback => "roll back",
            Self::DeleteSnapshot => "delete a snapshot of",
            Self::Configure => "configure",
            Self::Resize => "grow a disk of",
            Self::Migrate => "migrate",
            Self::Backup => "back up",
            Self::Unlock => "unlock",
            Self::Delete => "delete",
        }
    }

    /// The same where it is said already what it is done to: "to VERB it".
    pub fn verb_alone(self) -> &'static str {
        match self {
            Self::Rollback => "go back to",
            Self::DeleteSnapshot => "delete",
            other => other.verb(),
        }
    }

    /// What one must be allowed to do.
    pub fn privilege(self) -> Privilege {
        match self {
            Self::Create | Self::Clone => Privilege::Create,
            Self::Start
            | Self::Shutdown
            | Self::Stop
            | Self::Reboot
            | Self::Reset
            | Self::Pause
            | Self::Resume
            | Self::Hibernate => Privilege::Power,
            Self::Exec => Privilege::Exec,
            Self::Snapshot | Self::Rollback | Self::DeleteSnapshot => Privilege::Snapshot,
            Self::Backup => Privilege::Backup,
            Self::MakeTemplate | Self::Configure | Self::Resize | Self::Migrate | Self::Unlock => {
                Privilege::Configure
            }
            Self::Delete => Privilege::Delete,
        }
    }

    /// Whether a guest in this state can be asked for this: the one rule that buttons and service share.
    ///
    /// A guest of unknown state may be stopped and deleted, so that a person can clean up; never started, as a
    /// second instance of it might run already.
    pub fn allowed_in(self, status: GuestStatus) -> bool {
        use GuestStatus::{Created, Creating, Paused, Running, Stopped, Unknown};
        match self {
            Self::Create => false,
            Self::Start => matches!(status, Stopped | Created),
            Self::Shutdown | Self::Reboot | Self::Pause | Self::Hibernate => status == Running,
            // A container that is set up has everything that a command needs; its own process waits.
            Self::Exec => matches!(status, Running | Created),
            Self::Stop => matches!(status, Running | Paused | Unknown),
            Self::Reset => matches!(status, Running | Paused),
            Self::Resume => status == Paused,
            Self::MakeTemplate => status == Stopped,
            Self::Migrate | Self::Rollback => matches!(status, Running | Stopped),
            Self::Clone | Self::Snapshot | Self::DeleteSnapshot | Self::Resize | Self::Backup => {
                matches!(status, Running | Stopped | Paused)
            }
            Self::Configure => matches!(status, Running | Stopped | Paused | Created),
            Self::Unlock => status != Creating,
            Self::Delete => matches!(status, Stopped | Created | Unknown),
        }
    }

    /// Whether this guest as it is now can be asked for this: its state, its lock, and that a template is only
    /// copied, changed and deleted.
    pub fn allowed_for(self, guest: &Guest) -> Result<(), Refusal> {
        let id = guest.id.clone();
        if guest.is_template
            && !matches!(
                self,
                Self::Clone | Self::Configure | Self::Backup | Self::Migrate | Self::Unlock | Self::Delete
            )
        {
            return Err(Refusal::IsTemplate { guest: id, action: self });
        }
        // A checkpointed Proxmox container reads as stopped; the driver knows whether there is one to go on from.
        let is_checkpoint = self == Self::Resume
            && guest.id.backend == BackendKind::ProxmoxLxc
            && guest.status == GuestStatus::Stopped;
        if !is_checkpoint && !self.allowed_in(guest.status) {
            return Err(Refusal::WrongState { guest: id, action: self, status: guest.status });
        }
        match guest.lock.as_deref() {
            // Proxmox's mark of a hibernated VM: starting is what it waits for.
            Some("suspended") if self == Self::Start => Ok(()),
            Some(by) if !matches!(self, Self::Unlock | Self::Exec) => {
                Err(Refusal::Locked { guest: id, by: by.to_owned() })
            }
            _ => Ok(()),
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
#[error("“{0}” is no action on a guest")]
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

/// How long a shut-down or reboot waits where nobody says otherwise, seconds.
pub const SHUTDOWN_SECONDS: u32 = 60;
/// The longest wait that can be asked for, seconds.
pub const LONGEST_SHUTDOWN_SECONDS: u32 = 3600;
/// How long a command in a guest may run where nobody says otherwise, seconds.
pub const EXEC_SECONDS: u32 = 3600;
/// The longest that can be asked for, seconds.
pub const LONGEST_EXEC_SECONDS: u32 = 7 * 24 * 3600;

/// One action with all that it needs: the input of a driver's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionRequest {
    Create(CreateRequest),
    Start,
    /// Seconds to wait for the guest, 1 to [`LONGEST_SHUTDOWN_SECONDS`].
    Shutdown {
        timeout_seconds: u32,
    },
    Stop,
    /// Seconds to wait for its shut-down, 1 to [`LONGEST_SHUTDOWN_SECONDS`].
    Reboot {
        timeout_seconds: u32,
    },
    Reset,
    Pause,
    Resume,
    Hibernate,
    /// The command's words, handed to the guest as they are: no shell. It is ended after so many seconds, 1 to
    /// [`LONGEST_EXEC_SECONDS`].
    Exec {
        command: Vec<String>,
        timeout_seconds: u32,
    },
    Clone(CloneSpec),
    MakeTemplate,
    /// `name` is `None` where the backend names it. `memory`: with the running VM's memory.
    Snapshot {
        name: Option<String>,
        description: String,
        memory: bool,
    },
    Rollback {
        snapshot: String,
    },
    DeleteSnapshot {
        snapshot: String,
    },
    Configure(Changes),
    /// The disk by its key (`rootfs`, `scsi0`), and the size it shall have, bytes. Never smaller than it is.
    Resize {
        disk: String,
        size: u64,
    },
    /// Running guests move while they run where the backend can do that, else they are restarted over there.
    Migrate {
        node: String,
    },
    Backup {
        /// `None`: the first storage of the node that takes backups.
        storage: Option<String>,
        mode: BackupMode,
    },
    Unlock,
    /// `purge` also removes what refers to the guest or was made for it: its snapshots (LXC), its bundle (crun, if
    /// Paddock made it), backup jobs and unreferenced disks (Proxmox).
    Delete {
        purge: bool,
    },
}

impl ActionRequest {
    pub fn action(&self) -> GuestAction {
        match self {
            Self::Create(_) => GuestAction::Create,
            Self::Start => GuestAction::Start,
            Self::Shutdown { .. } => GuestAction::Shutdown,
            Self::Stop => GuestAction::Stop,
            Self::Reboot { .. } => GuestAction::Reboot,
            Self::Reset => GuestAction::Reset,
            Self::Pause => GuestAction::Pause,
            Self::Resume => GuestAction::Resume,
            Self::Hibernate => GuestAction::Hibernate,
            Self::Exec { .. } => GuestAction::Exec,
            Self::Clone(_) => GuestAction::Clone,
            Self::MakeTemplate => GuestAction::MakeTemplate,
            Self::Snapshot { .. } => GuestAction::Snapshot,
            Self::Rollback { .. } => GuestAction::Rollback,
            Self::DeleteSnapshot { .. } => GuestAction::DeleteSnapshot,
            Self::Configure(_) => GuestAction::Configure,
            Self::Resize { .. } => GuestAction::Resize,
            Self::Migrate { .. } => GuestAction::Migrate,
            Self::Backup { .. } => GuestAction::Backup,
            Self::Unlock => GuestAction::Unlock,
            Self::Delete { .. } => GuestAction::Delete,
        }
    }

    /// What a person types to agree to what cannot be undone, of a guest that people call `label`: its name before it is
    /// deleted, the snapshot's before that is gone back to or deleted.
    pub fn to_confirm<'a>(&'a self, label: &'a str) -> Option<&'a str> {
        match self {
            Self::Delete { .. } => Some(label),
            Self::Rollback { snapshot } | Self::DeleteSnapshot { snapshot } => Some(snapshot),
            _ => None,
        }
    }

    /// What of it must not stand in the plan. The plan names each by its key here.
    pub fn secrets(&self) -> Secrets {
        let password = match self {
            Self::Create(CreateRequest { spec: CreateSpec::ProxmoxLxc(spec), .. }) => spec.password.as_ref(),
            Self::Create(CreateRequest { spec: CreateSpec::ProxmoxVm(spec), .. }) => {
                spec.cloud_init.as_ref().and_then(|init| init.password.as_ref())
            }
            _ => None,
        };
        password.map(|secret| (PASSWORD.to_owned(), secret.clone())).into_iter().collect()
    }
}

/// The key of a new guest's password among the secrets of its creation.
pub const PASSWORD: &str = "password";

#[cfg(test)]
mod tests;
