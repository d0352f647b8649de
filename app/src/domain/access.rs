//! Who may do what: privileges and the roles made of them. The decision itself is `auth::policy`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// See guests, their details and the history.
    See,
    /// Start, shut down, stop, reboot, pause and resume.
    Power,
    /// Run commands in guests.
    Exec,
    Create,
    Delete,
    /// Change limits, disks, tags; migrate, unlock, make templates.
    Configure,
    /// Take, roll back to and delete snapshots.
    Snapshot,
    Backup,
}

impl Privilege {
    pub const ALL: [Self; 8] = [
        Self::See,
        Self::Power,
        Self::Exec,
        Self::Create,
        Self::Delete,
        Self::Configure,
        Self::Snapshot,
        Self::Backup,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Power => "power",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Exec => "exec",
            Self::Configure => "configure",
            Self::Snapshot => "snapshot",
            Self::Backup => "backup",
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A named set of privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Viewer,
    Operator,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    pub fn holds(self, privilege: Privilege) -> bool {
        match self {
            Self::Viewer => privilege == Privilege::See,
            Self::Operator => {
                matches!(
                    privilege,
                    Privilege::See | Privilege::Power | Privilege::Snapshot | Privilege::Backup
                )
            }
            Self::Administrator => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no role; there are viewer, operator and administrator")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}
