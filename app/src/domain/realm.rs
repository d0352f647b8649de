//! Realms: where a person's password is checked, if not by Paddock itself.

use serde::{Deserialize, Serialize};

/// A realm of Proxmox: `pam`, `pve`, a directory behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
    /// What stands behind the `@` of a user's name.
    pub name: String,
    /// What people call it; its name where Proxmox has no comment.
    pub title: String,
    /// Proxmox's own log-in page begins with it.
    pub is_default: bool,
}

/// The name and the realm of an account of Proxmox, `anna@pve`; `None` for a name that is none of its.
pub fn parts(account: &str) -> Option<(&str, &str)> {
    account.rsplit_once('@').filter(|(name, realm)| !name.is_empty() && !realm.is_empty())
}
