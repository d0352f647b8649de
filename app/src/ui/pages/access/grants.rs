//! Grants: who has which role where, and until when.

use leptos::{either::Either, form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{Tab, until, user_href};
use crate::{
    api::access::{AccessPage, AddGrant, RemoveGrant},
    domain::access::{Grant, Holder, Role},
    ui::components::{
        ago::Ago,
        field::{SelectField, TextField},
        table::{AddPanel, Beside, Table},
    },
};

#[derive(Clone, Copy)]
struct Changes {
    add: ServerAction<AddGrant>,
    remove: ServerAction<RemoveGrant>,
}

#[component]
pub fn GrantsPage() -> impl IntoView {
    let changes = Changes { add: ServerAction::new(), remove: ServerAction::new() };
    provide_context(changes);
    let Changes { add, remove } = changes;
    let count = move || add.version().get() + remove.version().get();
    let error = Signal::derive(move || {
        remove.value().get().and_then(Result::err).or(add.value().get().and_then(Result::err))
    });
    view! { <Tab here="/access/grants" changes=Signal::derive(count) error content /> }
}

fn content(access: AccessPage) -> AnyView {
    let AccessPage { now_ms, users, groups, roles, grants, may_change, .. } = access;
    let rows = grants.into_iter().map(|grant| row(grant, now_ms, may_change)).collect_view();
    let form = may_change.then(|| {
        let holders = users.into_iter().map(|user| Holder::User(user.name));
        let holders = holders.chain(groups.into_iter().map(|group| Holder::Group(group.name)));
        form(holders.map(|holder| holder.to_string()).collect(), roles)
    });
    view! {
        <Beside add=form>
            <Table
                columns=&["Who", "Role", "On", "Until", "Given"]
                action=may_change.then_some("Take back")
            >
                {rows}
            </Table>
        </Beside>
    }
    .into_any()
}

/// `?to=user:anna` chooses who is given a role.
fn form(holders: Vec<String>, roles: Vec<Role>) -> AnyView {
    let Changes { add, .. } = expect_context::<Changes>();
    let to = use_query_map().read_untracked().get("to").unwrap_or_default();
    let roles: Vec<String> = roles.into_iter().map(|role| role.name.to_string()).collect();
    view! {
        <AddPanel id="add-grant" title="Give a role">
            <ActionForm action=add attr:class="form">
                <SelectField id="holder" name="holder" label="To" choices=holders value=to />
                <SelectField id="role" name="role" label="Role" choices=roles value="" />
                <TextField
                    id="scope"
                    name="scope"
                    label="On"
                    value="everything"
                    mono=true
                    list="scopes"
                    hint="everything, backend:lxc, pool:prod, tag:lab or guest:lxc/web1"
                />
                <datalist id="scopes">
                    <option value="everything"></option>
                    <option value="backend:proxmox-lxc"></option>
                    <option value="backend:proxmox-vm"></option>
                    <option value="backend:lxc"></option>
                    <option value="backend:crun"></option>
                </datalist>
                <TextField
                    id="until"
                    name="until"
                    label="Until"
                    placeholder="never"
                    hint="With the end of a day as in 2026-12-31, or a time as in 2026-12-31 18:00 (UTC)."
                />
                <button class="button primary" type="submit">
                    "Give role"
                </button>
            </ActionForm>
        </AddPanel>
    }
    .into_any()
}

fn row(grant: Grant, now_ms: i64, may_change: bool) -> AnyView {
    let Changes { remove, .. } = expect_context::<Changes>();
    let Grant { id, holder, role, scope, expires_ms, created_ms, created_by } = grant;
    let is_over = expires_ms.is_some_and(|end| end <= now_ms);
    let who = match &holder {
        Holder::User(name) => Either::Left(view! {
            <a class="strong long" href=user_href(name)>
                {name.clone()}
            </a>
        }),
        Holder::Group(name) => Either::Right(view! {
            <span class="meta">"group "</span>
            <span class="strong long">{name.clone()}</span>
        }),
    };
    let by = created_by.map_or_else(
        || Either::Left(view! { <span class="meta">"before groups and grants"</span> }),
        |by| Either::Right(view! { <span class="meta long">{format!("by {by}")}</span> }),
    );
    let label = format!("Take {role} on {scope} back from {holder}");
    let take_back = may_change.then(|| {
        view! {
            <td class="c-action">
                <ActionForm action=remove>
                    <input type="hidden" name="id" value=id.to_string() />
                    <button class="button small" type="submit" aria-label=label>
                        "Take back"
                    </button>
                </ActionForm>
            </td>
        }
    });
    view! {
        <tr class:is-over=is_over>
            <th scope="row">{who}</th>
            <td data-label="Role">{role.to_string()}</td>
            <td class="mono long" data-label="On">
                {scope.to_string()}
            </td>
            <td data-label="Until">
                {if is_over { "over".to_owned() } else { until(expires_ms) }}
            </td>
            <td class="two" data-label="Given">
                <Ago at_ms=created_ms now_ms />
                {by}
            </td>
            {take_back}
        </tr>
    }
    .into_any()
}
