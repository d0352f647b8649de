//! The bar over the list: filter, groups, how many there are. All of it stands in the address.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use super::filter_field::FilterField;
use crate::{
    domain::{
        filter,
        list::{Group, ListQuery, Sort},
    },
    ui::components::{
        chips::{Chip, Chips},
        icon::{Glyph, Icon},
    },
};

/// So long after the last letter the address follows.
const FOLLOW: Duration = Duration::from_millis(300);

/// What is asked for: the filter as it is typed, the rest as the address has it.
#[derive(Clone, Copy)]
pub struct Wanted {
    typed: RwSignal<String>,
    /// As the address has it.
    asked: Memo<ListQuery>,
    /// What was last written into the address by this page.
    written: StoredValue<String>,
}

impl Wanted {
    pub fn of_address() -> Self {
        let query = use_query_map();
        let asked = Memo::new(move |_| {
            let query = query.read();
            let word = |key: &str| query.get_str(key).unwrap_or_default();
            ListQuery::of(word("q"), word("sort"), word("group"))
        });
        let first = asked.read_untracked().q.clone();
        let wanted = Self { typed: RwSignal::new(first.clone()), asked, written: StoredValue::new(first) };
        // Back, forward, or a link: what is typed follows the address, unless that followed what was typed.
        Effect::new(move |_| {
            let q = asked.read().q.clone();
            if wanted.written.get_value() != q {
                wanted.written.set_value(q.clone());
                wanted.typed.set(q);
            }
        });
        wanted
    }

    pub fn typed(self) -> String {
        self.typed.get()
    }

    pub fn query(self) -> ListQuery {
        ListQuery { q: self.typed.get(), ..self.asked.get() }
    }

    pub fn clear(self) {
        self.typed.set(String::new());
    }
}

/// A GET form without JavaScript; with it the list follows each letter, and the address soon after.
#[component]
pub fn Bar(wanted: Wanted, count: Signal<Option<(usize, usize)>>) -> impl IntoView {
    let navigate = use_navigate();
    let go = StoredValue::new(navigate);
    let follow = move |query: ListQuery| {
        wanted.written.set_value(query.q.trim().to_owned());
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        go.with_value(|go| go(&format!("/guests{}", query.search(1)), options));
    };
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let stop_waiting = move || {
        if let Some(handle) = waiting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    on_cleanup(stop_waiting);
    Effect::new(move |before: Option<String>| {
        let typed = wanted.typed.get();
        if before.is_some_and(|before| before != typed) && typed.trim() != wanted.written.get_value() {
            stop_waiting();
            let later = move || follow(wanted.query());
            waiting.set_value(set_timeout_with_handle(later, FOLLOW).ok());
        }
        typed
    });
    let words = move || match count.get() {
        None => String::new(),
        Some((1, 1)) => "1 guest".to_owned(),
        Some((found, total)) if found == total => format!("{total} guests"),
        Some((found, total)) => format!("{found} of {total}"),
    };
    let group = move || wanted.asked.read().group;
    // As the address has them: while one is typing a word is none yet.
    let chips = move || {
        let asked = wanted.asked.get();
        let chip = |(words, without): (String, String)| {
            let without = format!("/guests{}", ListQuery { q: without, ..asked.clone() }.search(1));
            Chip { words, without, is_wrong: false }
        };
        let chips: Vec<Chip> = filter::words(&asked.q).into_iter().map(chip).collect();
        view! { <Chips chips clear="/guests" /> }
    };
    view! {
        <form
            class="filter"
            role="search"
            method="get"
            action="/guests"
            on:submit=move |event| {
                event.prevent_default();
                stop_waiting();
                follow(wanted.query());
            }
        >
            <FilterField typed=wanted.typed />
            <label class="groups">
                <span class="unseen">"Groups"</span>
                <span class="select">
                    <select
                        class="input"
                        name="group"
                        on:change:target=move |event| {
                            let chosen = ListQuery::of("", "", &event.target().value()).group;
                            follow(ListQuery {
                                group: chosen,
                                ..wanted.query()
                            });
                        }
                    >
                        {Group::ALL
                            .into_iter()
                            .map(|of| {
                                view! {
                                    <option value=of.as_str() selected=move || group() == of>
                                        {of.label()}
                                    </option>
                                }
                            })
                            .collect_view()}
                    </select>
                    <Icon glyph=Glyph::Chevron />
                </span>
            </label>
            {move || {
                let sort = wanted.asked.read().sort;
                (sort != Sort::default())
                    .then(|| view! { <input type="hidden" name="sort" value=sort.word() /> })
            }}
            <button class="button without-script" type="submit">
                "Filter"
            </button>
            {chips}
            <span class="count figures" role="status">
                <Transition>{words}</Transition>
            </span>
        </form>
    }
}
