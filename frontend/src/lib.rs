//! The browser's half: takes over the page that the server has sent.
// A page's view is one deeply nested type, and the compiler looks all the way down.
#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::ui::app::App);
}
