//! CRUN: OCI containers that run under crun on this host.
//!
//! A container is made from a *bundle*, a directory with `config.json` and a root file system, and registered in
//! crun's state directory, one subdirectory each. This room reads that directory and the kernel's files, plans
//! `crun` commands and understands what they say. A bundle is there already, or is made from an image by `skopeo` and
//! `umoci`. It keeps no output of containers: theirs goes to /dev/null, as a container holds whatever it was given
//! open for as long as it lives.
//!
//! ```text
//!            create            start             TERM, KILL, its own end
//!   bundle ─────────► created ───────► running ───────────────────────► stopped
//!                                       ▲   │ pause                        │
//!                                       └───┴ paused       delete, create, start from the same bundle
//! ```

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;

use crate::domain::{
    action::{ActionRequest, GuestAction},
    guest::{BackendKind, Guest, GuestDetail, GuestId, Snapshot},
    host::{Availability, CreateOptions, Image, ImageKind, Node},
    name::GuestName,
    plan::{Change, Command, Plan},
};

use super::{
    Backend, CommandOutput, Error, HostRunner, Readings, Runner, Sources, ThisHost, files, meter::Meter,
    process::Proc,
};
use notes::TagCache;
use plan::Tool;
use state::{Record, State, StateDir};

mod archive;
pub(crate) mod bundle;
mod detail;
mod facts;
mod ground;
mod input;
pub(crate) mod json;
pub(crate) mod layout;
mod notes;
mod parse;
mod paths;
mod places;
mod plan;
mod probe;
pub(crate) mod reference;
mod requests;
pub(crate) mod state;

/// Where crun, its bundles and images are on this host.
#[derive(Debug, Clone)]
pub struct CrunConfig {
    /// crun's state directory; `/run/crun` unless the host has it elsewhere.
    pub root: PathBuf,
    /// A directory whose subdirectories with a `config.json` are offered for new containers, and where containers
    /// that are made from images get theirs. Made when it is needed; without one, none is made from an image.
    pub bundles: Option<PathBuf>,
    /// A directory whose subdirectories that are OCI image layouts are offered for new containers, and where images
    /// are copied to. Made when it is needed.
    pub images: PathBuf,
    /// Where crun's own words are written while it works. Made when it is needed.
    pub log_dir: PathBuf,
}

/// The driver for crun.
pub struct CrunDriver {
    config: CrunConfig,
    states: StateDir,
    proc: Proc,
    tags: TagCache,
    this_host: Arc<ThisHost>,
    meter: Arc<Meter>,
    /// For [`probe`](Backend::probe) only: everything else is planned, or read from files.
    runner: Arc<dyn Runner>,
}

impl CrunDriver {
    pub fn new(config: CrunConfig) -> Self {
        Self {
            states: StateDir::new(config.root.clone()),
            config,
            proc: Proc::default(),
            tags: TagCache::default(),
            this_host: Arc::default(),
            meter: Arc::default(),
            runner: Arc::new(HostRunner),
        }
    }

    fn tool(&self) -> Tool {
        Tool { root: self.config.root.display().to_string(), log_dir: self.config.log_dir.clone() }
    }

    /// With its tags, which are in its bundle.
    fn guest_of(&self, name: GuestName, record: &Record) -> Guest {
        let bundle = record.state().and_then(|state| state.bundle.as_deref());
        let tags = bundle.map(|bundle| self.tags.tags(bundle)).unwrap_or_default();
        Guest { tags, ..record.guest(name, &self.proc) }
    }

    /// The bundles where this host keeps them, absolute paths, sorted. A directory that cannot be read has none.
    fn bundles(&self) -> Vec<String> {
        let Some(dir) = &self.config.bundles else { return Vec::new() };
        let mut bundles: Vec<String> = files::names(dir)
            .unwrap_or_default()
            .into_iter()
            // What begins with a dot is not finished, or hidden.
            .filter(|name| !name.starts_with('.'))
            .map(|name| dir.join(name))
            .filter(|bundle| bundle.join("config.json").is_file())
            .map(|bundle| bundle.display().to_string())
            .collect();
        bundles.sort_unstable();
        bundles
    }
}

/// The directories whose space matters.
fn storages(config: &CrunConfig) -> Vec<(&'static str, &Path)> {
    let mut storages = vec![("crun images", config.images.as_path())];
    storages.extend(config.bundles.as_deref().map(|bundles| ("crun bundles", bundles)));
    storages
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

    fn lack(&self, action: GuestAction) -> Option<String> {
        use GuestAction::{
            Backup, Clone, DeleteSnapshot, Hibernate, MakeTemplate, Migrate, Reset, Resize, Rollback,
            Snapshot, Unlock,
        };
        let reason = match action {
            Clone => "crun copies no containers. Copy the bundle's directory and create one from the copy.",
            MakeTemplate => "crun has no templates. A bundle's directory can be copied as often as you like.",
            Snapshot | Rollback | DeleteSnapshot => {
                "crun keeps no earlier states. Take a snapshot of the file system that holds the bundle."
            }
            Migrate => "crun knows of this host alone. Copy the bundle to the other one.",
            Backup => {
                "crun writes no backups. Back up the bundle's directory while the container is stopped."
            }
            Resize => {
                "a container has no disk of its own: its root file system is a directory of the host, as large as \
                 the file system around it."
            }
            Reset => "a container has no reset button. Stop it and start it again.",
            Hibernate => "crun was built without checkpoints. Pause it, or shut it down.",
            Unlock => "crun keeps no locks, so there is none to remove.",
            _ => return None,
        };
        Some(reason.to_owned())
    }

    async fn list(&self) -> Result<Vec<Guest>, Error> {
        let mut guests = Vec::new();
        let mut bundles = Vec::new();
        for name in self.states.names()? {
            // One that is deleted in the meantime is none.
            if let Some(record) = self.states.read(&name) {
                guests.push(self.guest_of(name, &record));
                bundles.extend(record.state().and_then(|state| state.bundle.clone()));
            }
        }
        self.tags.keep_only(bundles.iter().map(String::as_str));
        Ok(guests)
    }

    async fn sources(&self) -> Result<Option<Sources>, Error> {
        let root = self.config.root.clone();
        // One that is being made has no state file yet.
        let names = self.states.names()?;
        let records: Vec<Record> = names.iter().filter_map(|name| self.states.read(name)).collect();
        let states = records.iter().filter_map(Record::state);
        let bundles = states.clone().filter_map(|state| state.bundle.as_deref()).map(PathBuf::from);
        let directories = names.iter().map(|name| self.states.of(name)).chain(bundles).collect();
        // The end of one that has ended is no news.
        let alive: Vec<&State> = states.filter(|state| state.is_alive(&self.proc)).collect();
        let files = alive.iter().flat_map(|state| state.telling(&self.proc)).collect();
        let processes = alive.iter().map(|state| state.pid).collect();
        Ok(Some(Sources { root, directories, files, processes, ..Sources::default() }))
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        Ok(self.states.read(name).map(|record| self.guest_of(name.clone(), &record)))
    }

    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        Ok(self.states.read(name).map(|record| detail::detail(&self.states, &self.proc, name, &record)))
    }

    async fn snapshots(&self, _: &GuestName) -> Result<Vec<Snapshot>, Error> {
        Ok(Vec::new())
    }

    async fn images(&self) -> Result<Vec<Image>, Error> {
        let bundle =
            |id| Image { id, kind: ImageKind::Bundle, node: None, size: None, description: String::new() };
        let mut images: Vec<Image> = self.bundles().into_iter().map(bundle).collect();
        images.extend(layout::images(&self.config.images));
        images.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        Ok(images)
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(vec![self.this_host.node(&storages(&self.config))])
    }

    async fn meters(&self, running: &[GuestName], _age: Duration) -> Result<Readings, Error> {
        let (config, states, proc) = (self.config.clone(), self.states.clone(), self.proc.clone());
        let (meter, host, running) = (Arc::clone(&self.meter), Arc::clone(&self.this_host), running.to_vec());
        let read = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let guests = meter.read(&running, |name| {
                let record = states.read(name)?;
                let state = record.state().filter(|state| state.is_alive(&proc))?;
                Some((state.pid, state.groups(&proc)))
            });
            let guests = guests.into_iter().map(|(name, meters)| (guest_id(name), meters));
            let (guests, nodes) = (guests.collect(), vec![host.meters(&storages(&config))]);
            Readings { guests, nodes, work: began.elapsed() }
        });
        read.await.map_err(|e| Error::Garbled {
            source_name: "Reading what crun's containers use".to_owned(),
            detail: e.to_string(),
        })
    }

    async fn create_options(&self, options: &mut CreateOptions) {
        // Any other path can still be typed.
        options.crun_bundles = self.bundles();
    }

    async fn plan(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        self.plan_request(name, request)
    }

    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error> {
        parse::answer(command, output)
    }

    fn edit(&self, text: &str, changes: &[Change]) -> Result<String, String> {
        json::edit(text, changes)
    }
}

#[cfg(test)]
mod tests;
