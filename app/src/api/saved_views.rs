//! Saved views of the guests' list: one's own.

use leptos::prelude::*;

use super::ApiError;
pub use crate::domain::list::saved::SavedView;

/// One's own views, oldest first.
#[server(prefix = "/api", endpoint = "views/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_views() -> Result<Vec<SavedView>, ApiError> {
    use crate::{request, service::saved_views};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(saved_views::own(&state, &caller).await?)
    })
    .await
}

/// Saves what the words of a list's address ask for. Without `id` under a name, and one of that name is changed to it;
/// with it that view is changed, its name too.
#[server(prefix = "/api", endpoint = "views/save")]
pub async fn save_view(
    #[server(default)] id: Option<i64>,
    name: String,
    #[server(default)] q: String,
    #[server(default)] sort: String,
    #[server(default)] group: String,
) -> Result<(), ApiError> {
    use crate::{
        domain::list::{ListQuery, saved::ViewId},
        request,
        service::saved_views,
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let query = ListQuery::of(&q, &sort, &group);
        Ok(saved_views::save(&state, &caller, id.map(ViewId), &name, &query).await?)
    })
    .await
}

/// Removes one of one's own views.
#[server(prefix = "/api", endpoint = "views/remove")]
pub async fn remove_view(id: i64) -> Result<(), ApiError> {
    use crate::{domain::list::saved::ViewId, request, service::saved_views};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(saved_views::remove(&state, &caller, ViewId(id)).await?)
    })
    .await
}
