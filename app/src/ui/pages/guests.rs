//! All guests of the host.

mod choose;
mod row;

use std::sync::Arc;

use leptos::{ev, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use choose::{Actions, ChooseAll, Chosen};
use row::Row;

use crate::{
    api::guests::{Act, BackendHealth, GuestList, GuestRow, list_guests},
    domain::{action::Refusal, host::Availability},
    ui::{
        components::{
            banner::{Banner, Tone},
            empty::{Empty, WithoutRights},
            frame::{Announce, Me},
            icon::{Glyph, Icon},
            loaded::{ActionProblem, Loaded},
        },
        filter::Filter,
        keys,
        live::Live,
        reply::reply,
    },
};

#[component]
pub fn GuestsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let act = ServerAction::<Act>::new();
    announce(act);
    let list = reply(move || (live.version(), act.version().get()), |_| list_guests());
    let chosen = Chosen::none();
    let query = use_query_map();
    let typed = RwSignal::new(query.read_untracked().get("q").unwrap_or_default());
    let error = Signal::derive(move || act.value().get().and_then(Result::err));
    view! {
        <Title text="Guests" />
        <Loaded reply=list let:list>
            {
                let GuestList { now_ms, backends, guests, create_refusal, .. } = list;
                let guests = Arc::new(guests);
                view! {
                    <header class="head">
                        <h1>"Guests"</h1>
                        <NewGuest refusal=create_refusal />
                    </header>
                    <ActionProblem error />
                    {backends.into_iter().map(|health| view! { <Health health /> }).collect_view()}
                    <FilterBar typed guests=guests.clone() />
                    <Found typed guests now_ms act chosen />
                }
                    .into_any()
            }
        </Loaded>
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

#[component]
fn NewGuest(refusal: Option<Refusal>) -> impl IntoView {
    match refusal {
        None => view! {
            <a class="button primary" href="/guests/new">
                <Icon glyph=Glyph::Plus />
                "New guest"
            </a>
        }
        .into_any(),
        Some(refusal) => view! {
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
                    {refusal.to_string()}
                </span>
            </span>
        }
        .into_any(),
    }
}

/// A backend that is not as it should be; nothing for one that is.
#[component]
fn Health(health: BackendHealth) -> impl IntoView {
    let label = health.state.kind.label();
    match (health.state.availability, health.stale) {
        (Availability::Unavailable { reason, cure }, _) => view! {
            <Banner tone=Tone::Warning title=format!("{label} is unavailable")>
                <p>{reason} " " {cure}</p>
            </Banner>
        }
        .into_any(),
        (Availability::Available { .. }, Some(why)) => view! {
            <Banner tone=Tone::Warning title=format!("What is shown of {label} may be old")>
                <p>{why}</p>
            </Banner>
        }
        .into_any(),
        (Availability::Available { .. }, None) => ().into_any(),
    }
}

/// The filter: a GET form without JavaScript, at once with it.
#[component]
fn FilterBar(typed: RwSignal<String>, guests: Arc<Vec<GuestRow>>) -> impl IntoView {
    let total = guests.len();
    let count = move || {
        let filter = Filter::parse(&typed.read());
        if filter.is_empty() {
            return if total == 1 { "1 guest".to_owned() } else { format!("{total} guests") };
        }
        let found = guests.iter().filter(|row| filter.matches(&row.guest)).count();
        format!("{found} of {total}")
    };
    view! {
        <form
            class="filter"
            role="search"
            method="get"
            action="/guests"
            on:submit=|event| event.prevent_default()
        >
            <label class="search">
                <Icon glyph=Glyph::Search />
                <span class="unseen">"Filter"</span>
                <input
                    id=keys::FILTER
                    name="q"
                    type="search"
                    class="input"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder="Name, address, status:running"
                    value=typed.get_untracked()
                    prop:value=typed
                    on:input:target=move |event| typed.set(event.target().value())
                    on:keydown=move |event: ev::KeyboardEvent| {
                        if event.key() == "Escape" {
                            typed.set(String::new());
                        }
                    }
                />
                <kbd aria-hidden="true">"/"</kbd>
            </label>
            <button class="button without-script" type="submit">
                "Filter"
            </button>
            <span class="count figures" role="status">
                {count}
            </span>
        </form>
    }
}

#[component]
fn Found(
    typed: RwSignal<String>,
    guests: Arc<Vec<GuestRow>>,
    now_ms: i64,
    act: ServerAction<Act>,
    chosen: Chosen,
) -> impl IntoView {
    let me = expect_context::<Me>();
    move || {
        let filter = Filter::parse(&typed.read());
        let found: Vec<_> = guests.iter().filter(|row| filter.matches(&row.guest)).cloned().collect();
        if let Some(username) = me.without_rights() {
            view! { <WithoutRights username /> }.into_any()
        } else if guests.is_empty() {
            view! {
                <Empty glyph=Glyph::Guests title="No guests yet">
                    <p>"Every LXC and crun container of this host appears here by itself."</p>
                    <a class="button" href="/guests/new">
                        "Create the first one"
                    </a>
                </Empty>
            }
            .into_any()
        } else if found.is_empty() {
            view! {
                <Empty glyph=Glyph::Search title="No guest matches the filter">
                    <p class="long">{typed.get()}</p>
                    <a class="button" href="/guests" on:click=move |_| typed.set(String::new())>
                        "Clear the filter"
                    </a>
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <Table found now_ms act chosen />
                <Actions chosen />
            }
            .into_any()
        }
    }
}

#[component]
fn Table(found: Vec<GuestRow>, now_ms: i64, act: ServerAction<Act>, chosen: Chosen) -> impl IntoView {
    let all = found.iter().map(|row| row.guest.id.to_string()).collect();
    view! {
        <table class="guests">
            <thead>
                <tr>
                    <td class="c-choose">
                        <ChooseAll found=all chosen />
                    </td>
                    <th scope="col" class="c-state">
                        "State"
                    </th>
                    <th scope="col" class="c-name">
                        "Name"
                    </th>
                    <th scope="col" class="c-address">
                        "Address"
                    </th>
                    <th scope="col" class="c-pid">
                        "PID"
                    </th>
                    <th scope="col" class="c-uptime">
                        "Uptime"
                    </th>
                    <th scope="col" class="c-last">
                        "Last operation"
                    </th>
                    <th scope="col" class="c-action">
                        <span class="unseen">"Action"</span>
                    </th>
                </tr>
            </thead>
            <tbody>
                {found
                    .into_iter()
                    .map(|row| view! { <Row row now_ms act chosen /> })
                    .collect_view()}
            </tbody>
        </table>
    }
}
