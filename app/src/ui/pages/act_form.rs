//! What an action needs to know besides its guest: its form, which leads to the plan of it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::guests::{ActionChoice, FormPage, get_form},
    domain::{action::GuestAction, form, spec::Changes},
    ui::{
        components::{
            badge::{BackendChip, StatusBadge},
            banner::{Banner, Tone},
            guest_actions::{ActionButton, plan_href},
            loaded::Loaded,
            parameters::Parameters,
        },
        pages::not_found::no_such_ask,
        reply::reply,
        typed::{Typing, of_address},
    },
};

#[component]
pub fn ActFormPage() -> impl IntoView {
    let params = use_params_map();
    let part = move |name: &str| params.read().get(name).unwrap_or_default();
    let action = move || part("action").parse::<GuestAction>().ok();
    // Not with every change of the host: what is being typed would be lost.
    let page = reply(
        move || (part("backend"), part("name"), action()),
        |(backend, name, action)| async move {
            match action {
                Some(action) => get_form(backend, name, action).await,
                None => Ok(None),
            }
        },
    );
    view! {
        <Loaded reply=page let:page>
            {match page {
                Some(page) => view! { <Known page /> }.into_any(),
                None => no_such_ask(&part("backend"), &part("name"), &part("action")),
            }}
        </Loaded>
    }
}

#[component]
fn Known(page: FormPage) -> impl IntoView {
    let FormPage { guest, action, refusal, choices } = page;
    let title = format!("{} {}", action.label(), guest.label());
    let parameters = form::parameters(guest.id.backend, action);
    let typing = Typing::new(of_address().get_untracked(), move |typed| {
        form::read(action, typed, &Changes::default()).err().unwrap_or_default()
    });
    let back = guest.id.href();
    let told = refusal.as_ref().map(ToString::to_string);
    view! {
        <Title text=title.clone() />
        <div class="narrow">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{title}</h1>
                    <p class="head-facts">
                        <StatusBadge status=guest.status />
                        <BackendChip kind=guest.id.backend />
                    </p>
                </div>
            </header>
            {told
                .map(|told| {
                    view! {
                        <Banner tone=Tone::Warning title="This cannot be done now">
                            <p>{told}</p>
                        </Banner>
                    }
                })}
            <form
                class="form panel"
                method="get"
                action=plan_href(&guest.id, action)
                on:input=move |event| typing.on_input(&event)
                on:submit=move |event| typing.check(&event)
            >
                <Parameters parameters typing choices />
                <div class="buttons">
                    <span class="action">
                        <ActionButton
                            choice=ActionChoice { action, refusal }
                            main=true
                            label="Show the plan"
                        />
                    </span>
                    <a class="button" href=back>
                        "Cancel"
                    </a>
                </div>
            </form>
        </div>
    }
}
