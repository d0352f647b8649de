//! The page without a frame: one sheet in the middle, for those who are not (wholly) in yet.

use leptos::prelude::*;

use super::icon::Mark;

#[component]
pub fn Sheet(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <main class="sheet">
            <div class="sheet-mark">
                <Mark />
                "Paddock"
            </div>
            <div class="sheet-page">
                <h1>{title}</h1>
                {children()}
            </div>
        </main>
    }
}
