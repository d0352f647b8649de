//! A panel that opens: what is wanted now and then, and is long.

use leptos::{html::Details, prelude::*};

use super::icon::{Glyph, Icon};

/// `open` belongs to the page, as what is in it may be drawn anew with every change of the host.
#[component]
pub fn Fold(
    #[prop(into)] title: String,
    /// Beside the title, in mono.
    #[prop(optional, into)]
    note: String,
    open: StoredValue<bool>,
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<Details>::new();
    let toggled = move |_| {
        if let Some(details) = details.get_untracked() {
            open.set_value(details.open());
        }
    };
    view! {
        <details class="panel fold" node_ref=details open=open.get_value() on:toggle=toggled>
            <summary>
                <Icon glyph=Glyph::Chevron />
                <h2>{title}</h2>
                <code class="long">{note}</code>
            </summary>
            <div class="fold-body">{children()}</div>
        </details>
    }
}
