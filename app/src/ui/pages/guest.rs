//! One guest: how it is, what can be done with it, what was done.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::{
        ApiError,
        guests::{Act, GuestPage as Page, get_guest},
        operations::CancelOperation,
    },
    domain::{
        access::Privileges,
        guest::{ConfigText, GuestDetail},
        history::{HistoryField, HistoryQuery},
        operation::OperationSummary,
        words,
    },
    ui::{
        components::{
            ago::{Elapsed, Uptime},
            badge::{BackendChip, Spinner, StatusBadge},
            banner::{Banner, Tone},
            command::Copy,
            empty::Empty,
            fold::Fold,
            guest_actions::{GuestActions, PlanLinks},
            icon::Glyph,
            loaded::{ActionProblem, Loaded},
            operation_row::OperationRows,
            usage::GuestUsage,
        },
        live::Live,
        pages::{guests::announce, not_found::Missing},
        reply::reply,
        text,
    },
};

#[component]
pub fn GuestPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let part = move |name: &str| params.read().get(name).unwrap_or_default();
    let act = ServerAction::<Act>::new();
    let cancel = ServerAction::<CancelOperation>::new();
    // Out here, as what is below is made anew with every change of the host.
    let config_open = StoredValue::new(false);
    announce(act);
    let page = reply(
        move || (part("backend"), part("name"), live.version(), act.version().get(), cancel.version().get()),
        |(backend, name, ..)| get_guest(backend, name),
    );
    let error = Signal::derive(move || {
        act.value().get().and_then(Result::err).or_else(|| cancel.value().get().and_then(Result::err))
    });
    view! {
        <Loaded reply=page let:page>
            {match page {
                Some(page) => view! { <Known page act cancel error config_open /> }.into_any(),
                None => {
                    let name = part("name");
                    view! {
                        <Missing title=format!("There is no guest {}/{name}", part("backend"))>
                            <p>"It may have been deleted."</p>
                            <a class="button" href=history_of(&part("backend"), &name)>
                                "What was done with it"
                            </a>
                        </Missing>
                    }
                        .into_any()
                }
            }}
        </Loaded>
        // Out here, so that it goes on where it was.
        <GuestUsage guest=Signal::derive(move || (part("backend"), part("name"))) />
    }
}

#[component]
fn Known(
    page: Page,
    act: ServerAction<Act>,
    cancel: ServerAction<CancelOperation>,
    error: Signal<Option<ApiError>>,
    config_open: StoredValue<bool>,
) -> impl IntoView {
    let Page { now_ms, mut detail, live, recent, actions, may } = page;
    let guest = detail.guest.clone();
    let id = guest.id.clone();
    let config = detail.config.take();
    view! {
        <Title text=guest.label().to_owned() />
        <header class="head">
            <div class="head-words">
                <h1 class="long">{guest.label().to_owned()}</h1>
                <div class="head-facts">
                    <StatusBadge status=guest.status />
                    <BackendChip kind=guest.id.backend />
                    {guest
                        .title
                        .is_some()
                        .then(|| view! { <span class="id">{guest.id.name.to_string()}</span> })}
                    {guest
                        .node
                        .clone()
                        .map(|node| view! { <span class="meta">{format!("on {node}")}</span> })}
                    {guest.is_template.then(|| view! { <span class="chip">"template"</span> })}
                    {guest
                        .lock
                        .clone()
                        .map(|by| view! { <span class="chip">{format!("locked: {by}")}</span> })}
                    {guest
                        .tags
                        .iter()
                        .map(|tag| view! { <span class="chip">{tag.clone()}</span> })
                        .collect_view()}
                    {guest.pid.map(|pid| view! { <span class="id">{format!("PID {pid}")}</span> })}
                    {live.map(|operation| view! { <AtWork operation now_ms may cancel /> })}
                </div>
            </div>
            <div class="head-actions">
                <GuestActions
                    guest=guest.id.clone()
                    status=guest.status
                    choices=actions.clone()
                    act
                />
                <PlanLinks guest=guest.id choices=actions />
            </div>
        </header>
        <ActionProblem error />
        {guest
            .note
            .map(|note| {
                view! {
                    <Banner tone=Tone::Warning title="Before you act">
                        <p>{note}</p>
                    </Banner>
                }
            })}
        <div class="columns">
            <Facts detail now_ms />
            <section class="panel" aria-labelledby="recent">
                <div class="panel-head">
                    <h2 id="recent">"Last operations"</h2>
                    <a href=history_of(
                        id.backend.as_str(),
                        id.name.as_str(),
                    )>"All of its history"</a>
                </div>
                {if recent.is_empty() {
                    view! {
                        <Empty glyph=Glyph::History title="Nothing was done with it yet">
                            <p>"What Paddock does with this guest appears here."</p>
                        </Empty>
                    }
                        .into_any()
                } else {
                    view! { <OperationRows operations=recent now_ms guests=false /> }.into_any()
                }}
            </section>
        </div>
        {config.map(|config| view! { <Config config open=config_open /> })}
    }
}

/// Where all of its operations are, also those of a guest that is gone.
fn history_of(backend: &str, name: &str) -> String {
    let query = HistoryQuery::default().with(HistoryField::Guest, format!("{backend}/{name}"));
    format!("/history?{}", query.to_query())
}

/// The operation at work, on the line of the guest's state, so that nothing below moves.
#[component]
fn AtWork(
    operation: OperationSummary,
    now_ms: i64,
    may: Privileges,
    cancel: ServerAction<CancelOperation>,
) -> impl IntoView {
    let actor = operation.who().to_owned();
    let may_cancel = operation.action.action().is_some_and(|action| may.holds(action.privilege()));
    let OperationSummary { id, action, state, started_ms, .. } = operation;
    view! {
        <Refresh />
        <div class="at-work">
            <Spinner />
            <a class="strong" href=id.href()>
                {words::sentence(&words::came_to(&action, state))}
            </a>
            <span class="figures">
                <Elapsed since_ms=started_ms now_ms />
            </span>
            <span class="meta">{format!("by {actor}")}</span>
            <a class="link" href=id.href()>
                "Show what runs"
            </a>
            {may_cancel
                .then(|| {
                    view! {
                        <ActionForm action=cancel>
                            <input type="hidden" name="id" value=id.to_string() />
                            <button class="button small" type="submit">
                                "Cancel"
                            </button>
                        </ActionForm>
                    }
                })}
        </div>
    }
}

/// Without JavaScript a page with something at work asks again every two seconds.
#[component]
pub fn Refresh() -> impl IntoView {
    // As text: where scripts run a browser does not read inside, and there is nothing to hydrate.
    view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="2">"#></noscript> }
}

/// A change that waits for the next start.
fn to_come((label, value): (String, String)) -> (String, String) {
    let value = if value.is_empty() { "removed".to_owned() } else { value };
    (label, format!("{value}, from the next start on"))
}

#[component]
fn Facts(detail: GuestDetail, now_ms: i64) -> impl IntoView {
    let GuestDetail {
        guest, memory, memory_limit, cpu_limit, cpu_now, cpu_ns, tasks, facts, pending, ..
    } = detail;
    let memory = memory.map(|used| match memory_limit {
        Some(limit) => format!("{} of {}", words::bytes(used), words::bytes(limit)),
        None => format!("{}, no limit", words::bytes(used)),
    });
    let cpu = cpu_ns.map(|ns| words::span(i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX)));
    let cores = match (cpu_now, cpu_limit) {
        (Some(now), Some(limit)) => Some(format!("{now} of {limit} cores")),
        (Some(now), None) => Some(format!("{now} cores")),
        (None, Some(limit)) => Some(format!("{limit} cores at most")),
        (None, None) => None,
    };
    let fact = |label: &str, value: Option<String>| {
        value.map(|value| {
            view! {
                <dt>{label.to_owned()}</dt>
                <dd class="figures">{value}</dd>
            }
        })
    };
    let address = |address: String| {
        view! {
            <span class="address">
                <span class="mono">{address.clone()}</span>
                <Copy text=address what="address" />
            </span>
        }
    };
    view! {
        <section class="panel" aria-labelledby="facts">
            <h2 id="facts">"Facts"</h2>
            <dl class="facts">
                {guest
                    .started_ms
                    .map(|since_ms| {
                        view! {
                            <dt>"Uptime"</dt>
                            <dd class="figures">
                                <Uptime since_ms now_ms />
                            </dd>
                        }
                    })} {fact("Memory", memory)} {fact("Processor", cores)}
                {fact("Processor time", cpu)} {fact("Tasks", tasks.map(|tasks| tasks.to_string()))}
                {fact("PID", guest.pid.map(|pid| pid.to_string()))}
                {(!guest.addresses.is_empty())
                    .then(|| {
                        view! {
                            <dt>"Addresses"</dt>
                            <dd>{guest.addresses.into_iter().map(address).collect_view()}</dd>
                        }
                    })}
                {facts
                    .into_iter()
                    .chain(pending.into_iter().map(to_come))
                    .map(|(label, value)| {
                        view! {
                            <dt>{label}</dt>
                            <dd class="long">{value}</dd>
                        }
                    })
                    .collect_view()}
            </dl>
        </section>
    }
}

#[component]
fn Config(config: ConfigText, open: StoredValue<bool>) -> impl IntoView {
    view! {
        <Fold title="Configuration" note=config.path open>
            <pre class="output" tabindex="0" aria-label="Configuration">
                {text::visible(&config.text)}
            </pre>
            {config
                .cut
                .then(|| {
                    view! { <p class="meta">"The file is longer; this is its beginning."</p> }
                })}
        </Fold>
    }
}
