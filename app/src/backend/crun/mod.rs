//! CRUN: OCI containers that run under crun on this host.
//!
//! A container is made from a *bundle*, a directory with `config.json` and a root file system, and registered in
//! crun's state directory, one subdirectory each. This room reads that directory and the kernel's files, plans
//! `crun` commands and understands what they say. It does not fetch or unpack images, and it keeps no output of
//! containers: theirs goes to /dev/null, as a container holds whatever it was given open for as long as it lives.
//!
//! ```text
//!            create            start             TERM, KILL, its own end
//!   bundle ─────────► created ───────► running ───────────────────────► stopped
//!                                       ▲   │ pause                        │
//!                                       └───┴ paused       delete, create, start from the same bundle
//! ```

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;

use crate::domain::{
    action::{ActionRequest, Field, GuestAction},
    guest::{BackendKind, Guest, GuestDetail, GuestId, GuestStatus, Snapshot},
    host::{Availability, CreateOptions, Image, Node},
    name::GuestName,
    plan::{Command, Plan},
    spec::{CreateRequest, CreateSpec},
};

use super::{Backend, CommandOutput, Error, HostRunner, Runner, files, process::Proc};
use bundle::Bundle;
use facts::Registered;
use plan::Tool;
use state::StateDir;

mod archive;
mod bundle;
mod facts;
mod input;
mod json;
mod layout;
mod parse;
mod paths;
mod plan;
mod probe;
mod reference;
mod state;

/// Where crun and its bundles are on this host.
#[derive(Debug, Clone)]
pub struct CrunConfig {
    /// crun's state directory; `/run/crun` unless the host has it elsewhere.
    pub root: PathBuf,
    /// A directory whose subdirectories with a `config.json` are offered for new containers.
    pub bundles: Option<PathBuf>,
    /// Where crun's own words are written while it works. Made when it is needed.
    pub log_dir: PathBuf,
}

/// The driver for crun.
pub struct CrunDriver {
    config: CrunConfig,
    states: StateDir,
    proc: Proc,
    /// For [`probe`](Backend::probe) only: everything else is planned, or read from files.
    runner: Arc<dyn Runner>,
}

impl CrunDriver {
    pub fn new(config: CrunConfig) -> Self {
        let (states, proc) = (StateDir::new(config.root.clone()), Proc::default());
        Self { config, states, proc, runner: Arc::new(HostRunner) }
    }

    fn tool(&self) -> Tool {
        Tool { root: self.config.root.display().to_string(), log_dir: self.config.log_dir.clone() }
    }

    fn registered(&self, name: &GuestName) -> Result<Registered, Error> {
        let found = facts::registered(&self.states, &self.proc, name)?;
        found.ok_or_else(|| Error::NotFound(guest_id(name.clone())))
    }

    fn plan_create(&self, name: &GuestName, path: &str) -> Result<Plan, Error> {
        if self.states.read(name).is_some() {
            return Err(Error::AlreadyExists(guest_id(name.clone())));
        }
        let bundle = Bundle::check(path)
            .map_err(|e| Error::Invalid { field: Field::Bundle, message: e.to_string() })?;
        let place = facts::place(&self.states, &self.proc, name, &bundle)?;
        plan::create(&self.tool(), name, &bundle, &place)
    }

    fn plan_start(&self, name: &GuestName) -> Result<Plan, Error> {
        let guest = self.registered(name)?;
        if guest.status == GuestStatus::Created {
            return Ok(plan::start(&self.tool(), name));
        }
        let unusable = |reason: String| Error::NotReady {
            reason,
            cure: "Mend the bundle, or delete this container and create one from another bundle.".to_owned(),
        };
        let path = guest.bundle.as_deref();
        let path =
            path.ok_or_else(|| unusable("crun does not say which bundle it was made from.".to_owned()))?;
        // Before anything is deleted: a container that cannot be set up again would be lost.
        let bundle = Bundle::check(path).map_err(|e| unusable(e.to_string()))?;
        let place = facts::place(&self.states, &self.proc, name, &bundle)?;
        plan::start_again(&self.tool(), name, &guest, &bundle, &place)
    }
}

fn guest_id(name: GuestName) -> GuestId {
    GuestId::new(BackendKind::Crun, name)
}

#[async_trait]
impl Backend for CrunDriver {
    fn kind(&self) -> BackendKind {
        BackendKind::Crun
    }

    async fn probe(&self) -> Availability {
        probe::probe(&*self.runner, &self.tool()).await
    }

    async fn list(&self) -> Result<Vec<Guest>, Error> {
        let mut guests = Vec::new();
        for name in self.states.names()? {
            // One that is deleted in the meantime is none.
            if let Some(record) = self.states.read(&name) {
                guests.push(record.guest(name, &self.proc));
            }
        }
        Ok(guests)
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        Ok(self.states.read(name).map(|record| record.guest(name.clone(), &self.proc)))
    }

    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        Ok(self.states.read(name).map(|record| facts::detail(&self.states, &self.proc, name, record)))
    }

    fn lack(&self, action: GuestAction) -> Option<String> {
        use GuestAction::{Create, Delete, Shutdown, Start, Stop};
        (!matches!(action, Create | Start | Shutdown | Stop | Delete))
            .then(|| "it is not built yet.".to_owned())
    }

    async fn snapshots(&self, _: &GuestName) -> Result<Vec<Snapshot>, Error> {
        Ok(Vec::new())
    }

    async fn images(&self) -> Result<Vec<Image>, Error> {
        Ok(Vec::new())
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(Vec::new())
    }

    async fn create_options(&self, options: &mut CreateOptions) {
        let Some(dir) = &self.config.bundles else { return };
        // A directory that cannot be read offers nothing; any path can still be typed.
        let names = files::names(dir).unwrap_or_default();
        options.crun_bundles = names
            .into_iter()
            .map(|name| dir.join(name))
            .filter(|bundle| bundle.join("config.json").is_file())
            .map(|bundle| bundle.display().to_string())
            .collect();
        options.crun_bundles.sort_unstable();
    }

    async fn plan(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        match request {
            ActionRequest::Create(CreateRequest { spec: CreateSpec::CrunBundle { bundle }, .. }) => {
                self.plan_create(name, bundle)
            }
            ActionRequest::Create(_) => Err(Error::Invalid {
                field: Field::Backend,
                message: "crun makes containers from bundles only.".to_owned(),
            }),
            ActionRequest::Start => self.plan_start(name),
            ActionRequest::Shutdown { timeout_seconds } => {
                plan::shutdown(&self.tool(), name, &self.registered(name)?, *timeout_seconds)
            }
            ActionRequest::Stop => plan::stop(&self.tool(), name, &self.registered(name)?),
            ActionRequest::Delete { .. } => plan::delete(&self.tool(), name, &self.registered(name)?),
            other => Err(Error::Unsupported {
                backend: BackendKind::Crun,
                action: other.action(),
                reason: self.lack(other.action()).unwrap_or_default(),
            }),
        }
    }

    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error> {
        parse::answer(command, output)
    }
}

#[cfg(test)]
mod tests;
