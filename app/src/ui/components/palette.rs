//! The command palette: guests, actions, pages and operations by a few letters. What may be found is the server's to say;
//! here it is asked with every letter and shown as a list one walks through with the arrow keys.
//!
//! A combobox as the ARIA practices have it: the focus stays in the field, the option that Enter takes is named by
//! `aria-activedescendant`.

use leptos::{
    ev::{KeyboardEvent, MouseEvent},
    html::{Dialog, Input},
    prelude::*,
    task::spawn_local,
};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    badge::StatusBadge,
    icon::{Glyph, Icon},
};
use crate::{
    api::dashboard::{Hit, HitKind, find},
    ui::overlay::{self, Overlay},
};

/// The `id` of an option.
fn option_id(at: usize) -> String {
    format!("hit-{at}")
}

#[component]
pub fn Palette() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    let (dialog, field) = (NodeRef::<Dialog>::new(), NodeRef::<Input>::new());
    let text = RwSignal::new(String::new());
    let hits = RwSignal::new(Vec::<Hit>::new());
    let problem = RwSignal::new(None::<String>);
    let chosen = RwSignal::new(0_usize);

    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (overlay.asked(), dialog.open()) {
            (Some(asked), false) => {
                text.set(asked);
                overlay::open(dialog, move || {
                    if let Some(field) = field.try_get_untracked().flatten() {
                        let _focused = field.focus();
                    }
                });
            }
            (None, true) => dialog.close(),
            _ => {}
        }
    });
    // Asked again each time it opens, as the host may have changed. Until the answer is here the last one stays; one that
    // was overtaken by another question is dropped. No resource, as what waits for one is taken off the page meanwhile.
    let newest = StoredValue::new(0_u32);
    Effect::new(move |_| {
        if overlay.asked().is_none() {
            return;
        }
        let asked = text.get();
        let question = newest.get_value().wrapping_add(1);
        newest.set_value(question);
        spawn_local(async move {
            let answer = find(asked).await;
            if newest.try_get_value() != Some(question) {
                return;
            }
            match answer {
                Ok(found) => {
                    chosen.set(0);
                    problem.set(None);
                    hits.set(found);
                }
                Err(error) => problem.set(Some(error.to_string())),
            }
        });
    });

    let navigate = use_navigate();
    let go = StoredValue::new_local(move |at: usize| {
        let href = hits.with_untracked(|hits| hits.get(at).map(|hit| hit.href.clone()));
        if let Some(href) = href {
            overlay.closed();
            navigate(&href, NavigateOptions::default());
        }
    });
    let step = move |by: isize| {
        let count = hits.with_untracked(Vec::len);
        chosen.update(|at| *at = at.saturating_add(count).saturating_add_signed(by) % count.max(1));
        scroll_to(chosen.get_untracked());
    };
    let on_key = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => step(1),
            "ArrowUp" => step(-1),
            "Enter" => go.with_value(|go| go(chosen.get_untracked())),
            _ => return,
        }
        event.prevent_default();
    };
    // What lies around it closes it.
    let on_click = move |event: MouseEvent| {
        if event.target() == event.current_target() {
            overlay.closed();
        }
    };
    let option = move |(at, hit): (usize, Hit)| {
        view! {
            <li
                class="hit"
                role="option"
                id=option_id(at)
                aria-selected=move || if chosen.get() == at { "true" } else { "false" }
                on:click=move |_| go.with_value(|go| go(at))
                on:pointermove=move |_| chosen.set(at)
            >
                <Icon glyph=glyph(hit.kind) />
                <span class="hit-words">
                    <span class="strong">{hit.title}</span>
                    <span class="meta">{hit.detail}</span>
                </span>
                {match hit.status {
                    Some(status) => view! { <StatusBadge status /> }.into_any(),
                    None => view! { <span class="meta">{hit.kind.label()}</span> }.into_any(),
                }}
            </li>
        }
    };
    let active = move || hits.with(|hits| (!hits.is_empty()).then(|| option_id(chosen.get())));
    let count = move || match (problem.get(), hits.with(Vec::len)) {
        (Some(problem), _) => problem,
        (None, 0) if text.read().trim().is_empty() => String::new(),
        (None, 0) => "Nothing is called so, and nothing can be done so.".to_owned(),
        (None, 1) => "1 result".to_owned(),
        (None, count) => format!("{count} results"),
    };
    view! {
        <dialog
            class="over palette"
            node_ref=dialog
            aria-label="Find anything"
            on:close=move |_| overlay.closed()
            on:click=on_click
        >
            <div class="palette-field">
                <Icon glyph=Glyph::Search />
                <input
                    node_ref=field
                    type="text"
                    role="combobox"
                    aria-label="Guest, action, page or operation"
                    aria-expanded="true"
                    aria-controls="hits"
                    aria-autocomplete="list"
                    aria-activedescendant=active
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder="web1, stop web1, history, #12"
                    prop:value=text
                    on:input:target=move |event| text.set(event.target().value())
                    on:keydown=on_key
                />
                <kbd aria-hidden="true">"Esc"</kbd>
            </div>
            <ul class="hits" id="hits" role="listbox" aria-label="Found">
                {move || hits.get().into_iter().enumerate().map(option).collect_view()}
            </ul>
            <p class="palette-foot meta" role="status">
                {count}
            </p>
        </dialog>
    }
}

fn glyph(kind: HitKind) -> Glyph {
    match kind {
        HitKind::Guest => Glyph::Guests,
        HitKind::Action => Glyph::Prompt,
        HitKind::Page => Glyph::Arrow,
        HitKind::Operation => Glyph::History,
    }
}

fn scroll_to(at: usize) {
    if let Some(option) = document().get_element_by_id(&option_id(at)) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        option.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
