//! Grants: who has which role where, and until when.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RoleName, Scope};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GrantId(pub i64);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who has a grant, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    User(String),
    /// Everybody in the group.
    Group(String),
}

/// As in the ledger's subjects: `user:anna`, `group:ops`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}

/// A role on a scope, given to a user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub holder: Holder,
    pub role: RoleName,
    pub scope: Scope,
    /// The first millisecond since 1970 in which it no longer holds; `None`: it holds until it is taken back.
    pub expires_ms: Option<i64>,
    /// When and by whom it was given.
    pub created_ms: i64,
    pub created_by: Option<String>,
}
