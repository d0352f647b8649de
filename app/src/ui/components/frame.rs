//! The frame around every page of those who are logged in: rail, top bar, and the page in the middle.

use leptos::prelude::*;
use leptos_router::components::{A, Outlet};

use super::{
    account::{Account, ThemeChoice},
    badge::Spinner,
    banner::{Banner, Tone},
    crumbs::Crumbs,
    icon::{Glyph, Icon, Mark},
};
use crate::{
    api::account::{Frame, get_frame},
    domain::access::Privilege,
    ui::{
        clock::Clock,
        keys,
        live::{Connection, Live},
        reply::{Reply, reply},
    },
};

/// Says to screen readers what an action came to.
#[derive(Clone, Copy)]
pub struct Announce(RwSignal<String>);

impl Announce {
    pub fn say(self, words: String) {
        self.0.set(words);
    }
}

/// What the person at the browser may do at one place or another, once known: what to offer. The server decides by itself.
#[derive(Clone, Copy)]
pub struct Me(Reply<Frame>);

impl Me {
    pub fn holds(self, privilege: Privilege) -> bool {
        self.0.get().and_then(Result::ok).is_some_and(|frame| frame.may.holds(privilege))
    }

    /// The server's time; 0 until it is known.
    pub fn now_ms(self) -> i64 {
        self.0.get().and_then(Result::ok).map_or(0, |frame| frame.now_ms)
    }

    /// The account's name, if it may do nothing anywhere.
    pub fn without_rights(self) -> Option<String> {
        let frame = self.0.get().and_then(Result::ok)?;
        frame.may.is_empty().then_some(frame.username)
    }
}

#[component]
pub fn FramePage() -> impl IntoView {
    Live::provide();
    let live = expect_context::<Live>();
    keys::listen();
    let announced = RwSignal::new(String::new());
    provide_context(Announce(announced));
    let frame = reply(move || live.version(), |_| get_frame());
    Effect::new(move |_| {
        if let Some(answer) = frame.get() {
            live.begin_at(answer.ok().map(|frame| frame.at.to_string()));
        }
    });
    live.listen();
    provide_context(Me(frame));
    let clock = expect_context::<Clock>();

    let account = move || {
        frame.get().and_then(Result::ok).map(|frame| {
            clock.set(frame.now_ms);
            view! { <Account frame /> }
        })
    };
    let host = move || frame.get().and_then(Result::ok).map(|frame| frame.host);
    view! {
        // External: the browser itself moves the focus as well as the view.
        <a class="skip" href="#main" rel="external">
            "Skip to content"
        </a>
        <div class="frame">
            <header class="rail">
                <a class="mark" href="/guests">
                    <Mark />
                    <span class="mark-words">
                        <span class="strong">"Paddock"</span>
                        <span class="meta host">
                            <Transition>{host}</Transition>
                        </span>
                    </span>
                </a>
                <Transition>
                    <Navigation />
                </Transition>
                <button class="tab account-tab" type="button" popovertarget="account">
                    <Icon glyph=Glyph::Account />
                    "Account"
                </button>
                // A popover from below on a phone; in the flow of the rail where there is room.
                <section class="account" id="account" popover="auto" aria-label="Account">
                    <Transition>{account}</Transition>
                    <ThemeChoice />
                </section>
            </header>
            <div class="top">
                <Crumbs />
                <section class="top-end" aria-label="At work, and the connection">
                    <Transition>{move || running(frame)}</Transition>
                    <ConnectionState live />
                </section>
            </div>
            <main class="main" id="main" tabindex="-1">
                <Transition>{move || damage(frame)}</Transition>
                <Outlet />
            </main>
        </div>
        <div class="unseen" role="status">
            {announced}
        </div>
    }
}

#[component]
fn Navigation() -> impl IntoView {
    let me = expect_context::<Me>();
    let may_read = move || me.holds(Privilege::Users) || me.holds(Privilege::Audit);
    view! {
        <nav class="tabs" aria-label="Main">
            <A href="/guests" attr:class="tab">
                <Icon glyph=Glyph::Guests />
                "Guests"
            </A>
            <A href="/history" attr:class="tab">
                <Icon glyph=Glyph::History />
                "History"
            </A>
            {move || {
                may_read()
                    .then(|| {
                        view! {
                            <A href="/access" attr:class="tab">
                                <Icon glyph=Glyph::Key />
                                "Access"
                            </A>
                        }
                    })
            }}
        </nav>
    }
}

/// That the history cannot be believed as it stands, over every page.
fn damage(frame: Reply<Frame>) -> Option<impl IntoView> {
    let sentence = frame.get()?.ok()?.damage?;
    Some(view! {
        <Banner tone=Tone::Bad title="The history has been changed outside Paddock">
            <p>{sentence}</p>
        </Banner>
    })
}

/// How many operations are at work, leading to them.
fn running(frame: Reply<Frame>) -> Option<impl IntoView> {
    let running = frame.get()?.ok()?.running.len();
    (running > 0).then(|| {
        view! {
            <a class="running" href="/history?result=live">
                <Spinner />
                {format!("{running} running")}
            </a>
        }
    })
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
