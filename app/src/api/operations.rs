//! Operations: the history, one of them, cancel.

use leptos::prelude::*;

use super::ApiError;
pub use crate::domain::view::{HistoryPage, OperationPage};

/// Operations older than `before`, or the newest. `text` narrows to those whose guest's name or actor contains it;
/// `state` to those in that state, empty for all.
#[server(prefix = "/api", endpoint = "operations/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_operations(
    #[server(default)] text: String,
    #[server(default)] state: String,
    before: Option<i64>,
) -> Result<HistoryPage, ApiError> {
    use crate::{domain::operation::OperationId, request, service::operations};
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

/// Ends the tool that the operation runs. Answers at once; the operation ends a moment later as cancelled.
#[server(prefix = "/api", endpoint = "operations/cancel")]
pub async fn cancel_operation(id: i64) -> Result<(), ApiError> {
    use crate::{domain::operation::OperationId, request, service::operations};
    request::reply(async {
        let (app, caller) = request::context()?;
        Ok(operations::cancel(&app, &caller, OperationId(id)).await?)
    })
    .await
}
