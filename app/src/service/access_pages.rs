//! What the pages about access show, and the times that their forms take.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AppState, Error, access, realms, sessions, tokens, users};
use crate::{
    auth::{Caller, policy},
    backend::now_ms,
    domain::{
        access::{AccessPage, LetsIn, On, Privilege, Rights, UserPage, UserRow},
        action::{Field, Refusal},
        history::moment,
    },
    store::User,
};

/// Users, groups, roles and grants.
pub async fn page(state: &AppState, caller: &Caller) -> Result<AccessPage, Error> {
    let now_ms = now_ms();
    let users = users::list(state, caller).await?;
    let (groups, roles) = (access::groups(state, caller).await?, access::roles(state, caller).await?);
    let grants = access::grants(state, caller).await?;
    let row = |user: User| {
        let rights = Rights::of(&user.username, &grants, &groups, &roles);
        row(caller, user, &rights, now_ms)
    };
    Ok(AccessPage {
        now_ms,
        users: users.into_iter().map(row).collect(),
        groups,
        roles,
        grants,
        realms: state.realms.offered(),
        may_change: may_change(caller),
    })
}

/// One user, `None` where there is none. One's own page anybody may see.
pub async fn user(state: &AppState, caller: &Caller, name: &str) -> Result<Option<UserPage>, Error> {
    let Some(user) = state.store.user_named(name.trim()).await? else {
        users::may_read(caller)?;
        return Ok(None);
    };
    let rights = access::rights(state, caller, &user.username).await?;
    let now_ms = now_ms();
    let all = state.store.groups().await?;
    let is_in = |group: &&crate::domain::access::Group| group.members.contains(&user.username);
    let groups = all.iter().filter(is_in).map(|group| group.name.clone()).collect();
    let lets_in = match users::may_read(caller) {
        Ok(()) => Some(LetsIn {
            sessions: sessions::of_user(state, caller, &user.username).await?,
            tokens: tokens::of_user(state, caller, &user.username).await?,
        }),
        Err(_) => None,
    };
    // Once it is replaced it opens nothing.
    let by = caller.user.filter(|_| user.must_change_password);
    let one_time_password = by.and_then(|by| state.told.to(by, &user.username, now_ms));
    let user = row(caller, user, &rights, now_ms);
    let may_change = may_change(caller);
    Ok(Some(UserPage { now_ms, user, groups, rights, lets_in, may_change, one_time_password }))
}

fn may_change(caller: &Caller) -> bool {
    policy::decide(caller, Privilege::Users, On::Everything).is_ok()
}

fn row(caller: &Caller, user: User, rights: &Rights, now_ms: i64) -> UserRow {
    UserRow {
        is_own: caller.user == Some(user.id),
        roles: rights.roles(now_ms),
        name: user.username,
        realm: user.realm,
        must_change_password: user.must_change_password,
        has_factor: user.has_factor,
        factor_required: user.factor_required,
        is_disabled: user.is_disabled,
        expires_ms: user.expires_ms,
        created_ms: user.created_ms,
    }
}

/// Adds a user, and says where their page is. It tells the one-time password to whoever did so; an account of one of Proxmox's
/// realms has none. The role is a built-in one's name, or
/// empty or “none”.
pub async fn add_user(
    state: &AppState,
    caller: &Caller,
    name: &str,
    realm: &str,
    role: &str,
) -> Result<String, Error> {
    let role = match role.trim() {
        "" | "none" => None,
        role => Some(role.parse().map_err(|unknown| Refusal::Field {
            field: Field::Role,
            message: format!("{unknown}. Nothing was changed."),
        })?),
    };
    let account = realms::account(state, name, realm);
    if realms::is_offered(state, &account) {
        users::add_of_realm(state, caller, &account, role).await?;
        return Ok(href(&account));
    }
    let password = users::add(state, caller, name, role).await?;
    tell(state, caller, name, password);
    Ok(href(name))
}

/// Gives a user a new one-time password, told as that of a new user.
pub async fn reset_password(state: &AppState, caller: &Caller, name: &str) -> Result<String, Error> {
    let password = users::reset_password(state, caller, name).await?;
    tell(state, caller, name, password);
    Ok(href(name))
}

fn tell(state: &AppState, caller: &Caller, name: &str, password: String) {
    if let Some(by) = caller.user {
        state.told.keep(by, name.trim(), password, now_ms());
    }
}

/// What needs no escape in a part of an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The user's page.
fn href(name: &str) -> String {
    let name = utf8_percent_encode(name.trim(), PLAIN);
    format!("/access/users/{name}")
}

/// When something is over, as a form says it: empty for never, else as the history's filter takes times.
pub fn end(text: &str) -> Result<Option<i64>, Error> {
    match text.trim() {
        "" => Ok(None),
        text => moment::ending(text, now_ms()).map(Some).map_err(|message| {
            let message = format!("{message} Nothing was changed.");
            Refusal::Field { field: Field::Expires, message }.into()
        }),
    }
}
