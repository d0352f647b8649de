//! Entries of the ledger about access, read as the changes that they tell of.

use serde::Deserialize;

use crate::{
    domain::access::{Change, End, GrantId, Holder, Privileges, RoleName, Scope},
    ledger::Entry,
    store::entry_kind::EntryKind,
};

/// The kinds of these entries.
pub const KINDS: [EntryKind; 11] = [
    EntryKind::UserAdded,
    EntryKind::UserChanged,
    EntryKind::UserRemoved,
    EntryKind::GroupAdded,
    EntryKind::GroupChanged,
    EntryKind::GroupRemoved,
    EntryKind::RoleAdded,
    EntryKind::RoleChanged,
    EntryKind::RoleRemoved,
    EntryKind::GrantAdded,
    EntryKind::GrantRemoved,
];

#[derive(Deserialize)]
struct User {
    realm: Option<String>,
}

#[derive(Deserialize)]
struct UserChange {
    disabled: Option<bool>,
    /// `Some(None)` is a null, and no end.
    #[serde(default, deserialize_with = "given")]
    expires_ms: Option<Option<i64>>,
    second_factor_required: Option<bool>,
}

/// Tells a null from what is not there.
fn given<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(text).map(Some)
}

#[derive(Deserialize)]
struct Member {
    user: String,
    member: bool,
}

#[derive(Deserialize)]
struct Role {
    privileges: String,
}

#[derive(Deserialize)]
struct Grant {
    grant: i64,
    role: RoleName,
    scope: Scope,
    expires_ms: Option<i64>,
    why: Option<String>,
}

/// `None` where it cannot be read as one, or is of another kind.
pub fn read(entry: &Entry) -> Option<Change> {
    fn detail<'a, T: Deserialize<'a>>(entry: &'a Entry) -> Option<T> {
        serde_json::from_str(&entry.detail).ok()
    }
    let (of, name) = entry.subject.as_deref()?.split_once(':')?;
    let holder = || match of {
        "user" => Some(Holder::User(name.to_owned())),
        "group" => Some(Holder::Group(name.to_owned())),
        _ => None,
    };
    let name_of = |wanted: &str| (of == wanted).then(|| name.to_owned());
    let role = || name_of("role")?.parse::<RoleName>().ok();
    let privileges = || detail::<Role>(entry)?.privileges.parse::<Privileges>().ok();
    Some(match entry.kind.parse().ok()? {
        EntryKind::UserAdded => {
            let realm = detail::<User>(entry)?.realm.unwrap_or_else(|| super::super::LOCAL.to_owned());
            Change::UserAdded { user: name_of("user")?, realm }
        }
        EntryKind::UserChanged => {
            let UserChange { disabled, expires_ms, second_factor_required: factor } = detail(entry)?;
            Change::UserChanged { user: name_of("user")?, disabled, end: expires_ms.map(End::from), factor }
        }
        EntryKind::UserRemoved => Change::UserRemoved { user: name_of("user")? },
        EntryKind::GroupAdded => Change::GroupAdded { group: name_of("group")? },
        EntryKind::GroupChanged => {
            let Member { user, member } = detail(entry)?;
            Change::Member { group: name_of("group")?, user, is_in: member }
        }
        EntryKind::GroupRemoved => Change::GroupRemoved { group: name_of("group")? },
        EntryKind::RoleAdded => Change::RoleAdded { role: role()?, privileges: privileges()? },
        EntryKind::RoleChanged => Change::RoleChanged { role: role()?, privileges: privileges()? },
        EntryKind::RoleRemoved => Change::RoleRemoved { role: role()? },
        EntryKind::GrantAdded => {
            let Grant { grant, role, scope, expires_ms, .. } = detail(entry)?;
            Change::Given { holder: holder()?, grant: GrantId(grant), role, scope, expires_ms }
        }
        EntryKind::GrantRemoved => {
            let Grant { grant, role, scope, why, .. } = detail(entry)?;
            let with_guest = why.as_deref() == Some("guest-deleted");
            Change::TakenBack { holder: holder()?, grant: GrantId(grant), role, scope, with_guest }
        }
        _ => return None,
    })
}
