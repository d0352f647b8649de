//! Actions on guests: the one way from a request to an operation, for pages and command line alike.
//!
//! ```text
//!   policy ─► backend has it? ─► state and lock, read now ─► plan ─► the plan agreed to? ─► record ─► work in the
//!   background, in its turn
//! ```

use std::{sync::Arc, time::Duration};

use super::{AppState, Error, Listener, attempts::Attempt, operations, permit, realms};
use crate::{
    auth::{Caller, policy},
    backend::Backend,
    domain::{
        access::On,
        action::{ActionRequest, GuestAction, Refusal},
        failure::FailureKind,
        guest::{BackendKind, Guest, GuestId},
        host::Availability,
        operation::OperationId,
        plan::Plan,
    },
    store::plan_hash,
};

/// How often a free id is looked for again while another creation of this Paddock is about to take the one found.
const ID_TRIES: u32 = 40;
const ID_PAUSE: Duration = Duration::from_millis(250);

/// What an action is asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Guest(GuestId),
    /// A guest that is to be made by this backend.
    New(BackendKind),
}

/// One action that is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    pub target: Target,
    pub request: ActionRequest,
    /// They go into the plan.
    pub notes: Vec<String>,
    /// The hash of the plan that was shown: with another one nothing is begun.
    pub agreed: Option<String>,
    /// The bulk action that it is one part of.
    pub parent: Option<OperationId>,
    /// Hears the tools' words while they come.
    pub listener: Option<Listener>,
}

impl Ask {
    pub fn new(target: Target, request: ActionRequest) -> Self {
        Self { target, request, notes: Vec::new(), agreed: None, parent: None, listener: None }
    }

    /// With the hash of the plan that was shown; empty where none was.
    #[must_use]
    pub fn agreed(mut self, hash: &str) -> Self {
        self.agreed = Some(hash.trim().to_owned()).filter(|hash| !hash.is_empty());
        self
    }
}

/// What would run. Nothing has been run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub guest: GuestId,
    /// What people call it, where its id is a number.
    pub title: Option<String>,
    pub plan: Plan,
}

impl Planned {
    /// SHA-256 of the plan, hexadecimal: what one agrees to.
    pub fn hash(&self) -> String {
        plan_hash(&self.plan).to_string()
    }
}

/// What this request would run now.
pub async fn plan(state: &AppState, caller: &Caller, ask: &Ask) -> Result<Planned, Error> {
    let driver = permitted(state, caller, &ask.target, ask.request.action()).await?;
    planned(state, caller, driver.as_ref(), ask).await
}

/// Begins it and answers at once. A denial or refusal is recorded.
pub async fn begin(state: &AppState, caller: &Caller, ask: Ask) -> Result<OperationId, Error> {
    let attempt = attempt(&ask);
    attempt.answered(state, caller, begin_asked(state, caller, ask).await).await
}

fn attempt(ask: &Ask) -> Attempt {
    let guest = match (&ask.target, &ask.request) {
        (Target::Guest(guest), _) => Some(guest.clone()),
        (Target::New(kind), ActionRequest::Create(create)) => Some(GuestId::new(*kind, create.name.clone())),
        (Target::New(_), _) => None,
    };
    let attempt = Attempt::new(ask.request.action().as_str());
    Attempt { subject: guest.map(|guest| guest.to_string()), secrets: ask.request.secrets(), ..attempt }
}

/// Records that this was refused before it was known which guest it was asked of.
pub async fn refused_unfound(
    state: &AppState,
    caller: &Caller,
    action: GuestAction,
    kind: FailureKind,
    why: &str,
) {
    Attempt::new(action.as_str()).failed(state, caller, false, kind, why).await;
}

async fn begin_asked(state: &AppState, caller: &Caller, ask: Ask) -> Result<OperationId, Error> {
    let driver = permitted(state, caller, &ask.target, ask.request.action()).await?;
    for attempt in 1.. {
        let _gate = match &ask.target {
            Target::Guest(id) => {
                let gate = state.gate(id).await;
                // Saves the planning; what holds between processes is the store's own lock.
                if let Some(operation) = state.store.live_operation_of(id).await? {
                    return Err(Refusal::Busy { guest: id.clone(), operation }.into());
                }
                Some(gate)
            }
            Target::New(_) => None,
        };
        // A free id may be taken in between: by another creation of ours that found it a moment ago and whose first step
        // will take it, or by anybody else.
        let again = takes_next_id(&ask.request) && attempt < ID_TRIES;
        let planned = match planned(state, caller, driver.as_ref(), &ask).await {
            Err(Error::Refused(Refusal::AlreadyExists { .. })) if again => {
                tokio::time::sleep(ID_PAUSE).await;
                continue;
            }
            planned => planned?,
        };
        if ask.agreed.as_ref().is_some_and(|agreed| *agreed != planned.hash()) {
            return Err(Refusal::PlanChanged { guest: planned.guest, action: ask.request.action() }.into());
        }
        let beginning = operations::Beginning { caller, ask: ask.clone(), planned, driver: driver.clone() };
        match operations::begin(state, beginning).await {
            Err(Error::Refused(Refusal::Busy { .. })) if again => tokio::time::sleep(ID_PAUSE).await,
            other => return other,
        }
    }
    Err(Error::Unwired("no attempt was made"))
}

fn takes_next_id(request: &ActionRequest) -> bool {
    matches!(request, ActionRequest::Create(create) if create.spec.takes_next_id())
}

/// The driver, if the caller may ask it for this and it has such an action.
async fn permitted(
    state: &AppState,
    caller: &Caller,
    target: &Target,
    action: GuestAction,
) -> Result<Arc<dyn Backend>, Refusal> {
    let kind = match target {
        Target::Guest(id) => id.backend,
        Target::New(kind) => *kind,
    };
    match target {
        Target::Guest(id) => permit::first(state, caller, id, action).await?,
        // The rest is decided once its name is known.
        Target::New(_) => policy::decide(caller, action.privilege(), On::Somewhere)?,
    }
    let driver = usable(state, kind)?;
    permit::has(driver.as_ref(), action)?;
    realms::acting(driver, caller)
}

fn usable(state: &AppState, kind: BackendKind) -> Result<Arc<dyn Backend>, Refusal> {
    let unavailable = |reason: String, cure: String| Refusal::Unavailable { backend: kind, reason, cure };
    let driver = state.registry.get(kind).ok_or_else(|| {
        let cure = "Add it to the settings and restart.".to_owned();
        unavailable(format!("This Paddock was started without the {} backend.", kind.label()), cure)
    })?;
    match state.inventory.snapshot().backends.get(&kind).map(|health| &health.state.availability) {
        Some(Availability::Unavailable { reason, cure }) => Err(unavailable(reason.clone(), cure.clone())),
        _ => Ok(driver.clone()),
    }
}

async fn planned(
    state: &AppState,
    caller: &Caller,
    driver: &dyn Backend,
    ask: &Ask,
) -> Result<Planned, Error> {
    let request = &ask.request;
    let (id, title) = match (&ask.target, request) {
        (Target::New(kind), ActionRequest::Create(create)) => {
            let name = driver.new_id(create).await;
            let asked = GuestId::new(*kind, create.name.clone());
            let id = GuestId::new(*kind, name.map_err(|error| error.into_refusal(&asked))?);
            permit::new(state, caller, &id, create).await?;
            if read(driver, &id).await?.is_some() {
                return Err(Refusal::AlreadyExists { guest: id }.into());
            }
            let title = (id.name != create.name).then(|| create.name.to_string());
            (id, title)
        }
        (Target::Guest(id), ActionRequest::Create(_)) => {
            return Err(Refusal::AlreadyExists { guest: id.clone() }.into());
        }
        (Target::New(kind), other) => {
            return Err(Refusal::Unsupported {
                backend: *kind,
                action: other.action(),
                reason: "there is no guest yet.".to_owned(),
            }
            .into());
        }
        (Target::Guest(id), _) => {
            // Read now, not from the inventory: what is decided here must hold when the plan begins.
            let guest = read(driver, id).await?.ok_or_else(|| Refusal::NotFound { guest: id.clone() })?;
            permit::guest(state, caller, &guest, request).await?;
            request.action().allowed_for(&guest)?;
            (id.clone(), guest.title)
        }
    };
    let plan = driver.plan(&id.name, request).await.map_err(|error| error.into_refusal(&id))?;
    let notes = ask.notes.iter().cloned().chain(plan.notes).collect();
    Ok(Planned { guest: id, title, plan: Plan { notes, ..plan } })
}

async fn read(driver: &dyn Backend, id: &GuestId) -> Result<Option<Guest>, Refusal> {
    driver.guest(&id.name).await.map_err(|error| error.into_refusal(id))
}
