//! The HTTP status of a page, told by the page itself: an unknown guest is a 404, not a 200 that says so.

use std::sync::Arc;

use leptos::prelude::use_context;

/// Sets the status of the reply. Provided by the server; there is none in the browser.
#[derive(Clone)]
pub struct SetStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// The page shows that there is nothing of this name.
pub fn not_found() {
    if let Some(set) = use_context::<SetStatus>() {
        set.0(404);
    }
}
