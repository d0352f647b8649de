//! Operations: the history, one of them, cancel.

use leptos::prelude::*;

use super::ApiError;
use crate::domain::operation::OperationId;
pub use crate::domain::view::{Again, HistoryPage, OperationPage};

/// Operations older than `before`, or the newest. `text` narrows to those whose guest's name or actor contains it;
/// `state` to those in that state, empty for all.
#[server(prefix = "/api", endpoint = "operations/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_operations(
    #[server(default)] text: String,
    #[server(default)] state: String,
    before: Option<i64>,
) -> Result<HistoryPage, ApiError> {
    use crate::{request, service::operations};
    request::reply(async {
        let (app, caller) = request::context()?;
        Ok(operations::history(&app, &caller, &text, &state, before.map(OperationId)).await?)
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
