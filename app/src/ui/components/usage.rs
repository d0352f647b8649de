//! What a guest or a node uses: its charts of the last hour, which go on while one looks.

use std::time::Duration;

use leptos::{html::Input, prelude::*, task::spawn_local};

use super::chart::{Chart, Kind, Line};
use crate::{
    api::{
        ApiError,
        usage::{guest_usage, node_usage},
    },
    domain::{usage::Series, words},
    ui::{
        plot::{self, Unit},
        reply::{Reply, reply},
    },
};

/// As often as the server measures.
const AGAIN: Duration = Duration::from_secs(10);

const KINDS: [Kind; 4] = [
    Kind {
        title: "Processor",
        unit: Unit::Cores,
        lines: &[Line { name: "", of: |series| &series.cpu }],
        most: |series| series.cpu_most.map(|cpus| u64::from(cpus.0)),
    },
    Kind {
        title: "Memory",
        unit: Unit::Bytes,
        lines: &[Line { name: "", of: |series| &series.memory }],
        most: |series| series.memory_most,
    },
    Kind {
        title: "Disk",
        unit: Unit::Rate,
        lines: &[
            Line { name: "read", of: |series| &series.disk_read },
            Line { name: "written", of: |series| &series.disk_write },
        ],
        most: |_| None,
    },
    Kind {
        title: "Network",
        unit: Unit::Rate,
        lines: &[
            Line { name: "in", of: |series| &series.net_in },
            Line { name: "out", of: |series| &series.net_out },
        ],
        most: |_| None,
    },
];

/// The usage of a guest, by its backend and name. Nothing where there is no such guest.
#[component]
pub fn GuestUsage(#[prop(into)] guest: Signal<(String, String)>) -> impl IntoView {
    let first = reply(move || guest.get(), |(backend, name)| guest_usage(backend, name, None));
    let newer = move |after_ms| {
        let (backend, name) = guest.get_untracked();
        guest_usage(backend, name, after_ms)
    };
    view! { <Growing first newer /> }
}

/// The usage of a node, by its name.
#[component]
pub fn NodeUsage(#[prop(into)] node: Signal<String>) -> impl IntoView {
    let ask = |name, after_ms| async move { node_usage(name, after_ms).await.map(Some) };
    let first = reply(move || node.get(), move |name| ask(name, None));
    let newer = move |after_ms| ask(node.get_untracked(), after_ms);
    view! { <Growing first newer /> }
}

/// What was measured at first, and what is measured since.
#[component]
fn Growing<F, Fut>(first: Reply<Option<Series>>, newer: F) -> impl IntoView
where
    F: Fn(Option<i64>) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<Option<Series>, ApiError>> + Send + 'static,
{
    // What else the page shows tells what is wrong.
    let charts = move || {
        let first = first.get()?.ok()??;
        let series = RwSignal::new(first);
        Effect::new(move |_| {
            let ask = move || {
                if document().hidden() {
                    return;
                }
                let after_ms = series.try_with_untracked(Series::end_ms).flatten();
                spawn_local(async move {
                    if let Ok(Some(newer)) = newer(after_ms).await {
                        // The page may have gone meanwhile.
                        let _gone = series.try_update(|series| series.extend(newer));
                    }
                });
            };
            if let Ok(asking) = set_interval_with_handle(ask, AGAIN) {
                on_cleanup(move || asking.clear());
            }
        });
        Some(view! { <UsageCharts series /> })
    };
    view! { <Transition>{charts}</Transition> }
}

/// Charts of everything that is told, with one moment for all of them.
#[component]
pub fn UsageCharts(#[prop(into)] series: Signal<Series>) -> impl IntoView {
    let cursor = RwSignal::new(None::<i64>);
    let is_empty = Memo::new(move |_| series.read().is_empty());
    let chart = |kind: Kind| {
        let is_known = Memo::new(move |_| kind.is_known(&series.read()));
        move || is_known.get().then(|| view! { <Chart kind series cursor /> })
    };
    view! {
        <section class="panel usage" aria-labelledby="usage">
            <div class="panel-head">
                <h2 id="usage">"Usage"</h2>
                <Moment series cursor />
            </div>
            {move || {
                is_empty
                    .get()
                    .then(|| {
                        view! {
                            <p class="meta">
                                "Nothing was measured in the last hour: it was not running."
                            </p>
                        }
                    })
            }}
            <div class="charts">{KINDS.map(chart).collect_view()}</div>
        </section>
    }
}

/// The moment that the charts show, and how it is chosen without a pointer.
#[component]
fn Moment(series: Signal<Series>, cursor: RwSignal<Option<i64>>) -> impl IntoView {
    let slider = NodeRef::<Input>::new();
    let last = move || series.read().len().saturating_sub(1);
    let chosen = move || {
        let series = series.read();
        cursor.get().and_then(|at_ms| plot::index(&series, at_ms)).unwrap_or_else(last)
    };
    let moved = move |_| {
        let index = slider.get_untracked().and_then(|slider| slider.value().parse().ok());
        cursor.set(index.and_then(|index| series.read_untracked().time(index)));
    };
    let told = move || {
        let series = series.read();
        let figures = KINDS.iter().flat_map(|kind| {
            let figure = |line: usize| {
                let figure = kind.figure(&series, line, cursor.get())?;
                Some(format!("{} {} {figure}", kind.title, kind.lines.get(line)?.name))
            };
            (0..kind.lines.len()).filter_map(figure).collect::<Vec<_>>()
        });
        let at = series.time(chosen()).map(clock).unwrap_or_default();
        format!("{at}: {}", figures.collect::<Vec<_>>().join(", "))
    };
    view! {
        <label class="moment" class:unset=move || cursor.get().is_none()>
            <span class="unseen">"Moment"</span>
            <input
                type="range"
                node_ref=slider
                min="0"
                max=move || last().to_string()
                prop:value=move || chosen().to_string()
                aria-valuetext=told
                on:input=moved
                on:focus=move |_| cursor.set(series.read_untracked().end_ms())
                on:blur=move |_| cursor.set(None)
            />
            <span class="meta figures">
                {move || cursor.get().map_or_else(|| "Last hour".to_owned(), clock)}
            </span>
        </label>
    }
}

/// "14:02:11 UTC"
fn clock(at_ms: i64) -> String {
    words::exact(at_ms).split_once(' ').map(|(_, time)| time.to_owned()).unwrap_or_default()
}
