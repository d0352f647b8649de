//! Operations: the history, one of them, cancel.

use leptos::prelude::*;

use super::ApiError;
pub use crate::domain::view::{Again, HistoryPage, OperationPage};
use crate::domain::{history::HistoryQuery, operation::OperationId};

/// One page of what the filter asks for, newest first; with what is wrong with it in `errors`, and no operations then.
#[server(prefix = "/api", endpoint = "operations/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_operations(#[server(default)] query: HistoryQuery) -> Result<HistoryPage, ApiError> {
    use crate::{request, service::history};
    request::reply(async {
        let (app, caller) = request::context()?;
        Ok(history::page(&app, &caller, &query).await?)
    })
    .await
}

/// One page of a guest's own history, newest first. `after` is the page's before it `older`, or empty. `None` for what can
/// be no guest; one that is gone still has its history.
#[server(prefix = "/api", endpoint = "operations/of-guest", input = leptos::server_fn::codec::GetUrl)]
pub async fn guest_timeline(
    backend: String,
    name: String,
    #[server(default)] after: String,
) -> Result<Option<HistoryPage>, ApiError> {
    use crate::{request, service::history};
    request::reply(async {
        let (app, caller) = request::context()?;
        Ok(history::timeline(&app, &caller, &backend, &name, &after).await?)
    })
    .await
}

/// `None` where there is no such operation, also for a text that is no number.
#[server(prefix = "/api", endpoint = "operations/get", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_operation(id: String) -> Result<Option<OperationPage>, ApiError> {
    use crate::{request, service::operations};
    request::reply(async {
        let (app, caller) = request::context()?;
        Ok(operations::page(&app, &caller, &id).await?)
    })
    .await
}

/// What an operation would run if it were done again. `None` where it cannot be planned again.
#[server(prefix = "/api", endpoint = "operations/plan-again", input = leptos::server_fn::codec::GetUrl)]
pub async fn plan_again(id: String) -> Result<Option<Again>, ApiError> {
    use crate::{request, service::again};
    request::reply(async {
        let (app, caller) = request::context()?;
        let Ok(number) = id.parse() else { return Ok(None) };
        Ok(again::plan(&app, &caller, OperationId(number)).await?)
    })
    .await
}

/// Does it again, if the plan is still the one with the hash `plan`. `confirm` is the guest's name, for a delete.
#[server(prefix = "/api", endpoint = "operations/again")]
pub async fn do_again(
    id: i64,
    plan: String,
    #[server(default)] confirm: String,
) -> Result<OperationId, ApiError> {
    use crate::{request, service::again};
    request::reply(async {
        let (app, caller) = request::context()?;
        let begun = again::begin(&app, &caller, OperationId(id), &plan, &confirm).await?;
        request::redirect(&begun.href());
        Ok(begun)
    })
    .await
}

/// Ends the tool that the operation runs. Answers at once; the operation ends a moment later as cancelled.
#[server(prefix = "/api", endpoint = "operations/cancel")]
pub async fn cancel_operation(id: i64) -> Result<(), ApiError> {
    use crate::{request, service::operations};
    request::reply(async {
        let (app, caller) = request::context()?;
        Ok(operations::cancel(&app, &caller, OperationId(id)).await?)
    })
    .await
}
