//! Guests: see them, plan and begin what is asked of them.

use std::sync::Arc;

use super::{AppState, Error, operations};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend},
    domain::{
        access::Privilege,
        action::{
            ActionRequest, CreateSpec, Field, GuestAction, LONGEST_SHUTDOWN_SECONDS, Refusal,
            SHUTDOWN_SECONDS,
        },
        guest::{BackendKind, GuestId},
        host::{Availability, CreateOptions},
        name::GuestName,
        operation::OperationId,
        view::{ActionChoice, CreateChoices, CreateForm, GuestList, GuestPage, GuestRow, Preview},
    },
};

/// Operations shown on a guest's page.
const RECENT: u32 = 10;
/// The actions of a guest's page, in the order shown.
const OFFERED: [GuestAction; 4] =
    [GuestAction::Start, GuestAction::Shutdown, GuestAction::Stop, GuestAction::Delete];
/// Most of one form field that travels back to the form, characters.
const KEPT: usize = 1000;

/// All guests, from memory.
pub async fn list(state: &AppState, caller: &Caller) -> Result<GuestList, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let snapshot = state.inventory.snapshot();
    let mut last = state.store.last_operations().await?;
    Ok(GuestList {
        version: snapshot.version,
        now_ms: backend::now_ms(),
        backends: snapshot.backends.values().cloned().collect(),
        guests: snapshot
            .guests
            .iter()
            .map(|guest| GuestRow { last: last.remove(&guest.id), guest: guest.clone() })
            .collect(),
        create_refusal: policy::decide(caller, Privilege::Create, None).err(),
    })
}

/// One guest, `None` where there is none.
pub async fn page(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
) -> Result<Option<GuestPage>, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let Ok(id) = GuestId::parse(backend, name) else { return Ok(None) };
    let Some(driver) = state.registry.get(id.backend) else { return Ok(None) };
    let Some(mut detail) = driver.inspect(&id.name).await? else { return Ok(None) };
    // A configuration may hold secrets (the environment of an OCI process), so it is for those who make guests.
    if policy::decide(caller, Privilege::Create, Some(&id)).is_err() {
        detail.config = None;
    }
    let recent = state.store.operations_of(&id, RECENT).await?;
    let live = recent.iter().find(|operation| operation.state.is_live()).cloned();
    let actions = OFFERED
        .into_iter()
        .map(|action| {
            let busy = live.as_ref().map(|l| Refusal::Busy { guest: id.clone(), operation: l.id });
            let refusal = allowed(caller, &id, action, detail.guest.status).err().or(busy);
            ActionChoice { action, refusal }
        })
        .collect();
    Ok(Some(GuestPage { now_ms: backend::now_ms(), detail, live, recent, actions }))
}

fn allowed(
    caller: &Caller,
    guest: &GuestId,
    action: GuestAction,
    status: crate::domain::guest::GuestStatus,
) -> Result<(), Refusal> {
    policy::decide(caller, action.privilege(), Some(guest))?;
    if action.allowed_in(status) {
        Ok(())
    } else {
        Err(Refusal::WrongState { guest: guest.clone(), action, status })
    }
}

/// What an action would run, without running it. `None` where there is no such guest.
pub async fn preview(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
    action: GuestAction,
) -> Result<Option<Preview>, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let Ok(id) = GuestId::parse(backend, name) else { return Ok(None) };
    let Some(driver) = state.registry.get(id.backend) else { return Ok(None) };
    let Some(guest) = driver.guest(&id.name).await? else { return Ok(None) };
    let plan = match (allowed(caller, &id, action, guest.status), request_for(action, "")) {
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
        (Ok(()), Ok(request)) => {
            driver.plan(&id.name, &request).await.map_err(|error| error.into_refusal(&id))
        }
    };
    Ok(Some(Preview { now_ms: backend::now_ms(), guest, action, plan }))
}

/// Begins start, shut down, stop or delete.
pub async fn act(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
    action: GuestAction,
    timeout: &str,
    confirm: &str,
) -> Result<OperationId, Error> {
    let id = GuestId::parse(backend, name).map_err(|_| Error::NotFound)?;
    let request = request_for(action, timeout)?;
    if action == GuestAction::Delete && confirm.trim() != id.name.as_str() {
        let message = format!("Type the guest's name, {}, to delete it. Nothing was run.", id.name);
        return Err(Refusal::Field { field: Field::Confirm, message }.into());
    }
    begin(state, caller, &id, &request).await
}

fn request_for(action: GuestAction, timeout: &str) -> Result<ActionRequest, Refusal> {
    Ok(match action {
        GuestAction::Start => ActionRequest::Start,
        GuestAction::Stop => ActionRequest::Stop,
        GuestAction::Delete => ActionRequest::Delete,
        GuestAction::Shutdown => ActionRequest::Shutdown { timeout_seconds: seconds(timeout)? },
        GuestAction::Create => {
            return Err(Refusal::Field {
                field: Field::Name,
                message: "A guest that exists cannot be created again. Nothing was run.".to_owned(),
            });
        }
    })
}

fn seconds(text: &str) -> Result<u32, Refusal> {
    if text.trim().is_empty() {
        return Ok(SHUTDOWN_SECONDS);
    }
    text.trim().parse().ok().filter(|s| (1..=LONGEST_SHUTDOWN_SECONDS).contains(s)).ok_or_else(|| {
        Refusal::Field {
            field: Field::Timeout,
            message: format!(
                "Enter a number of seconds from 1 to {LONGEST_SHUTDOWN_SECONDS}. Nothing was run."
            ),
        }
    })
}

/// Begins the creation of a guest.
pub async fn create(state: &AppState, caller: &Caller, form: &CreateForm) -> Result<OperationId, Error> {
    policy::decide(caller, Privilege::Create, None)?;
    let kind: BackendKind = form
        .backend
        .parse()
        .map_err(|_| Refusal::Field { field: Field::Backend, message: "Choose LXC or crun.".to_owned() })?;
    let name = GuestName::new(&form.name).map_err(Refusal::Name)?;
    let request = ActionRequest::Create(spec(kind, form)?);
    begin(state, caller, &GuestId::new(kind, name), &request).await
}

fn spec(kind: BackendKind, form: &CreateForm) -> Result<CreateSpec, Refusal> {
    let trimmed = |text: &str| text.trim().to_owned();
    match (kind, form.source.as_str()) {
        (BackendKind::Crun, _) => Ok(CreateSpec::CrunBundle { bundle: trimmed(&form.bundle) }),
        (BackendKind::Lxc, "local") => {
            Ok(CreateSpec::LxcLocal { metadata: trimmed(&form.metadata), rootfs: trimmed(&form.rootfs) })
        }
        (BackendKind::Lxc, _) => Ok(CreateSpec::LxcTemplate {
            template: trimmed(&form.template),
            arguments: form
                .arguments
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect(),
        }),
        (BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm, _) => Err(Refusal::Field {
            field: Field::Backend,
            message: "This Paddock cannot create Proxmox guests yet. Choose LXC or crun.".to_owned(),
        }),
    }
}

/// The form as it goes back to the person, each field cut to a length that fits an address.
pub fn kept(form: CreateForm) -> CreateForm {
    let cut = |text: String| text.chars().take(KEPT).collect();
    CreateForm {
        backend: cut(form.backend),
        name: cut(form.name),
        source: cut(form.source),
        template: cut(form.template),
        arguments: cut(form.arguments),
        metadata: cut(form.metadata),
        rootfs: cut(form.rootfs),
        bundle: cut(form.bundle),
    }
}

/// What can be chosen for a new guest on this host.
pub async fn choices(state: &AppState, caller: &Caller) -> Result<CreateChoices, Error> {
    policy::decide(caller, Privilege::See, None)?;
    let snapshot = state.inventory.snapshot();
    let mut options = CreateOptions::default();
    for driver in state.registry.iter() {
        driver.create_options(&mut options).await;
    }
    Ok(CreateChoices {
        backends: snapshot.backends.values().map(|health| health.state.clone()).collect(),
        options,
        refusal: policy::decide(caller, Privilege::Create, None).err(),
    })
}

/// The one way to an operation: policy, state, plan, record, and then the work in the background.
async fn begin(
    state: &AppState,
    caller: &Caller,
    id: &GuestId,
    request: &ActionRequest,
) -> Result<OperationId, Error> {
    let action = request.action();
    policy::decide(caller, action.privilege(), Some(id))?;
    let driver = usable(state, id)?;
    let _gate = state.gate(id).await;
    if let Some(operation) = state.store.live_operation_of(id).await? {
        return Err(Refusal::Busy { guest: id.clone(), operation }.into());
    }
    // Read now, not from the inventory: what is decided here must hold when the plan begins.
    let guest = driver.guest(&id.name).await.map_err(|error| error.into_refusal(id))?;
    match (guest, action) {
        (Some(_), GuestAction::Create) => return Err(Refusal::AlreadyExists { guest: id.clone() }.into()),
        (None, GuestAction::Create) => {}
        (None, _) => return Err(Refusal::NotFound { guest: id.clone() }.into()),
        (Some(guest), _) => allowed(caller, id, action, guest.status)?,
    }
    let plan = driver.plan(&id.name, request).await.map_err(|error| error.into_refusal(id))?;
    operations::begin(state, caller, id, action, plan, driver).await
}

fn usable(state: &AppState, id: &GuestId) -> Result<Arc<dyn Backend>, Refusal> {
    let kind = id.backend;
    let unavailable = |reason: String, cure: String| Refusal::Unavailable { backend: kind, reason, cure };
    let driver = state.registry.get(kind).ok_or_else(|| {
        unavailable(format!("This Paddock was started without the {} backend.", kind.label()), String::new())
    })?;
    match state.inventory.snapshot().backends.get(&kind).map(|health| &health.state.availability) {
        Some(Availability::Unavailable { reason, cure }) => Err(unavailable(reason.clone(), cure.clone())),
        _ => Ok(driver.clone()),
    }
}
