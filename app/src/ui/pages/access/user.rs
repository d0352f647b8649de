//! One user: what they may do, and through which grant.

use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{until, users};
use crate::{
    api::access::{DisableUser, ExpireUser, RemoveUser, ResetPassword, UserPage as Page, get_user},
    domain::access::{Privilege, Right, Rights},
    ui::{
        components::{
            banner::{Banner, Tone},
            command::Copy,
            loaded::{ActionProblem, Loaded},
        },
        live::Live,
        pages::not_found::Missing,
    },
};

#[derive(Clone, Copy)]
struct Changes {
    reset: ServerAction<ResetPassword>,
    disable: ServerAction<DisableUser>,
    expire: ServerAction<ExpireUser>,
    remove: ServerAction<RemoveUser>,
}

#[component]
pub fn UserPage() -> impl IntoView {
    let params = use_params_map();
    let name = move || params.read().get("name").unwrap_or_default();
    let live = expect_context::<Live>();
    let changes = Changes {
        reset: ServerAction::new(),
        disable: ServerAction::new(),
        expire: ServerAction::new(),
        remove: ServerAction::new(),
    };
    let Changes { reset, disable, expire, remove } = changes;
    let count = move || reset.version().get() + disable.version().get() + expire.version().get();
    let user = Resource::new(move || (name(), live.version(), count()), |(name, ..)| get_user(name));
    let error = Signal::derive(move || {
        let first =
            remove.value().get().and_then(Result::err).or(disable.value().get().and_then(Result::err));
        first.or(expire.value().get().and_then(Result::err)).or(reset.value().get().and_then(Result::err))
    });
    view! {
        <ActionProblem error />
        <Loaded reply=user let:page>
            {match page {
                Some(page) => view! { <Known page changes /> }.into_any(),
                None => {
                    view! {
                        <Missing title=format!("There is no user {}", name())>
                            <p>
                                "The account may have been removed; what it did stays in the history."
                            </p>
                            <a class="button" href="/access">
                                "Go to the users"
                            </a>
                        </Missing>
                    }
                        .into_any()
                }
            }}
        </Loaded>
    }
}

#[component]
fn Known(page: Page, changes: Changes) -> impl IntoView {
    let Page { now_ms, user, groups, rights, may_change, one_time_password, .. } = page;
    let state = users::state(&user, now_ms);
    let one_time = one_time_password.map(|password| {
        view! {
            <Banner tone=Tone::Info title="One-time password">
                <p>
                    "Hand it over in person. It is shown to you alone, for two minutes, and must be replaced at the first log-in."
                </p>
                <p class="one-time">
                    <code>{password.clone()}</code>
                    <Copy text=password what="the one-time password" />
                </p>
            </Banner>
        }
    });
    let is_local = user.realm == "local";
    let controls = may_change.then(|| {
        view! {
            <Controls
                name=user.name.clone()
                is_disabled=user.is_disabled
                is_local
                expires_ms=user.expires_ms
                changes
            />
        }
    });
    let membership = match groups.is_empty() {
        true => "In no group.".to_owned(),
        false => format!("In {}.", groups.join(", ")),
    };
    view! {
        <Title text=user.name.clone() />
        <div class="narrow">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{user.name.clone()}</h1>
                    <p class="head-facts">
                        <span>{state}</span>
                        <span class="meta">{format!("realm {}", user.realm)}</span>
                        <span class="meta">{membership}</span>
                    </p>
                </div>
            </header>
            {one_time}
            <section class="panel">
                <h2>"What they may do"</h2>
                <Held rights now_ms />
                {may_change
                    .then(|| {
                        view! {
                            <p class="panel-foot">
                                <a class="link" href="/access/grants">
                                    "Give or take back roles"
                                </a>
                            </p>
                        }
                    })}
            </section>
            {controls}
        </div>
    }
}

/// Each privilege that is held, where, and through which grant.
#[component]
fn Held(rights: Rights, now_ms: i64) -> impl IntoView {
    let rows: Vec<_> = Privilege::ALL
        .into_iter()
        .flat_map(|privilege| {
            let held = rights.list.iter().filter(move |right| right.privileges.holds(privilege));
            held.map(move |right| (privilege, right.clone())).collect::<Vec<_>>()
        })
        .collect();
    if rows.is_empty() {
        return Either::Left(
            view! { <p class="meta">"Nothing yet: no grant, neither of their own nor of a group."</p> },
        );
    }
    let row = move |(privilege, right): (Privilege, Right)| {
        let is_over = right.expires_ms.is_some_and(|end| end <= now_ms);
        let has_no_effect = privilege.is_of_host() && right.scope != crate::domain::access::Scope::Everything;
        view! {
            <tr class:is-over=is_over || has_no_effect>
                <th scope="row" title=privilege.meaning()>
                    {privilege.as_str()}
                </th>
                <td class="mono long">{right.scope.to_string()}</td>
                <td>{through(&right, is_over, has_no_effect)}</td>
            </tr>
        }
    };
    Either::Right(view! {
        <table class="plain">
            <thead>
                <tr>
                    <th scope="col">"Privilege"</th>
                    <th scope="col">"On"</th>
                    <th scope="col">"Through"</th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
        </table>
    })
}

fn through(right: &Right, is_over: bool, has_no_effect: bool) -> String {
    let mut text = format!("role {}", right.role);
    if let Some(group) = &right.group {
        text += &format!(", group {group}");
    }
    if let Some(grant) = right.grant {
        text += &format!(", grant {grant}");
    }
    match right.expires_ms {
        _ if has_no_effect => text += "; holds on everything only, so not here",
        Some(_) if is_over => text += "; over",
        Some(_) => text += &format!(", until {}", until(right.expires_ms)),
        None => {}
    }
    text
}

/// What can be done with the account.
#[component]
fn Controls(
    name: String,
    is_disabled: bool,
    is_local: bool,
    expires_ms: Option<i64>,
    changes: Changes,
) -> impl IntoView {
    let Changes { reset, disable, expire, remove } = changes;
    let name = StoredValue::new(name);
    let hidden = move || view! { <input type="hidden" name="name" value=name.get_value() /> };
    let ends = expires_ms.map(|_| until(expires_ms)).unwrap_or_default();
    view! {
        <section class="panel">
            <h2>"Account"</h2>
            <div class="row-forms">
                <ActionForm action=disable>
                    {hidden()}
                    <input
                        type="hidden"
                        name="disabled"
                        value=if is_disabled { "false" } else { "true" }
                    /> <button class="button" type="submit">
                        {if is_disabled { "Enable" } else { "Disable" }}
                    </button>
                </ActionForm>
                {is_local
                    .then(|| {
                        view! {
                            <ActionForm action=reset>
                                {hidden()} <button class="button" type="submit">
                                    "New one-time password"
                                </button>
                            </ActionForm>
                        }
                    })}
                <ActionForm action=expire attr:class="inline-form">
                    {hidden()}
                    <label for="until" class="meta">
                        "Ends"
                    </label>
                    <input
                        class="input"
                        id="until"
                        name="until"
                        value=ends
                        placeholder="never"
                        autocomplete="off"
                    />
                    <button class="button" type="submit">
                        "Set"
                    </button>
                </ActionForm>
            </div>
            <details class="more">
                <summary>"Remove this account"</summary>
                <p class="meta">
                    "Its grants and sessions go with it. What it did stays in the history and the ledger."
                </p>
                <ActionForm action=remove>
                    {hidden()} <button class="button danger" type="submit">
                        {format!("Remove {}", name.get_value())}
                    </button>
                </ActionForm>
            </details>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::GrantId;

    #[test]
    fn a_right_says_through_what_it_is_held() {
        let right = Right {
            grant: Some(GrantId(7)),
            role: "night".parse().unwrap(),
            privileges: "see".parse().unwrap(),
            scope: "tag:lab".parse().unwrap(),
            group: Some("ops".to_owned()),
            expires_ms: None,
        };
        assert_eq!(through(&right, false, false), "role night, group ops, grant 7");
        let ended = Right { group: None, expires_ms: Some(1), ..right.clone() };
        assert_eq!(through(&ended, true, false), "role night, grant 7; over");
        assert!(through(&right, false, true).ends_with("so not here"));
    }
}
