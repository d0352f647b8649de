//! Operations as lines: the history, the last ones of a guest, the parts of a bulk action.

use leptos::prelude::*;

use super::{
    ago::{Ago, Elapsed},
    badge::{BackendChip, DamagedBadge, OutcomeBadge, SeenBadge},
};
use crate::domain::{
    operation::{DamagedRecord, Deed, Line, OperationState, OperationSummary, Origin},
    words,
};

/// Lines under each other, aligned. `guests` shows whose operation each is.
#[component]
pub fn OperationRows(
    operations: Vec<Line>,
    now_ms: i64,
    guests: bool,
    /// All of them are parts of one, and that is shown already.
    #[prop(optional)]
    parts: bool,
) -> impl IntoView {
    let row = move |line: Line| match line {
        Ok(mut operation) => {
            operation.parent = operation.parent.filter(|_| !parts);
            view! { <OperationRow operation now_ms guests /> }.into_any()
        }
        Err(record) => view! { <DamagedRow record now_ms guests /> }.into_any(),
    };
    view! {
        <ol class=if guests {
            "ops with-guests"
        } else {
            "ops"
        }>{operations.into_iter().map(row).collect_view()}</ol>
    }
}

#[component]
fn OperationRow(operation: OperationSummary, now_ms: i64, guests: bool) -> impl IntoView {
    let subject = operation.on_what();
    let took = view! { <Took operation=operation.clone() now_ms /> };
    let OperationSummary { id, origin, parent, guest, action, actor, state, started_ms, failure, .. } =
        operation;
    view! {
        <li class="op" data-row=id.href()>
            <span class="op-outcome">
                <Outcome deed=action.clone() state />
            </span>
            <span class="op-action">
                <a class="strong cover" href=id.href()>
                    {action.label()}
                </a>
                <span class="id">{format!("#{id}")}</span>
                <OriginMark origin />
                {parent
                    .map(|parent| {
                        view! {
                            <a class="id above" href=parent.href()>
                                {format!("part of #{parent}")}
                            </a>
                        }
                    })}
                {failure
                    .map(|why| {
                        let class = match state {
                            OperationState::Cancelled => "op-why quiet",
                            _ => "op-why",
                        };
                        view! { <span class=class>{why}</span> }
                    })}
            </span>
            {guests
                .then(|| {
                    view! {
                        <span class="op-guest">
                            {match guest {
                                Some(guest) => {
                                    view! {
                                        <a class="above" href=guest.href() title=guest.to_string()>
                                            {subject}
                                        </a>
                                        <BackendChip kind=guest.backend />
                                    }
                                        .into_any()
                                }
                                None => subject.into_any(),
                            }}
                        </span>
                    }
                })}
            <span class="op-meta">
                <span class="op-actor">
                    <Who actor />
                </span>
                <span class="op-time">
                    <Ago at_ms=started_ms now_ms />
                </span>
            </span>
            <span class="op-duration figures">{took}</span>
        </li>
    }
}

/// One that cannot be read stands in its place all the same.
#[component]
fn DamagedRow(record: DamagedRecord, now_ms: i64, guests: bool) -> impl IntoView {
    let DamagedRecord { id, started_ms, what } = record;
    view! {
        <li class="op" data-row=id.href()>
            <span class="op-outcome">
                <DamagedBadge />
            </span>
            <span class="op-action">
                <a class="strong cover" href=id.href()>
                    "Damaged record"
                </a>
                <span class="id">{format!("#{id}")}</span>
                <span class="op-why">
                    {format!(
                        "It was changed outside Paddock: {what}. Run “paddock verify” on the host to see what else was.",
                    )}
                </span>
            </span>
            {guests.then(|| view! { <span class="op-guest"></span> })}
            <span class="op-meta">
                <span class="op-actor"></span>
                <span class="op-time">
                    <Ago at_ms=started_ms now_ms />
                </span>
            </span>
            <span class="op-duration figures"></span>
        </li>
    }
}

/// Where it is in its life. What was only seen did not succeed at anything.
#[component]
pub fn Outcome(deed: Deed, state: OperationState) -> impl IntoView {
    match deed {
        Deed::Observed(_) => view! { <SeenBadge /> }.into_any(),
        Deed::Action(_) | Deed::Task(_) => view! { <OutcomeBadge state /> }.into_any(),
    }
}

/// Who set it going; nobody is guessed.
#[component]
pub fn Who(actor: Option<String>) -> impl IntoView {
    match actor {
        Some(actor) => actor.into_any(),
        None => view! { <span class="nobody">"unknown"</span> }.into_any(),
    }
}

/// Marks what was not asked of Paddock; nothing for what was.
#[component]
pub fn OriginMark(origin: Origin) -> impl IntoView {
    match origin {
        Origin::Paddock => None,
        Origin::Task => Some(("outside", "A Proxmox task that was started outside Paddock")),
        Origin::Observed => Some(("observed", "Only the change was seen; nobody asked Paddock for it")),
    }
    .map(|(mark, title)| {
        view! {
            <span class="chip above" title=title>
                {mark}
            </span>
        }
    })
}

/// How long its work took or has been going on; for one that waits, which in line it is, or how long it has waited where
/// that is not known. A change that was only
/// seen took no time that anybody knows.
#[component]
pub fn Took(operation: OperationSummary, now_ms: i64) -> impl IntoView {
    let in_line = operation.in_line();
    let OperationSummary { origin, action, started_ms, running_ms, finished_ms, .. } = operation;
    let begun_ms = running_ms.unwrap_or(started_ms);
    match finished_ms {
        _ if matches!(action, Deed::Observed(_)) => ().into_any(),
        // It never left the line.
        Some(_) if running_ms.is_none() && origin == Origin::Paddock => ().into_any(),
        Some(finished_ms) => words::span(finished_ms - begun_ms).into_any(),
        None => match in_line {
            Some(words) => words.into_any(),
            None => view! { <Elapsed since_ms=begun_ms now_ms /> }.into_any(),
        },
    }
}
