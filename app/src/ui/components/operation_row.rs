//! Operations as lines: the history, and the last ones of a guest.

use leptos::prelude::*;

use super::{
    ago::{Ago, Elapsed},
    badge::{BackendChip, OutcomeBadge},
};
use crate::domain::{operation::OperationSummary, words};

/// Lines under each other, aligned. `guests` shows whose operation each is.
#[component]
pub fn OperationRows(operations: Vec<OperationSummary>, now_ms: i64, guests: bool) -> impl IntoView {
    let row = move |operation| view! { <OperationRow operation now_ms guests /> };
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
    let (actor, subject) = (operation.who().to_owned(), operation.on_what());
    let OperationSummary { id, guest, action, state, started_ms, finished_ms, failure, .. } = operation;
    let duration = match finished_ms {
        Some(finished_ms) => words::span(finished_ms - started_ms).into_any(),
        None => view! { <Elapsed since_ms=started_ms now_ms /> }.into_any(),
    };
    view! {
        <li class="op">
            <span class="op-outcome">
                <OutcomeBadge state />
            </span>
            <span class="op-action">
                <a class="strong cover" href=id.href()>
                    {action.label()}
                </a>
                <span class="id">{format!("#{id}")}</span>
                {failure.map(|why| view! { <span class="op-why">{why}</span> })}
            </span>
            {guests
                .then(|| {
                    view! {
                        <span class="op-guest">
                            {match guest {
                                Some(guest) => {
                                    view! {
                                        <a href=guest.href() title=guest.to_string()>
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
                <span class="op-actor">{actor}</span>
                <span class="op-time">
                    <Ago at_ms=started_ms now_ms />
                </span>
            </span>
            <span class="op-duration figures">{duration}</span>
        </li>
    }
}
