//! Usage: the last hour of a guest and of a node.

use leptos::prelude::*;

use super::ApiError;
use crate::domain::usage::Series;

/// With `after_ms` only what is newer. `None` where there is no such guest, also for a text that cannot be a guest's name;
/// empty where nothing was measured yet.
#[server(prefix = "/api", endpoint = "usage/guest", input = leptos::server_fn::codec::GetUrl)]
pub async fn guest_usage(
    backend: String,
    name: String,
    #[server(default)] after_ms: Option<i64>,
) -> Result<Option<Series>, ApiError> {
    use crate::{request, service::usage};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(usage::of_guest(&state, &caller, &backend, &name, after_ms))
    })
    .await
}

/// With `after_ms` only what is newer. Empty where there is no such node.
#[server(prefix = "/api", endpoint = "usage/node", input = leptos::server_fn::codec::GetUrl)]
pub async fn node_usage(name: String, #[server(default)] after_ms: Option<i64>) -> Result<Series, ApiError> {
    use crate::{request, service::usage};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(usage::of_node(&state, &caller, &name, after_ms)?)
    })
    .await
}
