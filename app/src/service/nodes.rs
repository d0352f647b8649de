//! The machines that guests run on: read now and then, shown from memory, so that looking at them costs the host nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::join_all;

use super::{AppState, Error};
use crate::{
    auth::{Caller, policy},
    backend::{Backend, now_ms},
    domain::{
        access::{On, Privilege},
        dashboard::{Counts, NodeView, NodesPage, NodesProblem},
        guest::{BackendKind, Guest, GuestStatus},
        host::{Node, NodeState},
        limits::Cpus,
        usage::NodeSample,
    },
};

/// Between two readings. Of a cluster one takes a request, and three for each node.
const INTERVAL: Duration = Duration::from_secs(60);

/// What is known of the nodes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Nodes(Arc<RwLock<BTreeMap<BackendKind, Reading>>>);

/// What a backend told of its nodes last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Reading {
    nodes: Vec<Node>,
    /// When it told them, milliseconds since 1970.
    at_ms: i64,
    /// Why they could not be read since.
    failed: Option<String>,
}

const SILENT: &str = "Nothing new has been measured on it for a while, so its figures are old. On a Proxmox node \
                      pvestatd measures: look whether it runs there.";

/// A node, with the backends whose guests run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub node: Node,
    pub backends: Vec<BackendKind>,
    /// When it was read, milliseconds since 1970.
    pub at_ms: i64,
}

impl Machine {
    /// Takes in what was measured since. What that does not tell stays.
    fn renew(&mut self, measured: &NodeSample, at_ms: i64) {
        let (node, sample) = (&mut self.node, &measured.sample);
        node.state = measured.state;
        if node.state == NodeState::Silent {
            node.note = Some(SILENT.to_owned());
        } else {
            self.at_ms = at_ms;
        }
        let of_all = |(used, all): (Cpus, Cpus)| {
            u32::try_from(u64::from(used.0) * 1000 / u64::from(all.0.max(1))).unwrap_or(1000)
        };
        node.cpu_permille = sample.cpu.zip(sample.cpu_most).map(of_all).or(node.cpu_permille);
        node.memory = sample.memory.or(node.memory);
        node.memory_total = sample.memory_most.or(node.memory_total);
        node.uptime_seconds = measured.uptime_seconds.or(node.uptime_seconds);
        if !measured.load.is_empty() {
            node.load.clone_from(&measured.load);
        }
        for storage in &mut node.storages {
            if let Some(newer) = measured.storages.iter().find(|newer| newer.name == storage.name) {
                (storage.used, storage.total) = (newer.used, newer.total);
                storage.is_active = newer.used.is_some();
            }
        }
    }
}

/// What each backend answers to the question for its nodes. Of several that serve one cluster only one is asked, for all of
/// them.
pub async fn read(drivers: &[Arc<dyn Backend>]) -> Vec<(BackendKind, Result<Vec<Node>, String>)> {
    let asked = |driver: &&Arc<dyn Backend>| !is_of_cluster(driver.kind()) || driver.tells_tasks();
    join_all(
        drivers
            .iter()
            .filter(asked)
            .map(async |driver| (driver.kind(), driver.nodes().await.map_err(|error| error.to_string()))),
    )
    .await
}

fn is_of_cluster(kind: BackendKind) -> bool {
    matches!(kind, BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm)
}

/// The nodes by name. One that several backends tell of stands there once, with the storages of all.
pub fn merged(
    told: impl IntoIterator<Item = (BackendKind, i64, Vec<Node>)>,
    kinds: &[BackendKind],
) -> Vec<Machine> {
    let mut machines = Vec::<Machine>::new();
    for (kind, at_ms, nodes) in told {
        let serve = |other: &&BackendKind| **other == kind || is_of_cluster(kind) && is_of_cluster(**other);
        let backends: Vec<BackendKind> = kinds.iter().filter(serve).copied().collect();
        for node in nodes {
            match machines.iter_mut().find(|machine| machine.node.name == node.name) {
                Some(machine) => {
                    for storage in node.storages {
                        if !machine.node.storages.iter().any(|known| known.name == storage.name) {
                            machine.node.storages.push(storage);
                        }
                    }
                    machine.backends.extend(&backends);
                }
                None => machines.push(Machine { node, backends: backends.clone(), at_ms }),
            }
        }
    }
    machines.sort_by(|a, b| a.node.name.cmp(&b.node.name));
    machines
}

impl Nodes {
    fn note(&self, told: Vec<(BackendKind, Result<Vec<Node>, String>)>, at_ms: i64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (kind, answer) in told {
            match answer {
                Ok(nodes) => {
                    known.insert(kind, Reading { nodes, at_ms, failed: None });
                }
                // What was known stays.
                Err(why) => known.entry(kind).or_default().failed = Some(why),
            }
        }
    }

    fn known(&self) -> BTreeMap<BackendKind, Reading> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which nodes there are, and whether they are up: what open pages are told of at once.
    fn outline(&self) -> Vec<(String, bool)> {
        let known = self.known();
        known
            .values()
            .flat_map(|read| &read.nodes)
            .map(|node| (node.name.clone(), node.state.is_online()))
            .collect()
    }

    pub fn machines(&self, kinds: &[BackendKind]) -> Vec<Machine> {
        merged(self.known().into_iter().map(|(kind, read)| (kind, read.at_ms, read.nodes)), kinds)
    }
}

/// Reads the nodes of every backend that can be used.
pub async fn refresh(state: &AppState) {
    let usable = |driver: &&Arc<dyn Backend>| {
        let snapshot = state.inventory.snapshot();
        snapshot.backends.get(&driver.kind()).is_some_and(|health| health.state.availability.is_available())
    };
    let drivers: Vec<Arc<dyn Backend>> = state.registry.iter().filter(usable).cloned().collect();
    let before = state.nodes.outline();
    state.nodes.note(read(&drivers).await, now_ms());
    if state.nodes.outline() != before {
        state.news.ring();
    }
}

/// Keeps what is known of the nodes as of the last minute, until the task is dropped.
pub async fn keep(state: AppState) {
    loop {
        refresh(&state).await;
        tokio::time::sleep(INTERVAL).await;
    }
}

/// All nodes, for whoever may see any guest.
pub fn page(state: &AppState, caller: &Caller) -> Result<NodesPage, Error> {
    policy::decide(caller, Privilege::See, On::Somewhere)?;
    let problems = state.nodes.known().into_iter().filter_map(|(backend, read)| {
        let why = read.failed?;
        Some(NodesProblem { backend, why })
    });
    Ok(NodesPage { now_ms: now_ms(), problems: problems.collect(), nodes: views(state, caller) })
}

/// The nodes with the guests that the caller may see; none for those who may see no guest at all.
pub(super) fn views(state: &AppState, caller: &Caller) -> Vec<NodeView> {
    if policy::decide(caller, Privilege::See, On::Somewhere).is_err() {
        return Vec::new();
    }
    let kinds: Vec<BackendKind> = state.registry.iter().map(|driver| driver.kind()).collect();
    let mut machines = state.nodes.machines(&kinds);
    let latest = state.usage.latest();
    for machine in &mut machines {
        if let Some(measured) = latest.nodes.get(&machine.node.name).filter(|_| latest.at_ms > machine.at_ms)
        {
            machine.renew(measured, latest.at_ms);
        }
    }
    let snapshot = state.inventory.snapshot();
    let mut guests: BTreeMap<&str, Vec<&Guest>> = BTreeMap::new();
    for guest in &snapshot.guests {
        let node = guest.node.as_deref().or_else(|| {
            // It runs on this host.
            let here = machines.iter().find(|machine| machine.backends.contains(&guest.id.backend));
            here.map(|machine| machine.node.name.as_str())
        });
        if let Some(node) = node.filter(|_| policy::sees(caller, guest)) {
            guests.entry(node).or_default().push(guest);
        }
    }
    let counts = |name: &str| count(guests.get(name).into_iter().flatten().copied());
    machines
        .iter()
        .map(|machine| NodeView {
            counts: counts(&machine.node.name),
            node: machine.node.clone(),
            backends: machine.backends.clone(),
            at_ms: machine.at_ms,
        })
        .collect()
}

/// How many there are of each kind.
pub(super) fn count<'a>(guests: impl Iterator<Item = &'a Guest>) -> Counts {
    let (mut total, mut by_status, mut by_backend) = (0, [0; GuestStatus::ALL.len()], BTreeMap::new());
    for guest in guests {
        total += 1;
        if let Some(at) = GuestStatus::ALL.iter().position(|status| *status == guest.status) {
            by_status[at] += 1;
        }
        *by_backend.entry(guest.id.backend).or_default() += 1;
    }
    let statuses = GuestStatus::ALL.into_iter().zip(by_status);
    Counts {
        total,
        by_status: statuses.filter(|(_, count)| *count > 0).collect(),
        by_backend: by_backend.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        guest::GuestId,
        host::Storage,
        usage::{Sample, StorageUse},
    };

    fn node(name: &str, storages: &[&str]) -> Node {
        let storage = |name: &&str| Storage {
            name: (*name).to_owned(),
            kind: "dir".to_owned(),
            content: Vec::new(),
            used: None,
            total: None,
            is_active: true,
        };
        Node {
            name: name.to_owned(),
            state: NodeState::Online,
            version: String::new(),
            cpu_permille: None,
            cores: None,
            memory: None,
            memory_total: None,
            load: Vec::new(),
            uptime_seconds: None,
            storages: storages.iter().map(storage).collect(),
            networks: Vec::new(),
            note: None,
        }
    }

    #[test]
    fn a_node_that_several_backends_tell_of_stands_there_once_with_all_their_storages() {
        use BackendKind::{Crun, Lxc, ProxmoxLxc, ProxmoxVm};
        let told = [
            (ProxmoxLxc, 1, vec![node("pve2", &["local"]), node("pve1", &["local"])]),
            (Lxc, 2, vec![node("pve1", &["containers"])]),
            (Crun, 3, vec![node("pve1", &["containers", "images"])]),
        ];
        let machines = merged(told, &[ProxmoxLxc, ProxmoxVm, Lxc, Crun]);
        let names: Vec<&str> = machines.iter().map(|machine| machine.node.name.as_str()).collect();
        assert_eq!(names, ["pve1", "pve2"]);
        assert_eq!(machines[0].backends, [ProxmoxLxc, ProxmoxVm, Lxc, Crun]);
        assert_eq!(machines[1].backends, [ProxmoxLxc, ProxmoxVm]);
        let storages: Vec<&str> = machines[0].node.storages.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(storages, ["local", "containers", "images"]);
    }

    #[test]
    fn what_was_measured_since_is_newer_and_what_was_not_stays() {
        let mut machine = merged([(BackendKind::Lxc, 1, vec![node("here", &["a", "b"])])], &[]).remove(0);
        machine.node.memory_total = Some(100);
        let newer =
            StorageUse { name: "b".to_owned(), used: Some(1), total: Some(2), ..StorageUse::default() };
        let sample =
            Sample { cpu: Some(Cpus(500)), cpu_most: Some(Cpus(2000)), memory: Some(7), ..Sample::default() };
        let measured =
            NodeSample { state: NodeState::Online, sample, storages: vec![newer], ..NodeSample::default() };
        machine.renew(&measured, 9);
        let Machine { node, at_ms, .. } = machine.clone();
        assert_eq!((at_ms, node.cpu_permille, node.memory), (9, Some(250), Some(7)));
        assert_eq!((node.memory_total, node.storages[0].used), (Some(100), None));
        assert_eq!((node.storages[1].used, node.storages[1].total), (Some(1), Some(2)));
        // Nothing new was heard: what was known is as old as it is, and the node is not taken for down.
        machine.renew(&NodeSample { state: NodeState::Silent, ..NodeSample::default() }, 20);
        let Machine { node, at_ms, .. } = machine;
        assert_eq!((at_ms, node.state, node.memory), (9, NodeState::Silent, Some(7)));
        assert!(node.note.is_some_and(|note| note.contains("pvestatd")));
    }

    #[test]
    fn nodes_that_cannot_be_read_stay_as_they_were() {
        let nodes = Nodes::default();
        nodes.note(vec![(BackendKind::Lxc, Ok(vec![node("here", &[])]))], 7);
        nodes.note(vec![(BackendKind::Lxc, Err("It does not answer.".to_owned()))], 9);
        let machines = nodes.machines(&[BackendKind::Lxc]);
        assert_eq!((machines.len(), machines[0].at_ms), (1, 7));
        assert_eq!(nodes.known()[&BackendKind::Lxc].failed.as_deref(), Some("It does not answer."));
    }

    #[test]
    fn guests_are_counted_by_state_and_backend_and_what_there_is_none_of_is_left_out() {
        use GuestStatus::{Running, Stopped};
        let guest = |backend, name, status| Guest::new(GuestId::parse(backend, name).unwrap(), status);
        let guests = [guest("lxc", "a", Stopped), guest("crun", "b", Running), guest("lxc", "c", Stopped)];
        let counts = count(guests.iter());
        assert_eq!((counts.total, counts.by_status), (3, vec![(Running, 1), (Stopped, 2)]));
        assert_eq!(counts.by_backend, [(BackendKind::Lxc, 2), (BackendKind::Crun, 1)]);
    }
}
