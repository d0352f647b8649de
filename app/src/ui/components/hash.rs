//! A SHA-256 as a person compares it: the first eight digits, the whole of it on hover and to copy.

use leptos::prelude::*;

use super::command::Copy;

/// Digits shown.
const SHOWN: usize = 8;

/// `seq`: its place in the ledger, in front.
#[component]
pub fn ShortHash(#[prop(optional)] seq: Option<i64>, hash: String) -> impl IntoView {
    let short = hash.get(..SHOWN).unwrap_or(&hash).to_owned();
    view! {
        <span class="hash">
            {seq.map(|seq| format!("#{seq} "))} <code title=hash.clone()>{short}</code>
            <Copy text=hash what="hash" />
        </span>
    }
}
