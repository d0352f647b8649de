//! The top bar: where one is, the way to everything else, what is at work, and whether changes are heard of.

use leptos::{
    ev::{MouseEvent, SubmitEvent},
    prelude::*,
};

use super::{
    ago::Elapsed,
    badge::Spinner,
    crumbs::Crumbs,
    frame::Me,
    icon::{Glyph, Icon},
    loaded::once_known,
};
use crate::{
    api::account::Frame,
    domain::view::AtWork,
    ui::{
        live::{Connection, Live},
        overlay::Overlay,
    },
};

#[component]
pub fn TopBar(live: Live) -> impl IntoView {
    let me = expect_context::<Me>();
    view! {
        <div class="top">
            <Crumbs />
            <Find />
            <section class="top-end" aria-label="At work, and the connection">
                <OperationsAtWork me />
                <ConnectionState live />
            </section>
        </div>
    }
}

/// Leads to the guests that fit; with JavaScript to the palette. Reaching it by Tab opens nothing: only what is typed there,
/// Enter, or a click does.
#[component]
fn Find() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    let press = move |event: MouseEvent| {
        event.prevent_default();
        overlay.find(String::new());
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        overlay.find(String::new());
    };
    view! {
        <form
            class="find"
            role="search"
            aria-label="Find anything"
            method="get"
            action="/guests"
            on:submit=submit
        >
            <label class="search">
                <Icon glyph=Glyph::Search />
                <span class="unseen">"Find anything"</span>
                <input
                    name="q"
                    type="search"
                    class="input"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="Find or do"
                    aria-keyshortcuts="Control+K"
                    on:mousedown=press
                    on:input:target=move |event| {
                        let field = event.target();
                        overlay.find(field.value());
                        field.set_value("");
                    }
                />
                <kbd aria-hidden="true">"Ctrl K"</kbd>
            </label>
            // On a phone there is no room for a field.
            <a class="find-link" href="/guests" aria-label="Find anything" on:click=press>
                <Icon glyph=Glyph::Search />
            </a>
        </form>
    }
}

/// How many operations are at work, and a panel that names them. The panel itself stays, so that it does not close with
/// every change.
#[component]
fn OperationsAtWork(me: Me) -> impl IntoView {
    let count = move || {
        let running = me.frame()?.running.len();
        (running > 0).then(|| {
            view! {
                <button class="running" type="button" popovertarget="at-work">
                    <Spinner />
                    {format!("{running} running")}
                </button>
            }
            .into_any()
        })
    };
    let list = move || me.frame().map(|frame| list(frame).into_any());
    view! {
        {once_known(count)}
        <section class="at-work-panel" id="at-work" popover="auto" aria-label="Running operations">
            {once_known(list)}
        </section>
    }
}

fn list(frame: Frame) -> impl IntoView {
    let Frame { running, now_ms, .. } = frame;
    let is_empty = running.is_empty();
    view! {
        {is_empty.then(|| view! { <p class="meta">"Nothing is running any more."</p> })}
        <ul>{running.into_iter().map(|operation| row(operation, now_ms)).collect_view()}</ul>
        <a class="meta link" href="/history?result=live">
            "All in the history"
        </a>
    }
}

fn row(operation: AtWork, now_ms: i64) -> impl IntoView {
    let AtWork { id, what, who, place, since_ms } = operation;
    let time = match place {
        Some(place) => place.into_any(),
        None => view! { <Elapsed since_ms now_ms /> }.into_any(),
    };
    view! {
        <li>
            <a class="at-work-row" href=id.href()>
                <Spinner />
                <span class="at-work-words">
                    <span class="strong">{what}</span>
                    <span class="meta">{format!("#{id} by {who}")}</span>
                </span>
                <span class="meta figures">{time}</span>
            </a>
        </li>
    }
}

/// Whether changes appear by themselves. Hidden by the style sheet where scripts are off: there they never do.
#[component]
fn ConnectionState(live: Live) -> impl IntoView {
    let words = move || match live.connection() {
        Connection::Connecting => ("connection", "Connecting", "Connecting to the host"),
        Connection::Live => ("connection is-live", "Live", "Changes on the host appear by themselves"),
        Connection::Lost => {
            ("connection is-lost", "Connection lost", "What is shown may be old; trying to connect again")
        }
    };
    view! {
        <span class=move || words().0 title=move || words().2>
            <span class="connection-dot" aria-hidden="true"></span>
            {move || words().1}
        </span>
    }
}
