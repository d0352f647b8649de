//! The decision: what somebody may do, with all their grants.

use std::{
    fmt,
    hash::{Hash, Hasher as _},
};

use serde::{Deserialize, Serialize};

use super::{BuiltIn, Grant, GrantId, Group, Holder, Privilege, Privileges, Role, RoleName, Scope};
use crate::domain::{
    guest::{BackendKind, Guest, GuestId},
    name::GuestName,
};

/// A guest, or one that is about to be, as far as scopes ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub backend: BackendKind,
    /// `None` for a new guest whose name is not known yet.
    pub name: Option<&'a GuestName>,
    /// Of Proxmox alone.
    pub pool: Option<&'a String>,
    pub tags: &'a [String],
}

impl<'a> Place<'a> {
    pub fn of(guest: &'a Guest) -> Self {
        Self {
            backend: guest.id.backend,
            name: Some(&guest.id.name),
            pool: guest.pool.as_ref(),
            tags: &guest.tags,
        }
    }

    /// One of which nothing more is known, such as one that is gone: no grant on a pool or a tag holds there.
    pub fn id(id: &'a GuestId) -> Self {
        Self { backend: id.backend, name: Some(&id.name), pool: None, tags: &[] }
    }
}

/// What a privilege is asked for on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On<'a> {
    /// Paddock and its host as a whole.
    Everything,
    /// Any place at all: whether it is worth offering.
    Somewhere,
    Guest(Place<'a>),
}

impl fmt::Display for On<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Somewhere => f.write_str("any guest"),
            Self::Guest(Place { backend, name: Some(name), .. }) => write!(f, "{backend}/{name}"),
            Self::Guest(Place { backend, name: None, .. }) => write!(f, "new guests of {backend}"),
        }
    }
}

/// What one grant comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// `None` where no grant is behind it: the command line on the host.
    pub grant: Option<GrantId>,
    pub role: RoleName,
    pub privileges: Privileges,
    pub scope: Scope,
    /// The group that has the grant; `None` for one's own.
    pub group: Option<String>,
    /// As [`Grant::expires_ms`](super::Grant::expires_ms).
    pub expires_ms: Option<i64>,
}

impl Right {
    fn holds(&self, privilege: Privilege, on: On<'_>, now_ms: i64) -> bool {
        self.privileges.holds(privilege)
            && self.expires_ms.is_none_or(|end| now_ms < end)
            && match on {
                On::Everything => self.scope == Scope::Everything,
                On::Somewhere => !privilege.is_of_host() || self.scope == Scope::Everything,
                On::Guest(place) => self.scope.covers(&place),
            }
    }
}

/// What an API token leaves of its owner's rights: it never adds any.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    pub privileges: Privileges,
    pub scope: Scope,
}

impl Limit {
    fn allows(&self, privilege: Privilege, on: On<'_>) -> bool {
        self.privileges.holds(privilege)
            && match on {
                On::Everything => self.scope == Scope::Everything,
                On::Somewhere => !privilege.is_of_host() || self.scope == Scope::Everything,
                On::Guest(place) => self.scope.covers(&place),
            }
    }
}

/// All that somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    pub list: Vec<Right>,
    pub limit: Option<Limit>,
}

/// Nothing gives this privilege there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the privilege {privilege} on {on} is missing")]
pub struct Missing {
    pub privilege: Privilege,
    pub on: String,
    /// The rights would do, but the token that is used leaves this out.
    pub is_limit: bool,
}

impl Rights {
    /// Of whoever may read the database itself.
    pub fn of_host() -> Self {
        Self::whole(BuiltIn::Administrator)
    }

    /// Of that user, by all grants, groups and roles that there are; built-in roles need not be among these.
    pub fn of(user: &str, grants: &[Grant], groups: &[Group], roles: &[Role]) -> Self {
        let is_in =
            |name: &str| groups.iter().any(|it| it.name == name && it.members.iter().any(|it| it == user));
        let right = |grant: &Grant| {
            let group = match &grant.holder {
                Holder::User(name) if name == user => None,
                Holder::Group(name) if is_in(name) => Some(name.clone()),
                _ => return None,
            };
            let own = || roles.iter().find(|it| it.name == grant.role).map(|it| it.privileges);
            Some(Right {
                grant: Some(grant.id),
                role: grant.role.clone(),
                privileges: grant.role.built_in().map(BuiltIn::privileges).or_else(own)?,
                scope: grant.scope.clone(),
                group,
                expires_ms: grant.expires_ms,
            })
        };
        Self { list: grants.iter().filter_map(right).collect(), limit: None }
    }

    /// One role on everything, by no grant.
    pub fn whole(role: BuiltIn) -> Self {
        let right = Right {
            grant: None,
            role: role.name(),
            privileges: role.privileges(),
            scope: Scope::Everything,
            group: None,
            expires_ms: None,
        };
        Self { list: vec![right], limit: None }
    }

    /// A number that is another for other rights, as they hold now. Good within one run of the program.
    pub fn fingerprint(&self, now_ms: i64) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        for right in self.list.iter().filter(|right| right.expires_ms.is_none_or(|end| now_ms < end)) {
            right.privileges.hash(&mut hasher);
            right.scope.hash(&mut hasher);
        }
        self.limit.hash(&mut hasher);
        hasher.finish()
    }

    /// The decision, and the right that it rests on. Whatever is done with guests needs the right to see them, too: nobody
    /// works on what is not there for them.
    pub fn decide(&self, privilege: Privilege, on: On<'_>, now_ms: i64) -> Result<&Right, Missing> {
        if privilege != Privilege::See && !privilege.is_of_host() {
            self.decide(Privilege::See, on, now_ms)?;
        }
        let missing = |is_limit| Missing { privilege, on: on.to_string(), is_limit };
        let right = self.list.iter().find(|right| right.holds(privilege, on, now_ms));
        let right = right.ok_or_else(|| missing(false))?;
        match &self.limit {
            Some(limit) if !limit.allows(privilege, on) => Err(missing(true)),
            _ => Ok(right),
        }
    }

    pub fn allow(&self, privilege: Privilege, on: On<'_>, now_ms: i64) -> bool {
        self.decide(privilege, on, now_ms).is_ok()
    }

    /// What is held at one place or another.
    pub fn somewhere(&self, now_ms: i64) -> Privileges {
        Privilege::ALL.into_iter().filter(|p| self.allow(*p, On::Somewhere, now_ms)).collect()
    }

    /// The roles by name, each once, widest scope first: `operator, viewer`.
    pub fn roles(&self, now_ms: i64) -> String {
        let mut list: Vec<&Right> =
            self.list.iter().filter(|right| right.expires_ms.is_none_or(|end| now_ms < end)).collect();
        list.sort_by_key(|right| right.scope != Scope::Everything);
        let mut names: Vec<&str> = Vec::new();
        for right in list {
            if !names.contains(&right.role.as_str()) {
                names.push(right.role.as_str());
            }
        }
        if names.is_empty() { "no role yet".to_owned() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1000;

    fn right(privileges: &str, scope: &str, expires_ms: Option<i64>) -> Right {
        Right {
            grant: Some(GrantId(1)),
            role: "own".parse().unwrap(),
            privileges: privileges.parse().unwrap(),
            scope: scope.parse().unwrap(),
            group: None,
            expires_ms,
        }
    }

    fn guest(id: &str, pool: Option<&str>, tags: &[&str]) -> Guest {
        let (backend, name) = id.split_once('/').unwrap();
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let id = GuestId::parse(backend, name).unwrap();
        Guest {
            pool: pool.map(str::to_owned),
            tags,
            ..Guest::new(id, crate::domain::guest::GuestStatus::Stopped)
        }
    }

    #[test]
    fn a_right_holds_in_its_scope_and_nowhere_else() {
        let web1 = guest("lxc/web1", None, &["lab", "web"]);
        let db1 = guest("proxmox-vm/101", Some("prod"), &["prod"]);
        for (scope, on_web1, on_db1) in [
            ("everything", true, true),
            ("backend:lxc", true, false),
            ("backend:proxmox-vm", false, true),
            ("pool:prod", false, true),
            ("pool:lab", false, false),
            ("tag:lab", true, false),
            ("tag:prod", false, true),
            ("guest:lxc/web1", true, false),
            ("guest:crun/web1", false, false),
            ("guest:proxmox-lxc/101", false, false),
        ] {
            let rights = Rights { list: vec![right("see,power", scope, None)], limit: None };
            for (guest, allowed) in [(&web1, on_web1), (&db1, on_db1)] {
                let on = On::Guest(Place::of(guest));
                assert_eq!(rights.allow(Privilege::Power, on, NOW), allowed, "{scope} {}", guest.id);
                assert!(!rights.allow(Privilege::Delete, on, NOW), "{scope} {}", guest.id);
            }
        }
    }

    #[test]
    fn what_concerns_the_host_is_given_on_everything_alone() {
        let tag = Rights { list: vec![right("see,users,power", "tag:lab", None)], limit: None };
        assert!(!tag.allow(Privilege::Users, On::Everything, NOW));
        assert!(!tag.allow(Privilege::Users, On::Somewhere, NOW));
        assert!(!tag.allow(Privilege::Power, On::Everything, NOW));
        assert!(tag.allow(Privilege::Power, On::Somewhere, NOW));
        let all = Rights { list: vec![right("users", "everything", None)], limit: None };
        assert!(all.allow(Privilege::Users, On::Everything, NOW));
    }

    #[test]
    fn what_is_not_seen_cannot_be_worked_on() {
        let list = vec![right("power,history", "everything", None), right("see", "tag:lab", None)];
        let rights = Rights { list, limit: None };
        let (lab, other) = (guest("lxc/a", None, &["lab"]), guest("lxc/b", None, &[]));
        for privilege in [Privilege::Power, Privilege::History] {
            assert!(rights.allow(privilege, On::Guest(Place::of(&lab)), NOW));
            let missing = rights.decide(privilege, On::Guest(Place::of(&other)), NOW).unwrap_err();
            assert_eq!(missing.privilege, Privilege::See);
            assert!(!rights.allow(privilege, On::Everything, NOW));
        }
    }

    #[test]
    fn a_grant_ends_when_it_says() {
        let rights = Rights { list: vec![right("see", "everything", Some(NOW))], limit: None };
        assert!(rights.allow(Privilege::See, On::Everything, NOW - 1));
        let missing = rights.decide(Privilege::See, On::Everything, NOW).unwrap_err();
        assert_eq!(missing.to_string(), "the privilege see on everything is missing");
    }

    #[test]
    fn a_tokens_limit_takes_away_and_gives_nothing() {
        let limit = Limit { privileges: "see,delete".parse().unwrap(), scope: "tag:lab".parse().unwrap() };
        let rights = Rights { list: vec![right("see,power", "backend:lxc", None)], limit: Some(limit) };
        let (lab, other) = (guest("lxc/a", None, &["lab"]), guest("lxc/b", None, &[]));
        let foreign = guest("crun/c", None, &["lab"]);
        let allow = |privilege, guest| rights.allow(privilege, On::Guest(Place::of(guest)), NOW);
        assert!(allow(Privilege::See, &lab));
        assert!(!allow(Privilege::Power, &lab), "the token leaves it out");
        assert!(!allow(Privilege::Delete, &lab), "its owner lacks it");
        assert!(!allow(Privilege::See, &other));
        assert!(!allow(Privilege::See, &foreign));
        let missing = rights.decide(Privilege::Power, On::Guest(Place::of(&lab)), NOW).unwrap_err();
        assert!(missing.is_limit);
    }

    #[test]
    fn one_that_is_gone_is_known_by_its_id_alone() {
        let gone = GuestId::parse("lxc", "web1").unwrap();
        for (scope, allowed) in [("guest:lxc/web1", true), ("backend:lxc", true), ("tag:lab", false)] {
            let rights = Rights { list: vec![right("see,history", scope, None)], limit: None };
            assert_eq!(
                rights.allow(Privilege::History, On::Guest(Place::id(&gone)), NOW),
                allowed,
                "{scope}"
            );
        }
    }
}
