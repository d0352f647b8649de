//! Who, when, and where in the ledger.

use leptos::prelude::*;

use crate::{
    domain::{
        operation::{LedgerPlace, Operation, OperationId, OperationSummary, Origin},
        words,
    },
    ui::components::{ago::Exact, hash::ShortHash, operation_row::Who},
};

/// The kind of the entry that tells who asked for the operation's end.
const CANCEL: &str = "cancel-requested";

/// One line of a list of facts.
fn fact(label: &'static str, value: AnyView) -> AnyView {
    view! {
        <dt>{label}</dt>
        <dd>{value}</dd>
    }
    .into_any()
}

#[component]
pub fn Facts(
    summary: OperationSummary,
    /// Its entries.
    ledger: Vec<LedgerPlace>,
) -> impl IntoView {
    let cancel = ledger.into_iter().find(|place| place.kind == CANCEL);
    let OperationSummary {
        origin,
        parent,
        guest,
        node,
        actor,
        address,
        started_ms,
        running_ms,
        finished_ms,
        guest_after,
        ..
    } = summary;
    let is_ours = origin == Origin::Paddock;
    let is_seen = origin == Origin::Observed;
    let told = match origin {
        Origin::Paddock => "asked through Paddock",
        Origin::Task => "a Proxmox task, started outside Paddock",
        Origin::Observed => "seen on the host, not asked through Paddock",
    };
    let at = |at_ms: i64| view! { <Exact at_ms /> }.into_any();
    let part_of = |id: OperationId| {
        view! {
            <a class="link" href=id.href()>
                {format!("#{id}")}
            </a>
        }
        .into_any()
    };
    // Of what others began only that is known, and no time at all passes in a change that is seen.
    let asked = if is_seen { "Seen" } else { "Asked for" };
    let asked = (is_ours || is_seen).then(|| fact(asked, at(started_ms)));
    let began = running_ms.or((!is_ours).then_some(started_ms)).filter(|_| !is_seen);
    let ended = finished_ms.filter(|_| !is_seen);
    let after = guest_after.filter(|_| guest.is_some());
    let waited = began.filter(|_| is_ours).map(|began| words::span(began - started_ms).into_any());
    let worked = ended.zip(began).map(|(end, begin)| words::span(end - begin).into_any());
    view! {
        <section class="panel" aria-labelledby="facts">
            <h2 id="facts">"Facts"</h2>
            <dl class="facts figures">
                {fact("Origin", told.into_any())} {fact("By", view! { <Who actor /> }.into_any())}
                {address.map(|address| fact("From", view! { <code>{address}</code> }.into_any()))}
                {parent.map(|id| fact("Part of", part_of(id)))}
                {node.map(|node| fact("Node", node.into_any()))} {asked}
                {began.map(|at_ms| fact("Started", at(at_ms)))}
                {cancel
                    .map(|LedgerPlace { at_ms, actor, .. }| {
                        view! {
                            {fact("Cancel asked", at(at_ms))}
                            {fact("Cancel asked by", view! { <Who actor /> }.into_any())}
                        }
                    })} {ended.map(|at_ms| fact("Ended", at(at_ms)))}
                {waited.map(|waited| fact("Waited in line", waited))}
                {worked.map(|worked| fact("Worked for", worked))}
                {after.map(|after| fact("Guest after", words::after(after).into_any()))}
            </dl>
        </section>
    }
}

/// What proves it: the entries of the ledger, and the plan that they hold the hash of.
#[component]
pub fn Record(operation: Operation) -> impl IntoView {
    let Operation { ledger, plan, plan_hash, .. } = operation;
    let entry = |LedgerPlace { seq, kind, hash, .. }: LedgerPlace| {
        let label = match kind.as_str() {
            "operation-begun" => "Begin",
            "operation-moved" => "Moved",
            CANCEL => "Cancel",
            "operation-ended" => "End",
            _ => "Entry",
        };
        fact(label, view! { <ShortHash seq hash /> }.into_any())
    };
    let is_recorded = !ledger.is_empty();
    view! {
        <section class="panel" aria-labelledby="record">
            <h2 id="record">"Ledger"</h2>
            <dl class="facts figures">
                {ledger.into_iter().map(entry).collect_view()}
                {(!plan.steps.is_empty())
                    .then(|| fact("Plan", view! { <ShortHash hash=plan_hash /> }.into_any()))}
            </dl>
            {(!is_recorded)
                .then(|| {
                    view! {
                        <p class="meta">"It is older than the ledger and has no entry in it."</p>
                    }
                })}
        </section>
    }
}
