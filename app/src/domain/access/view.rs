//! What the pages about access are told. Each is one answer of the service.

use serde::{Deserialize, Serialize};

use super::{Grant, Held, Recorded, Rights, Role};
use crate::domain::account::{SessionInfo, TokenInfo};

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
    /// Those of Proxmox, whose accounts can be added; none where there is no Proxmox.
    pub realms: Vec<String>,
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
    /// What lets them in; `None` where one may not read that of others.
    pub lets_in: Option<LetsIn>,
    pub may_change: bool,
    /// The one-time password that this person has just given them; told to nobody else, and for two minutes only.
    pub one_time_password: Option<String>,
}

/// Where somebody is logged in, and the tokens that stand in for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetsIn {
    /// The one used last first.
    pub sessions: Vec<SessionInfo>,
    /// Newest first, also those that are over.
    pub tokens: Vec<TokenInfo>,
}

/// From when on it is known who had which right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    pub at_ms: i64,
    pub why: SinceWhy,
}

/// Why not from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinceWhy {
    /// There was nothing before.
    Beginning,
    /// The older part of the ledger is in archives.
    Archived,
    /// An older Paddock did not record enough.
    Noted,
}

impl SinceWhy {
    /// To be put behind the time.
    pub fn words(self) -> &'static str {
        match self {
            Self::Beginning => "when the first account was made",
            Self::Archived => "where the ledger in the database begins; what is older is in its archives",
            Self::Noted => "when all there was then was noted; before, not enough was recorded to tell",
        }
    }
}

/// Who had which right at one moment, and what was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPage {
    pub now_ms: i64,
    /// `None`: nothing is known.
    pub since: Option<Since>,
    /// The moment that is shown, or why none is.
    pub at: Result<i64, String>,
    /// Empty where no moment is shown.
    pub held: Vec<Held>,
    /// Newest first.
    pub changes: Vec<Recorded>,
    /// There are older ones: those before this number.
    pub older: Option<i64>,
    /// Entries about access that cannot be read, so that what is told may be wrong.
    pub unreadable: Vec<i64>,
    /// Where users, groups, roles and grants are not what the ledger says: somebody changed the database by hand.
    pub differences: Vec<String>,
    /// Everybody there is or was, to choose from.
    pub names: Vec<String>,
}
