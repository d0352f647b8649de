//! One guest in the list.

use std::sync::Arc;

use leptos::{form::ActionForm, prelude::*};

use crate::{
    api::guests::{Act, GuestRow},
    domain::{
        access::Privileges,
        guest::{GuestId, GuestStatus},
        limits::Cpus,
        operation::Origin,
        view::{LastOperation, RowUsage},
        words,
    },
    ui::components::{
        ago::{Ago, Elapsed, Uptime},
        badge::{BackendChip, Spinner, StatusBadge},
        command::Copy,
        guest_actions::{ActFields, glyph, likely},
        icon::{Glyph, Icon},
        sparkline::Sparkline,
    },
};

/// The cells of a guest, but for the box that chooses it.
#[component]
pub fn Row(
    #[prop(into)] row: Signal<Arc<GuestRow>>,
    #[prop(into)] now_ms: Signal<i64>,
    act: ServerAction<Act>,
) -> impl IntoView {
    move || {
        let GuestRow { guest, last, may, usage } = GuestRow::clone(&row.read());
        let now_ms = now_ms.get_untracked();
        let busy = last.as_ref().is_some_and(|last| last.state.is_live() && last.origin == Origin::Paddock);
        let id = guest.id.clone();
        view! {
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
                    <BackendChip kind=id.backend short=true />
                    {guest.note.map(|note| view! { <Noted note /> })}
                    <Beside node=guest.node tags=guest.tags />
                </div>
            </th>
            <td class="c-cpu">{usage.clone().and_then(cpu)}</td>
            <td class="c-memory">{usage.and_then(memory)}</td>
            <td class="c-address">
                <Addresses all=guest.addresses />
            </td>
            <td class="c-uptime figures">
                {guest.started_ms.map(|since_ms| view! { <Uptime since_ms now_ms /> })}
            </td>
            <td class="c-last">{last.map(|last| view! { <Last last now_ms /> })}</td>
            <td class="c-action">
                {(!busy).then(|| view! { <RowAction guest=id status=guest.status may act /> })}
            </td>
        }
    }
}

/// Where it is and its tags: as many as there is room for, the rest by pointing there.
#[component]
fn Beside(node: Option<String>, tags: Vec<String>) -> impl IntoView {
    let all = node.iter().chain(&tags).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!all.is_empty()).then(|| {
        view! {
            <span class="name-more" title=all>
                {node.map(|node| view! { <span class="meta node">{node}</span> })}
                {tags
                    .into_iter()
                    .map(|tag| view! { <span class="chip tag">{tag}</span> })
                    .collect_view()}
            </span>
        }
    })
}

/// The processor time it uses, relative to what it may use.
fn cpu(usage: RowUsage) -> Option<impl IntoView> {
    let (used, most) = (usage.now.cpu?, usage.now.cpu_most);
    let of = most.map(|most| format!(" of {} cores", most.0.div_ceil(1000)));
    let title = format!("{used} cores{}", of.unwrap_or_default());
    Some(view! {
        <span class="used" title=title>
            <Sparkline levels=usage.spark.cpu />
            <span class="figures">{percent(used, most)}</span>
        </span>
    })
}

/// Of what it may use; cores where that is not known.
fn percent(used: Cpus, most: Option<Cpus>) -> String {
    match most {
        Some(Cpus(most @ 1..)) => format!("{} %", (u64::from(used.0) * 100).div_ceil(u64::from(most))),
        _ => used.to_string(),
    }
}

/// The memory it uses, relative to what it may use.
fn memory(usage: RowUsage) -> Option<impl IntoView> {
    let (used, most) = (usage.now.memory?, usage.now.memory_most);
    let of = most.map(|most| format!(" of {}", words::bytes(most)));
    let title = format!("{}{}", words::bytes(used), of.unwrap_or_default());
    Some(view! {
        <span class="used" title=title>
            <Sparkline levels=usage.spark.memory />
            <span class="figures">{words::bytes(used)}</span>
        </span>
    })
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

/// "stopped by anna, 2 min ago", "seen stopped, 2 min ago"
#[component]
fn Last(last: LastOperation, now_ms: i64) -> impl IntoView {
    let running = last.state.is_live();
    let what = words::came_to(&last.action, last.state);
    // What was only seen nobody is known to have done.
    let words = match last.origin {
        Origin::Observed => format!("{what}, "),
        _ => format!("{what} by {}, ", last.who()),
    };
    let time = if running {
        view! { <Elapsed since_ms=last.at_ms now_ms /> }.into_any()
    } else {
        view! { <Ago at_ms=last.at_ms now_ms /> }.into_any()
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
