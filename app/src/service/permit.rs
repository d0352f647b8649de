//! Whether a caller may have this done: asked before anything of the guest is told, and again of the guest as it was read.

use super::{AppState, Error, seen};
use crate::{
    auth::{Caller, policy},
    backend::Backend,
    domain::{
        access::{On, Place, Privilege},
        action::{ActionRequest, GuestAction, Refusal},
        guest::{Guest, GuestId},
        spec::{CreateRequest, CreateSpec},
    },
};

/// Whether the caller may see this guest: as [`first`].
pub(super) async fn first_sight(state: &AppState, caller: &Caller, guest: &GuestId) -> Result<(), Refusal> {
    asked(state, caller, guest, Privilege::See).await
}

/// By what the inventory knows; where that says no, by the guest as it is now, which may be newer than the inventory. No
/// refusal tells more of a guest than the caller may see.
pub(super) async fn first(
    state: &AppState,
    caller: &Caller,
    guest: &GuestId,
    action: GuestAction,
) -> Result<(), Refusal> {
    asked(state, caller, guest, action.privilege()).await
}

async fn asked(
    state: &AppState,
    caller: &Caller,
    guest: &GuestId,
    privilege: Privilege,
) -> Result<(), Refusal> {
    let Err(refusal) = seen::decide(state, caller, privilege, guest) else { return Ok(()) };
    // Whoever may do this nowhere makes nobody read anything.
    let driver = state.registry.get(guest.backend);
    let fresh = match driver.filter(|_| policy::decide(caller, privilege, On::Somewhere).is_ok()) {
        Some(driver) => driver.guest(&guest.name).await.unwrap_or_default(),
        None => None,
    };
    match fresh {
        Some(guest) => policy::decide(caller, privilege, On::Guest(Place::of(&guest))),
        None => Err(refusal),
    }
}

/// Of a guest as it was just read.
pub(super) async fn guest(
    state: &AppState,
    caller: &Caller,
    guest: &Guest,
    request: &ActionRequest,
) -> Result<(), Error> {
    let place = Place::of(guest);
    policy::decide(caller, request.action().privilege(), On::Guest(place))?;
    match request {
        // The copy has the tags of its original, and a name that the caller's grants must cover, too.
        ActionRequest::Clone(spec) => {
            let copy = Place { name: Some(&spec.name), pool: None, ..place };
            policy::decide(caller, Privilege::Create, On::Guest(copy)).map_err(|_| Refusal::Denied {
                privilege: Privilege::Create,
                on: format!("{}/{}", guest.id.backend, spec.name),
            })?;
        }
        ActionRequest::Configure(changes) => {
            if let Some(tags) = &changes.tags {
                retagging(state, caller, &guest.tags, tags).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Of a guest that is to be made.
pub(super) async fn new(
    state: &AppState,
    caller: &Caller,
    id: &GuestId,
    request: &CreateRequest,
) -> Result<(), Error> {
    let tags: &[String] = match &request.spec {
        CreateSpec::ProxmoxLxc(spec) => &spec.tags,
        CreateSpec::ProxmoxVm(spec) => &spec.tags,
        _ => &[],
    };
    let place = Place { backend: id.backend, name: Some(&id.name), pool: None, tags };
    // Whoever names a guest learns nothing from a denial: it does not say whether there is one.
    policy::decide(caller, Privilege::Create, On::Guest(place))
        .map_err(|_| Refusal::Denied { privilege: Privilege::Create, on: id.to_string() })?;
    retagging(state, caller, &[], tags).await
}

/// A tag that a grant holds on says who may do what with the guest, so only those who may change grants change it: else
/// whoever may configure one guest could hand it to themselves.
async fn retagging(
    state: &AppState,
    caller: &Caller,
    before: &[String],
    after: &[String],
) -> Result<(), Error> {
    let gone = before.iter().filter(|tag| !after.contains(tag));
    let changed: Vec<&String> = gone.chain(after.iter().filter(|tag| !before.contains(tag))).collect();
    if changed.is_empty() || policy::decide(caller, Privilege::Users, On::Everything).is_ok() {
        return Ok(());
    }
    let granted = state.store.granted_tags().await?;
    match changed.into_iter().find(|tag| granted.contains(*tag)) {
        Some(tag) => {
            let on = format!("everything: the tag “{tag}” decides who may do what");
            Err(Refusal::Denied { privilege: Privilege::Users, on }.into())
        }
        None => Ok(()),
    }
}

/// Why this guest cannot be asked for this now, as far as that can be told without planning it.
pub(super) fn refusal(
    driver: &dyn Backend,
    caller: &Caller,
    guest: &Guest,
    action: GuestAction,
) -> Option<Refusal> {
    policy::decide(caller, action.privilege(), On::Guest(Place::of(guest)))
        .and_then(|()| has(driver, action))
        .and_then(|()| action.allowed_for(guest))
        .err()
}

/// Whether the backend has such an action.
pub(super) fn has(driver: &dyn Backend, action: GuestAction) -> Result<(), Refusal> {
    match driver.lack(action) {
        Some(reason) => Err(Refusal::Unsupported { backend: driver.kind(), action, reason }),
        None => Ok(()),
    }
}
