//! Groups and who is in them.

use leptos::{form::ActionForm, prelude::*};

use super::{Tab, user_href};
use crate::{
    api::access::{AccessPage, AddGroup, RemoveGroup, SetMember},
    domain::access::Group,
    ui::components::{
        empty::Empty,
        field::TextField,
        icon::{Glyph, Icon},
        table::{AddPanel, Beside},
    },
};

/// What a group's panel changes things by.
#[derive(Clone, Copy)]
struct Changes {
    add: ServerAction<AddGroup>,
    remove: ServerAction<RemoveGroup>,
    member: ServerAction<SetMember>,
}

#[component]
pub fn GroupsPage() -> impl IntoView {
    let changes =
        Changes { add: ServerAction::new(), remove: ServerAction::new(), member: ServerAction::new() };
    provide_context(changes);
    let Changes { add, remove, member } = changes;
    let count = move || add.version().get() + remove.version().get() + member.version().get();
    let error = Signal::derive(move || {
        let member = member.value().get().and_then(Result::err);
        member.or(remove.value().get().and_then(Result::err)).or(add.value().get().and_then(Result::err))
    });
    view! { <Tab here="/access/groups" changes=Signal::derive(count) error content /> }
}

fn content(access: AccessPage) -> AnyView {
    let AccessPage { users, groups, may_change, .. } = access;
    let names: Vec<String> = users.into_iter().map(|user| user.name).collect();
    let none = groups.is_empty().then(|| {
        view! {
            <Empty glyph=Glyph::Account title="No groups yet">
                <p>"A grant to a group is one for everybody in it."</p>
            </Empty>
        }
    });
    let panels = groups.into_iter().map(|group| panel(group, &names, may_change)).collect_view();
    view! { <Beside add=may_change.then(form)>{none} {panels}</Beside> }.into_any()
}

fn form() -> AnyView {
    let Changes { add, .. } = expect_context::<Changes>();
    view! {
        <AddPanel id="add-group" title="Add a group">
            <ActionForm action=add attr:class="form">
                <TextField id="name" name="name" label="Name" />
                <button class="button primary" type="submit">
                    "Add group"
                </button>
            </ActionForm>
        </AddPanel>
    }
    .into_any()
}

fn panel(group: Group, users: &[String], may_change: bool) -> AnyView {
    let Changes { remove, member, .. } = expect_context::<Changes>();
    let Group { name, members } = group;
    let name = StoredValue::new(name);
    let others: Vec<String> = users.iter().filter(|user| !members.contains(user)).cloned().collect();
    let none = members.is_empty();
    let chips = members
        .into_iter()
        .map(|user| {
            let href = user_href(&user);
            let user = StoredValue::new(user);
            let take_out = may_change.then(|| {
                view! {
                    <ActionForm action=member>
                        <input type="hidden" name="group" value=name.get_value() />
                        <input type="hidden" name="user" value=user.get_value() />
                        <input type="hidden" name="member" value="false" />
                        <button
                            class="chip-cross"
                            type="submit"
                            aria-label=format!(
                                "Take {} out of {}",
                                user.get_value(),
                                name.get_value(),
                            )
                        >
                            <Icon glyph=Glyph::Cross />
                        </button>
                    </ActionForm>
                }
            });
            view! {
                <li class="chip">
                    <a href=href>{user.get_value()}</a>
                    {take_out}
                </li>
            }
        })
        .collect_view();
    let add = (may_change && !others.is_empty()).then(|| {
        let id = format!("add-to-{}", name.get_value());
        let option = |user: String| view! { <option value=user.clone()>{user.clone()}</option> };
        view! {
            <ActionForm action=member attr:class="inline-form">
                <input type="hidden" name="group" value=name.get_value() />
                <input type="hidden" name="member" value="true" />
                <label class="unseen" for=id.clone()>
                    {format!("Add to {}", name.get_value())}
                </label>
                <span class="select">
                    <select class="input" id=id.clone() name="user">
                        {others.into_iter().map(option).collect_view()}
                    </select>
                    <Icon glyph=Glyph::Chevron />
                </span>
                <button class="button" type="submit">
                    "Add"
                </button>
            </ActionForm>
        }
    });
    let remove = may_change.then(|| {
        view! {
            <ActionForm action=remove>
                <input type="hidden" name="name" value=name.get_value() />
                <button class="button small danger-text" type="submit">
                    "Remove group"
                </button>
            </ActionForm>
        }
    });
    view! {
        <section class="panel">
            <div class="panel-head">
                <h2 class="long">{name.get_value()}</h2>
                {remove}
            </div>
            {none.then(|| view! { <p class="meta">"Nobody is in it."</p> })}
            <ul class="chip-list">{chips}</ul>
            {add}
        </section>
    }
    .into_any()
}
