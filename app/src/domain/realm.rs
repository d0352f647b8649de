//! Realms: where a person's password is checked, if not by Paddock itself.

/// What stands for Paddock's own accounts where a realm is chosen. No realm has a space in its name.
pub const OWN: &str = "Paddock only";

/// The name and the realm of an account of Proxmox, `anna@pve`; `None` for a name that is none of its.
pub fn parts(account: &str) -> Option<(&str, &str)> {
    account.rsplit_once('@').filter(|(name, realm)| !name.is_empty() && !realm.is_empty())
}
