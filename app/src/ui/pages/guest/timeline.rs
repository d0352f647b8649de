//! What was done with the guest: the history's rows, of it alone.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{At, history_of};
use crate::{
    api::operations::{HistoryPage, guest_timeline},
    domain::history::{HistoryField, HistoryQuery},
    ui::{
        components::{
            banner::{Banner, Tone},
            empty::Empty,
            icon::Glyph,
            loaded::Loaded,
        },
        live::Live,
        pages::history::Days,
        reply::reply,
    },
};

#[component]
pub fn Timeline(at: At) -> impl IntoView {
    let live = expect_context::<Live>();
    let query = use_query_map();
    let after = move || query.read().get("after").unwrap_or_default();
    let asked = (at.backend.clone(), at.name.clone());
    let page = reply(
        move || (asked.clone(), after(), live.version()),
        |((backend, name), after, _)| guest_timeline(backend, name, after),
    );
    view! {
        <Loaded reply=page let:page>
            {match page {
                Some(page) => {
                    view! { <Found page at=at.clone() is_first=after().is_empty() /> }.into_any()
                }
                None => view! { <Hidden at=at.clone() /> }.into_any(),
            }}
        </Loaded>
    }
}

/// The guest is there, and its history is not for everybody who sees it.
#[component]
fn Hidden(at: At) -> impl IntoView {
    let page = at.page;
    view! {
        <Loaded reply=page let:page>
            {page
                .and_then(|page| page.history_refusal())
                .map(|refusal| {
                    view! {
                        <Banner tone=Tone::Warning title="You cannot see what was done with it">
                            <p>{refusal.to_string()}</p>
                        </Banner>
                    }
                })
                .into_any()}
        </Loaded>
    }
}

#[component]
fn Found(page: HistoryPage, at: At, is_first: bool) -> impl IntoView {
    let HistoryPage { now_ms, operations, older, errors, .. } = page;
    let here = format!("/guests/{}/{}/timeline", at.backend, at.name);
    let older = older.map(|after| {
        let query = HistoryQuery::default().with(HistoryField::After, after).to_query();
        format!("{here}?{query}")
    });
    let list = match (operations.is_empty(), errors.into_iter().next()) {
        (_, Some(error)) => view! {
            <Banner tone=Tone::Bad title="This page of the timeline cannot be found">
                <p>{error.message}</p>
            </Banner>
        }
        .into_any(),
        (true, None) => view! {
            <Empty glyph=Glyph::History title="Nothing was done with it yet">
                <p>
                    "Each action on this guest appears here, with who asked for it and how it ended."
                </p>
            </Empty>
        }
        .into_any(),
        (false, None) => view! { <Days operations now_ms guests=false /> }.into_any(),
    };
    let button = |href: Option<String>, words: &'static str| {
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
        <nav class="pages" aria-label="Pages">
            {button((!is_first).then_some(here), "Newest")}
            {button(older, "Older")}
            <a class="button" href=history_of(&at.backend, &at.name)>
                "Filter and export"
            </a>
        </nav>
    }
}
