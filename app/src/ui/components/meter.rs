//! How much of something is used: a bar, and beside it the figures, so that the bar need not be read.

use leptos::prelude::*;

use crate::domain::words;

/// From here on a bar stands out, thousandths.
const NEARLY_FULL: u64 = 900;

/// `permille` of it is used.
#[component]
pub fn Meter(#[prop(into)] label: String, permille: u64, #[prop(into)] figures: String) -> impl IntoView {
    let permille = permille.min(1000);
    let class = if permille >= NEARLY_FULL { "meter nearly-full" } else { "meter" };
    view! {
        <div class=class>
            <span class="meter-label">{label}</span>
            // A width as an attribute: the page's policy lets no element have a style of its own.
            <svg class="meter-bar" aria-hidden="true">
                <rect
                    class="meter-used"
                    width=format!("{}.{}%", permille / 10, permille % 10)
                    height="100%"
                />
            </svg>
            <span class="meter-figures figures">{figures}</span>
        </div>
    }
}

/// The same of bytes: "1.5 GiB of 4.0 GiB".
#[component]
pub fn BytesMeter(#[prop(into)] label: String, used: u64, total: u64) -> impl IntoView {
    let permille = u64::try_from(u128::from(used) * 1000 / u128::from(total.max(1))).unwrap_or(1000);
    let figures = format!("{} of {}", words::bytes(used), words::bytes(total));
    view! { <Meter label permille figures /> }
}
