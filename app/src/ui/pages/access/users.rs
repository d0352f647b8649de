//! Everybody who may log in.

use leptos::{form::ActionForm, prelude::*};

use super::{Tab, until, user_href};
use crate::{
    api::access::{AccessPage, AddUser},
    domain::{
        access::{BuiltIn, UserRow},
        realm::OWN,
    },
    ui::components::{
        badge::{AccountBadge, AccountState},
        field::{SelectField, TextField},
        table::{AddPanel, Beside, Table},
    },
};

/// What stands for no role where one is chosen; the server takes it for that, as it is no built-in one.
const NO_ROLE: &str = "none";

#[component]
pub fn UsersPage() -> impl IntoView {
    let add = ServerAction::<AddUser>::new();
    provide_context(add);
    let error = Signal::derive(move || add.value().get().and_then(Result::err));
    view! { <Tab here="/access" changes=add.version() error content /> }
}

fn content(access: AccessPage) -> AnyView {
    let AccessPage { now_ms, users, realms, may_change, .. } = access;
    let row = move |user: UserRow| {
        view! {
            <tr>
                <th scope="row">
                    <a class="strong cover long" href=user_href(&user.name)>
                        {user.name.clone()}
                    </a>
                    {user.is_own.then(|| view! { <span class="chip">"you"</span> })}
                </th>
                <td class="long" data-label="Roles">
                    {user.roles.clone()}
                </td>
                <td data-label="Realm">{user.realm.clone()}</td>
                <td>
                    <State user now_ms />
                </td>
            </tr>
        }
    };
    view! {
        <Beside add=may_change.then(|| form(realms))>
            <Table columns=&["User", "Roles", "Realm", "State"] action=None>
                {users.into_iter().map(row).collect_view()}
            </Table>
        </Beside>
    }
    .into_any()
}

fn form(realms: Vec<String>) -> AnyView {
    let add = expect_context::<ServerAction<AddUser>>();
    let roles = [NO_ROLE.to_owned()].into_iter().chain(BuiltIn::ALL.map(|role| role.to_string()));
    let realm = (!realms.is_empty()).then(|| {
        let choices = [OWN.to_owned()].into_iter().chain(realms).collect();
        view! {
            <SelectField
                id="realm"
                name="realm"
                label="Realm"
                choices
                value=OWN
                hint="One of Proxmox checks the password there, so that none is made here."
            />
        }
    });
    view! {
        <AddPanel id="add-user" title="Add a user">
            <ActionForm action=add attr:class="form">
                <TextField id="name" name="name" label="User name" />
                {realm}
                <SelectField
                    id="role"
                    name="role"
                    label="Role on everything"
                    choices=roles.collect()
                    value=NO_ROLE
                    hint="A role on a part only is given under Grants."
                />
                <button class="button primary" type="submit">
                    "Add user"
                </button>
            </ActionForm>
        </AddPanel>
    }
    .into_any()
}

/// How the account stands.
#[component]
pub fn State(user: UserRow, now_ms: i64) -> impl IntoView {
    let (state, words) = state(&user, now_ms);
    view! { <AccountBadge state words /> }
}

/// The same in words, and as a shape.
fn state(user: &UserRow, now_ms: i64) -> (AccountState, String) {
    match user.expires_ms {
        _ if user.is_disabled => (AccountState::Disabled, "disabled".to_owned()),
        Some(end) if end <= now_ms => (AccountState::Over, "over".to_owned()),
        Some(_) => (AccountState::Active, format!("until {}", until(user.expires_ms))),
        None if user.must_change_password => (AccountState::New, "one-time password".to_owned()),
        None => (AccountState::Active, "active".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_says_how_it_stands() {
        let user = UserRow {
            name: "anna".to_owned(),
            realm: "local".to_owned(),
            roles: "viewer".to_owned(),
            must_change_password: false,
            has_factor: false,
            factor_required: false,
            is_disabled: false,
            expires_ms: None,
            created_ms: 0,
            is_own: false,
        };
        let words = |user: &UserRow| state(user, 5).1;
        assert_eq!(words(&user), "active");
        assert_eq!(words(&UserRow { must_change_password: true, ..user.clone() }), "one-time password");
        assert_eq!(words(&UserRow { expires_ms: Some(5), ..user.clone() }), "over");
        assert!(words(&UserRow { expires_ms: Some(6), ..user.clone() }).starts_with("until 1970-01-01"));
        assert_eq!(words(&UserRow { is_disabled: true, expires_ms: Some(5), ..user }), "disabled");
    }
}
