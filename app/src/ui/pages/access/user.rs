//! One user: what they may do, and through which grant.

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{
    account::{Changes, Controls, WhatLetsIn},
    until,
    users::State,
};
use crate::{
    api::access::{UserPage as Page, get_user},
    domain::access::{Holder, Privileges, Right, Rights, Scope},
    ui::{
        components::{
            banner::{Banner, Tone},
            command::Copy,
            loaded::{ActionProblem, Loaded},
            table::Table,
        },
        live::Live,
        pages::not_found::Missing,
        reply::reply,
    },
};

#[component]
pub fn UserPage() -> impl IntoView {
    let params = use_params_map();
    let name = move || params.read().get("name").unwrap_or_default();
    let live = expect_context::<Live>();
    let changes = Changes::new();
    let user = reply(move || (name(), live.version(), changes.count()), |(name, ..)| get_user(name));
    let error = Signal::derive(move || changes.error());
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
    let Page { now_ms, user, groups, rights, lets_in, may_change, one_time_password } = page;
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
    let controls = may_change.then(|| view! { <Controls user=user.clone() changes /> });
    let lets_in = lets_in.map(|lets_in| {
        let name = user.name.clone();
        view! { <WhatLetsIn name lets_in now_ms may_change changes /> }
    });
    let membership = match groups.is_empty() {
        true => "in no group".to_owned(),
        false => format!("in {}", groups.join(", ")),
    };
    let factor = match (user.has_factor, user.factor_required) {
        (true, _) => Some("with a second factor"),
        (false, true) => Some("must set up a second factor"),
        (false, false) => None,
    };
    let give = may_change.then(|| {
        let to = Holder::User(user.name.clone()).to_string();
        let href = format!("/access/grants?to={}", leptos_router::location::Url::escape(&to));
        view! { <a href=href>"Give or take back roles"</a> }
    });
    view! {
        <Title text=user.name.clone() />
        <div class="person">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{user.name.clone()}</h1>
                    <p class="head-facts">
                        <State user=user.clone() now_ms />
                        <span class="meta">{format!("realm {}", user.realm)}</span>
                        {factor.map(|words| view! { <span class="meta">{words}</span> })}
                        <span class="meta long">{membership}</span>
                    </p>
                </div>
            </header>
            {one_time}
            <section class="panel" aria-labelledby="rights">
                <div class="panel-head">
                    <h2 id="rights">"What they may do"</h2>
                    {give}
                </div>
                <Held rights now_ms />
            </section>
            {lets_in}
            {controls}
        </div>
    }
}

/// Each right that is held: what it allows, where, and through which grant.
#[component]
fn Held(rights: Rights, now_ms: i64) -> impl IntoView {
    if rights.list.is_empty() {
        return Either::Left(
            view! { <p class="meta">"Nothing yet: no grant, neither of their own nor of a group."</p> },
        );
    }
    let row = move |right: Right| {
        let is_over = right.expires_ms.is_some_and(|end| end <= now_ms);
        let (here, nowhere) = allowed(&right);
        let nowhere = (!nowhere.is_empty()).then(
            || view! { <p class="meta">{format!("Not {}: held on everything only.", nowhere.words())}</p> },
        );
        view! {
            <tr class:is-over=is_over>
                <th scope="row" class="strong">
                    {right.role.to_string()}
                </th>
                <td class="mono long" data-label="On">
                    {right.scope.to_string()}
                </td>
                <td data-label="May">{here.words()} {nowhere}</td>
                <td data-label="Through">{through(&right, is_over)}</td>
            </tr>
        }
    };
    Either::Right(view! {
        <Table columns=&["Role", "On", "May", "Through"] action=None>
            {rights.list.into_iter().map(row).collect_view()}
        </Table>
    })
}

/// What the right allows, and what its role has besides, that is of the whole host and so not to be had on a part.
fn allowed(right: &Right) -> (Privileges, Privileges) {
    let is_held = right.scope == Scope::Everything;
    let (here, nowhere): (Vec<_>, Vec<_>) =
        right.privileges.iter().partition(|privilege| is_held || !privilege.is_of_host());
    (here.into(), nowhere.into())
}

fn through(right: &Right, is_over: bool) -> String {
    let mut text = match &right.group {
        Some(group) => format!("group {group}"),
        None => "their own".to_owned(),
    };
    if let Some(grant) = right.grant {
        text += &format!(", grant {grant}");
    }
    match right.expires_ms {
        Some(_) if is_over => text += "; over",
        Some(_) => text += &format!(", until {}", until(right.expires_ms)),
        None => {}
    }
    text
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
            privileges: "see,users".parse().unwrap(),
            scope: "tag:lab".parse().unwrap(),
            group: Some("ops".to_owned()),
            expires_ms: None,
        };
        assert_eq!(through(&right, false), "group ops, grant 7");
        let ended = Right { group: None, expires_ms: Some(1), ..right.clone() };
        assert_eq!(through(&ended, true), "their own, grant 7; over");
        let (here, nowhere) = allowed(&right);
        assert_eq!((here.words(), nowhere.words()), ("see".to_owned(), "users".to_owned()));
        let (here, nowhere) = allowed(&Right { scope: Scope::Everything, ..right });
        assert_eq!((here.words(), nowhere.is_empty()), ("see, users".to_owned(), true));
    }
}
