//! Realms: where a person's password is checked, if not by Paddock itself.

/// The name and the realm of an account of Proxmox, `anna@pve`; `None` for a name that is none of its.
pub fn parts(account: &str) -> Option<(&str, &str)> {
    account.rsplit_once('@').filter(|(name, realm)| !name.is_empty() && !realm.is_empty())
}
