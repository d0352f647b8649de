//! Roles, groups and grants, and what somebody may do by them.

use super::{
    AppState, Error,
    accounts::by,
    attempts::Attempt,
    users::{changing, may_read, told},
};
use crate::{
    auth::Caller,
    backend::now_ms,
    domain::{
        access::{BuiltIn, Grant, GrantId, Group, Holder, Privileges, Rights, Role, RoleName, Scope},
        action::{Field, Refusal},
    },
    store::NewGrant,
};

/// Longest name of a group, characters.
const LONGEST_GROUP: usize = 64;

/// All roles: the built-in ones, then the others by name.
pub async fn roles(state: &AppState, caller: &Caller) -> Result<Vec<Role>, Error> {
    may_read(caller)?;
    let built_in = BuiltIn::ALL.into_iter().map(Role::from);
    Ok(built_in.chain(state.store.own_roles().await?).collect())
}

fn field(field: Field, message: impl Into<String>) -> Error {
    Refusal::Field { field, message: message.into() }.into()
}

fn own_role(name: &str) -> Result<RoleName, Error> {
    let name: RoleName =
        name.trim().parse().map_err(|bad| field(Field::Role, format!("{bad} Nothing was changed.")))?;
    match name.built_in() {
        Some(_) => Err(field(
            Field::Role,
            format!(
                "The role {name} is built in and never changes. Nothing was changed; make one of your own."
            ),
        )),
        None => Ok(name),
    }
}

fn checked_role(name: &str, privileges: Privileges) -> Result<Role, Error> {
    let name = own_role(name)?;
    if privileges.is_empty() {
        return Err(field(Field::Role, "Choose at least one privilege. Nothing was changed."));
    }
    Ok(Role { name, privileges })
}

pub async fn add_role(
    state: &AppState,
    caller: &Caller,
    name: &str,
    privileges: Privileges,
) -> Result<(), Error> {
    changing(state, caller, Attempt::new("add-role"), async || {
        let role = checked_role(name, privileges)?;
        let address = caller.address_text();
        let changed = state.store.add_role(&role, by(caller, &address)).await?;
        told(changed, Field::Role, &format!("role {}", role.name))
    })
    .await
}

/// Gives the role other privileges, at once for everybody who has it.
pub async fn change_role(
    state: &AppState,
    caller: &Caller,
    name: &str,
    privileges: Privileges,
) -> Result<(), Error> {
    changing(state, caller, Attempt::new("change-role"), async || {
        let role = checked_role(name, privileges)?;
        let address = caller.address_text();
        let changed = state.store.change_role(&role, by(caller, &address)).await?;
        told(changed, Field::Role, &format!("role {}", role.name))
    })
    .await
}

pub async fn remove_role(state: &AppState, caller: &Caller, name: &str) -> Result<(), Error> {
    changing(state, caller, Attempt::new("remove-role"), async || {
        let name = own_role(name)?;
        let address = caller.address_text();
        let changed = state.store.remove_role(&name, by(caller, &address)).await?;
        told(changed, Field::Role, &format!("role {name}"))
    })
    .await
}

pub async fn groups(state: &AppState, caller: &Caller) -> Result<Vec<Group>, Error> {
    may_read(caller)?;
    Ok(state.store.groups().await?)
}

fn checked_group(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.chars().count() <= LONGEST_GROUP && name.chars().all(fits) {
        return Ok(name);
    }
    let message = format!(
        "The name of a group has 1 to {LONGEST_GROUP} letters, digits, dots, underscores and dashes. Nothing was changed."
    );
    Err(field(Field::Group, message))
}

pub async fn add_group(state: &AppState, caller: &Caller, name: &str) -> Result<(), Error> {
    changing(state, caller, Attempt::new("add-group"), async || {
        let name = checked_group(name)?;
        let address = caller.address_text();
        let changed = state.store.add_group(name, by(caller, &address)).await?;
        told(changed, Field::Group, &format!("group {name}"))
    })
    .await
}

/// Removes the group with its grants; its members stay.
pub async fn remove_group(state: &AppState, caller: &Caller, name: &str) -> Result<(), Error> {
    changing(state, caller, Attempt::new("remove-group"), async || {
        let address = caller.address_text();
        let changed = state.store.remove_group(name.trim(), by(caller, &address)).await?;
        told(changed, Field::Group, &format!("group {}", name.trim()))
    })
    .await
}

/// Puts the user into the group, or out of it.
pub async fn set_member(
    state: &AppState,
    caller: &Caller,
    group: &str,
    username: &str,
    is_member: bool,
) -> Result<(), Error> {
    let (group, username) = (group.trim(), username.trim());
    changing(state, caller, Attempt::new("change-group"), async || {
        let address = caller.address_text();
        let changed = state.store.set_member(group, username, is_member, by(caller, &address)).await?;
        told(changed, Field::Group, &format!("member {username} of the group {group}"))
    })
    .await
}

/// Every grant, oldest first.
pub async fn grants(state: &AppState, caller: &Caller) -> Result<Vec<Grant>, Error> {
    may_read(caller)?;
    Ok(state.store.grants().await?)
}

/// A user or a group as somebody names it: `user:anna`, `group:ops`; without a word in front, a user.
pub fn holder(text: &str) -> Result<Holder, Error> {
    let text = text.trim();
    let (kind, name) = text.split_once(':').unwrap_or(("user", text));
    match (kind, name.trim()) {
        ("user", name) if !name.is_empty() => Ok(Holder::User(name.to_owned())),
        ("group", name) if !name.is_empty() => Ok(Holder::Group(name.to_owned())),
        _ => Err(field(Field::Holder, "Name a user, or a group as group:NAME. Nothing was changed.")),
    }
}

/// A grant as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantForm<'a> {
    pub holder: Holder,
    pub role: &'a str,
    /// As [`Scope`] is written.
    pub scope: &'a str,
    /// Milliseconds since 1970.
    pub expires_ms: Option<i64>,
}

pub async fn add_grant(state: &AppState, caller: &Caller, form: &GrantForm<'_>) -> Result<(), Error> {
    changing(state, caller, Attempt::new("add-grant"), async || {
        let role: RoleName = form
            .role
            .trim()
            .parse()
            .map_err(|bad| field(Field::Role, format!("{bad} Nothing was changed.")))?;
        let scope: Scope =
            form.scope.parse().map_err(|bad| field(Field::Scope, format!("{bad} Nothing was changed.")))?;
        if form.expires_ms.is_some_and(|end| end <= now_ms()) {
            return Err(field(Field::Expires, "That time is over. Nothing was changed; choose one to come."));
        }
        let grant =
            NewGrant { holder: &form.holder, role: &role, scope: &scope, expires_ms: form.expires_ms };
        let address = caller.address_text();
        let changed = state.store.add_grant(grant, by(caller, &address)).await?;
        told(changed, Field::Holder, &format!("grant of {role} on {scope} for {}", form.holder))
    })
    .await
}

/// Takes the grant back.
pub async fn remove_grant(state: &AppState, caller: &Caller, id: GrantId) -> Result<(), Error> {
    changing(state, caller, Attempt::new("remove-grant"), async || {
        let address = caller.address_text();
        let changed = state.store.remove_grant(id, by(caller, &address)).await?;
        told(changed, Field::Holder, &format!("grant {id}"))
    })
    .await
}

/// All that a user may do and by which grant, also grants that are over. One's own anybody may ask for.
pub async fn rights(state: &AppState, caller: &Caller, username: &str) -> Result<Rights, Error> {
    let user = state.store.user_named(username.trim()).await?;
    if user.as_ref().is_none_or(|user| Some(user.id) != caller.user) {
        may_read(caller)?;
    }
    let user = user.ok_or(Error::NotFound)?;
    Ok(state.store.rights_of(user.id).await?)
}
