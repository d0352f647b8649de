//! How the guest is: facts, and what was last done with it.

use leptos::prelude::*;

use super::{At, Page};
use crate::{
    domain::{guest::GuestDetail, words},
    ui::components::{
        ago::Uptime, command::Copy, empty::Empty, icon::Glyph, loaded::Loaded, operation_row::OperationRows,
        usage::GuestUsage,
    },
};

#[component]
pub fn Overview(at: At) -> impl IntoView {
    let At { backend, name, page } = at;
    view! {
        // Not within the answer, so that it goes on where it was when that changes.
        <GuestUsage guest=Signal::stored((backend, name)) />
        <Loaded reply=page let:page>
            {page.map(|page| view! { <Known page /> }).into_any()}
        </Loaded>
    }
}

#[component]
fn Known(page: Page) -> impl IntoView {
    let Page { now_ms, detail, recent, .. } = page;
    let timeline = format!("{}/timeline", detail.guest.id.href());
    view! {
        <div class="columns">
            <Facts detail now_ms />
            <section class="panel" aria-labelledby="recent">
                <div class="panel-head">
                    <h2 id="recent">"Last operations"</h2>
                    <a href=timeline>"All of its history"</a>
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
    }
}

#[component]
fn Facts(detail: GuestDetail, now_ms: i64) -> impl IntoView {
    let GuestDetail { guest, memory, memory_limit, cpu_limit, cpu_now, cpu_ns, tasks, facts, .. } = detail;
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
