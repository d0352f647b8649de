//! Guests: list, one, what an action would do, act, create.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ApiError, CreateError};
use crate::domain::{
    action::{GuestAction, Refusal},
    guest::{BackendKind, Guest, GuestDetail},
    host::{BackendState, CreateOptions},
    operation::{OperationId, OperationSummary},
    plan::Plan,
};

/// All guests of the host, from memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestList {
    /// Counts the changes of the inventory; equal versions are equal lists.
    pub version: u64,
    /// The server's clock, milliseconds since 1970, so that "2 min ago" is the same in page and browser.
    pub now_ms: i64,
    pub backends: Vec<BackendHealth>,
    /// Sorted by name, then backend.
    pub guests: Vec<GuestRow>,
    /// Why this person cannot create guests, if so.
    pub create_refusal: Option<Refusal>,
}

/// One backend and whether its guests are as of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendHealth {
    pub state: BackendState,
    /// The last reading failed with this message; the guests shown are older.
    pub stale: Option<String>,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestRow {
    pub guest: Guest,
    /// What Paddock last did with it, running or ended.
    pub last: Option<OperationSummary>,
}

/// One guest's own page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestPage {
    pub now_ms: i64,
    pub detail: GuestDetail,
    /// The operation at work on it.
    pub live: Option<OperationSummary>,
    /// Newest first, at most ten.
    pub recent: Vec<OperationSummary>,
    /// Start, shut down, stop and delete, in this order, each with why it cannot be had now.
    pub actions: Vec<ActionChoice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionChoice {
    pub action: GuestAction,
    pub refusal: Option<Refusal>,
}

/// What an action would run. Nothing has been run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub now_ms: i64,
    pub guest: Guest,
    pub action: GuestAction,
    /// The refusal, where it could not be begun now.
    pub plan: Result<Plan, Refusal>,
}

/// The form for a new guest, as typed. Every field is text so that nothing typed is ever lost on the way; the
/// service checks and converts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateForm {
    /// `lxc` or `crun`.
    pub backend: String,
    pub name: String,
    /// For LXC: `template` or `local`.
    pub source: String,
    pub template: String,
    /// Arguments of the template, one a line.
    pub arguments: String,
    /// Absolute path of the image's metadata archive.
    pub metadata: String,
    /// Absolute path of the root file system's archive.
    pub rootfs: String,
    /// Absolute path of an OCI bundle.
    pub bundle: String,
}

/// What can be chosen on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateChoices {
    /// Those that can create guests here.
    pub backends: Vec<BackendState>,
    pub options: CreateOptions,
    pub refusal: Option<Refusal>,
}

#[server(prefix = "/api", endpoint = "guests/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_guests() -> Result<GuestList, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        guests::list(&state, &caller).await
    })
    .await
}

/// `None` where there is no such guest, also for a text that cannot be a guest's name.
#[server(prefix = "/api", endpoint = "guests/get", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_guest(backend: String, name: String) -> Result<Option<GuestPage>, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        guests::page(&state, &caller, &backend, &name).await
    })
    .await
}

/// What an action would run. `None` where there is no such guest.
#[server(prefix = "/api", endpoint = "guests/preview", input = leptos::server_fn::codec::GetUrl)]
pub async fn preview_action(
    backend: String,
    name: String,
    action: GuestAction,
) -> Result<Option<Preview>, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        guests::preview(&state, &caller, &backend, &name, action).await
    })
    .await
}

/// Begins start, shut down, stop or delete, and answers at once with the operation that is now at work.
///
/// `timeout` is the seconds to wait for a shut-down, as typed; empty is the default. `confirm` must be the
/// guest's name for a delete.
#[server(prefix = "/api", endpoint = "guests/act")]
pub async fn act(
    backend: String,
    name: String,
    action: GuestAction,
    #[server(default)] timeout: String,
    #[server(default)] confirm: String,
) -> Result<OperationId, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        let begun = guests::act(&state, &caller, &backend, &name, action, &timeout, &confirm).await?;
        if action == GuestAction::Delete {
            // The guest's own page is about to go, so the person is taken to what is happening.
            request::redirect(&begun.href());
        }
        Ok(begun)
    })
    .await
}

/// Begins the creation of a guest and takes the person to its operation.
#[server(prefix = "/api", endpoint = "guests/create")]
pub async fn create_guest(form: CreateForm) -> Result<OperationId, CreateError> {
    use crate::{request, service::guests};
    let begun = request::reply(async {
        let (state, caller) = request::context()?;
        let begun = guests::create(&state, &caller, &form).await?;
        request::redirect(&begun.href());
        Ok(begun)
    });
    begun.await.map_err(|error| CreateError { error, form: guests::kept(form) })
}

#[server(prefix = "/api", endpoint = "guests/choices", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_choices() -> Result<CreateChoices, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        guests::choices(&state, &caller).await
    })
    .await
}

/// The backends that a person can choose for a new guest, in the order shown.
pub const CREATABLE: [BackendKind; 2] = [BackendKind::Lxc, BackendKind::Crun];
