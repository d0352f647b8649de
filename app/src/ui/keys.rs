//! Keys: `/` to the filter, `g g` to the guests, `g h` to the history. None fires while somebody types.

use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

/// The `id` of a page's filter field.
pub const FILTER: &str = "filter";

/// Listens for as long as the current owner lives.
pub fn listen() {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let after_g = StoredValue::new(false);
        let listener = window_event_listener(ev::keydown, move |event| {
            if event.ctrl_key() || event.alt_key() || event.meta_key() || is_typing(&event) {
                return;
            }
            let second = after_g.get_value();
            after_g.set_value(false);
            match (second, event.key().as_str()) {
                (true, "g") => navigate("/guests", NavigateOptions::default()),
                (true, "h") => navigate("/history", NavigateOptions::default()),
                (false, "g") => after_g.set_value(true),
                (_, "/") if focus(FILTER) => event.prevent_default(),
                _ => {}
            }
        });
        on_cleanup(move || listener.remove());
    });
}

fn is_typing(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        .is_some_and(|at| matches!(at.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

/// Moves the focus to the element of this `id`, if there is one.
pub fn focus(id: &str) -> bool {
    document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
        .is_some_and(|element| element.focus().is_ok())
}
