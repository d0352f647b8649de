//! What is wanted less often, behind one button: a list that opens below it, with and without JavaScript.

use leptos::{ev, html::Details, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::Node;

use super::icon::{Glyph, Icon};
use crate::domain::action::{GuestAction, Refusal};

/// One thing that can be had, or why it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub action: GuestAction,
    pub href: String,
    pub refusal: Option<Refusal>,
}

/// A button with something that opens below it. It closes with Escape, and when one goes elsewhere.
#[component]
pub fn Drop(
    #[prop(into)] label: String,
    /// It is open from the first, or opens once this turns true.
    #[prop(optional, into)]
    open: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<Details>::new();
    Effect::new(move |_| {
        let close_outside = window_event_listener(ev::pointerdown, move |event| {
            let at = event.target().and_then(|target| target.dyn_into::<Node>().ok());
            if let Some(menu) = details.get_untracked().filter(|menu| !menu.contains(at.as_ref())) {
                menu.set_open(false);
            }
        });
        on_cleanup(move || close_outside.remove());
    });
    let on_key = move |event: ev::KeyboardEvent| {
        if let Some(menu) = details.get_untracked().filter(|menu| menu.open() && event.key() == "Escape") {
            menu.set_open(false);
            // Else the focus would be on what nobody sees any more.
            if let Ok(Some(summary)) = menu.query_selector("summary") {
                let _unfocused = summary.dyn_into::<web_sys::HtmlElement>().map(|summary| summary.focus());
            }
        }
    };
    view! {
        <details class="menu" node_ref=details open=open on:keydown=on_key>
            <summary class="button">{label} <Icon glyph=Glyph::Chevron /></summary>
            {children()}
        </details>
    }
}

/// Actions behind one button.
#[component]
pub fn Menu(#[prop(into)] label: String, entries: Vec<Entry>) -> impl IntoView {
    view! {
        <Drop label>
            <ul class="menu-list">
                {entries
                    .into_iter()
                    .map(|entry| {
                        view! {
                            <li>
                                <MenuEntry entry />
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </Drop>
    }
}

/// One that cannot be had stays there, with the reason below it.
#[component]
fn MenuEntry(entry: Entry) -> impl IntoView {
    let Entry { action, href, refusal } = entry;
    let glyph = super::guest_actions::glyph(action);
    match refusal {
        None => view! {
            <a class="menu-entry" href=href>
                <Icon glyph />
                {action.label()}
            </a>
        }
        .into_any(),
        Some(refusal) => view! {
            <a class="menu-entry" role="link" aria-disabled="true" tabindex="0">
                <Icon glyph />
                <span>
                    {action.label()}
                    <span class="menu-why">{super::guest_actions::why_not(&refusal)}</span>
                </span>
            </a>
        }
        .into_any(),
    }
}
