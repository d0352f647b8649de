//! The frame around every page of those who are logged in: rail, top bar, and the page in the middle.

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};

use super::{
    banner::{Banner, Tone},
    loaded::once_known,
    rail::RailBar,
    top::TopBar,
};
use crate::{
    api::account::{Frame, get_frame},
    domain::access::Privilege,
    ui::{
        keys,
        live::Live,
        overlay::{self, Overlay, Overlays},
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
    /// What the frame shows, once it is known.
    pub fn frame(self) -> Option<Frame> {
        self.0.get()?.ok()
    }

    pub fn holds(self, privilege: Privilege) -> bool {
        self.frame().is_some_and(|frame| frame.may.holds(privilege))
    }

    /// The server's time; 0 until it is known.
    pub fn now_ms(self) -> i64 {
        self.frame().map_or(0, |frame| frame.now_ms)
    }

    /// The account's name, if it may do nothing anywhere.
    pub fn without_rights(self) -> Option<String> {
        let frame = self.frame()?;
        frame.may.is_empty().then_some(frame.username)
    }
}

#[component]
pub fn FramePage() -> impl IntoView {
    Live::provide();
    let live = expect_context::<Live>();
    Overlay::provide();
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
    let me = Me(frame);
    provide_context(me);
    // The dashboard tells it among what needs a person.
    let path = use_location().pathname;
    let damage = move || (path.get() != "/").then(|| damage(me)).flatten();
    // What was opened over one page is in the way on the next.
    Effect::new(move |_| {
        path.track();
        overlay::close_popovers();
    });
    view! {
        // External: the browser itself moves the focus as well as the view.
        <a class="skip" href="#main" rel="external">
            "Skip to content"
        </a>
        <div class="frame">
            <RailBar />
            <TopBar live />
            <main class="main" id="main" tabindex="-1">
                {once_known(damage)}
                <Outlet />
            </main>
        </div>
        <Overlays />
        <div class="unseen" role="status">
            {announced}
        </div>
    }
}

/// That the history cannot be believed as it stands, over every page.
fn damage(me: Me) -> Option<AnyView> {
    let sentence = me.frame()?.damage?;
    let banner = view! {
        <Banner tone=Tone::Bad title="The history has been changed outside Paddock">
            <p>{sentence}</p>
        </Banner>
    };
    Some(banner.into_any())
}
