//! A command or an API call as it is run, to read and to copy.

use std::time::Duration;

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

#[component]
pub fn CommandLine(text: String) -> impl IntoView {
    view! {
        <div class="command">
            <code>{text.clone()}</code>
            <Copy text what="command" />
        </div>
    }
}

/// Copies a text. Only where there is a clipboard: browsers give none to scripts on a plain http address.
#[component]
pub fn Copy(text: String, what: &'static str) -> impl IntoView {
    let possible = RwSignal::new(false);
    let done = RwSignal::new(false);
    Effect::new(move |_| possible.set(window().is_secure_context()));
    let copy = move |_| {
        // Its promise is not waited for: a refusal by the browser leaves nothing to do.
        let _copied = window().navigator().clipboard().write_text(&text);
        done.set(true);
        set_timeout(
            move || {
                let _gone = done.try_set(false);
            },
            Duration::from_millis(1500),
        );
    };
    let label = move || if done.get() { "Copied".to_owned() } else { format!("Copy {what}") };
    view! {
        <button
            type="button"
            class="copy"
            hidden=move || !possible.get()
            aria-label=label
            title=label
            on:click=copy
        >
            {move || view! { <Icon glyph=if done.get() { Glyph::Check } else { Glyph::Copy } /> }}
        </button>
    }
}
