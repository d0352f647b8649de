//! Nothing here: what would be, and the one thing to do.

use leptos::{either::Either, prelude::*};

use super::icon::{Glyph, Icon};

/// `whole_page`: there is nothing else on the page, so this is its heading.
#[component]
pub fn Empty(
    glyph: Glyph,
    #[prop(into)] title: String,
    #[prop(optional)] whole_page: bool,
    children: Children,
) -> impl IntoView {
    let title = if whole_page {
        Either::Left(view! { <h1 class="empty-title">{title}</h1> })
    } else {
        Either::Right(view! { <p class="empty-title">{title}</p> })
    };
    view! {
        <div class="empty">
            <span class="empty-icon">
                <Icon glyph />
            </span>
            {title}
            {children()}
        </div>
    }
}
