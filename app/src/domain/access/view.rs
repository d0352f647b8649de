//! What the pages about access are told. Each is one answer of the service.

use serde::{Deserialize, Serialize};

use super::{Grant, Rights, Role};

/// Users, groups, roles and grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPage {
    pub now_ms: i64,
    /// By name.
    pub users: Vec<UserRow>,
    /// By name.
    pub groups: Vec<Group>,
    /// The built-in ones, then the others by name.
    pub roles: Vec<Role>,
    /// Oldest first.
    pub grants: Vec<Grant>,
    /// This person may change them; who may not, may look.
    pub may_change: bool,
}

/// A group and who is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    /// By name.
    pub members: Vec<String>,
}

/// A user as a list shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    pub name: String,
    /// `local`, or the Proxmox realm that checks the password.
    pub realm: String,
    /// The names of all roles held somewhere, the widest first.
    pub roles: String,
    /// Still has a one-time password.
    pub must_change_password: bool,
    /// A second factor of Paddock's; Proxmox's own are not known here.
    pub has_factor: bool,
    pub factor_required: bool,
    pub is_disabled: bool,
    /// The first millisecond since 1970 in which the account is over.
    pub expires_ms: Option<i64>,
    pub created_ms: i64,
    /// It is the person who looks.
    pub is_own: bool,
}

/// One user: what they may do, and through which grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPage {
    pub now_ms: i64,
    pub user: UserRow,
    /// Those they are in.
    pub groups: Vec<String>,
    /// Also grants that are over.
    pub rights: Rights,
    /// To choose from.
    pub roles: Vec<Role>,
    /// To choose from.
    pub all_groups: Vec<String>,
    pub may_change: bool,
    /// The one-time password that this person has just given them; told to nobody else, and for two minutes only.
    pub one_time_password: Option<String>,
}
