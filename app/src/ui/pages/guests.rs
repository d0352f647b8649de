//! All guests of the host.

mod bar;
mod choose;
mod filter_field;
mod row;
mod table;
mod views;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use bar::{Bar, Wanted};
use choose::Chosen;
use table::{RowOf, Shown, Table};
use views::{Keep, Saved, Tabs};

use crate::{
    api::guests::{Act, BackendHealth, page_guests},
    domain::{
        access::Privilege,
        host::Availability,
        list::arrange,
        view::{GuestRow, ListPage, Stale},
    },
    ui::{
        components::{
            ago::Ago,
            banner::{Banner, Tone},
            empty::{Empty, WithoutRights},
            frame::{Announce, Me},
            icon::{Glyph, Icon},
            loaded::{ActionProblem, Loaded},
        },
        live::Live,
        reply::reply,
    },
};

/// The first answer is one page of the list. In the browser the whole follows, and is from then on arranged there.
#[component]
pub fn GuestsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let board = live.board();
    board.listen(live);
    let act = ServerAction::<Act>::new();
    announce(act);
    let wanted = Wanted::of_address();
    let query = use_query_map();
    let asked = move |before: Option<&(String, String, String, String)>| {
        // Once all is known here the server is asked no more.
        if let (true, Some(before)) = (board.is_full(), before) {
            return before.clone();
        }
        let query = query.read();
        let word = |key: &str| query.get(key).unwrap_or_default();
        (word("q"), word("sort"), word("group"), word("page"))
    };
    let asked = Memo::new(asked);
    let page = reply(move || asked.get(), |(q, sort, group, page)| page_guests(q, sort, group, page));
    Effect::new(move |_| {
        if page.get().is_some() {
            board.fill();
        }
    });
    let chosen = Chosen::none();
    Effect::new(move |_| {
        if board.is_full() {
            let known = board.known().read();
            chosen.keep(|guest| known.get(guest).is_some());
        }
    });
    let saved = Saved::known(wanted);
    let error = Signal::derive(move || act.value().get().and_then(Result::err).or_else(|| saved.error()));
    let health = move || {
        let (backends, now_ms) = if board.is_full() {
            let known = board.known().read();
            (known.backends.clone(), known.now_ms)
        } else {
            page.get().and_then(Result::ok).map(|page| (page.list.backends, page.list.now_ms))?
        };
        Some(backends.into_iter().map(|health| view! { <Health health now_ms /> }).collect_view())
    };
    // What the filter finds of all that is known here.
    let arranged = Memo::new(move |_| {
        let known = board.known().read();
        let arranged = arrange(&known.rows, &wanted.query());
        let guest = |at: usize| known.rows.get(at).map(Arc::as_ref);
        (Arc::new(table::lines(&arranged.lines, guest)), arranged.found)
    });
    let count = Signal::derive(move || {
        if board.is_full() {
            Some((arranged.read().1, board.known().read().rows.len()))
        } else {
            page.get().and_then(Result::ok).map(|page| (page.found, page.total))
        }
    });
    let whole = move || {
        let row: RowOf = Arc::new(move |id| board.known().read().get(id).cloned());
        let shown = Shown {
            lines: Signal::derive(move || arranged.read().0.clone()),
            row: StoredValue::new(row),
            now_ms: Signal::derive(move || board.known().read_untracked().now_ms),
        };
        view! {
            <Found count wanted>
                <Table shown act chosen />
            </Found>
        }
    };
    let first = move |page: ListPage| {
        let links = view! { <Pages page=page.clone() /> };
        let rows: Vec<Arc<GuestRow>> = page.list.guests.into_iter().map(Arc::new).collect();
        let lines = Arc::new(table::lines(&page.lines, |at| rows.get(at).map(Arc::as_ref)));
        let row: RowOf = Arc::new(move |id| rows.iter().find(|row| row.guest.id == *id).cloned());
        let shown = Shown {
            lines: Signal::stored(lines),
            row: StoredValue::new(row),
            now_ms: Signal::stored(page.list.now_ms),
        };
        view! {
            <Found count wanted>
                <Table shown act chosen />
            </Found>
            {links}
        }
    };
    view! {
        <Title text="Guests" />
        <header class="head">
            <h1>"Guests"</h1>
            <Transition>{new_guest}</Transition>
        </header>
        <ActionProblem error />
        <Transition>{health}</Transition>
        <Tabs saved wanted />
        <div class="list-bar">
            <Bar wanted count />
            <Keep saved wanted />
        </div>
        <Show
            when=move || board.is_full()
            fallback=move || {
                view! {
                    <Loaded reply=page let:page>
                        {first(page).into_any()}
                    </Loaded>
                }
            }
        >
            {whole}
        </Show>
    }
}

/// Tells screen readers what came of a row's button.
pub fn announce(act: ServerAction<Act>) {
    let announce = expect_context::<Announce>();
    Effect::new(move |_| {
        if let Some(Ok(id)) = act.value().get() {
            announce.say(format!("Operation #{id} has begun."));
        }
    });
}

/// The way to a new guest; disabled, and saying why, for whoever may make none.
fn new_guest() -> AnyView {
    let me = expect_context::<Me>();
    if me.holds(Privilege::Create) {
        view! {
            <a class="button primary" href="/guests/new">
                <Icon glyph=Glyph::Plus />
                "New guest"
            </a>
        }
        .into_any()
    } else {
        view! {
            <span class="action">
                <button
                    type="button"
                    class="button"
                    aria-disabled="true"
                    aria-describedby="tip-new"
                >
                    <Icon glyph=Glyph::Plus />
                    "New guest"
                </button>
                <span class="tip" role="tooltip" id="tip-new">
                    "You lack the privilege “create”; an administrator can grant it"
                </span>
            </span>
        }
        .into_any()
    }
}

/// A backend that is not as it should be; nothing for one that is.
#[component]
fn Health(health: BackendHealth, now_ms: i64) -> impl IntoView {
    let label = health.state.kind.label();
    match (health.state.availability, health.stale) {
        (Availability::Unavailable { reason, cure }, _) => view! {
            <Banner tone=Tone::Warning title=format!("{label} is unavailable")>
                <p>{reason} " " {cure}</p>
                {health
                    .unavailable_ms
                    .map(|at_ms| {
                        view! {
                            <p>
                                "First seen so " <Ago at_ms now_ms />
                                ". It is tried again by itself."
                            </p>
                        }
                    })}
            </Banner>
        }
        .into_any(),
        (Availability::Available { .. }, Some(Stale { why, since_ms })) => view! {
            <Banner
                tone=Tone::Warning
                title=format!("{label} does not answer: its guests are shown as they were")
            >
                <p>
                    {why} " No reading worked since " <Ago at_ms=since_ms now_ms />
                    ". It is tried again by itself."
                </p>
            </Banner>
        }
        .into_any(),
        (Availability::Available { .. }, None) => ().into_any(),
    }
}

/// The table, or why there is none.
#[component]
fn Found(count: Signal<Option<(usize, usize)>>, wanted: Wanted, children: ChildrenFn) -> impl IntoView {
    let me = expect_context::<Me>();
    // Which of the three it is: the table itself stays while the numbers change.
    let what = Memo::new(move |_| match count.get() {
        Some((_, 0)) => What::Nothing,
        Some((0, _)) => What::NoMatch,
        _ => What::Some,
    });
    move || {
        if let Some(username) = me.without_rights() {
            return view! { <WithoutRights username /> }.into_any();
        }
        match what.get() {
            What::Some => children().into_any(),
            What::Nothing => view! {
                <Empty glyph=Glyph::Guests title="No guests yet">
                    <p>
                        "Every guest of Proxmox, LXC and crun on this host appears here by itself."
                    </p>
                    <a class="button" href="/guests/new">
                        "Create the first one"
                    </a>
                </Empty>
            }
            .into_any(),
            What::NoMatch => view! {
                <Empty glyph=Glyph::Search title="No guest matches the filter">
                    <p class="long">{move || wanted.typed()}</p>
                    <a class="button" href="/guests" on:click=move |_| wanted.clear()>
                        "Clear the filter"
                    </a>
                </Empty>
            }
            .into_any(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Nothing,
    NoMatch,
    Some,
}

/// The ways to the other pages of a list that is not there whole: hidden where scripts are at work, as then it is.
#[component]
fn Pages(page: ListPage) -> impl IntoView {
    let ListPage { query, page, pages, .. } = page;
    let link = move |to: usize, rel: &'static str, label: &'static str| {
        (1..=pages).contains(&to).then(|| {
            view! {
                <a class="button" rel=rel href=format!("/guests{}", query.search(to))>
                    {label}
                </a>
            }
        })
    };
    (pages > 1).then(|| {
        view! {
            <nav class="pages without-script" aria-label="Pages">
                {link(page - 1, "prev", "Previous")}
                <span class="figures">{format!("Page {page} of {pages}")}</span>
                {link(page + 1, "next", "Next")}
            </nav>
        }
    })
}
