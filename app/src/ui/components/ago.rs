//! Times: relative in words, exact on hover and for machines.

use leptos::prelude::*;

use crate::{domain::words, ui::clock::Clock};

/// "2 min ago".
#[component]
pub fn Ago(at_ms: i64, now_ms: i64) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <time datetime=words::iso(at_ms) title=words::exact(at_ms)>
            {move || words::ago(at_ms, clock.coarse(now_ms))}
        </time>
    }
}

/// "2025-03-03 14:02:11 UTC", where the record matters more than the distance.
#[component]
pub fn Exact(at_ms: i64) -> impl IntoView {
    view! { <time datetime=words::iso(at_ms)>{words::exact(at_ms)}</time> }
}

/// How long something has been going on, told coarsely: the uptime of one guest among many.
#[component]
pub fn Uptime(since_ms: i64, now_ms: i64) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <time datetime=words::iso(since_ms) title=format!("since {}", words::exact(since_ms))>
            {move || words::uptime(since_ms, clock.coarse(now_ms))}
        </time>
    }
}

/// How long something has been going on, second by second.
#[component]
pub fn Elapsed(since_ms: i64, now_ms: i64) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! { <span class="elapsed">{move || words::running_for(since_ms, clock.second(now_ms))}</span> }
}
