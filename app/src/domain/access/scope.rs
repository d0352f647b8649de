//! Scopes: where a grant holds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Place;
use crate::domain::guest::{BackendKind, GuestId};

/// Longest name of a pool or tag, characters.
const LONGEST: usize = 100;

/// Where a grant holds. Written `everything`, `backend:lxc`, `pool:prod`, `tag:lab`, `guest:lxc/web1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Every guest, also those to come, and the host itself.
    Everything,
    /// Every guest of one backend.
    Backend(BackendKind),
    /// The guests of a Proxmox pool.
    Pool(String),
    /// The guests that have this tag.
    Tag(String),
    Guest(GuestId),
}

/// The text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "A grant holds on “everything”, “backend:lxc” (or proxmox-lxc, proxmox-vm, crun), “pool:NAME”, “tag:NAME” or \
     “guest:BACKEND/NAME”."
)]
pub struct BadScope;

impl Scope {
    pub fn covers(&self, place: &Place<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Backend(backend) => *backend == place.backend,
            Self::Pool(pool) => place.pool == Some(pool),
            Self::Tag(tag) => place.tags.contains(tag),
            Self::Guest(id) => id.backend == place.backend && Some(&id.name) == place.name,
        }
    }

    /// All of the other one is in this one, whatever guests there will be.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Backend(backend), Self::Guest(guest)) => *backend == guest.backend,
            _ => self == other,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Backend(backend) => write!(f, "backend:{backend}"),
            Self::Pool(pool) => write!(f, "pool:{pool}"),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Guest(guest) => write!(f, "guest:{guest}"),
        }
    }
}

/// Of pools and tags: what both Proxmox and LXC's groups can hold.
fn named(text: &str) -> Result<String, BadScope> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '/');
    let is_name = !text.is_empty() && text.chars().count() <= LONGEST && text.chars().all(fits);
    if is_name { Ok(text.to_owned()) } else { Err(BadScope) }
}

impl FromStr for Scope {
    type Err = BadScope;
    fn from_str(text: &str) -> Result<Self, BadScope> {
        let text = text.trim();
        if text == "everything" {
            return Ok(Self::Everything);
        }
        match text.split_once(':').ok_or(BadScope)? {
            ("backend", name) => name.parse().map(Self::Backend).map_err(|_| BadScope),
            ("pool", name) => named(name).map(Self::Pool),
            ("tag", name) => named(name).map(Self::Tag),
            ("guest", name) => {
                let (backend, name) = name.split_once('/').ok_or(BadScope)?;
                GuestId::parse(backend, name).map(Self::Guest).map_err(|_| BadScope)
            }
            _ => Err(BadScope),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = BadScope;
    fn try_from(text: String) -> Result<Self, BadScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for text in
            ["everything", "backend:proxmox-vm", "pool:prod", "tag:lab", "guest:lxc/web1", "tag:übung"]
        {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in
            ["", "all", "backend:docker", "tag:", "tag:a b", "guest:web1", "guest:lxc/../x", "user:anna"]
        {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_scope_contains_those_that_cannot_leave_it() {
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        for (outer, inner, is_in) in [
            ("everything", "tag:lab", true),
            ("backend:lxc", "guest:lxc/web1", true),
            ("backend:lxc", "guest:crun/web1", false),
            ("backend:lxc", "tag:lab", false),
            ("tag:lab", "tag:lab", true),
            ("tag:lab", "everything", false),
            ("guest:lxc/web1", "guest:lxc/web1", true),
        ] {
            assert_eq!(scope(outer).contains(&scope(inner)), is_in, "{outer} {inner}");
        }
    }
}
