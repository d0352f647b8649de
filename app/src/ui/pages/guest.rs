//! One guest: its head with what can be done with it, and under it the tabs, each with an address of its own.

mod configuration;
mod exec;
mod overview;
mod snapshots;
mod tabs;
mod timeline;

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use configuration::Configuration;
use exec::Exec;
use overview::Overview;
use snapshots::Snapshots;
use tabs::{Tab, Tabs};
use timeline::Timeline;

use crate::{
    api::{
        ApiError,
        guests::{Act, GuestPage as Page, get_guest},
        operations::CancelOperation,
    },
    domain::{
        access::Privileges,
        history::{HistoryField, HistoryQuery},
        operation::OperationSummary,
        words,
    },
    ui::{
        components::{
            ago::Elapsed,
            badge::{BackendChip, Spinner, StatusBadge},
            banner::{Banner, Tone},
            guest_actions::{GuestActions, PlanLinks},
            loaded::{ActionProblem, Loaded},
        },
        live::Live,
        pages::{guests::announce, not_found::Missing},
        reply::{Reply, reply},
    },
};

/// What every tab is handed: the guest by the two parts of its address, and all of its page, which is asked for once.
#[derive(Clone)]
struct At {
    backend: String,
    name: String,
    page: Reply<Option<Page>>,
}

#[component]
pub fn GuestPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let part = move |name: &str| params.read().get(name).unwrap_or_default();
    let act = ServerAction::<Act>::new();
    let cancel = ServerAction::<CancelOperation>::new();
    announce(act);
    let page = reply(
        move || (part("backend"), part("name"), live.version(), act.version().get(), cancel.version().get()),
        |(backend, name, ..)| get_guest(backend, name),
    );
    let error = Signal::derive(move || {
        act.value().get().and_then(Result::err).or_else(|| cancel.value().get().and_then(Result::err))
    });
    let here = tabs::here();
    // Not with every change of the host: what is being typed in a tab stays.
    let shown = Memo::new(move |_| (part("backend"), part("name"), here.get()));
    let content = move || {
        let (backend, name, tab) = shown.get();
        let at = At { backend, name, page };
        match tab {
            Tab::Overview => view! { <Overview at /> }.into_any(),
            Tab::Timeline => view! { <Timeline at /> }.into_any(),
            Tab::Configuration => view! { <Configuration at /> }.into_any(),
            Tab::Snapshots => view! { <Snapshots at /> }.into_any(),
            Tab::Exec => view! { <Exec at /> }.into_any(),
        }
    };
    view! {
        <Loaded reply=page let:page>
            {match page {
                Some(page) => view! { <Head page act cancel error here /> }.into_any(),
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
        {content}
    }
}

#[component]
fn Head(
    page: Page,
    act: ServerAction<Act>,
    cancel: ServerAction<CancelOperation>,
    error: Signal<Option<ApiError>>,
    here: Memo<Tab>,
) -> impl IntoView {
    let refusals = tabs::refusals(&page);
    let Page { now_ms, detail, live, actions, may, .. } = page;
    let guest = detail.guest;
    let id = guest.id.clone();
    let label = guest.label().to_owned();
    view! {
        <Title text=move || here.get().title(&label) />
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
                <PlanLinks guest=guest.id status=guest.status choices=actions />
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
        <Tabs guest=id here refusals />
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
