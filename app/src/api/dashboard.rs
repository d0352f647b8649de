//! How the whole stands: the dashboard, the nodes, and what the command palette finds.

use leptos::prelude::*;

use super::ApiError;
pub use crate::domain::dashboard::{
    Concern, ConcernKind, Counts, Dashboard, Hit, HitKind, NodeView, NodesPage, NodesProblem,
};

#[server(prefix = "/api", endpoint = "dashboard/get", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_dashboard() -> Result<Dashboard, ApiError> {
    use crate::{request, service::dashboard};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(dashboard::page(&state, &caller).await?)
    })
    .await
}

/// The machines that guests run on, from memory.
#[server(prefix = "/api", endpoint = "nodes/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_nodes() -> Result<NodesPage, ApiError> {
    use crate::{request, service::nodes};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(nodes::page(&state, &caller)?)
    })
    .await
}

/// Guests, actions, pages and operations that the text may mean, the likeliest first; without a text, where people mostly
/// go.
#[server(prefix = "/api", endpoint = "palette/find", input = leptos::server_fn::codec::GetUrl)]
pub async fn find(#[server(default)] text: String) -> Result<Vec<Hit>, ApiError> {
    use crate::{request, service::palette};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(palette::find(&state, &caller, &text).await?)
    })
    .await
}
