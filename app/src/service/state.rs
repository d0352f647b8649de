//! What every use case is handed.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedMutexGuard, Semaphore};
use tower_sessions::Session;

use super::{
    Attempts, Inventory, Latest, Supervisor, Usage,
    bell::Bell,
    factors::{self, Factors},
    nodes::Nodes,
    realms::Realms,
    soundness,
    throttle::Throttle,
    told::Told,
};
use crate::{
    auth::seal::Sealer,
    backend::{Registry, Runner},
    domain::{account::SecretHash, action::Refusal, guest::GuestId},
    store::Store,
};

/// How many passwords are checked at once: each costs a core and 19 MiB for tens of milliseconds.
const PASSWORD_CHECKS: usize = 2;

/// The parts of a running Paddock. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub store: Store,
    pub registry: Registry,
    pub runner: Arc<dyn Runner>,
    pub inventory: Inventory,
    pub usage: Usage,
    pub supervisor: Supervisor,
    pub attempts: Attempts,
    /// Log-ins of people at Proxmox.
    pub realms: Realms,
    pub(super) factors: Factors,
    pub(super) sealer: Sealer,
    /// Every account of Paddock's own must have a second factor.
    pub requires_factor: bool,
    pub(super) throttle: Throttle,
    /// Rings whenever somebody's session or rights may have changed.
    pub(super) access_changes: Bell,
    /// The newest operations.
    pub latest: Latest,
    /// Rings when an operation of this process has said something.
    pub output: Bell,
    /// Rings for what every page shows and is neither a guest nor an operation.
    pub news: Bell,
    pub told: Told,
    /// Whether the record is as it was written.
    pub soundness: soundness::Known,
    /// The machines that guests run on, as they were read last.
    pub nodes: Nodes,
    /// The host's name, as a title.
    pub host: Arc<str>,
    pub(super) password_checks: Arc<Semaphore>,
    gates: Arc<Mutex<HashMap<GuestId, Weak<tokio::sync::Mutex<()>>>>>,
}

impl AppState {
    pub fn new(store: Store, registry: Registry, runner: Arc<dyn Runner>, host: &str) -> Self {
        Self {
            sealer: Sealer::new(store.key_for(factors::SEALED)),
            store,
            registry: registry.clone(),
            runner,
            inventory: Inventory::new(registry),
            usage: Usage::default(),
            supervisor: Supervisor::default(),
            attempts: Attempts::default(),
            realms: Realms::default(),
            factors: Factors::default(),
            requires_factor: false,
            throttle: Throttle::default(),
            access_changes: Bell::default(),
            latest: Latest::default(),
            output: Bell::default(),
            news: Bell::default(),
            told: Told::default(),
            soundness: soundness::Known::default(),
            nodes: Nodes::default(),
            host: host.into(),
            password_checks: Arc::new(Semaphore::new(PASSWORD_CHECKS)),
            gates: Arc::default(),
        }
    }

    /// Lets so many operations of each backend be at work at once. Before anything is.
    #[must_use]
    pub fn at_once(mut self, at_once: usize) -> Self {
        self.supervisor = Supervisor::new(at_once);
        self
    }

    /// Asks every account of Paddock's own for a second factor, or only those of which it is asked one by one.
    #[must_use]
    pub fn requiring_factor(self, requires_factor: bool) -> Self {
        Self { requires_factor, ..self }
    }

    /// One at a time for each guest: between reading its state and beginning an operation nobody else may begin
    /// one, or the second of two people would be told nothing and find a failed operation.
    pub(super) async fn gate(&self, guest: &GuestId) -> OwnedMutexGuard<()> {
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            gates.retain(|_, gate| gate.strong_count() > 0);
            let known = gates.get(guest).and_then(Weak::upgrade);
            let gate = known.unwrap_or_default();
            gates.insert(guest.clone(), Arc::downgrade(&gate));
            gate
        };
        gate.lock_owned().await
    }
}

/// One request before it is known who makes it.
#[derive(Clone)]
pub struct Visit {
    pub state: AppState,
    /// `None` where an API token was sent: nothing of a session is read or written then.
    pub session: Option<Session>,
    pub address: Option<IpAddr>,
    /// The browser in a few words.
    pub device: String,
    /// Of what this browser keeps to be known again.
    pub device_key: Option<SecretHash>,
}

impl Visit {
    pub(super) fn session(&self) -> Result<&Session, Refusal> {
        self.session.as_ref().ok_or(Refusal::NeedsSession)
    }

    /// The address as it is written down.
    pub fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}
