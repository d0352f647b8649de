//! Grants: who has which role where, and until when.

use leptos::{either::Either, form::ActionForm, prelude::*};

use super::{Tab, until, user_href};
use crate::{
    api::access::{AccessPage, AddGrant, RemoveGrant},
    domain::{
        access::{Grant, Holder},
        words,
    },
    ui::components::field::{SelectField, TextField},
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
    let AccessPage { now_ms, users, groups, roles, grants, may_change } = access;
    let Changes { add, .. } = expect_context::<Changes>();
    let rows = grants.into_iter().map(|grant| row(grant, now_ms, may_change)).collect_view();
    let holders = users.into_iter().map(|user| Holder::User(user.name));
    let holders = holders.chain(groups.into_iter().map(|group| Holder::Group(group.name)));
    let holders: Vec<String> = holders.map(|holder| holder.to_string()).collect();
    let roles: Vec<String> = roles.into_iter().map(|role| role.name.to_string()).collect();
    let form = if may_change {
        Either::Left(view! {
            <section class="panel" aria-labelledby="add-grant">
                <h2 id="add-grant">"Give a role"</h2>
                <ActionForm action=add attr:class="form">
                    <SelectField id="holder" name="holder" label="To" choices=holders value="" />
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
                        hint="A day as in 2026-12-31, or a time as in 2026-12-31T18:00 (UTC)."
                    />
                    <button class="button primary" type="submit">
                        "Give role"
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
                        <th scope="col">"Who"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"On"</th>
                        <th scope="col">"Until"</th>
                        <th scope="col">"Given"</th>
                        <th scope="col">
                            <span class="unseen">"Take back"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            {form}
        </div>
    }
    .into_any()
}

fn row(grant: Grant, now_ms: i64, may_change: bool) -> AnyView {
    let Changes { remove, .. } = expect_context::<Changes>();
    let Grant { id, holder, role, scope, expires_ms, created_ms, created_by } = grant;
    let is_over = expires_ms.is_some_and(|end| end <= now_ms);
    let who = match &holder {
        Holder::User(name) => Either::Left(view! { <a href=user_href(name)>{name.clone()}</a> }),
        Holder::Group(name) => Either::Right(view! {
            <span class="meta">"group "</span>
            {name.clone()}
        }),
    };
    let by = created_by.unwrap_or_else(|| "before groups and grants".to_owned());
    view! {
        <tr class:is-over=is_over>
            <th scope="row">{who}</th>
            <td>{role.to_string()}</td>
            <td class="mono long">{scope.to_string()}</td>
            <td>{if is_over { "over".to_owned() } else { until(expires_ms) }}</td>
            <td title=words::exact(created_ms)>{format!("by {by}")}</td>
            <td class="c-action">
                {may_change
                    .then(|| {
                        view! {
                            <ActionForm action=remove>
                                <input type="hidden" name="id" value=id.to_string() />
                                <button
                                    class="button small"
                                    type="submit"
                                    aria-label=format!("Take {role} on {scope} back from {holder}")
                                >
                                    "Take back"
                                </button>
                            </ActionForm>
                        }
                    })}
            </td>
        </tr>
    }
    .into_any()
}
