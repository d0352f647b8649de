//! The rail: mark, pages, and at its foot account and theme. A bar at the bottom on a phone.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::components::A;

use super::{
    account::{Account, ThemeChoice},
    frame::Me,
    icon::{Glyph, Icon, Mark},
    loaded::once_known,
};
use crate::{
    domain::access::Privilege,
    ui::{
        clock::Clock,
        rail::{self, RAIL},
    },
};

#[component]
pub fn RailBar() -> impl IntoView {
    let me = expect_context::<Me>();
    let clock = expect_context::<Clock>();
    let account = move || {
        me.frame().map(|frame| {
            clock.set(frame.now_ms);
            view! { <Account frame /> }.into_any()
        })
    };
    let host = move || me.frame().map(|frame| frame.host.into_any());
    let foot_access = move || {
        let link = || {
            view! {
                <a class="account-link on-phone" href="/access">
                    <Icon glyph=Glyph::Key />
                    "Access"
                </a>
            }
        };
        may_read(me).then(|| link().into_any())
    };
    view! {
        <header class="rail">
            <a class="mark" href="/" aria-label="Paddock: dashboard">
                <Mark />
                <span class="mark-words">
                    <span class="strong">"Paddock"</span>
                    <span class="meta host">{once_known(host)}</span>
                </span>
            </a>
            <Navigation />
            <button class="tab account-tab" type="button" popovertarget="account">
                <Icon glyph=Glyph::Account />
                <span class="tab-words">"Account"</span>
            </button>
            <Width />
            // A popover from below on a phone; in the flow of the rail where there is room.
            <section class="account" id="account" popover="auto" aria-label="Account">
                {once_known(account)}
                {once_known(foot_access)}
                <ThemeChoice />
            </section>
        </header>
    }
}

fn may_read(me: Me) -> bool {
    me.holds(Privilege::Users) || me.holds(Privilege::Audit)
}

#[component]
fn Navigation() -> impl IntoView {
    let me = expect_context::<Me>();
    let access = move || {
        let tab = || {
            view! {
                <div class="off-phone">
                    <Tab href="/access" glyph=Glyph::Key label="Access" />
                </div>
            }
        };
        may_read(me).then(|| tab().into_any())
    };
    view! {
        <nav class="tabs" aria-label="Main">
            <Tab href="/" glyph=Glyph::Dashboard label="Dashboard" />
            <Tab href="/guests" glyph=Glyph::Guests label="Guests" />
            <Tab href="/history" glyph=Glyph::History label="History" />
            <Tab href="/nodes" glyph=Glyph::Node label="Nodes" />
            {once_known(access)}
        </nav>
    }
}

#[component]
fn Tab(href: &'static str, glyph: Glyph, label: &'static str) -> impl IntoView {
    view! {
        // The dashboard is above every page, and is not where one is on all of them.
        <A href=href exact=href == "/" attr:class="tab" attr:title=label>
            <Icon glyph />
            <span class="tab-words">{label}</span>
        </A>
    }
}

/// Narrows the rail to its icons, or widens it again: at once with JavaScript, by a new page without.
#[component]
fn Width() -> impl IntoView {
    let current = RwSignal::new(rail::of_request());
    let turn = move |event: SubmitEvent| {
        event.prevent_default();
        current.update(|rail| *rail = rail.other());
        current.get_untracked().put();
    };
    let label = move || match current.get() {
        rail::Rail::Wide => "Narrow the rail",
        rail::Rail::Narrow => "Widen the rail",
    };
    view! {
        <form class="rail-width" method="post" action="/rail" on:submit=turn>
            <button
                class="tab"
                type="submit"
                name=RAIL
                value=move || current.get().other().as_str()
                title=label
            >
                <Icon glyph=Glyph::Rail />
                <span class="tab-words">{label}</span>
            </button>
        </form>
    }
}
