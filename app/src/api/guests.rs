//! Guests: list, one, what an action would do, act, create.

use leptos::prelude::*;

use super::{ApiError, CreateError};
pub use crate::domain::view::{
    ActionChoice, BackendHealth, BulkPreview, CreateChoices, CreatePreview, FormPage, GuestList, GuestPage,
    GuestRow, ListPage, Preview, SnapshotList,
};
use crate::domain::{action::GuestAction, form::Typed, operation::OperationId};

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

/// What an action would run, with what its form asks for in `fields`. `None` where there is no such guest.
#[server(prefix = "/api", endpoint = "guests/preview", input = leptos::server_fn::codec::GetUrl)]
pub async fn preview_action(
    backend: String,
    name: String,
    action: GuestAction,
    #[server(default)] fields: Typed,
) -> Result<Option<Preview>, ApiError> {
    use crate::{request, service::guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(guests::preview(&state, &caller, &backend, &name, action, &fields).await?)
    })
    .await
}

/// A guest's snapshots. `None` where there is no such guest.
#[server(prefix = "/api", endpoint = "guests/snapshots", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_snapshots(backend: String, name: String) -> Result<Option<SnapshotList>, ApiError> {
    use crate::{request, service::guest_forms};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(guest_forms::snapshots(&state, &caller, &backend, &name).await?)
    })
    .await
}

/// What the form of an action offers. `None` where there is no such guest.
#[server(prefix = "/api", endpoint = "guests/form", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_form(
    backend: String,
    name: String,
    action: GuestAction,
) -> Result<Option<FormPage>, ApiError> {
    use crate::{request, service::guest_forms};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(guest_forms::form(&state, &caller, &backend, &name, action).await?)
    })
    .await
}

/// Begins an action on a guest, and answers at once with the operation that is now at work.
///
/// `fields` is what its form asks for. `timeout` is short for its field of that name: the seconds to wait for a shut-down, as
/// typed; empty is the default. `confirm` must be the guest's name for a delete, the snapshot's for what loses one. `plan` is
/// the hash of the plan that was shown: if the guest has changed since so that the plan differs, nothing is run.
#[server(prefix = "/api", endpoint = "guests/act")]
pub async fn act(
    backend: String,
    name: String,
    action: GuestAction,
    #[server(default)] fields: Typed,
    #[server(default)] timeout: String,
    #[server(default)] confirm: String,
    #[server(default)] plan: String,
) -> Result<OperationId, ApiError> {
    use crate::{
        domain::action::Field,
        request,
        service::guests::{self, ActForm},
    };
    request::reply(async {
        let (state, caller) = request::context()?;
        let typed = if timeout.is_empty() { fields } else { fields.with(Field::Timeout, timeout) };
        let form =
            ActForm { backend: &backend, name: &name, action, typed: &typed, confirm: &confirm, plan: &plan };
        let begun = guests::act(&state, &caller, form).await?;
        // The guest's own page is about to go, or was left for that of the plan: the person is taken to what is
        // happening. What a command says is shown where it was typed, where a script can.
        let is_left = action == GuestAction::Delete || !plan.is_empty();
        if is_left || action == GuestAction::Exec && request::wants_page() {
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

/// What the creation of a guest would run. A password is not among the fields: that there will be one is.
#[server(prefix = "/api", endpoint = "guests/preview-create", input = leptos::server_fn::codec::GetUrl)]
pub async fn preview_create(#[server(default)] form: Typed) -> Result<CreatePreview, ApiError> {
    use crate::{request, service::new_guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(new_guests::preview(&state, &caller, &form).await?)
    })
    .await
}

/// Begins the creation of a guest and takes the person to its operation. `plan` is the hash of the plan that was shown.
#[server(prefix = "/api", endpoint = "guests/create")]
pub async fn create_guest(
    form: Typed,
    #[server(default)] password: String,
    #[server(default)] plan: String,
) -> Result<OperationId, CreateError> {
    use crate::{domain::secret::Secret, request, service::new_guests};
    let begun = request::reply(async {
        let (state, caller) = request::context()?;
        let password = Some(password).filter(|text| !text.is_empty()).map(Secret::new);
        let begun = new_guests::create(&state, &caller, &form, password, &plan).await?;
        request::redirect(&begun.href());
        Ok(begun)
    });
    begun.await.map_err(|error| CreateError { error, form: new_guests::kept(&form) })
}

#[server(prefix = "/api", endpoint = "guests/choices", input = leptos::server_fn::codec::GetUrl)]
pub async fn get_choices() -> Result<CreateChoices, ApiError> {
    use crate::{request, service::new_guests};
    request::reply(async {
        let (state, caller) = request::context()?;
        Ok(new_guests::choices(&state, &caller).await?)
    })
    .await
}
