//! The field that filters the list, and below it how what is typed could go on.
//!
//! A combobox as the ARIA practices have it, as the palette is; but Enter takes what is typed, unless one has walked to
//! an option.

use leptos::{ev::KeyboardEvent, prelude::*};

use crate::{
    domain::filter::{Suggestion, suggest},
    ui::{
        components::icon::{Glyph, Icon},
        keys,
        live::Live,
    },
};

/// The `id` of an option.
fn option_id(at: usize) -> String {
    format!("suggestion-{at}")
}

#[component]
pub fn FilterField(typed: RwSignal<String>) -> impl IntoView {
    let board = expect_context::<Live>().board();
    let is_open = RwSignal::new(false);
    let chosen = RwSignal::new(None::<usize>);
    // Of what is known here; before the whole list is, of nothing.
    let offered = Memo::new(move |_| {
        if !is_open.get() {
            return Vec::new();
        }
        let known = board.known().read();
        typed.with(|typed| suggest(typed, known.rows.iter().map(|row| &row.guest)))
    });
    let is_shown = move || offered.with(|offered| !offered.is_empty());
    let take = move |at: usize| {
        let taken =
            offered.with_untracked(|offered| offered.get(at).map(|it| it.taken(&typed.get_untracked())));
        if let Some(taken) = taken {
            typed.set(taken);
            chosen.set(None);
        }
    };
    let step = move |by: isize| {
        is_open.set(true);
        let count = offered.with_untracked(Vec::len);
        chosen.update(|chosen| {
            // Past either end one is back in the field.
            *chosen = match (*chosen, by) {
                (None, 1..) if count > 0 => Some(0),
                (None, _) => count.checked_sub(1),
                (Some(at), _) => at.checked_add_signed(by).filter(|at| *at < count),
            };
        });
    };
    let on_key = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "ArrowDown" => step(1),
            "ArrowUp" => step(-1),
            "Enter" => match chosen.get_untracked() {
                Some(at) => take(at),
                // The form is sent.
                None => return is_open.set(false),
            },
            "Escape" if offered.with_untracked(|offered| !offered.is_empty()) => {
                is_open.set(false);
                chosen.set(None);
            }
            "Escape" => typed.set(String::new()),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let option = move |(at, it): (usize, Suggestion)| {
        let about = match it.count {
            Some(1) => "1 guest".to_owned(),
            Some(count) => format!("{count} guests"),
            None => it.about.to_owned(),
        };
        view! {
            <li
                class="hit"
                role="option"
                id=option_id(at)
                aria-selected=move || if chosen.get() == Some(at) { "true" } else { "false" }
                on:click=move |_| take(at)
            >
                <span class="hit-words">
                    <span class="mono">{it.word}</span>
                    <span class="meta">{about}</span>
                </span>
            </li>
        }
    };
    let start = typed.get_untracked();
    view! {
        <div class="search">
            <label class="unseen" for=keys::FILTER>
                "Filter"
            </label>
            <Icon glyph=Glyph::Search />
            <input
                id=keys::FILTER
                name="q"
                type="text"
                class="input"
                role="combobox"
                aria-expanded=move || if is_shown() { "true" } else { "false" }
                aria-controls="suggestions"
                aria-autocomplete="list"
                aria-activedescendant=move || chosen.get().filter(|_| is_shown()).map(option_id)
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                placeholder="Name, address, status:running tag:lab"
                value=start
                prop:value=typed
                on:input:target=move |event| {
                    typed.set(event.target().value());
                    is_open.set(true);
                    chosen.set(None);
                }
                on:focus=move |_| is_open.set(true)
                // It has the focus already, and was closed.
                on:click=move |_| is_open.set(true)
                on:blur=move |_| is_open.set(false)
                on:keydown=on_key
            />
            <kbd aria-hidden="true">"/"</kbd>
            // Pressing there takes no focus from the field.
            <ul
                class="suggestions"
                id="suggestions"
                role="listbox"
                aria-label="Suggestions"
                hidden=move || !is_shown()
                on:mousedown=|event| event.prevent_default()
            >
                {move || offered.get().into_iter().enumerate().map(option).collect_view()}
            </ul>
        </div>
    }
}
