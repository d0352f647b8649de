//! The browser's half: takes over the page that the server has sent.
// A page's view is one deeply nested type, and the compiler looks all the way down.
#![recursion_limit = "512"]

mod taking_over;

use leptos::{mount::hydrate_from_async, prelude::document};
use taking_over::TakingOver;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Room for the constants of each page's own WebAssembly.
///
/// The splitter moves them to the pages that use them, aligned anew, and may not make the whole longer: by then everything
/// else has its place. Where that does not fit it leaves all of them in the part that every page waits for, with no
/// more than a warning (seen with wasm_split_cli_support 0.2.3: 406 bytes too many, and 45 KB more over the wire). Nothing
/// refers to this, so no part gets it, and what it took is free.
#[used]
static ROOM: [u8; 8192] = [0xff; 8192];

#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    let Some(body) = document().body() else { return };
    spawn_local(async move {
        let taking_over = TakingOver::begin();
        // Waits for the WebAssembly of the page that is shown.
        let page = hydrate_from_async(body, app::ui::app::App).await;
        drop(taking_over);
        page.forget();
    });
}
