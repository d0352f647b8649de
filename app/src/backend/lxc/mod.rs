//! LXC: plain containers by the `lxc-*` tools, as Debian ships them.
//!
//! Reads the state of containers itself, from LXC's directory and the kernel, as LXC has no answer that a program
//! could rely on; changes anything only through plans of LXC's own tools. Containers of Proxmox use the same library
//! and belong to its own driver. No consoles, no daemon: there is nothing to connect to.
//!
//! ```text
//!   reader ─ state          what is there          sockets, scan, config, settings, snapshots, detail
//!   facts ──► plan, ...     what will be done      pure, from facts: create (network, limits, oci), copy, configure, exec
//!   config::edit            how a file changes     pure, from its text
//!   parse                   what came of it        pure, from a finished command
//! ```

pub(crate) mod config;
mod configure;
mod copy;
mod create;
mod detail;
mod exec;
mod facts;
mod limits;
mod network;
mod oci;
mod parse;
mod plan;
mod reader;
mod scan;
mod settings;
pub(crate) mod snapshots;
pub(crate) mod sockets;
mod state;
mod tools;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;

use crate::domain::{
    action::{ActionRequest, GuestAction},
    guest::{BackendKind, Guest, GuestDetail, GuestId, Snapshot},
    host::{Availability, CreateOptions, Image, Node},
    name::GuestName,
    plan::{Change, Command, Plan},
};

use super::{
    Backend, CommandOutput, Error, Readings, Sources, meter::Meter, process::Proc, this_host::ThisHost,
};

use self::{facts::Place, reader::Reader};

/// Where this host keeps its containers and what belongs to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LxcConfig {
    /// Absolute, as LXC's own `-P`; the path is part of a running container's identity, so all tools must be given
    /// the same.
    pub lxcpath: PathBuf,
    /// The configuration that a new container begins with, `lxc-create -f`; without it the host's default.
    pub create_config: Option<PathBuf>,
    /// Where the template scripts are.
    pub templates: PathBuf,
    /// Names of digits only belong to the Proxmox driver.
    pub skip_numeric: bool,
    /// Where the log of each start is kept while the start lasts; made if it is not there. Writable by root alone.
    pub log_dir: PathBuf,
}

impl LxcConfig {
    /// As Debian and Proxmox VE set a host up.
    pub fn of_host(log_dir: impl Into<PathBuf>) -> Self {
        Self {
            lxcpath: PathBuf::from("/var/lib/lxc"),
            create_config: None,
            templates: PathBuf::from("/usr/share/lxc/templates"),
            skip_numeric: Path::new("/etc/pve").exists(),
            log_dir: log_dir.into(),
        }
    }
}

/// The driver of LXC containers. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct LxcDriver {
    place: Arc<Place>,
    templates: Arc<Path>,
    reader: Arc<Reader>,
    host: Arc<ThisHost>,
    meter: Arc<Meter>,
}

impl LxcDriver {
    /// Fails for a path that is not text and so cannot be a word of a command.
    pub fn new(config: LxcConfig) -> Result<Self, Error> {
        let place = Place {
            lxcpath: facts::word(&config.lxcpath)?,
            create_config: config.create_config.as_deref().map(facts::word).transpose()?,
            log_dir: facts::word(&config.log_dir)?,
        };
        let reader = Reader::new(place.lxcpath.clone(), config.skip_numeric, Proc::default());
        Ok(Self {
            place: Arc::new(place),
            templates: config.templates.into(),
            reader: Arc::new(reader),
            host: Arc::default(),
            meter: Arc::default(),
        })
    }

    /// Runs blocking reads away from the threads that serve requests.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let driver = self.clone();
        tokio::task::spawn_blocking(move || read(&driver)).await.unwrap_or_else(|e| {
            Err(Error::Garbled { source_name: "Reading the state of LXC".to_owned(), detail: e.to_string() })
        })
    }

    fn plan_now(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        let (reader, place) = (&*self.reader, &*self.place);
        if let Some(reason) = lack(request.action()) {
            let (action, reason) = (request.action(), reason.to_owned());
            return Err(Error::Unsupported { backend: BackendKind::Lxc, action, reason });
        }
        self.check(name, request)?;
        if let ActionRequest::Create(request) = request {
            let facts = facts::create::create(reader, place, &self.templates, name, &request.spec);
            return create::create(place, name, &request.spec, request.start, &facts);
        }
        let look = reader.one(name)?;
        let look = look.ok_or_else(|| Error::NotFound(GuestId::new(BackendKind::Lxc, name.clone())))?;
        let storage = |target| facts::storage(reader, &look, target);
        match request {
            ActionRequest::Start => plan::start(place, name, &facts::start(reader, &look)?),
            ActionRequest::Shutdown { timeout_seconds } => plan::shutdown(place, name, *timeout_seconds),
            ActionRequest::Stop => plan::stop(place, name, &facts::stop(&look)),
            ActionRequest::Reboot { timeout_seconds } => {
                plan::reboot(place, name, *timeout_seconds, &facts::start(reader, &look)?)
            }
            ActionRequest::Pause => Ok(plan::pause(place, name)),
            ActionRequest::Resume => Ok(plan::resume(place, name)),
            ActionRequest::Exec { command, timeout_seconds } => {
                let environment = facts::environment(reader, name)?;
                Ok(exec::exec(place, name, command, *timeout_seconds, &environment))
            }
            ActionRequest::Clone(spec) => copy::clone(place, name, spec, &storage(Some(&spec.name))?),
            ActionRequest::Snapshot { description, .. } => {
                copy::snapshot(place, name, description, &storage(None)?)
            }
            ActionRequest::Rollback { snapshot } => copy::rollback(place, name, snapshot, &storage(None)?),
            ActionRequest::DeleteSnapshot { snapshot } => {
                copy::delete_snapshot(place, name, snapshot, &storage(None)?)
            }
            ActionRequest::Configure(changes) => {
                Ok(configure::configure(place, name, changes, &facts::configure(reader, &look)?))
            }
            ActionRequest::Delete { purge } => {
                plan::delete(place, name, *purge, &facts::delete(reader, &look)?)
            }
            ActionRequest::Create(_)
            | ActionRequest::Reset
            | ActionRequest::Hibernate
            | ActionRequest::MakeTemplate
            | ActionRequest::Resize { .. }
            | ActionRequest::Migrate { .. }
            | ActionRequest::Backup { .. }
            | ActionRequest::Unlock => Err(Error::Unsupported {
                backend: BackendKind::Lxc,
                action: request.action(),
                reason: "it has no such action.".to_owned(),
            }),
        }
    }

    fn storages(&self) -> [(&'static str, &Path); 1] {
        [("LXC", Path::new(self.reader.lxcpath()))]
    }

    /// Judges a request by itself: nothing of the host is read by a word that has not passed here.
    fn check(&self, name: &GuestName, request: &ActionRequest) -> Result<(), Error> {
        match request {
            ActionRequest::Create(request) => {
                create::check(name, self.reader.is_foreign(name), &request.spec)
            }
            ActionRequest::Clone(spec) => copy::check_clone(spec, self.reader.is_foreign(&spec.name)),
            ActionRequest::Snapshot { name, description, memory } => {
                copy::check_snapshot(name.as_deref(), description, *memory)
            }
            ActionRequest::Exec { command, timeout_seconds } => exec::check(command, *timeout_seconds),
            ActionRequest::Configure(changes) => configure::check(changes),
            _ => Ok(()),
        }
    }
}

/// Why LXC cannot do that at all, `None` if it can.
fn lack(action: GuestAction) -> Option<&'static str> {
    match action {
        GuestAction::Reset => Some("a container has no reset button; stop it and start it again."),
        GuestAction::Hibernate => Some(
            "keeping a container's memory on disk needs CRIU, which does not come with LXC; pause it, or shut it down.",
        ),
        GuestAction::MakeTemplate => {
            Some("its templates are scripts and not containers; clone the container instead.")
        }
        GuestAction::Resize => {
            Some("a container's root file system is a directory of the host and has no size of its own.")
        }
        GuestAction::Migrate => {
            Some("it knows of no other host; copy the container's directory there while it is stopped.")
        }
        GuestAction::Backup => Some(
            "it has no backups; take a snapshot, and back the container's directory up as the host's other files.",
        ),
        GuestAction::Unlock => Some("it keeps no locks that could be left behind."),
        GuestAction::Create
        | GuestAction::Start
        | GuestAction::Shutdown
        | GuestAction::Stop
        | GuestAction::Reboot
        | GuestAction::Pause
        | GuestAction::Resume
        | GuestAction::Exec
        | GuestAction::Clone
        | GuestAction::Snapshot
        | GuestAction::Rollback
        | GuestAction::DeleteSnapshot
        | GuestAction::Configure
        | GuestAction::Delete => None,
    }
}

#[async_trait]
impl Backend for LxcDriver {
    fn kind(&self) -> BackendKind {
        BackendKind::Lxc
    }

    async fn probe(&self) -> Availability {
        tools::probe().await
    }

    async fn list(&self) -> Result<Vec<Guest>, Error> {
        self.read(|driver| driver.reader.list()).await
    }

    async fn sources(&self) -> Result<Option<Sources>, Error> {
        self.read(|driver| driver.reader.sources().map(Some)).await
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        let name = name.clone();
        self.read(move |driver| driver.reader.guest(&name)).await
    }

    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        let name = name.clone();
        self.read(move |driver| driver.reader.inspect(&name)).await
    }

    fn lack(&self, action: GuestAction) -> Option<String> {
        lack(action).map(str::to_owned)
    }

    async fn snapshots(&self, name: &GuestName) -> Result<Vec<Snapshot>, Error> {
        let name = name.clone();
        self.read(move |driver| {
            if driver.reader.is_foreign(&name) {
                return Ok(Vec::new());
            }
            let directory = snapshots::directory(driver.reader.lxcpath(), &name);
            Ok(snapshots::read(&directory)?.into_iter().map(Snapshot::from).collect())
        })
        .await
    }

    async fn images(&self) -> Result<Vec<Image>, Error> {
        self.read(|driver| Ok(tools::images(&driver.templates))).await
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.read(|driver| Ok(vec![driver.host.node(&driver.storages())])).await
    }

    async fn meters(&self, running: &[GuestName], _age: Duration) -> Result<Readings, Error> {
        let running = running.to_vec();
        self.read(move |driver| {
            let began = Instant::now();
            let inits = driver.reader.inits(&running);
            let guests = driver.meter.read(&running, |name| {
                let init = inits.get(name)?;
                Some((init.pid, init.groups.clone()))
            });
            let guests =
                guests.into_iter().map(|(name, meters)| (GuestId::new(BackendKind::Lxc, name), meters));
            let (guests, nodes) = (guests.collect(), vec![driver.host.meters(&driver.storages())]);
            Ok(Readings { guests, nodes, work: began.elapsed() })
        })
        .await
    }

    async fn create_options(&self, options: &mut CreateOptions) {
        let templates = self.read(|driver| Ok(tools::templates(&driver.templates))).await;
        options.lxc_templates = templates.unwrap_or_default();
    }

    async fn plan(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        let (name, request) = (name.clone(), request.clone());
        self.read(move |driver| driver.plan_now(&name, &request)).await
    }

    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error> {
        parse::parse(command, output)
    }

    fn edit(&self, text: &str, changes: &[Change]) -> Result<String, String> {
        match changes {
            [Change { key, value: Some(comment) }] if key == copy::COMMENT => Ok(comment.clone()),
            changes => config::edit::edit(text, changes),
        }
    }
}
