//! DRIVER: one type for both kinds of guests; they differ in the plans alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;

use crate::{
    backend::{Api, Backend, CommandOutput, Error, Followed, Heard, OpenCall, Readings, RunContext},
    domain::{
        action::{ActionRequest, Field, GuestAction},
        guest::{BackendKind, Guest, GuestDetail, GuestId, Snapshot},
        host::{Availability, CreateOptions, Image, Node},
        name::GuestName,
        plan::{Command, Plan},
        spec::{CloneSpec, CreateRequest, CreateSpec},
        task::Task,
    },
};

use super::{
    Client, Credentials, Person, ProxmoxConfig, Realms, Signs, begun, capabilities,
    check::{self, invalid},
    choose,
    cluster::{Cluster, LIST_EVERY},
    detail,
    facts::{self, CheckpointFact, GuestFacts},
    images, meters, nodes,
    num::Rows,
    parse,
    person::{Acting, ROOT},
    place::{Place, id_of, vmid_of},
    plan::{
        config::{self, UnlockFacts},
        copy::{self, CloneFacts},
        create_container, create_vm, delete, exec, power, snapshot,
    },
    read,
    signals::Signals,
    tasks,
    wire::{guest::TaskRow, node::Version},
};

/// How often a guest is asked for while a plan waits for it: one request each time.
const POLL: Duration = Duration::from_millis(500);
/// Newest tasks of a guest or a kind that are looked through.
const TASKS_LOOKED_AT: &str = "50";
/// Kinds of tasks that last as long as somebody looks, and hold no lock.
const CONSOLES: [&str; 4] = ["vncproxy", "vncshell", "spiceproxy", "termproxy"];

/// The driver of one kind of Proxmox guests. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct ProxmoxDriver {
    kind: BackendKind,
    client: Client,
    cluster: Arc<Cluster>,
    signals: Arc<Signals>,
    node: Option<String>,
    local_node: Option<String>,
    signs: Option<Signs>,
    /// As whom Paddock acts at Proxmox.
    user: String,
    /// The first driver of its cluster: it tells the tasks of all.
    tells_tasks: bool,
    /// Proxmox takes Paddock, or that person, for root@pam itself: by password, as no token is root to it.
    is_root: bool,
    /// Somebody with an account of their own, whose driver this is.
    acting: Option<Acting>,
}

impl ProxmoxDriver {
    /// The driver of containers or of VMs; any other kind is taken for containers.
    pub fn new(kind: BackendKind, client: Client, config: &ProxmoxConfig) -> Self {
        let (user, is_root) = match &config.credentials {
            Credentials::Token { id, .. } => (id.clone(), false),
            Credentials::Password { user, .. } => (user.clone(), user == ROOT),
        };
        Self {
            user,
            tells_tasks: true,
            kind,
            client: client.speaking_for(kind),
            cluster: Arc::new(Cluster::new(client.speaking_for(kind), config.signs.as_ref())),
            signals: Signals::new(kind, config.signs.as_ref()),
            signs: config.signs.clone(),
            node: config.node.clone(),
            local_node: config.local_node.clone(),
            is_root,
            acting: None,
        }
    }

    /// The driver of the other kind in the same cluster. Two made like this ask for the list of guests once for both,
    /// and the first alone tells the cluster's tasks.
    #[must_use]
    pub fn sibling(&self, kind: BackendKind) -> Self {
        let signals = Signals::new(kind, self.signs.as_ref());
        Self { kind, client: self.client.speaking_for(kind), signals, tells_tasks: false, ..self.clone() }
    }

    fn not_found(&self, name: &GuestName) -> Error {
        Error::NotFound(GuestId::new(self.kind, name.clone()))
    }

    async fn facts(&self, name: &GuestName) -> Result<GuestFacts, Error> {
        let vmid = vmid_of(name).ok_or_else(|| self.not_found(name))?;
        let facts = read::facts(&self.cluster, self.kind, vmid, self.local_node.as_deref()).await?;
        facts.ok_or_else(|| self.not_found(name))
    }

    async fn plan_create(&self, id: &GuestName, request: &CreateRequest) -> Result<Plan, Error> {
        let vmid = vmid_of(id).ok_or_else(|| invalid(Field::Vmid, "A Proxmox guest's id is its VMID."))?;
        let asked = match &request.spec {
            CreateSpec::ProxmoxLxc(spec) => spec.node.as_deref(),
            CreateSpec::ProxmoxVm(spec) => spec.node.as_deref(),
            _ => None,
        };
        let nodes = nodes::facts(&self.cluster).await?;
        let node = choose::node(&nodes, asked, &[self.node.as_deref(), self.local_node.as_deref()])?;
        let place = Place { kind: self.kind, node, vmid };
        match &request.spec {
            CreateSpec::ProxmoxLxc(spec) => {
                create_container::create(request, spec, &choose::container(&self.cluster, place, spec).await?)
            }
            CreateSpec::ProxmoxVm(spec) => {
                create_vm::create(request, spec, &choose::vm(&self.cluster, place, spec).await?)
            }
            _ => Err(invalid(Field::Backend, format!("This is no request for a {}.", self.kind.label()))),
        }
    }

    async fn plan_clone(&self, facts: &GuestFacts, spec: &CloneSpec) -> Result<Plan, Error> {
        let snapshots = async {
            match spec.snapshot {
                Some(_) => read::snapshots(&self.cluster, &facts.place).await,
                None => Ok(Vec::new()),
            }
        };
        let nodes = async {
            match spec.node {
                Some(_) => nodes::facts(&self.cluster).await,
                None => Ok(Vec::new()),
            }
        };
        let vmid = choose::vmid(&self.client, self.kind, spec.vmid);
        let (snapshots, nodes, vmid) = tokio::try_join!(snapshots, nodes, vmid)?;
        // Proxmox answers an error where the snapshot is not there: that is told in the plan's own words.
        let is_there = spec.snapshot.as_ref().is_none_or(|name| snapshots.iter().any(|s| s.name == *name));
        let can_link = spec.linked
            && is_there
            && read::can(&self.cluster, &facts.place, "clone", spec.snapshot.as_deref()).await?;
        copy::clone(facts, spec, &CloneFacts { vmid, snapshots, can_link, nodes })
    }

    async fn recent_tasks(&self, node_of: &Place, query: &[(&str, &str)]) -> Result<Vec<TaskRow>, Error> {
        let query = [&[("source", "all"), ("limit", TASKS_LOOKED_AT)], query].concat();
        let Rows(tasks) = self.client.get(&node_of.node_path("/tasks"), &query).await?;
        Ok(tasks)
    }

    async fn checkpoint(&self, place: &Place) -> Result<CheckpointFact, Error> {
        let vmid = place.vmid.to_string();
        let (own_query, suspends_query) = ([("vmid", vmid.as_str())], [("typefilter", "vzsuspend")]);
        let (own, suspends) = tokio::try_join!(
            self.recent_tasks(place, &own_query),
            self.recent_tasks(place, &suspends_query)
        )?;
        Ok(facts::checkpoint(place.vmid, &own, &suspends))
    }

    async fn unlock_facts(&self, place: &Place) -> Result<UnlockFacts, Error> {
        let vmid = place.vmid.to_string();
        let tasks = self.recent_tasks(place, &[("vmid", &vmid)]).await?;
        let at_work = tasks.into_iter().filter(TaskRow::is_running).filter_map(|task| task.kind);
        let at_work = at_work.filter(|kind| !CONSOLES.contains(&kind.as_str())).collect();
        Ok(UnlockFacts { is_root: self.is_root, at_work })
    }

    async fn plan_existing(&self, facts: &GuestFacts, request: &ActionRequest) -> Result<Plan, Error> {
        let place = &facts.place;
        let snapshots = || read::snapshots(&self.cluster, place);
        match request {
            ActionRequest::Start => Ok(power::start(facts)),
            ActionRequest::Shutdown { timeout_seconds } => Ok(power::shutdown(facts, *timeout_seconds)),
            ActionRequest::Stop => Ok(power::stop(facts)),
            ActionRequest::Reboot { timeout_seconds } => Ok(power::reboot(facts, *timeout_seconds)),
            ActionRequest::Reset => Ok(power::reset(facts)),
            ActionRequest::Pause => Ok(power::pause(facts)),
            ActionRequest::Resume if place.is_vm() => power::resume(facts, CheckpointFact::None),
            ActionRequest::Resume => power::resume(facts, self.checkpoint(place).await?),
            ActionRequest::Hibernate => Ok(power::hibernate(facts)),
            ActionRequest::Exec { command, timeout_seconds } => exec::exec(facts, command, *timeout_seconds),
            ActionRequest::Clone(spec) => self.plan_clone(facts, spec).await,
            ActionRequest::MakeTemplate => copy::make_template(facts, &snapshots().await?),
            ActionRequest::Snapshot { name, description, memory } => {
                let is_possible = read::can(&self.cluster, place, "snapshot", None);
                let (snapshots, is_possible) = tokio::try_join!(snapshots(), is_possible)?;
                let name = name.as_deref().unwrap_or_default();
                snapshot::take(facts, &snapshots, is_possible, name, description, *memory)
            }
            ActionRequest::Rollback { snapshot } => snapshot::rollback(facts, &snapshots().await?, snapshot),
            ActionRequest::DeleteSnapshot { snapshot } => {
                snapshot::delete(facts, &snapshots().await?, snapshot)
            }
            ActionRequest::Configure(changes) => config::configure(facts, changes),
            ActionRequest::Resize { disk, size } => config::resize(facts, disk, *size),
            ActionRequest::Migrate { node } => {
                copy::migrate(facts, &nodes::facts(&self.cluster).await?, node)
            }
            ActionRequest::Backup { storage, mode } => {
                let rows = nodes::storages(&self.cluster, &place.node).await?;
                let storage = choose::storage(&rows, &place.node, storage.as_deref(), "backup")?;
                Ok(copy::backup(facts, &storage, *mode))
            }
            ActionRequest::Unlock => config::unlock(facts, &self.unlock_facts(place).await?),
            ActionRequest::Delete { purge } => {
                let names: Vec<String> =
                    snapshots().await?.into_iter().map(|snapshot| snapshot.name).collect();
                delete::delete(facts, &names, *purge)
            }
            ActionRequest::Create(_) => {
                Err(invalid(Field::Vmid, format!("{} exists already.", place.label())))
            }
        }
    }
}

#[async_trait]
impl Backend for ProxmoxDriver {
    fn kind(&self) -> BackendKind {
        self.kind
    }

    async fn probe(&self) -> Availability {
        match self.client.get::<Version>("/version", &[]).await {
            Ok(found) => Availability::Available { version: found.version.unwrap_or_default() },
            Err(Error::Unavailable { reason, cure, .. } | Error::NotReady { reason, cure }) => {
                Availability::Unavailable { reason, cure }
            }
            Err(error) => Availability::Unavailable {
                reason: error.to_string(),
                cure: "Look at Paddock's settings for Proxmox, and at the host.".to_owned(),
            },
        }
    }

    fn lack(&self, action: GuestAction) -> Option<String> {
        capabilities::lack(self.kind, action, self.local_node.is_some()).map(str::to_owned)
    }

    async fn list(&self) -> Result<Vec<Guest>, Error> {
        read::list(&self.cluster, self.kind).await
    }

    async fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        match vmid_of(name) {
            Some(vmid) => {
                // Who asks about one has a reason to, perhaps a copy that was just made of it.
                self.cluster.outdate(Instant::now());
                read::guest(&self.cluster, self.kind, vmid).await
            }
            None => Ok(None),
        }
    }

    async fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        match vmid_of(name) {
            Some(vmid) => detail::inspect(&self.cluster, self.kind, vmid).await,
            None => Ok(None),
        }
    }

    async fn snapshots(&self, name: &GuestName) -> Result<Vec<Snapshot>, Error> {
        let vmid = vmid_of(name).ok_or_else(|| self.not_found(name))?;
        let read = |place: Place| async move { read::snapshots(&self.cluster, &place).await };
        let found = self.cluster.at(self.kind, vmid, read).await?;
        found.map(|(_, snapshots)| snapshots).ok_or_else(|| self.not_found(name))
    }

    async fn images(&self) -> Result<Vec<Image>, Error> {
        let mut images = images::images(&self.cluster).await?;
        let is_vm = self.kind == BackendKind::ProxmoxVm;
        images.retain(|image| images::is_for(image.kind, is_vm));
        Ok(images)
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        nodes::nodes(&self.cluster).await
    }

    async fn meters(&self, _running: &[GuestName], age: Duration) -> Result<Readings, Error> {
        Ok(meters::read(&self.cluster.list_within(age).await?, self.kind, self.local_node.as_deref()))
    }

    /// What a Proxmox guest is made from is among [`images`](Self::images).
    async fn create_options(&self, _options: &mut CreateOptions) {}

    async fn new_id(&self, request: &CreateRequest) -> Result<GuestName, Error> {
        check::request::create(self.kind, request)?;
        let asked = match &request.spec {
            CreateSpec::ProxmoxLxc(spec) => spec.vmid,
            CreateSpec::ProxmoxVm(spec) => spec.vmid,
            _ => None,
        };
        let vmid = choose::vmid(&self.client, self.kind, asked).await?;
        id_of(self.kind, vmid)
            .map(|id| id.name)
            .ok_or_else(|| invalid(Field::Vmid, "This VMID cannot be used."))
    }

    async fn plan(&self, id: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        if let Some(reason) = self.lack(request.action()) {
            return Err(Error::Unsupported { backend: self.kind, action: request.action(), reason });
        }
        check::request::request(self.kind, request)?;
        if let ActionRequest::Create(request) = request {
            return self.plan_create(id, request).await;
        }
        let facts = self.facts(id).await?;
        let plan = self.plan_existing(&facts, request).await?;
        if let Some(acting) = &self.acting {
            acting.check(&plan, &facts.place, request.action()).await?;
        }
        Ok(plan)
    }

    fn parse(&self, command: &Command, output: &CommandOutput) -> Result<(), Error> {
        parse::parse(self.kind, command, output)
    }

    fn realms(&self) -> Option<Realms> {
        Some(Realms::new(self.client.clone()))
    }

    fn acting_as(&self, person: &Person) -> Option<Arc<dyn Backend>> {
        Some(Arc::new(Self {
            user: person.user().to_owned(),
            is_root: person.user() == ROOT,
            acting: Some(Acting::new(person.clone(), self.kind)),
            ..self.clone()
        }))
    }

    fn api(&self) -> Option<&dyn Api> {
        Some(self.acting.as_ref().map_or(&self.client, |acting| &acting.client))
    }

    fn tells_tasks(&self) -> bool {
        self.tells_tasks
    }

    async fn tasks(&self, since_ms: i64) -> Result<Vec<Task>, Error> {
        if self.tells_tasks { tasks::since(&self.cluster, since_ms).await } else { Ok(Vec::new()) }
    }

    async fn task(&self, upid: &str) -> Result<Option<Task>, Error> {
        tasks::one(&self.cluster, upid).await
    }

    async fn task_log(&self, upid: &str, limit: usize) -> Result<(String, bool), Error> {
        tasks::log(&self.cluster, upid, limit).await
    }

    async fn follow(&self, upid: &str, timeout: Duration, context: &RunContext) -> Followed {
        tasks::follow(&self.cluster, upid, timeout, context).await
    }

    async fn begun_by(&self, guest: &GuestName, open: OpenCall<'_>) -> Result<Vec<Task>, Error> {
        let Some(vmid) = vmid_of(guest) else { return Ok(Vec::new()) };
        begun::by(&self.cluster, &self.user, vmid, open).await
    }

    fn task_ended(&self, upid: &str, words: &str) -> Result<(), Error> {
        tasks::ended(self.kind, upid, words)
    }

    fn api_user(&self) -> Option<String> {
        Some(self.user.clone())
    }

    async fn heard(&self) -> Heard {
        self.signals.heard(&self.cluster).await
    }

    fn list_interval(&self) -> Duration {
        LIST_EVERY
    }

    fn poll_interval(&self) -> Duration {
        POLL
    }
}
