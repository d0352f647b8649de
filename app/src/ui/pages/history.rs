//! What was done, by whom, and how it ended.

use leptos::{ev, html, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    location::Url,
};

use crate::{
    api::operations::{HistoryPage as Page, list_operations},
    domain::{
        operation::{OperationState, OperationSummary},
        words,
    },
    ui::{
        components::{
            empty::Empty,
            icon::{Glyph, Icon},
            loaded::Loaded,
            operation_row::OperationRows,
        },
        keys,
        live::Live,
    },
};

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    text: String,
    state: String,
    before: Option<i64>,
}

impl Asked {
    fn is_all(&self) -> bool {
        self.text.is_empty() && self.state.is_empty()
    }

    fn href(&self) -> String {
        let mut parts = Vec::new();
        if !self.text.is_empty() {
            parts.push(format!("text={}", Url::escape(&self.text)));
        }
        if !self.state.is_empty() {
            parts.push(format!("state={}", Url::escape(&self.state)));
        }
        parts.extend(self.before.map(|before| format!("before={before}")));
        if parts.is_empty() { "/history".to_owned() } else { format!("/history?{}", parts.join("&")) }
    }
}

#[component]
pub fn HistoryPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        Asked {
            text: query.get("text").unwrap_or_default(),
            state: query.get("state").unwrap_or_default(),
            before: query.get("before").and_then(|before| before.parse().ok()),
        }
    });
    let page = Resource::new(
        move || (asked.get(), live.version()),
        |(asked, _)| list_operations(asked.text, asked.state, asked.before),
    );
    view! {
        <Title text="History" />
        <header class="head">
            <h1>"History"</h1>
        </header>
        <FilterBar asked />
        <Loaded reply=page let:page>
            {view! { <Found page asked /> }.into_any()}
        </Loaded>
    }
}

#[component]
fn FilterBar(asked: Memo<Asked>) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let navigate = use_navigate();
    // The same as the form does without JavaScript, less the new document.
    let search = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let text = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let asked = Asked { text, before: None, ..asked.get_untracked() };
        navigate(&asked.href(), NavigateOptions::default());
    };
    let tab = move |label: &'static str, state: &'static str| {
        let href = move || Asked { state: state.to_owned(), before: None, ..asked.get() }.href();
        let current = move || (asked.read().state == state).then_some("true");
        view! {
            <a href=href aria-current=current>
                {label}
            </a>
        }
    };
    view! {
        <div class="filter">
            <form method="get" action="/history" role="search" on:submit=search>
                <label class="search">
                    <Icon glyph=Glyph::Search />
                    <span class="unseen">"Filter"</span>
                    <input
                        id=keys::FILTER
                        node_ref=field
                        name="text"
                        type="search"
                        class="input"
                        autocomplete="off"
                        spellcheck="false"
                        placeholder="Guest or person"
                        value=move || asked.get().text
                        prop:value=move || asked.get().text
                    />
                    <kbd aria-hidden="true">"/"</kbd>
                </label>
                {move || {
                    let state = asked.get().state;
                    (!state.is_empty())
                        .then(|| view! { <input type="hidden" name="state" value=state /> })
                }}
                <button class="button without-script" type="submit">
                    "Filter"
                </button>
            </form>
            <nav class="views" aria-label="Outcome">
                {tab("All", "")}
                {OperationState::ALL
                    .map(|state| tab(state.label(), state.as_str()))
                    .into_iter()
                    .collect_view()}
            </nav>
        </div>
    }
}

#[component]
fn Found(page: Page, asked: Memo<Asked>) -> impl IntoView {
    let Page { now_ms, operations, older } = page;
    if operations.is_empty() {
        return if asked.get_untracked().is_all() {
            view! {
                <Empty glyph=Glyph::History title="Nothing was done yet">
                    <p>
                        "Each action on a guest appears here, with who asked for it, what ran and how it ended."
                    </p>
                    <a class="button" href="/guests">
                        "Go to the guests"
                    </a>
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <Empty glyph=Glyph::Search title="No operation matches the filter">
                    <a class="button" href="/history">
                        "Clear the filter"
                    </a>
                </Empty>
            }
            .into_any()
        };
    }
    let older = older.map(|before| Asked { before: Some(before.0), ..asked.get_untracked() }.href());
    let section = move |(day, operations): (String, Vec<OperationSummary>)| {
        view! {
            <section class="day">
                <h2>{day}</h2>
                <OperationRows operations now_ms guests=true />
            </section>
        }
    };
    view! {
        {by_day(operations, now_ms).into_iter().map(section).collect_view()}
        <nav class="pages" aria-label="Pages">
            {asked
                .get_untracked()
                .before
                .map(|_| {
                    let newest = Asked {
                        before: None,
                        ..asked.get_untracked()
                    }
                        .href();
                    view! {
                        <a class="button" href=newest>
                            "Newest"
                        </a>
                    }
                })}
            {older
                .map(|href| {
                    view! {
                        <a class="button" href=href>
                            "Older"
                        </a>
                    }
                })}
        </nav>
    }
    .into_any()
}

/// Neighbours of the same day together, in the order they come.
fn by_day(operations: Vec<OperationSummary>, now_ms: i64) -> Vec<(String, Vec<OperationSummary>)> {
    let mut days: Vec<(String, Vec<OperationSummary>)> = Vec::new();
    for operation in operations {
        let day = words::day(operation.started_ms, now_ms);
        match days.last_mut() {
            Some((last, operations)) if *last == day => operations.push(operation),
            _ => days.push((day, vec![operation])),
        }
    }
    days
}
