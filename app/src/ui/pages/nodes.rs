//! The machines that guests run on: all of them, and one.

use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::dashboard::{Counts, NodeView, NodesPage as Page, NodesProblem, list_nodes},
    domain::{
        guest::BackendKind,
        host::{Network, Node, Storage},
        words,
    },
    ui::{
        components::{
            ago::Ago,
            badge::{BackendChip, NodeBadge, StatusBadge},
            banner::{Banner, Tone},
            empty::Empty,
            icon::Glyph,
            loaded::Loaded,
            meter::{BytesMeter, Meter},
            table::Table,
            usage::NodeUsage,
        },
        live::Live,
        pages::not_found::Missing,
        reply::reply,
    },
};

#[component]
pub fn NodesPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let nodes = reply(move || live.version(), |_| list_nodes());
    view! {
        <Title text="Nodes" />
        <Loaded reply=nodes let:page>
            {
                let Page { now_ms, nodes, problems } = page;
                let is_empty = nodes.is_empty();
                view! {
                    <header class="head">
                        <h1>"Nodes"</h1>
                    </header>
                    <Problems problems />
                    {is_empty.then(|| view! { <Unread /> })}
                    <ul class="node-cards">
                        {nodes
                            .into_iter()
                            .map(|view| view! { <Card view now_ms /> })
                            .collect_view()}
                    </ul>
                }
                    .into_any()
            }
        </Loaded>
    }
}

#[component]
fn Unread() -> impl IntoView {
    view! {
        <Empty glyph=Glyph::Node title="No node is known yet">
            <p>"They are read in the first seconds, and then once a minute."</p>
        </Empty>
    }
}

#[component]
fn Problems(problems: Vec<NodesProblem>) -> impl IntoView {
    let problem = |NodesProblem { backend, why }| {
        view! {
            <Banner
                tone=Tone::Warning
                title=format!("The nodes of {} could not be read", backend.label())
            >
                <p>{why}</p>
            </Banner>
        }
    };
    problems.into_iter().map(problem).collect_view()
}

fn href(node: &Node) -> String {
    format!("/nodes/{}", node.name)
}

/// One among others.
#[component]
fn Card(view: NodeView, now_ms: i64) -> impl IntoView {
    let NodeView { node, backends, at_ms, counts } = view;
    view! {
        <li class="panel node-card" data-row=href(&node)>
            <div class="node-head">
                <h2>
                    <a class="cover" href=href(&node)>
                        {node.name.clone()}
                    </a>
                </h2>
                <NodeBadge state=node.state />
                <span class="meta node-version">{node.version.clone()}</span>
            </div>
            <Use node=node.clone() />
            <Figures counts />
            <p class="node-foot">
                <Backends backends />
                <span class="meta">"read " <Ago at_ms now_ms /></span>
            </p>
        </li>
    }
}

/// Processors, memory and storages as bars.
#[component]
fn Use(node: Node) -> impl IntoView {
    let cpu = node.cpu_permille.map(|permille| {
        let cores = node.cores.map(|cores| format!(" of {cores} cores")).unwrap_or_default();
        let figures = format!("{}.{} %{cores}", permille / 10, permille % 10);
        view! { <Meter label="CPU" permille=u64::from(permille) figures /> }
    });
    let memory = node.memory.zip(node.memory_total).map(|(used, total)| {
        view! { <BytesMeter label="Memory" used total /> }
    });
    let storage = |storage: Storage| {
        let (used, total) = storage.used.zip(storage.total)?;
        Some(view! { <BytesMeter label=storage.name used total /> })
    };
    view! {
        <div class="meters">
            {cpu} {memory} {node.storages.into_iter().filter_map(storage).collect_view()}
        </div>
    }
}

#[component]
fn Figures(counts: Counts) -> impl IntoView {
    let status = |(status, count)| {
        view! {
            <span class="tally">
                <StatusBadge status />
                <span class="figures">{count}</span>
            </span>
        }
    };
    if counts.total == 0 {
        return Either::Left(view! { <p class="meta">"No guests that you may see."</p> });
    }
    Either::Right(
        view! { <div class="tallies">{counts.by_status.into_iter().map(status).collect_view()}</div> },
    )
}

#[component]
fn Backends(backends: Vec<BackendKind>) -> impl IntoView {
    backends.into_iter().map(|kind| view! { <BackendChip kind /> }).collect_view()
}

#[component]
pub fn NodePage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let name = move || params.read().get("name").unwrap_or_default();
    let nodes = reply(move || live.version(), |_| list_nodes());
    view! {
        <Loaded reply=nodes let:page>
            {
                let Page { now_ms, nodes, problems } = page;
                let is_unread = nodes.is_empty();
                match nodes.into_iter().find(|view| view.node.name == name()) {
                    Some(view) => {
                        view! {
                            <Problems problems />
                            <One view now_ms />
                        }
                            .into_any()
                    }
                    None if is_unread => view! { <Unread /> }.into_any(),
                    None => {
                        view! {
                            <Missing title=format!("There is no node {}", name())>
                                <a class="button" href="/nodes">
                                    "All nodes"
                                </a>
                            </Missing>
                        }
                            .into_any()
                    }
                }
            }
        </Loaded>
    }
}

/// One alone.
#[component]
fn One(view: NodeView, now_ms: i64) -> impl IntoView {
    let NodeView { node, backends, at_ms, counts } = view;
    let uptime = node.uptime_seconds.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1000));
    let facts = [
        ("Version", Some(node.version.clone()).filter(|version| !version.is_empty())),
        ("Cores", node.cores.map(|cores| cores.to_string())),
        ("Load", (!node.load.is_empty()).then(|| node.load.join("  "))),
        ("Up for", uptime.map(words::span)),
    ];
    let fact = |(label, value): (&'static str, Option<String>)| {
        value.map(|value| {
            view! {
                <dt>{label}</dt>
                <dd class="figures">{value}</dd>
            }
        })
    };
    view! {
        <Title text=node.name.clone() />
        <header class="head">
            <div class="head-words">
                <h1 class="long">{node.name.clone()}</h1>
                <p class="head-facts">
                    <NodeBadge state=node.state />
                    <Backends backends />
                    <span class="meta">"read " <Ago at_ms now_ms /></span>
                </p>
            </div>
        </header>
        {node
            .note
            .clone()
            .map(|note| {
                view! {
                    <Banner tone=Tone::Warning title="Not all of it is known">
                        <p>{note}</p>
                    </Banner>
                }
            })}
        <div class="columns even">
            <section class="panel" aria-labelledby="use">
                <h2 id="use">"Now"</h2>
                <Use node=Node {
                    storages: Vec::new(),
                    ..node.clone()
                } />
                <Figures counts />
            </section>
            <section class="panel" aria-labelledby="facts">
                <h2 id="facts">"Facts"</h2>
                <dl class="facts">{facts.into_iter().map(fact).collect_view()}</dl>
            </section>
        </div>
        <NodeUsage node=Signal::stored(node.name.clone()) />
        <Storages storages=node.storages />
        <Networks networks=node.networks />
    }
}

#[component]
fn Storages(storages: Vec<Storage>) -> impl IntoView {
    // Where nothing is told of it there is nothing to read.
    let has_content = storages.iter().any(|storage| !storage.content.is_empty());
    let columns: &'static [&'static str] =
        if has_content { &["Storage", "Kind", "Holds", "Used"] } else { &["Storage", "Kind", "Used"] };
    let row = move |storage: Storage| {
        let used = storage.used.zip(storage.total);
        view! {
            <tr>
                <th scope="row" data-label="Storage">
                    {storage.name}
                </th>
                <td data-label="Kind">{storage.kind}</td>
                {has_content
                    .then(|| view! { <td data-label="Holds">{storage.content.join(", ")}</td> })}
                <td data-label="Used">
                    {match used {
                        Some((used, total)) => {
                            Either::Left(view! { <BytesMeter label="" used total /> })
                        }
                        None if storage.is_active => Either::Right("not known"),
                        None => Either::Right("not active"),
                    }}
                </td>
            </tr>
        }
    };
    (!storages.is_empty()).then(|| {
        view! {
            <section class="area" aria-labelledby="storages">
                <div class="area-head">
                    <h2 id="storages">"Storages"</h2>
                </div>
                <Table columns>{storages.into_iter().map(row).collect_view()}</Table>
            </section>
        }
    })
}

#[component]
fn Networks(networks: Vec<Network>) -> impl IntoView {
    let row = |network: Network| {
        view! {
            <tr>
                <th scope="row" data-label="Network">
                    {network.name}
                </th>
                <td data-label="Kind">{network.kind}</td>
                <td data-label="Address" class="mono">
                    {network.address}
                </td>
                <td data-label="State">
                    {if network.is_active { "active" } else { "not active" }}
                </td>
            </tr>
        }
    };
    (!networks.is_empty()).then(|| {
        view! {
            <section class="area" aria-labelledby="networks">
                <div class="area-head">
                    <h2 id="networks">"Networks"</h2>
                </div>
                <Table columns=&[
                    "Network",
                    "Kind",
                    "Address",
                    "State",
                ]>{networks.into_iter().map(row).collect_view()}</Table>
            </section>
        }
    })
}
