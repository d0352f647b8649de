//! Before an action: exactly what it would run, what is lost, and the way to run just that. What its form asked for stands in
//! the address.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::guests::{Act, Preview, preview_action},
    domain::{
        action::GuestAction,
        form::{self, Typed},
    },
    ui::{
        components::{
            badge::{BackendChip, StatusBadge},
            guest_actions::{ActFields, ask_href},
            loaded::Loaded,
            run_form::{Agreement, agree, is_about_confirm},
        },
        pages::not_found::no_such_ask,
        reply::reply,
        typed::of_address,
    },
};

#[component]
pub fn PlanPage() -> impl IntoView {
    let params = use_params_map();
    let part = move |name: &str| params.read().get(name).unwrap_or_default();
    let action = move || part("action").parse::<GuestAction>().ok();
    let act = ServerAction::<Act>::new();
    // Not with every change of the host: what is being typed would be lost, and the plan that is agreed to would be
    // exchanged under the pointer. The server plans again before it runs anything, and refuses another plan; then it
    // is read anew.
    let refused = move || {
        let value = act.value();
        let is_stale = value.with(|reply| matches!(reply, Some(Err(error)) if !is_about_confirm(error)));
        is_stale.then(|| act.version().get_untracked())
    };
    let typed = of_address();
    let preview = reply(
        move || (part("backend"), part("name"), action(), typed.get(), refused()),
        |(backend, name, action, typed, _)| async move {
            match action {
                Some(action) => preview_action(backend, name, action, typed).await,
                None => Ok(None),
            }
        },
    );
    view! {
        <Loaded reply=preview let:preview>
            {match preview {
                Some(preview) => {
                    view! { <Known preview typed=typed.get_untracked() act /> }.into_any()
                }
                None => no_such_ask(&part("backend"), &part("name"), &part("action")),
            }}
        </Loaded>
    }
}

#[component]
fn Known(preview: Preview, typed: Typed, act: ServerAction<Act>) -> impl IntoView {
    let Preview { guest, action, plan, hash, confirm, .. } = preview;
    let name = guest.label().to_owned();
    let title = format!("{} {name}", action.label());
    let problem = Signal::derive(move || act.value().get().and_then(Result::err));
    let is_asked = !form::parameters(guest.id.backend, action).is_empty();
    // Back to where it was asked for, with all that was typed.
    let back = match action {
        GuestAction::Rollback | GuestAction::DeleteSnapshot => ask_href(&guest.id, action),
        _ if is_asked && !typed.is_empty() => typed.at(&ask_href(&guest.id, action)),
        _ => guest.id.href(),
    };
    let agreement = Agreement { action, confirm, plan, hash, back };
    let change = is_asked.then(|| typed.at(&ask_href(&guest.id, action)));
    let id = guest.id.clone();
    let typed_fields = typed
        .pairs()
        .map(|(name, value)| {
            view! { <input type="hidden" name=format!("fields[{name}]") value=value.to_owned() /> }
        })
        .collect_view();
    let form = agree(agreement, problem, |fields| {
        view! {
            <ActionForm action=act attr:class="form confirm">
                <ActFields guest=id action />
                {typed_fields}
                {fields}
            </ActionForm>
        }
        .into_any()
    });
    view! {
        <Title text=title.clone() />
        <div class="narrow">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{title}</h1>
                    <p class="head-facts">
                        <StatusBadge status=guest.status />
                        <BackendChip kind=guest.id.backend />
                        {change
                            .map(|href| {
                                view! {
                                    <a class="link" href=href>
                                        "Change what is asked for"
                                    </a>
                                }
                            })}
                    </p>
                </div>
            </header>
            {form}
        </div>
    }
}
