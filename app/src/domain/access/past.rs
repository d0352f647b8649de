//! Who had which right when: what was recorded about users, groups, roles and grants, replayed.
//!
//! ```text
//!   Access as it was known ──► apply(change), apply(change), … ──► Access at that moment ──► held(moment)
//! ```

mod told;

use serde::{Deserialize, Serialize};

use super::{BuiltIn, Grant, GrantId, Group, Holder, Privileges, Role, RoleName, Scope};

/// One change, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    UserAdded {
        user: String,
        realm: String,
    },
    UserChanged {
        user: String,
        disabled: Option<bool>,
        end: Option<End>,
        /// Whether a second factor is required.
        factor: Option<bool>,
    },
    UserRemoved {
        user: String,
    },
    GroupAdded {
        group: String,
    },
    GroupRemoved {
        group: String,
    },
    /// Put into the group, or out of it.
    Member {
        group: String,
        user: String,
        is_in: bool,
    },
    RoleAdded {
        role: RoleName,
        privileges: Privileges,
    },
    RoleChanged {
        role: RoleName,
        privileges: Privileges,
    },
    RoleRemoved {
        role: RoleName,
    },
    Given {
        holder: Holder,
        grant: GrantId,
        role: RoleName,
        scope: Scope,
        expires_ms: Option<i64>,
    },
    /// Taken back, or over with the guest that it was on.
    TakenBack {
        holder: Holder,
        grant: GrantId,
        role: RoleName,
        scope: Scope,
        with_guest: bool,
    },
}

/// When something is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Never,
    /// The first millisecond since 1970 in which it is.
    At(i64),
}

impl From<Option<i64>> for End {
    fn from(end: Option<i64>) -> Self {
        end.map_or(Self::Never, Self::At)
    }
}

impl From<End> for Option<i64> {
    fn from(end: End) -> Self {
        match end {
            End::Never => None,
            End::At(ms) => Some(ms),
        }
    }
}

/// A change with who made it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number in the ledger.
    pub seq: i64,
    pub at_ms: i64,
    pub actor: Option<String>,
    pub address: Option<String>,
    pub change: Change,
}

/// An account, as far as rights ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    pub realm: String,
    pub is_disabled: bool,
    /// The first millisecond since 1970 in which it is over.
    pub expires_ms: Option<i64>,
}

/// All of it at one moment. The ledger has texts of it for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub users: Vec<Account>,
    pub groups: Vec<Group>,
    /// Those that are not built in.
    pub roles: Vec<Role>,
    pub grants: Vec<Grant>,
}

/// What somebody held by one grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub user: String,
    /// Why it was of no use: they could not log in.
    pub idle: Option<Idle>,
    pub role: RoleName,
    pub privileges: Privileges,
    pub scope: Scope,
    /// The group that had the grant; `None` for their own.
    pub group: Option<String>,
    pub grant: GrantId,
    pub expires_ms: Option<i64>,
    pub given_ms: i64,
    pub given_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    Disabled,
    /// The account's time was over.
    Over,
}

impl Idle {
    pub fn words(self) -> &'static str {
        match self {
            Self::Disabled => "account disabled",
            Self::Over => "account over",
        }
    }
}

/// The database compares names so: letters of ASCII in either case.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn is_user(holder: &Holder, name: &str) -> bool {
    matches!(holder, Holder::User(user) if same(user, name))
}

fn is_group(holder: &Holder, name: &str) -> bool {
    matches!(holder, Holder::Group(group) if same(group, name))
}

impl Access {
    /// What it was after the last of these changes.
    #[must_use]
    pub fn replayed<'a>(mut self, changes: impl IntoIterator<Item = &'a Recorded>) -> Self {
        changes.into_iter().for_each(|recorded| self.apply(recorded));
        self
    }

    /// The same after that change. What it asks of something that is not there is left out.
    pub fn apply(&mut self, recorded: &Recorded) {
        match &recorded.change {
            Change::UserAdded { user, realm } => {
                let (name, realm) = (user.clone(), realm.clone());
                self.users.push(Account { name, realm, is_disabled: false, expires_ms: None });
            }
            Change::UserChanged { user, disabled, end, .. } => {
                for account in self.users.iter_mut().filter(|account| same(&account.name, user)) {
                    account.is_disabled = disabled.unwrap_or(account.is_disabled);
                    account.expires_ms = end.map_or(account.expires_ms, Option::from);
                }
            }
            Change::UserRemoved { user } => {
                self.users.retain(|account| !same(&account.name, user));
                self.groups.iter_mut().for_each(|group| group.members.retain(|member| !same(member, user)));
                self.grants.retain(|grant| !is_user(&grant.holder, user));
            }
            Change::GroupAdded { group } => {
                self.groups.push(Group { name: group.clone(), members: Vec::new() });
            }
            Change::GroupRemoved { group } => {
                self.groups.retain(|it| !same(&it.name, group));
                self.grants.retain(|grant| !is_group(&grant.holder, group));
            }
            Change::Member { group, user, is_in } => {
                for group in self.groups.iter_mut().filter(|it| same(&it.name, group)) {
                    group.members.retain(|member| !same(member, user));
                    if *is_in {
                        group.members.push(user.clone());
                    }
                }
            }
            Change::RoleAdded { role, privileges } => {
                self.roles.push(Role { name: role.clone(), privileges: *privileges });
            }
            Change::RoleChanged { role, privileges } => {
                let changed = self.roles.iter_mut().filter(|it| it.name == *role);
                changed.for_each(|it| it.privileges = *privileges);
            }
            Change::RoleRemoved { role } => self.roles.retain(|it| it.name != *role),
            Change::Given { holder, grant, role, scope, expires_ms } => self.grants.push(Grant {
                id: *grant,
                holder: self.known(holder),
                role: role.clone(),
                scope: scope.clone(),
                expires_ms: *expires_ms,
                created_ms: recorded.at_ms,
                created_by: recorded.actor.clone(),
            }),
            Change::TakenBack { grant, .. } => self.grants.retain(|it| it.id != *grant),
        }
    }

    /// The holder as they are spelled: a grant was once recorded as it was asked for.
    fn known(&self, holder: &Holder) -> Holder {
        let user = |name: &str| self.users.iter().find(|it| same(&it.name, name)).map(|it| it.name.clone());
        let group = |name: &str| self.groups.iter().find(|it| same(&it.name, name)).map(|it| it.name.clone());
        match holder {
            Holder::User(name) => Holder::User(user(name).unwrap_or_else(|| name.clone())),
            Holder::Group(name) => Holder::Group(group(name).unwrap_or_else(|| name.clone())),
        }
    }

    fn is_member(&self, group: &str, user: &str) -> bool {
        let is_in = |it: &Group| same(&it.name, group) && it.members.iter().any(|member| same(member, user));
        self.groups.iter().any(is_in)
    }

    fn has(&self, grant: &Grant, user: &str) -> bool {
        match &grant.holder {
            Holder::User(name) => same(name, user),
            Holder::Group(group) => self.is_member(group, user),
        }
    }

    /// What the role allowed. The built-in ones never change.
    fn privileges(&self, role: &RoleName) -> Privileges {
        let own = || self.roles.iter().find(|it| it.name == *role).map(|it| it.privileges);
        role.built_in().map(BuiltIn::privileges).or_else(own).unwrap_or_default()
    }

    /// Who held what at that time: each user by name, the widest scopes first. Grants that were over are left out.
    pub fn held(&self, at_ms: i64) -> Vec<Held> {
        let mut held = Vec::new();
        for account in &self.users {
            let is_over = account.expires_ms.is_some_and(|end| end <= at_ms);
            let idle = if account.is_disabled { Some(Idle::Disabled) } else { is_over.then_some(Idle::Over) };
            let holds = |grant: &&Grant| grant.expires_ms.is_none_or(|end| at_ms < end);
            for grant in self.grants.iter().filter(holds).filter(|grant| self.has(grant, &account.name)) {
                held.push(Held {
                    user: account.name.clone(),
                    idle,
                    role: grant.role.clone(),
                    privileges: self.privileges(&grant.role),
                    scope: grant.scope.clone(),
                    group: match &grant.holder {
                        Holder::User(_) => None,
                        Holder::Group(name) => Some(name.clone()),
                    },
                    grant: grant.id,
                    expires_ms: grant.expires_ms,
                    given_ms: grant.created_ms,
                    given_by: grant.created_by.clone(),
                });
            }
        }
        held.sort_by_cached_key(|it| {
            (it.user.to_lowercase(), it.scope != Scope::Everything, it.scope.to_string(), it.grant)
        });
        held
    }

    /// Whether the change, made to this, has to do with that user: with their account, or with what they may do.
    pub fn concerns(&self, change: &Change, name: &str) -> bool {
        match change {
            Change::UserAdded { user, .. }
            | Change::UserChanged { user, .. }
            | Change::UserRemoved { user }
            | Change::Member { user, .. } => same(user, name),
            Change::GroupAdded { .. } | Change::RoleAdded { .. } => false,
            Change::GroupRemoved { group } => self.is_member(group, name),
            Change::RoleChanged { role, .. } | Change::RoleRemoved { role } => {
                self.grants.iter().any(|grant| grant.role == *role && self.has(grant, name))
            }
            Change::Given { holder, .. } | Change::TakenBack { holder, .. } => match holder {
                Holder::User(user) => same(user, name),
                Holder::Group(group) => self.is_member(group, name),
            },
        }
    }

    /// In an order of its own, to be compared.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.users.sort_by_cached_key(|it| it.name.to_lowercase());
        self.groups.iter_mut().for_each(|group| group.members.sort_by_key(|name| name.to_lowercase()));
        self.groups.sort_by_cached_key(|it| it.name.to_lowercase());
        self.roles.sort_by(|a, b| a.name.cmp(&b.name));
        self.grants.sort_by_key(|it| it.id);
        self
    }

    /// Where the other one is not this, in words; the first few are enough.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        differ(&mut found, "user", &self.users, &other.users, |it| it.name.to_lowercase());
        differ(&mut found, "group", &self.groups, &other.groups, |it| it.name.to_lowercase());
        differ(&mut found, "role", &self.roles, &other.roles, |it| it.name.to_string());
        differ(&mut found, "grant", &self.grants, &other.grants, |it| it.id.to_string());
        found
    }
}

fn differ<T: PartialEq>(
    found: &mut Vec<String>,
    what: &str,
    ours: &[T],
    theirs: &[T],
    key: impl Fn(&T) -> String,
) {
    let of = |list: &[T], wanted: &str| list.iter().position(|it| key(it) == wanted);
    for it in ours {
        let name = key(it);
        match of(theirs, &name).and_then(|at| theirs.get(at)) {
            None => found.push(format!("{what} {name} is gone")),
            Some(other) if other != it => found.push(format!("{what} {name} is another")),
            Some(_) => {}
        }
    }
    let new = theirs.iter().map(&key).filter(|name| of(ours, name).is_none());
    found.extend(new.map(|name| format!("{what} {name} is there besides")));
}

#[cfg(test)]
mod tests;
