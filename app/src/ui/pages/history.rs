//! What was done, by whom, and how it ended.

use leptos::{ev, html, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use crate::{
    api::operations::{HistoryPage as Page, list_operations},
    domain::{
        history::{FilterError, HistoryField, HistoryQuery},
        operation::{OperationState, OperationSummary},
        words,
    },
    ui::{
        components::{
            banner::{Banner, Tone},
            empty::Empty,
            icon::{Glyph, Icon},
            loaded::Loaded,
            operation_row::OperationRows,
        },
        keys,
        live::Live,
    },
};

fn href(query: &HistoryQuery) -> String {
    match query.to_query() {
        text if text.is_empty() => "/history".to_owned(),
        text => format!("/history?{text}"),
    }
}

#[component]
pub fn HistoryPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let query = use_query_map();
    let asked = Memo::new(move |_| HistoryQuery::from_pairs(query.get()));
    let page = Resource::new(move || (asked.get(), live.version()), |(asked, _)| list_operations(asked));
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
fn FilterBar(asked: Memo<HistoryQuery>) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let navigate = use_navigate();
    // The same as the form does without JavaScript, less the new document.
    let search = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let text = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        navigate(&href(&asked.get_untracked().with(HistoryField::Text, text)), NavigateOptions::default());
    };
    let tab = move |label: &'static str, state: &'static str| {
        let to = move || href(&asked.read().with(HistoryField::Result, state));
        let current = move || (asked.read().result == state).then_some("true");
        view! {
            <a href=to aria-current=current>
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
                    let rest = asked.get().with(HistoryField::Text, "");
                    let fields = HistoryField::ALL
                        .map(|field| (field.as_str(), rest.get(field).to_owned()));
                    let hidden = |(name, value)| {
                        view! { <input type="hidden" name=name value=value /> }
                    };
                    fields
                        .into_iter()
                        .filter(|(_, value)| !value.is_empty())
                        .map(hidden)
                        .collect_view()
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
fn Found(page: Page, asked: Memo<HistoryQuery>) -> impl IntoView {
    let Page { now_ms, operations, older, errors } = page;
    if !errors.is_empty() {
        let line = |error: FilterError| view! { <li>{error.message}</li> };
        return view! {
            <Banner tone=Tone::Bad title="The filter makes no sense">
                <ul>{errors.into_iter().map(line).collect_view()}</ul>
            </Banner>
        }
        .into_any();
    }
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
    let older = older.map(|after| href(&asked.get_untracked().with(HistoryField::After, after)));
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
            {(!asked.get_untracked().after.is_empty())
                .then(|| {
                    let newest = href(&asked.get_untracked().with(HistoryField::After, ""));
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
