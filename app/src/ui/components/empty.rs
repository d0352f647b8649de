//! Nothing here: what would be, and the one thing to do.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

#[component]
pub fn Empty(glyph: Glyph, #[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-icon">
                <Icon glyph />
            </span>
            <p class="empty-title">{title}</p>
            {children()}
        </div>
    }
}
