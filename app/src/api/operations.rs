//! Operations: the history, one of them, cancel.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::domain::operation::{Operation, OperationId, OperationSummary};

/// One page of the history, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    pub now_ms: i64,
    pub operations: Vec<OperationSummary>,
    /// Pass as `before` for the next, older page.
    pub older: Option<OperationId>,
}

/// One operation's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationPage {
    pub now_ms: i64,
    pub operation: Operation,
    /// It is running, and this person may end it.
    pub can_cancel: bool,
}

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
        operations::history(&app, &caller, &text, &state, before.map(OperationId)).await
    })
    .await
}

/// `None` where there is no such operation, also for a text that is no number.
#[server(prefix = "/api", endpoint = "operations/get", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_operation(id: String) -> Result<Option<OperationPage>, ApiError> {
    use crate::{request, service::operations};
    request::reply(async {
        let (app, caller) = request::context()?;
        operations::page(&app, &caller, &id).await
    })
    .await
}

/// Ends the tool that the operation runs. Answers at once; the operation ends a moment later as cancelled.
#[server(prefix = "/api", endpoint = "operations/cancel")]
pub async fn cancel_operation(id: i64) -> Result<(), ApiError> {
    use crate::{request, service::operations};
    request::reply(async {
        let (app, caller) = request::context()?;
        operations::cancel(&app, &caller, OperationId(id)).await
    })
    .await
}
