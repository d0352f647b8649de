//! All keys, in a dialog.

use leptos::{html::Dialog, prelude::*};

use crate::ui::{
    keys::KEYS,
    overlay::{self, Overlay},
};

#[component]
pub fn KeyList() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (overlay.shows_keys(), dialog.open()) {
            (true, false) => overlay::open(dialog, || ()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let row = |(keys, meaning): (&'static [&'static str], &'static str)| {
        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
        view! {
            <div class="key">
                <dt>{meaning}</dt>
                <dd>{keys}</dd>
            </div>
        }
    };
    view! {
        <dialog
            class="over keys"
            node_ref=dialog
            aria-labelledby="keys-title"
            on:close=move |_| overlay.closed()
        >
            <header class="over-head">
                <h2 id="keys-title">"Keys"</h2>
                <form method="dialog">
                    <button class="button small" type="submit">
                        "Close"
                    </button>
                </form>
            </header>
            <dl class="key-list">{KEYS.into_iter().map(row).collect_view()}</dl>
        </dialog>
    }
}
