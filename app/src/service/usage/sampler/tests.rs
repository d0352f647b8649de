use super::*;
use crate::{
    backend::Meters,
    domain::{limits::Cpus, usage::StorageUse},
};

fn node(name: &str, cpu: Cpu, storages: &[&str]) -> NodeMeters {
    let storage = |name: &&str| StorageUse { name: (*name).to_owned(), ..StorageUse::default() };
    NodeMeters {
        name: name.to_owned(),
        is_online: true,
        meters: Meters { cpu: Some(cpu), ..Meters::default() },
        storages: storages.iter().map(storage).collect(),
        ..NodeMeters::default()
    }
}

#[test]
fn a_reading_that_is_dear_puts_the_next_one_off() {
    let paused = |milliseconds| pause(Duration::from_millis(milliseconds), INTERVAL).as_secs();
    assert_eq!([0, 50, 200, 400, 60_000].map(paused), [10, 10, 10, 20, 300]);
}

#[test]
fn a_node_of_several_backends_is_there_once_with_the_storages_of_all() {
    let mut nodes = Vec::new();
    merge(&mut nodes, node("pve1", Cpu::Now(Cpus(1)), &["local"]));
    merge(&mut nodes, node("pve2", Cpu::Now(Cpus(2)), &[]));
    merge(&mut nodes, node("pve1", Cpu::Now(Cpus(1)), &["local"]));
    let files = NodeMeters { is_this_host: true, ..node("pve1", Cpu::Used(7), &["LXC", "local"]) };
    merge(&mut nodes, files);
    merge(&mut nodes, NodeMeters { is_this_host: true, ..node("pve1", Cpu::Used(9), &["crun images"]) });
    let [first, second] = nodes.as_slice() else { panic!("{nodes:?}") };
    assert_eq!((first.meters.cpu, first.is_this_host), (Some(Cpu::Used(7)), true));
    assert_eq!(
        first.storages.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["LXC", "crun images", "local"]
    );
    assert_eq!(second.meters.cpu, Some(Cpu::Now(Cpus(2))));
}

#[test]
fn this_host_goes_by_its_clusters_name() {
    let mut nodes = Vec::new();
    merge(&mut nodes, NodeMeters { is_this_host: true, ..node("pve1", Cpu::Now(Cpus(1)), &[]) });
    merge(&mut nodes, NodeMeters { is_this_host: true, ..node("pve1.example.org", Cpu::Used(7), &[]) });
    assert_eq!((nodes.len(), nodes[0].name.as_str(), nodes[0].meters.cpu), (1, "pve1", Some(Cpu::Used(7))));
}

#[test]
fn a_node_that_is_said_to_be_there_and_measures_nothing_new_is_silent_and_not_down() {
    let registry = Registry::default();
    let mut sampler = Sampler::new(Usage::default(), registry.clone(), Inventory::new(registry));
    let mut state = |is_online, at_seconds| {
        let node = NodeMeters { is_online, ..node("pve1", Cpu::Now(Cpus(1)), &[]) };
        let meters = Meters { at: Duration::from_secs(at_seconds), ..node.meters };
        let readings = Readings { nodes: vec![NodeMeters { meters, ..node }], ..Readings::default() };
        sampler.tick(readings, &Snapshot::default()).nodes["pve1"].state
    };
    let measured_once: Vec<NodeState> = (0..5).map(|_| state(true, 7)).collect();
    let (heard, long) = measured_once.split_at(4);
    assert_eq!((heard, long), (&[NodeState::Online; 4][..], &[NodeState::Silent][..]));
    assert_eq!([state(false, 7), state(true, 8)], [NodeState::Offline, NodeState::Online]);
}
