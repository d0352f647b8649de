//! Guests: list, one, what an action would do, act, create.

use leptos::prelude::*;

use super::{ApiError, CreateError};
pub use crate::domain::view::{
    ActionChoice, BackendHealth, BulkPreview, CreateChoices, CreateForm, GuestList, GuestPage, GuestRow,
    ListPage, Preview,
};
use crate::domain::{action::GuestAction, guest::BackendKind, operation::OperationId};

/// All guests that this person sees.
#[server(prefix = "/api", endpoint = "guests/list", input = leptos::server_fn::codec::GetUrl)]
pub async fn list_guests() -> Result<GuestList, ApiError> {
    use crate::{request, service::rows};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(rows::list(&state, &caller).await?)
    })
    .await
}

/// One page of the guests that `q` finds. What makes no sense in the other words is the default; see
/// [`ListQuery`](crate::domain::list::ListQuery).
#[server(prefix = "/api", endpoint = "guests/page", input = leptos::server_fn::codec::GetUrl)]
pub async fn page_guests(
    #[server(default)] q: String,
    #[server(default)] sort: String,
    #[server(default)] group: String,
    #[server(default)] page: String,
) -> Result<ListPage, ApiError> {
    use crate::{domain::list::ListQuery, request, service::rows};
    request::reply(async {
        let (state, caller) = request::context()?;
        let query = ListQuery::of(&q, &sort, &group);
        Ok(rows::page(&state, &caller, &query, page.parse().unwrap_or(1)).await?)
    })
    .await
}

/// `None` where there is no such guest, also for a text that cannot be a guest's name.
#[server(prefix = "/api", endpoint = "guests/get", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_guest(backend: String, name: String) -> Result<Option<GuestPage>, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(guests::page(&state, &caller, &backend, &name).await?)
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
        Ok(guests::preview(&state, &caller, &backend, &name, action).await?)
    })
    .await
}

/// Begins start, shut down, stop or delete, and answers at once with the operation that is now at work.
///
/// `timeout` is the seconds to wait for a shut-down, as typed; empty is the default. `confirm` must be the
/// guest's name for a delete. `plan` is the hash of the plan that was shown: if the guest has changed since so that the
/// plan differs, nothing is run.
#[server(prefix = "/api", endpoint = "guests/act")]
pub async fn act(
    backend: String,
    name: String,
    action: GuestAction,
    #[server(default)] timeout: String,
    #[server(default)] confirm: String,
    #[server(default)] plan: String,
) -> Result<OperationId, ApiError> {
    use crate::{
        request,
        service::guests::{self, ActForm},
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let form = ActForm {
            backend: &backend,
            name: &name,
            action,
            timeout: &timeout,
            confirm: &confirm,
            plan: &plan,
        };
        let begun = guests::act(&state, &caller, form).await?;
        if action == GuestAction::Delete || !plan.is_empty() {
            // The guest's own page is about to go, or was left for that of the plan: the person is taken to what is
            // happening.
            request::redirect(&begun.href());
        }
        Ok(begun)
    })
    .await
}

/// What an action would run on each of these guests (`BACKEND/NAME`, each as a field `guests[]`), and which would be left
/// out.
#[server(prefix = "/api", endpoint = "guests/preview-all", input = leptos::server_fn::codec::GetUrl)]
pub async fn preview_all(
    action: GuestAction,
    #[server(default)] guests: Vec<String>,
    #[server(default)] timeout: String,
) -> Result<BulkPreview, ApiError> {
    use crate::{
        request,
        service::{
            bulk,
            guests::{self as service, BulkForm},
        },
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let ask = service::bulk(BulkForm { action, guests: &guests, timeout: &timeout, plan: "" })?;
        Ok(bulk::plan(&state, &caller, &ask).await?)
    })
    .await
}

/// Begins an action on all of these guests and answers at once with the operation that is the whole. `plan` is the hash
/// of the preview that was shown.
#[server(prefix = "/api", endpoint = "guests/act-on-all")]
pub async fn act_on_all(
    action: GuestAction,
    #[server(default)] guests: Vec<String>,
    #[server(default)] timeout: String,
    #[server(default)] plan: String,
) -> Result<OperationId, ApiError> {
    use crate::{
        request,
        service::guests::{self as service, BulkForm},
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let form = BulkForm { action, guests: &guests, timeout: &timeout, plan: &plan };
        let begun = service::act_on_all(&state, &caller, form).await?;
        request::redirect(&begun.href());
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
        Ok(guests::choices(&state, &caller).await?)
    })
    .await
}

/// The backends that a person can choose for a new guest, in the order shown.
pub const CREATABLE: [BackendKind; 2] = [BackendKind::Lxc, BackendKind::Crun];
