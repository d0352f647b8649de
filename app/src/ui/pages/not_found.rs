//! Nothing is at this address. Answered with the status 404.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    domain::action::GuestAction,
    ui::{
        components::{
            empty::Empty,
            icon::{Glyph, Icon},
            sheet::Sheet,
        },
        status,
    },
};

/// For an address that no page has.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    status::not_found();
    view! {
        <Title text="Not found" />
        <Sheet title="There is no such page">
            <p class="lead">"The address may be mistyped, or what it led to is gone."</p>
            <a class="button wide" href="/guests" rel="external">
                "Go to the guests"
                <Icon glyph=Glyph::Arrow />
            </a>
        </Sheet>
    }
}

/// For a page whose subject does not exist: inside the frame. The children are where to go from here.
#[component]
pub fn Missing(#[prop(into)] title: String, children: Children) -> impl IntoView {
    status::not_found();
    view! {
        <Title text="Not found" />
        <Empty glyph=Glyph::Search title whole_page=true>
            {children()}
        </Empty>
    }
}

/// For a page about an action on a guest: no such action, or no such guest.
pub fn no_such_ask(backend: &str, name: &str, action: &str) -> AnyView {
    let (title, why) = match action.parse::<GuestAction>() {
        Ok(_) => (format!("There is no guest {backend}/{name}"), Some("It may be gone already.")),
        Err(_) => (format!("“{action}” is no action on a guest"), None),
    };
    view! {
        <Missing title>
            {why.map(|why| view! { <p>{why}</p> })} <a class="button" href="/guests">
                "Go to the guests"
            </a>
        </Missing>
    }
    .into_any()
}
