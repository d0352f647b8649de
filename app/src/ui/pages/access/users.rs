//! Everybody who may log in.

use leptos::{either::Either, form::ActionForm, prelude::*};

use super::{Tab, until, user_href};
use crate::{
    api::access::{AccessPage, AddUser},
    domain::access::{BuiltIn, UserRow},
    ui::components::field::{SelectField, TextField},
};

#[component]
pub fn UsersPage() -> impl IntoView {
    let add = ServerAction::<AddUser>::new();
    provide_context(add);
    let error = Signal::derive(move || add.value().get().and_then(Result::err));
    view! { <Tab here="/access" changes=add.version() error content /> }
}

fn content(access: AccessPage) -> AnyView {
    let AccessPage { now_ms, users, may_change, .. } = access;
    let add = expect_context::<ServerAction<AddUser>>();
    let row = move |user: UserRow| {
        view! {
            <tr>
                <th scope="row">
                    <a class="strong cover" href=user_href(&user.name)>
                        {user.name.clone()}
                    </a>
                    {user.is_own.then(|| view! { <span class="chip">"you"</span> })}
                </th>
                <td>{user.realm.clone()}</td>
                <td class="long">{user.roles.clone()}</td>
                <td>{state(&user, now_ms)}</td>
            </tr>
        }
    };
    let form = if may_change {
        let roles = [String::new()].into_iter().chain(BuiltIn::ALL.map(|role| role.to_string()));
        Either::Left(view! {
            <section class="panel" aria-labelledby="add-user">
                <h2 id="add-user">"Add a user"</h2>
                <ActionForm action=add attr:class="form">
                    <TextField id="name" name="name" label="User name" />
                    <SelectField
                        id="role"
                        name="role"
                        label="Role on everything"
                        choices=roles.collect()
                        value=""
                        hint="Leave it empty to grant a role on a part only, on the next page."
                    />
                    <button class="button primary" type="submit">
                        "Add user"
                    </button>
                </ActionForm>
            </section>
        })
    } else {
        Either::Right(())
    };
    view! {
        <div class="beside">
            <table class="plain">
                <thead>
                    <tr>
                        <th scope="col">"User"</th>
                        <th scope="col">"Realm"</th>
                        <th scope="col">"Roles"</th>
                        <th scope="col">"State"</th>
                    </tr>
                </thead>
                <tbody>{users.into_iter().map(row).collect_view()}</tbody>
            </table>
            {form}
        </div>
    }
    .into_any()
}

/// How the account stands, in words.
pub fn state(user: &UserRow, now_ms: i64) -> String {
    match user.expires_ms {
        _ if user.is_disabled => "disabled".to_owned(),
        Some(end) if end <= now_ms => "over".to_owned(),
        Some(_) => format!("until {}", until(user.expires_ms)),
        None if user.must_change_password => "one-time password".to_owned(),
        None => "active".to_owned(),
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
        assert_eq!(state(&user, 5), "active");
        assert_eq!(state(&UserRow { must_change_password: true, ..user.clone() }, 5), "one-time password");
        assert_eq!(state(&UserRow { expires_ms: Some(5), ..user.clone() }, 5), "over");
        assert!(state(&UserRow { expires_ms: Some(6), ..user.clone() }, 5).starts_with("until 1970-01-01"));
        assert_eq!(state(&UserRow { is_disabled: true, expires_ms: Some(5), ..user }, 5), "disabled");
    }
}
