//! What a list is filtered by, each to be taken off again: without a script, too, as each is a link.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// One active filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    pub words: String,
    /// The page without it.
    pub without: String,
    pub is_wrong: bool,
}

/// Nothing where there is none; `clear` is the page without any.
#[component]
pub fn Chips(chips: Vec<Chip>, clear: &'static str) -> impl IntoView {
    let several = chips.len() > 1;
    let chip = |Chip { words, without, is_wrong }: Chip| {
        view! {
            <li>
                <a
                    class=if is_wrong { "chip off bad" } else { "chip off" }
                    href=without
                    aria-label=format!("Take off the filter {words}")
                >
                    <span>{words.clone()}</span>
                    <Icon glyph=Glyph::Cross />
                </a>
            </li>
        }
    };
    (!chips.is_empty()).then(|| {
        view! {
            <ul class="chips" aria-label="Active filters">
                {chips.into_iter().map(chip).collect_view()}
                {several
                    .then(|| {
                        view! {
                            <li>
                                <a class="link" href=clear>
                                    "Clear all"
                                </a>
                            </li>
                        }
                    })}
            </ul>
        }
    })
}
