//! What was done, by whom, and how it ended.

mod chips;
mod filters;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use chips::active;
use filters::{FilterForm, href};

use crate::{
    api::operations::{HistoryPage as Page, list_operations},
    domain::{
        history::{FilterError, HistoryField, HistoryQuery},
        operation::{Line, place_of},
        words,
    },
    ui::{
        components::{
            banner::{Banner, Tone},
            chips::Chips,
            empty::Empty,
            icon::Glyph,
            loaded::Loaded,
            operation_row::OperationRows,
        },
        live::Live,
        reply::{Reply, reply},
    },
};

#[component]
pub fn HistoryPage() -> impl IntoView {
    let live = expect_context::<Live>();
    // As the browser has it: the router's own pairs are decoded twice.
    let search = use_location().search;
    let asked = Memo::new(move |_| {
        HistoryQuery::from_pairs(form_urlencoded::parse(search.read().trim_start_matches('?').as_bytes()))
    });
    let page = reply(move || (asked.get(), live.version()), |(asked, _)| list_operations(asked));
    view! {
        <Title text="History" />
        <Transition>
            <Above asked page />
        </Transition>
        <Loaded reply=page let:page>
            {view! { <Found page query=asked.get_untracked() /> }.into_any()}
        </Loaded>
    }
}

/// What stands over the list, and stays while that changes.
#[component]
fn Above(asked: Memo<HistoryQuery>, page: Reply<Page>) -> impl IntoView {
    let errors =
        Memo::new(move |_| page.get().and_then(Result::ok).map(|page| page.errors).unwrap_or_default());
    view! {
        <header class="head">
            <h1>"History"</h1>
            <Export asked hidden=Signal::derive(move || !errors.read().is_empty()) />
        </header>
        <FilterForm asked errors />
        {move || view! { <Chips chips=active(&asked.read(), &errors.read()) clear="/history" /> }}
    }
}

/// All that is filtered, as files.
#[component]
fn Export(asked: Memo<HistoryQuery>, hidden: Signal<bool>) -> impl IntoView {
    let link = move |format: &'static str, words: &'static str| {
        let href = move || {
            let query = asked.read().with(HistoryField::After, "").to_query();
            let filter = if query.is_empty() { query } else { format!("&{query}") };
            format!("/history/export?format={format}{filter}")
        };
        view! {
            <a class="button small" href=href rel="external" download>
                {words}
            </a>
        }
    };
    view! {
        <div class="export" role="group" aria-label="Export what is filtered" hidden=hidden>
            <span class="meta">"Export"</span>
            {link("csv", "CSV")}
            {link("jsonl", "JSON Lines")}
        </div>
    }
}

#[component]
fn Found(page: Page, query: HistoryQuery) -> impl IntoView {
    let Page { now_ms, operations, older, searched_to_ms, errors } = page;
    let list = match (operations.is_empty(), errors.is_empty()) {
        (false, _) => view! { <Days operations now_ms guests=true /> }.into_any(),
        (true, false) => view! { <NothingAsked errors /> }.into_any(),
        (true, true) if searched_to_ms.is_some() => ().into_any(),
        (true, true) => view! { <Nothing is_all=query.is_all() /> }.into_any(),
    };
    let words_of_older = if searched_to_ms.is_some() { "Search further back" } else { "Older" };
    let newest = (!query.after.is_empty()).then(|| href(&query.with(HistoryField::After, "")));
    let older = older.map(|after| href(&query.with(HistoryField::After, after)));
    let page_link = |href: Option<String>, words: &'static str| {
        href.map(|href| {
            view! {
                <a class="button" href=href>
                    {words}
                </a>
            }
        })
    };
    view! {
        {list}
        {searched_to_ms.map(|ms| view! { <SearchedTo ms /> })}
        <nav class="pages" aria-label="Pages">
            {page_link(newest, "Newest")}
            {page_link(older, words_of_older)}
        </nav>
    }
}

/// Of a search that would have taken too long.
#[component]
fn SearchedTo(ms: i64) -> impl IntoView {
    let title = format!("Searched back to {}", words::exact(ms));
    view! {
        <Banner tone=Tone::Info title>
            <p>
                "This filter takes long to search for. What is older was not looked at yet and may hold more; a shorter time range, a guest or a user makes it quick."
            </p>
        </Banner>
    }
}

/// One section a day. `guests` shows whose operation each is.
#[component]
pub fn Days(operations: Vec<Line>, now_ms: i64, guests: bool) -> impl IntoView {
    let section = move |(day, operations): (String, Vec<Line>)| {
        view! {
            <section class="day">
                <h2>{day}</h2>
                <OperationRows operations now_ms guests />
            </section>
        }
    };
    by_day(operations, now_ms).into_iter().map(section).collect_view()
}

#[component]
fn Nothing(is_all: bool) -> impl IntoView {
    if is_all {
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
    }
}

/// Nothing is shown instead of what nobody asked for. What is wrong at no field of the form is told here.
#[component]
fn NothingAsked(errors: Vec<FilterError>) -> impl IntoView {
    let is_elsewhere = |error: &FilterError| matches!(error.field, None | Some(HistoryField::After));
    let mut told: Vec<_> = errors.into_iter().filter(is_elsewhere).map(|error| error.message).collect();
    if told.is_empty() {
        told.push("What is wrong stands at its field.".to_owned());
    }
    view! {
        <Banner tone=Tone::Bad title="The filter cannot be understood, so nothing is shown">
            {told.into_iter().map(|told| view! { <p>{told}</p> }).collect_view()}
        </Banner>
    }
}

/// Neighbours of the same day together, in the order they come.
fn by_day(operations: Vec<Line>, now_ms: i64) -> Vec<(String, Vec<Line>)> {
    let mut days: Vec<(String, Vec<Line>)> = Vec::new();
    for operation in operations {
        let day = words::day(place_of(&operation).1, now_ms);
        match days.last_mut() {
            Some((last, operations)) if *last == day => operations.push(operation),
            _ => days.push((day, vec![operation])),
        }
    }
    days
}
