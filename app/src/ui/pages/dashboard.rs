//! What needs a person first; then what is at work, how the machines are, and what was done last.

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use crate::{
    api::dashboard::{Concern, ConcernKind, Counts, Dashboard, NodeView, get_dashboard},
    domain::host::NodeState,
    ui::{
        components::{
            ago::Ago,
            badge::{BackendChip, NodeBadge, StatusBadge},
            empty::WithoutRights,
            frame::Me,
            icon::{Glyph, Icon},
            loaded::Loaded,
            meter::{BytesMeter, Meter},
            operation_row::OperationRows,
        },
        live::Live,
        reply::reply,
    },
};

#[component]
pub fn DashboardPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let me = expect_context::<Me>();
    let dashboard = reply(move || live.version(), |_| get_dashboard());
    view! {
        <Title text="Dashboard" />
        <Loaded reply=dashboard let:dashboard>
            {match me.without_rights() {
                Some(username) => {
                    view! {
                        <header class="head">
                            <h1>"Dashboard"</h1>
                        </header>
                        <WithoutRights username />
                    }
                        .into_any()
                }
                None => view! { <Whole dashboard /> }.into_any(),
            }}
        </Loaded>
    }
}

#[component]
fn Whole(dashboard: Dashboard) -> impl IntoView {
    let Dashboard { now_ms, concerns, running, recent, counts, nodes } = dashboard;
    view! {
        <header class="head">
            <h1>"Dashboard"</h1>
        </header>
        <Concerns concerns now_ms />
        {(!running.is_empty())
            .then(|| {
                view! {
                    <section class="area" aria-labelledby="running">
                        <AreaHead
                            id="running"
                            title="Running"
                            href="/history?result=live"
                            link="In the history"
                        />
                        <OperationRows
                            operations=running.into_iter().map(Ok).collect()
                            now_ms
                            guests=true
                        />
                    </section>
                }
            })}
        <div class="columns even">
            <Guests counts />
            <Nodes nodes />
        </div>
        <section class="area" aria-labelledby="recent">
            <AreaHead id="recent" title="Recent history" href="/history" link="All history" />
            {if recent.is_empty() {
                Either::Left(
                    view! {
                        <p class="quiet-line">
                            "Nothing was done yet. Every action on a guest is kept here, with who did it and what came of it."
                        </p>
                    },
                )
            } else {
                Either::Right(view! { <OperationRows operations=recent now_ms guests=true /> })
            }}
        </section>
    }
}

#[component]
fn AreaHead(id: &'static str, title: &'static str, href: &'static str, link: &'static str) -> impl IntoView {
    view! {
        <div class="area-head">
            <h2 id=id>{title}</h2>
            <a class="area-link" href=href>
                {link}
                <Icon glyph=Glyph::Arrow />
            </a>
        </div>
    }
}

#[component]
fn Concerns(concerns: Vec<Concern>, now_ms: i64) -> impl IntoView {
    if concerns.is_empty() {
        return view! {
            <p class="calm">
                <Icon glyph=Glyph::Check />
                <span>
                    <span class="strong">"Nothing needs attention"</span>
                    " "
                    <span class="meta">
                        "Every backend answers, and no guest was left after a failure."
                    </span>
                </span>
            </p>
        }
        .into_any();
    }
    view! {
        <section class="area" aria-labelledby="concerns">
            <div class="area-head">
                <h2 id="concerns">"Needs attention"</h2>
                <span class="meta figures">{concerns.len()}</span>
            </div>
            <ol class="concerns">
                {concerns
                    .into_iter()
                    .map(|concern| view! { <ConcernRow concern now_ms /> })
                    .collect_view()}
            </ol>
        </section>
    }
    .into_any()
}

#[component]
fn ConcernRow(concern: Concern, now_ms: i64) -> impl IntoView {
    let Concern { kind, title, detail, since_ms, todo, href } = concern;
    let (tone, glyph) = look(kind);
    view! {
        <li class=format!("concern {tone}")>
            <Icon glyph />
            <div class="concern-words">
                <p class="strong">{title}</p>
                {(!detail.is_empty()).then(|| view! { <p class="concern-detail">{detail}</p> })}
            </div>
            <span class="meta concern-time">
                {since_ms.map(|at_ms| view! { <Ago at_ms now_ms /> })}
            </span>
            {href
                .map(|href| {
                    view! {
                        <a class="button small" href=href>
                            {todo}
                        </a>
                    }
                })}
        </li>
    }
}

fn look(kind: ConcernKind) -> (&'static str, Glyph) {
    match kind {
        ConcernKind::Damaged | ConcernKind::Unavailable => ("bad", Glyph::Warning),
        ConcernKind::Failed => ("bad", Glyph::Cross),
        ConcernKind::Stale => ("warn", Glyph::History),
        ConcernKind::Unknown => ("warn", Glyph::Warning),
        ConcernKind::Full => ("warn", Glyph::Node),
        ConcernKind::Locked => ("warn", Glyph::Lock),
        ConcernKind::Noted => ("quiet", Glyph::Info),
        ConcernKind::Owed => ("quiet", Glyph::Key),
    }
}

/// How many there are; each figure leads to those it counts.
#[component]
fn Guests(counts: Counts) -> impl IntoView {
    let Counts { total, by_status, by_backend } = counts;
    let status = |(status, count)| {
        view! {
            <a class="tile" href=format!("/guests?q=status:{status}")>
                <span class="tile-figure figures">{count}</span>
                <StatusBadge status />
            </a>
        }
    };
    let backend = |(kind, count)| {
        view! {
            <a class="tally" href=format!("/guests?q=backend:{kind}")>
                <BackendChip kind />
                <span class="figures">{count}</span>
            </a>
        }
    };
    view! {
        <section class="panel" aria-labelledby="counts">
            <AreaHead id="counts" title="Guests" href="/guests" link="All guests" />
            {if total == 0 {
                Either::Left(
                    view! {
                        <p class="quiet-line">
                            "No guests yet. Every guest of this host appears here by itself."
                        </p>
                    },
                )
            } else {
                Either::Right(
                    view! {
                        <div class="tiles">{by_status.into_iter().map(status).collect_view()}</div>
                        <div class="tallies">
                            {by_backend.into_iter().map(backend).collect_view()}
                        </div>
                    },
                )
            }}
        </section>
    }
}

#[component]
fn Nodes(nodes: Vec<NodeView>) -> impl IntoView {
    let is_empty = nodes.is_empty();
    view! {
        <section class="panel" aria-labelledby="nodes">
            <AreaHead id="nodes" title="Nodes" href="/nodes" link="All nodes" />
            {is_empty
                .then(|| {
                    view! { <p class="quiet-line">"They are being read for the first time."</p> }
                })}
            <ul class="node-list">
                {nodes.into_iter().map(|view| view! { <NodeRow view /> }).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn NodeRow(view: NodeView) -> impl IntoView {
    let NodeView { node, .. } = view;
    let cpu = node.cpu_permille.map(|permille| {
        let figures = format!("{} %", permille.div_ceil(10));
        view! { <Meter label="CPU" permille=u64::from(permille) figures /> }
    });
    let memory = node.memory.zip(node.memory_total).map(|(used, total)| {
        view! { <BytesMeter label="Memory" used total /> }
    });
    view! {
        <li class="node-row">
            <a class="strong" href=format!("/nodes/{}", node.name)>
                {node.name.clone()}
            </a>
            {(node.state != NodeState::Online).then(|| view! { <NodeBadge state=node.state /> })}
            <div class="meters">{cpu} {memory}</div>
        </li>
    }
}
