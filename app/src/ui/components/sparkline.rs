//! A few moments as a small line beside a figure.

use leptos::prelude::*;

use crate::{domain::usage::SPARK_POINTS, ui::plot};

/// `levels` as in [`Spark`](crate::domain::usage::Spark). Says nothing: the figure beside it does.
#[component]
pub fn Sparkline(#[prop(into)] levels: Signal<String>) -> impl IntoView {
    const WIDTH: usize = SPARK_POINTS - 1;
    view! {
        <svg
            class="spark"
            viewBox=format!("0 0 {WIDTH} 63")
            preserveAspectRatio="none"
            aria-hidden="true"
            focusable="false"
        >
            <path d=move || plot::spark(&levels.read(), WIDTH)></path>
        </svg>
    }
}
