//! Privileges: what somebody can be allowed to do, one by one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One right. The words are in the database and in the ledger for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// See guests and how they are. What one may not see is not there.
    See,
    /// Start, shut down, stop, reboot, pause and resume.
    Power,
    /// Run commands in guests, and use their consoles.
    Exec,
    Create,
    Delete,
    /// Change limits, disks, tags; migrate, unlock, make templates; read a guest's configuration, which may hold secrets.
    Configure,
    /// Take, roll back to and delete snapshots.
    Snapshot,
    Backup,
    /// See what was done with guests.
    History,
    /// Read who has which right, log-ins and the ledger. Of the whole host.
    Audit,
    /// Change users, groups, roles and grants, and end sessions. Of the whole host.
    Users,
    /// Change Paddock's own settings. Of the whole host.
    Settings,
}

impl Privilege {
    pub const ALL: [Self; 12] = [
        Self::See,
        Self::Power,
        Self::Exec,
        Self::Create,
        Self::Delete,
        Self::Configure,
        Self::Snapshot,
        Self::Backup,
        Self::History,
        Self::Audit,
        Self::Users,
        Self::Settings,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Power => "power",
            Self::Exec => "exec",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Configure => "configure",
            Self::Snapshot => "snapshot",
            Self::Backup => "backup",
            Self::History => "history",
            Self::Audit => "audit",
            Self::Users => "users",
            Self::Settings => "settings",
        }
    }

    /// What it allows, as a person reads it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::See => "See guests and how they are",
            Self::Power => "Start, shut down, stop, reboot, pause and resume",
            Self::Exec => "Run commands in guests and use their consoles",
            Self::Create => "Make new guests, also by cloning",
            Self::Delete => "Delete guests",
            Self::Configure => "Change limits, disks and tags, migrate, unlock, read the configuration",
            Self::Snapshot => "Take, roll back to and delete snapshots",
            Self::Backup => "Write backups",
            Self::History => "See what was done with guests",
            Self::Audit => "Read who has which right, log-ins and the ledger",
            Self::Users => "Change users, groups, roles and grants, end sessions",
            Self::Settings => "Change Paddock's settings",
        }
    }

    /// It concerns no single guest, so only a grant on everything gives it.
    pub fn is_of_host(self) -> bool {
        matches!(self, Self::Audit | Self::Users | Self::Settings)
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no privilege.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no privilege; there are {all}", all = Privilege::ALL.map(Privilege::as_str).join(", "))]
pub struct UnknownPrivilege(pub String);

impl FromStr for Privilege {
    type Err = UnknownPrivilege;
    fn from_str(text: &str) -> Result<Self, UnknownPrivilege> {
        Self::ALL
            .into_iter()
            .find(|privilege| privilege.as_str() == text)
            .ok_or_else(|| UnknownPrivilege(text.to_owned()))
    }
}

/// A set of privileges. Written as their words with commas between, `see,power`, in the order of [`Privilege::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Privilege>", from = "Vec<Privilege>")]
pub struct Privileges(u16);

impl Privileges {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self::of(&Privilege::ALL);

    pub const fn of(list: &[Privilege]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < list.len() {
            bits |= 1 << list[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    pub fn holds(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u16) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both hold.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// With blanks, for lines that break: `see, power`.
    pub fn words(self) -> String {
        self.iter().map(Privilege::as_str).collect::<Vec<_>>().join(", ")
    }

    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        Privilege::ALL.into_iter().filter(move |privilege| self.holds(*privilege))
    }
}

impl From<Vec<Privilege>> for Privileges {
    fn from(list: Vec<Privilege>) -> Self {
        Self::of(&list)
    }
}

impl From<Privileges> for Vec<Privilege> {
    fn from(set: Privileges) -> Self {
        set.iter().collect()
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<T: IntoIterator<Item = Privilege>>(list: T) -> Self {
        list.into_iter().fold(Self::NONE, |set, privilege| set.and(Self::of(&[privilege])))
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, privilege) in self.iter().enumerate() {
            write!(f, "{}{privilege}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Privileges {
    type Err = UnknownPrivilege;
    fn from_str(text: &str) -> Result<Self, UnknownPrivilege> {
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_what_its_words_say() {
        for text in ["", "see", "see,power", "create,audit,settings"] {
            assert_eq!(text.parse::<Privileges>().unwrap().to_string(), text);
        }
        assert_eq!("settings, see,see".parse::<Privileges>().unwrap().to_string(), "see,settings");
        assert_eq!("power,see".parse::<Privileges>().unwrap().words(), "see, power");
        assert_eq!(Privileges::ALL.iter().count(), Privilege::ALL.len());
        let error = "see,fly".parse::<Privileges>().unwrap_err();
        assert!(error.to_string().starts_with("“fly” is no privilege; there are see, power,"), "{error}");
    }
}
