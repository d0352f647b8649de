//! LXC: plain containers by the `lxc-*` tools, as Debian ships them.
//!
//! Reads the state of containers itself, from LXC's directory and the kernel, as LXC has no answer that a program
//! could rely on; changes anything only through plans of LXC's own tools. Containers of Proxmox use the same library
//! and belong to its own driver. No consoles, no snapshots, no daemon: there is nothing to connect to.
//!
//! ```text
//!   reader ─ state          what is there          sockets, scan, config, detail
//!   facts ──► plan, create  what will be done      pure, from facts
//!   parse                   what came of it        pure, from a finished command
//! ```

mod config;
mod create;
mod detail;
mod facts;
mod parse;
mod plan;
mod reader;
mod scan;
mod sockets;
mod state;
mod tools;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;

use crate::domain::{
    action::{ActionRequest, GuestAction},
    guest::{BackendKind, Guest, GuestDetail, GuestId, Snapshot},
    host::{Availability, CreateOptions, Image, Node},
    name::GuestName,
    plan::{Command, Plan},
};

use super::{Backend, CommandOutput, Error, process::Proc};

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
        Ok(Self { place: Arc::new(place), templates: config.templates.into(), reader: Arc::new(reader) })
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
        if let ActionRequest::Create(request) = request {
            let spec = &request.spec;
            create::check(name, reader.is_foreign(name), spec)?;
            let facts = facts::create(reader, place, &self.templates, name, spec);
            return create::create(place, name, spec, &facts);
        }
        let look = reader.one(name)?;
        let look = look.ok_or_else(|| Error::NotFound(GuestId::new(BackendKind::Lxc, name.clone())))?;
        match request {
            ActionRequest::Start => plan::start(place, name, &facts::start(reader, &look)?),
            ActionRequest::Shutdown { timeout_seconds } => plan::shutdown(place, name, *timeout_seconds),
            ActionRequest::Stop => plan::stop(place, name, &facts::stop(&look)),
            ActionRequest::Delete { .. } => plan::delete(place, name, &facts::delete(reader, &look)?),
            other => Err(Error::Unsupported {
                backend: BackendKind::Lxc,
                action: other.action(),
                reason: self.lack(other.action()).unwrap_or_default(),
            }),
        }
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

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        let name = name.clone();
        self.read(move |driver| driver.reader.guest(&name)).await
    }

    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        let name = name.clone();
        self.read(move |driver| driver.reader.inspect(&name)).await
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
}
