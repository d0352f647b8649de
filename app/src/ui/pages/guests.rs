//! All guests of the host.

use std::sync::Arc;

use leptos::{ev, form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::guests::{Act, BackendHealth, GuestList, GuestRow, list_guests},
    domain::{
        access::Privileges,
        action::Refusal,
        guest::{GuestId, GuestStatus},
        host::Availability,
        operation::{OperationSummary, Origin},
        words,
    },
    ui::{
        components::{
            ago::{Ago, Elapsed, Uptime},
            badge::{BackendChip, Spinner, StatusBadge},
            banner::{Banner, Tone},
            command::{CommandLine, Copy},
            empty::Empty,
            frame::{Announce, Me},
            guest_actions::{ActFields, glyph, likely},
            icon::{Glyph, Icon},
            loaded::{ActionProblem, Loaded},
        },
        filter::Filter,
        keys,
        live::Live,
    },
};

#[component]
pub fn GuestsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let act = ServerAction::<Act>::new();
    announce(act);
    let list = Resource::new(move || (live.version(), act.version().get()), |_| list_guests());
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
                    <Found typed guests now_ms act />
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
            view! { <Table found now_ms act /> }.into_any()
        }
    }
}

/// Logged in, and that is all.
#[component]
fn WithoutRights(username: String) -> impl IntoView {
    let command = format!("paddock grant add {username} viewer everything");
    view! {
        <Empty glyph=Glyph::Account title="You may do nothing here yet">
            <p>
                {format!(
                    "You are logged in as {username}, and nobody has given this account a right in Paddock. ",
                )} "Ask an administrator of Paddock; whoever is root on the host can do it, too:"
            </p>
            <CommandLine text=command />
        </Empty>
    }
}

#[component]
fn Table(found: Vec<GuestRow>, now_ms: i64, act: ServerAction<Act>) -> impl IntoView {
    view! {
        <table class="guests">
            <thead>
                <tr>
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
                {found.into_iter().map(|row| view! { <Row row now_ms act /> }).collect_view()}
            </tbody>
        </table>
    }
}

#[component]
fn Row(row: GuestRow, now_ms: i64, act: ServerAction<Act>) -> impl IntoView {
    let GuestRow { guest, last, may } = row;
    let busy = last.as_ref().is_some_and(|last| last.state.is_live() && last.origin == Origin::Paddock);
    let id = guest.id.clone();
    view! {
        <tr>
            <td class="c-state">
                <StatusBadge status=guest.status />
            </td>
            <th scope="row" class="c-name">
                <div class="name">
                    <a class="strong cover" href=id.href() title=guest.label().to_owned()>
                        {guest.label().to_owned()}
                    </a>
                    {guest
                        .title
                        .is_some()
                        .then(|| view! { <span class="id">{id.name.to_string()}</span> })}
                    <BackendChip kind=id.backend />
                    {guest.note.map(|note| view! { <Noted note /> })}
                </div>
            </th>
            <td class="c-address">
                <Addresses all=guest.addresses />
            </td>
            <td class="c-pid mono">{guest.pid.map(|pid| pid.to_string())}</td>
            <td class="c-uptime figures">
                {guest.started_ms.map(|since_ms| view! { <Uptime since_ms now_ms /> })}
            </td>
            <td class="c-last">{last.map(|last| view! { <Last last now_ms /> })}</td>
            <td class="c-action">
                {(!busy).then(|| view! { <RowAction guest=id status=guest.status may act /> })}
            </td>
        </tr>
    }
}

/// There is something to know about this guest before one acts.
#[component]
fn Noted(note: String) -> impl IntoView {
    let title = note.clone();
    view! {
        <span class="noted" title=title>
            <Icon glyph=Glyph::Warning />
            <span class="unseen">{note}</span>
        </span>
    }
}

#[component]
fn Addresses(all: Vec<String>) -> impl IntoView {
    let more = all.len().saturating_sub(1);
    let title = all.join(", ");
    all.into_iter().next().map(|first| {
        view! {
            <span class="address" title=title>
                <span class="mono">{first.clone()}</span>
                {(more > 0).then(|| view! { <span class="meta">{format!("+{more}")}</span> })}
                <Copy text=first what="address" />
            </span>
        }
    })
}

/// "stopped by anna, 2 min ago"
#[component]
fn Last(last: OperationSummary, now_ms: i64) -> impl IntoView {
    let running = last.state.is_live();
    let words = format!("{} by {}, ", words::came_to(&last.action, last.state), last.who());
    let time = if running {
        view! { <Elapsed since_ms=last.started_ms now_ms /> }.into_any()
    } else {
        view! { <Ago at_ms=last.finished_ms.unwrap_or(last.started_ms) now_ms /> }.into_any()
    };
    view! {
        <a class="last" href=last.id.href()>
            {running.then(|| view! { <Spinner /> })}
            {words}
            {time}
        </a>
    }
}

/// The likely next thing to do; disabled, and saying why, for whoever may not.
#[component]
fn RowAction(guest: GuestId, status: GuestStatus, may: Privileges, act: ServerAction<Act>) -> impl IntoView {
    let action = likely(status)?;
    let name = format!("{} {}", action.label(), guest.name);
    Some(if may.holds(action.privilege()) {
        view! {
            <ActionForm action=act>
                <ActFields guest action />
                <button class="button small" type="submit" aria-label=name>
                    <Icon glyph=glyph(action) />
                    {action.label()}
                </button>
            </ActionForm>
        }
        .into_any()
    } else {
        let why = format!("You lack the privilege “{}” on {guest}", action.privilege());
        view! {
            <button
                class="button small"
                type="button"
                aria-disabled="true"
                aria-label=format!("{name}. {why}")
                title=why
            >
                <Icon glyph=glyph(action) />
                {action.label()}
            </button>
        }
        .into_any()
    })
}
