//! Nothing is at this address. Answered with the status 404.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::ui::{
    components::{
        empty::Empty,
        icon::{Glyph, Icon},
        sheet::Sheet,
    },
    status,
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
