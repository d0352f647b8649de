//! Roles: named sets of privileges. Four are built in, others are made by those who may change users.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Privilege, Privileges};

/// Longest name of a role, characters.
const LONGEST: usize = 40;

/// The roles that are always there and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltIn {
    Viewer,
    Operator,
    Auditor,
    Administrator,
}

impl BuiltIn {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Auditor, Self::Administrator];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// What somebody with it is for.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Viewer => "Looks at guests and their history",
            Self::Operator => "Runs guests: power, snapshots, backups",
            Self::Auditor => "Reads everything that is recorded, changes nothing",
            Self::Administrator => "May do everything",
        }
    }

    pub const fn privileges(self) -> Privileges {
        use Privilege::{Audit, Backup, History, Power, See, Snapshot};
        match self {
            Self::Viewer => Privileges::of(&[See, History]),
            Self::Operator => Privileges::of(&[See, Power, Snapshot, Backup, History]),
            Self::Auditor => Privileges::of(&[See, History, Audit]),
            Self::Administrator => Privileges::ALL,
        }
    }

    pub fn name(self) -> RoleName {
        RoleName(self.as_str().to_owned())
    }
}

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no built-in role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no built-in role; there are viewer, operator, auditor and administrator")]
pub struct UnknownRole(pub String);

impl FromStr for BuiltIn {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The name of a role: a small letter, then small letters, digits and dashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleName(String);

/// The text cannot be the name of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The name of a role has 1 to {LONGEST} letters from a to z, digits and dashes, and begins with a letter."
)]
pub struct BadRoleName;

impl RoleName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The built-in role of this name.
    pub fn built_in(&self) -> Option<BuiltIn> {
        self.0.parse().ok()
    }
}

impl FromStr for RoleName {
    type Err = BadRoleName;
    fn from_str(text: &str) -> Result<Self, BadRoleName> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.len() <= LONGEST
            && text.chars().all(fits);
        if is_name { Ok(Self(text.to_owned())) } else { Err(BadRoleName) }
    }
}

impl TryFrom<String> for RoleName {
    type Error = BadRoleName;
    fn try_from(text: String) -> Result<Self, BadRoleName> {
        text.parse()
    }
}

impl From<RoleName> for String {
    fn from(name: RoleName) -> Self {
        name.0
    }
}

impl From<BuiltIn> for RoleName {
    fn from(role: BuiltIn) -> Self {
        role.name()
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub name: RoleName,
    pub privileges: Privileges,
}

impl From<BuiltIn> for Role {
    fn from(role: BuiltIn) -> Self {
        Self { name: role.name(), privileges: role.privileges() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles_are_plain_words() {
        for name in ["a", "night-shift", "tier2"] {
            assert_eq!(name.parse::<RoleName>().unwrap().as_str(), name);
        }
        for name in ["", "2nd", "-a", "Night", "a b", "a/b", &"a".repeat(41)] {
            assert!(name.parse::<RoleName>().is_err(), "{name:?}");
        }
        for role in BuiltIn::ALL {
            assert_eq!(role.as_str().parse::<RoleName>().unwrap().built_in(), Some(role));
        }
    }

    #[test]
    fn nobody_but_an_administrator_changes_anything_of_the_whole_host() {
        for role in [BuiltIn::Viewer, BuiltIn::Operator, BuiltIn::Auditor] {
            for privilege in [Privilege::Users, Privilege::Settings, Privilege::Delete, Privilege::Exec] {
                assert!(!role.privileges().holds(privilege), "{role} {privilege}");
            }
        }
        assert_eq!(BuiltIn::Administrator.privileges(), Privileges::ALL);
    }
}
