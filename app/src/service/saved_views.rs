//! Saved views of the guests' list: each person's own, wherever they log in.

use super::{AppState, Error, sessions::own_user};
use crate::{
    auth::Caller,
    domain::{
        action::{Field, Refusal},
        list::{
            ListQuery,
            saved::{MOST, NewView, SavedView, ViewId},
        },
    },
    store::Changed,
};

/// One's own views, oldest first.
pub async fn own(state: &AppState, caller: &Caller) -> Result<Vec<SavedView>, Error> {
    let (user, _) = own_user(state, caller).await?;
    Ok(state.store.views_of(user.id).await?)
}

/// Saves what is asked for under a name. One of that name is changed to it; with an `id` that one is, also its name.
pub async fn save(
    state: &AppState,
    caller: &Caller,
    id: Option<ViewId>,
    name: &str,
    query: &ListQuery,
) -> Result<(), Error> {
    let (user, _) = own_user(state, caller).await?;
    let view = NewView::checked(name, query)?;
    let changed = match id {
        Some(id) => state.store.change_view(user.id, id, &view).await?,
        None => state.store.save_view(user.id, &view, MOST).await?,
    };
    let (field, message) = match changed {
        Changed::Done => return Ok(()),
        Changed::Taken => {
            (Field::Name, format!("You have another view “{}”. Nothing was changed.", view.name))
        }
        Changed::InUse => {
            (Field::View, format!("You have {MOST} views already. Nothing was saved; remove one first."))
        }
        Changed::Missing | Changed::LastAdministrator => return Err(gone()),
    };
    Err(Refusal::Field { field, message }.into())
}

/// Removes one of one's own views.
pub async fn remove(state: &AppState, caller: &Caller, id: ViewId) -> Result<(), Error> {
    let (user, _) = own_user(state, caller).await?;
    if state.store.remove_view(user.id, id).await? { Ok(()) } else { Err(gone()) }
}

fn gone() -> Error {
    let message =
        "There is no such view any more, perhaps it was removed in another window. Nothing was changed.";
    Refusal::Field { field: Field::View, message: message.to_owned() }.into()
}
