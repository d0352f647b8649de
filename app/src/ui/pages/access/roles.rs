//! Roles and the privileges that they are made of.

use leptos::{either::Either, form::ActionForm, prelude::*};

use super::Tab;
use crate::{
    api::access::{AccessPage, RemoveRole, SaveRole},
    domain::access::{Privilege, Privileges, Role},
    ui::components::{
        field::TextField,
        table::{AddPanel, Beside},
    },
};

#[derive(Clone, Copy)]
struct Changes {
    save: ServerAction<SaveRole>,
    remove: ServerAction<RemoveRole>,
}

#[component]
pub fn RolesPage() -> impl IntoView {
    let changes = Changes { save: ServerAction::new(), remove: ServerAction::new() };
    provide_context(changes);
    let Changes { save, remove } = changes;
    let count = move || save.version().get() + remove.version().get();
    let error = Signal::derive(move || {
        remove.value().get().and_then(Result::err).or(save.value().get().and_then(Result::err))
    });
    view! { <Tab here="/access/roles" changes=Signal::derive(count) error content /> }
}

fn content(access: AccessPage) -> AnyView {
    let AccessPage { roles, may_change, .. } = access;
    let panels = roles.into_iter().map(|role| panel(role, may_change)).collect_view();
    view! { <Beside add=may_change.then(form)>{panels}</Beside> }.into_any()
}

fn form() -> AnyView {
    let Changes { save, .. } = expect_context::<Changes>();
    view! {
        <AddPanel id="add-role" title="Add a role">
            <ActionForm action=save attr:class="form">
                <input type="hidden" name="is_new" value="true" />
                <TextField
                    id="name"
                    name="name"
                    label="Name"
                    hint="Small letters, digits and dashes, as in night-shift."
                />
                <Boxes held=Privileges::NONE />
                <button class="button primary" type="submit">
                    "Add role"
                </button>
            </ActionForm>
        </AddPanel>
    }
    .into_any()
}

fn panel(role: Role, may_change: bool) -> AnyView {
    let Changes { save, remove } = expect_context::<Changes>();
    let Role { name, privileges } = role;
    let what = match name.built_in() {
        Some(built_in) => built_in.meaning(),
        None => "One of your own",
    };
    let is_own = name.built_in().is_none();
    let name = StoredValue::new(name.to_string());
    let list = privileges.iter().map(|p| view! { <li class="chip">{p.as_str()}</li> }).collect_view();
    let change = if may_change && is_own {
        Either::Left(view! {
            <details class="more">
                <summary>"Change"</summary>
                <ActionForm action=save attr:class="form">
                    <input type="hidden" name="name" value=name.get_value() />
                    <Boxes held=privileges />
                    <button class="button" type="submit">
                        "Save"
                    </button>
                </ActionForm>
                <ActionForm action=remove>
                    <input type="hidden" name="name" value=name.get_value() />
                    <button class="button danger-text" type="submit">
                        "Remove role"
                    </button>
                </ActionForm>
            </details>
        })
    } else {
        Either::Right(())
    };
    view! {
        <section class="panel">
            <div class="panel-head">
                <h2>{name.get_value()}</h2>
                <p class="meta">{what}</p>
            </div>
            <ul class="chip-list">{list}</ul>
            {change}
        </section>
    }
    .into_any()
}

/// A box for each privilege.
#[component]
pub fn Boxes(held: Privileges) -> impl IntoView {
    let one = move |privilege: Privilege| {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    name="privileges[]"
                    value=privilege.as_str()
                    checked=held.holds(privilege)
                />
                <span>
                    <span class="strong">{privilege.as_str()}</span>
                    <span class="meta">
                        {privilege.meaning()}
                        {privilege.is_of_host().then_some(" (on everything only)")}
                    </span>
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="checks">
            <legend>"Privileges"</legend>
            {Privilege::ALL.map(one).into_iter().collect_view()}
        </fieldset>
    }
}
