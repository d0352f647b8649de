//! Guests: see them, plan and begin what is asked of them.

use super::{
    AppState, Error,
    actions::{self, Ask, Planned, Target},
    attempts::Attempt,
    bulk::BulkAsk,
    permit, rows,
};
use crate::{
    auth::{Caller, policy},
    backend,
    domain::{
        access::{On, Place, Privilege},
        action::{ActionRequest, Field, GuestAction, LONGEST_SHUTDOWN_SECONDS, Refusal, SHUTDOWN_SECONDS},
        guest::{BackendKind, GuestId, GuestStatus},
        host::CreateOptions,
        name::GuestName,
        operation::{OperationId, Origin},
        spec::{CreateRequest, CreateSpec, Limits},
        view::{ActionChoice, CreateChoices, CreateForm, GuestPage, Preview},
    },
};

/// Operations shown on a guest's page.
const RECENT: usize = 10;
/// The actions of a guest's page, in the order shown. Pause and resume share a place.
const OFFERED: [GuestAction; 7] = [
    GuestAction::Start,
    GuestAction::Shutdown,
    GuestAction::Reboot,
    GuestAction::Pause,
    GuestAction::Resume,
    GuestAction::Stop,
    GuestAction::Delete,
];
/// Most of one form field that travels back to the form, characters.
const KEPT: usize = 1000;

/// One guest, `None` where there is none.
pub async fn page(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
) -> Result<Option<GuestPage>, Error> {
    let Ok(id) = GuestId::parse(backend, name) else { return Ok(None) };
    // Of one that is known and hidden nothing is read at all.
    if permit::first_sight(state, caller, &id).await.is_err() {
        return Ok(None);
    }
    let Some(driver) = state.registry.get(id.backend) else { return Ok(None) };
    let Some(mut detail) = driver.inspect(&id.name).await? else { return Ok(None) };
    let Some(may) = rows::may(caller, &detail.guest, backend::now_ms()) else { return Ok(None) };
    // A configuration may hold secrets (the environment of an OCI process), so it is for those who may change it.
    if !may.holds(Privilege::Configure) {
        detail.config = None;
    }
    let mut recent = state.store.operations_of(&id, None, RECENT).await?;
    let live = recent.iter().flatten().find(|operation| operation.state.is_live()).cloned();
    if !may.holds(Privilege::History) {
        recent.clear();
    }
    let paused = detail.guest.status == GuestStatus::Paused;
    let hidden = if paused { GuestAction::Pause } else { GuestAction::Resume };
    let offered = OFFERED.into_iter().filter(|action| *action != hidden && driver.lack(*action).is_none());
    let choices = offered
        .map(|action| {
            // What somebody does outside Paddock may be in the way, too, but that is for the backend to say.
            let own = live.as_ref().filter(|live| live.origin == Origin::Paddock);
            let busy = own.map(|l| Refusal::Busy { guest: id.clone(), operation: l.id });
            let refusal = permit::refusal(driver.as_ref(), caller, &detail.guest, action).or(busy);
            ActionChoice { action, refusal }
        })
        .collect();
    Ok(Some(GuestPage { now_ms: backend::now_ms(), detail, live, recent, actions: choices, may }))
}

/// What an action would run, without running it. `None` where there is no such guest.
pub async fn preview(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
    action: GuestAction,
) -> Result<Option<Preview>, Error> {
    let Ok(id) = GuestId::parse(backend, name) else { return Ok(None) };
    if permit::first_sight(state, caller, &id).await.is_err() {
        return Ok(None);
    }
    let Some(driver) = state.registry.get(id.backend) else { return Ok(None) };
    let Some(guest) = driver.guest(&id.name).await? else { return Ok(None) };
    if !policy::sees(caller, &guest) {
        return Ok(None);
    }
    let planned = match request_for(action, "") {
        Err(refusal) => Err(refusal),
        Ok(request) => {
            let ask = Ask::new(Target::Guest(id), request);
            refused(actions::plan(state, caller, &ask).await)?
        }
    };
    let hash = planned.as_ref().ok().map(Planned::hash);
    let plan = planned.map(|planned| planned.plan);
    Ok(Some(Preview { now_ms: backend::now_ms(), guest, action, plan, hash }))
}

/// A refusal as an answer; other errors stay errors.
pub(super) fn refused<T>(result: Result<T, Error>) -> Result<Result<T, Refusal>, Error> {
    match result {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}

/// A form that asks for an action on one guest, as typed.
#[derive(Debug, Clone, Copy)]
pub struct ActForm<'a> {
    pub backend: &'a str,
    pub name: &'a str,
    pub action: GuestAction,
    /// Seconds to wait for a shut-down; empty is the default.
    pub timeout: &'a str,
    /// The guest's name, for a delete.
    pub confirm: &'a str,
    /// The hash of the plan that was shown; empty where none was.
    pub plan: &'a str,
}

/// Begins an action that needs no more than a guest and perhaps a time: start, shut down, pause, delete, ...
pub async fn act(state: &AppState, caller: &Caller, form: ActForm<'_>) -> Result<OperationId, Error> {
    let id = GuestId::parse(form.backend, form.name).map_err(|_| Error::NotFound);
    let attempt = Attempt::new(form.action.as_str());
    let attempt = id.as_ref().map_or(attempt.clone(), |id| attempt.on(id));
    let asked = async { confirmed_ask(state, caller, form, id?).await };
    let ask = attempt.answered(state, caller, asked.await).await?;
    actions::begin(state, caller, ask).await
}

async fn confirmed_ask(
    state: &AppState,
    caller: &Caller,
    form: ActForm<'_>,
    id: GuestId,
) -> Result<Ask, Error> {
    permit::first(state, caller, &id, form.action).await?;
    let request = request_for(form.action, form.timeout)?;
    if form.action == GuestAction::Delete {
        confirmed(state, caller, &id, form.confirm).await?;
    }
    Ok(Ask::new(Target::Guest(id), request).agreed(form.plan))
}

/// The guest's name was typed, as the host calls it now: a number alone is too easily the wrong one.
pub(super) async fn confirmed(
    state: &AppState,
    caller: &Caller,
    id: &GuestId,
    typed: &str,
) -> Result<(), Error> {
    permit::first(state, caller, id, GuestAction::Delete).await?;
    let driver = state.registry.get(id.backend).ok_or(Error::NotFound)?;
    let guest = driver.guest(&id.name).await.map_err(|error| error.into_refusal(id))?;
    let guest = guest.ok_or_else(|| Refusal::NotFound { guest: id.clone() })?;
    let name = guest.label();
    if typed.trim() == name {
        return Ok(());
    }
    let message = format!("Type the guest's name, {name}, to delete it. Nothing was run.");
    Err(Refusal::Field { field: Field::Confirm, message }.into())
}

/// A form that asks for one action on many guests.
#[derive(Debug, Clone, Copy)]
pub struct BulkForm<'a> {
    pub action: GuestAction,
    /// Each as `BACKEND/NAME`.
    pub guests: &'a [String],
    /// Seconds to wait for a shut-down; empty is the default.
    pub timeout: &'a str,
    /// The hash of the preview that was shown; a delete needs it.
    pub plan: &'a str,
}

/// What the form asks for.
pub fn bulk(form: BulkForm<'_>) -> Result<BulkAsk, Error> {
    let guest = |text: &String| text.split_once('/').and_then(|(kind, name)| GuestId::parse(kind, name).ok());
    let guests = form.guests.iter().map(guest).collect::<Option<_>>().ok_or(Error::NotFound)?;
    let agreed = Some(form.plan.trim().to_owned()).filter(|hash| !hash.is_empty());
    Ok(BulkAsk { guests, request: request_for(form.action, form.timeout)?, agreed })
}

/// Begins the action on all of them.
pub async fn act_on_all(state: &AppState, caller: &Caller, form: BulkForm<'_>) -> Result<OperationId, Error> {
    let attempt = Attempt::new(form.action.as_str());
    let ask = attempt.answered(state, caller, looked_at(form)).await?;
    super::bulk::begin(state, caller, ask).await
}

fn looked_at(form: BulkForm<'_>) -> Result<BulkAsk, Error> {
    let ask = bulk(form)?;
    if form.action == GuestAction::Delete && ask.agreed.is_none() {
        let message = "Look at what would be lost first. Nothing was run.".to_owned();
        return Err(Refusal::Field { field: Field::Confirm, message }.into());
    }
    Ok(ask)
}

pub(super) fn request_for(action: GuestAction, timeout: &str) -> Result<ActionRequest, Refusal> {
    let not_here = |message: &str| Refusal::Field { field: Field::Name, message: message.to_owned() };
    Ok(match action {
        GuestAction::Start => ActionRequest::Start,
        GuestAction::Stop => ActionRequest::Stop,
        GuestAction::Reset => ActionRequest::Reset,
        GuestAction::Pause => ActionRequest::Pause,
        GuestAction::Resume => ActionRequest::Resume,
        GuestAction::Hibernate => ActionRequest::Hibernate,
        GuestAction::MakeTemplate => ActionRequest::MakeTemplate,
        GuestAction::Unlock => ActionRequest::Unlock,
        GuestAction::Delete => ActionRequest::Delete { purge: false },
        GuestAction::Shutdown => ActionRequest::Shutdown { timeout_seconds: seconds(timeout)? },
        GuestAction::Reboot => ActionRequest::Reboot { timeout_seconds: seconds(timeout)? },
        GuestAction::Create => {
            return Err(not_here("A guest that exists cannot be created again. Nothing was run."));
        }
        GuestAction::Exec
        | GuestAction::Clone
        | GuestAction::Snapshot
        | GuestAction::Rollback
        | GuestAction::DeleteSnapshot
        | GuestAction::Configure
        | GuestAction::Resize
        | GuestAction::Migrate
        | GuestAction::Backup => {
            return Err(not_here(
                "This action needs more than the guest; use the command line. Nothing was run.",
            ));
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
    let attempt = Attempt::new(GuestAction::Create.as_str());
    let ask = attempt.answered(state, caller, asked_creation(caller, form)).await?;
    actions::begin(state, caller, ask).await
}

fn asked_creation(caller: &Caller, form: &CreateForm) -> Result<Ask, Error> {
    policy::decide(caller, Privilege::Create, On::Somewhere)?;
    let kind: BackendKind = form
        .backend
        .parse()
        .map_err(|_| Refusal::Field { field: Field::Backend, message: "Choose LXC or crun.".to_owned() })?;
    let name = GuestName::new(&form.name).map_err(Refusal::Name)?;
    let request = ActionRequest::Create(CreateRequest::of(name, spec(kind, form)?));
    Ok(Ask::new(Target::New(kind), request))
}

fn spec(kind: BackendKind, form: &CreateForm) -> Result<CreateSpec, Refusal> {
    let trimmed = |text: &str| text.trim().to_owned();
    match (kind, form.source.as_str()) {
        (BackendKind::Crun, _) => Ok(CreateSpec::CrunBundle { bundle: trimmed(&form.bundle) }),
        (BackendKind::Lxc, "local") => Ok(CreateSpec::LxcLocal {
            metadata: trimmed(&form.metadata),
            rootfs: trimmed(&form.rootfs),
            limits: Limits::default(),
            network: None,
        }),
        (BackendKind::Lxc, _) => Ok(CreateSpec::LxcTemplate {
            template: trimmed(&form.template),
            arguments: form
                .arguments
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect(),
            limits: Limits::default(),
            network: None,
        }),
        (BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm, _) => Err(Refusal::Field {
            field: Field::Backend,
            message: "Proxmox guests are created by `paddock create` on the host. Choose LXC or crun here."
                .to_owned(),
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
    policy::decide(caller, Privilege::See, On::Somewhere)?;
    let snapshot = state.inventory.snapshot();
    let mut options = CreateOptions::default();
    for driver in state.registry.iter() {
        // What lies on the host names other guests, too, so it is for those who may make any guest there.
        let any = Place { backend: driver.kind(), name: None, pool: None, tags: &[] };
        if policy::decide(caller, Privilege::Create, On::Guest(any)).is_ok() {
            driver.create_options(&mut options).await;
        }
    }
    Ok(CreateChoices {
        backends: snapshot.backends.values().map(|health| health.state.clone()).collect(),
        options,
        refusal: policy::decide(caller, Privilege::Create, On::Somewhere).err(),
    })
}
