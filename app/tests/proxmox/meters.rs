//! What guests and nodes use, by the list that is read anyway.

use std::time::Duration;

use app::{
    backend::{Backend as _, Cpu},
    domain::limits::Cpus,
};
use serde_json::json;

use crate::lab::{CT, LXC, Lab, MACHINE, VM, name};

const AGE: Duration = Duration::from_secs(12);

#[tokio::test]
async fn usage_costs_no_request_while_the_list_is_read() {
    let lab = Lab::running();
    let asked = || lab.fake.count("GET", "/cluster/resources");
    lab.driver(LXC).list().await.unwrap();
    let all = lab.fake.count("GET", "");
    for kind in [LXC, VM, LXC] {
        let readings = lab.driver(kind).meters(&[], AGE).await.unwrap();
        assert_eq!((readings.guests.len(), readings.nodes.len()), (1, 2));
    }
    assert_eq!((asked(), lab.fake.count("GET", "")), (1, all), "of nodes and storages neither");
    // Where nobody reads the list, it is read for this.
    lab.driver(VM).meters(&[], Duration::ZERO).await.unwrap();
    assert_eq!(asked(), 1, "one that was just read serves all");
}

#[tokio::test]
async fn guests_that_run_and_nodes_with_their_storages_are_told() {
    let lab = Lab::running();
    lab.fake.set_guest(CT, "status", json!("stopped"));
    lab.fake.call("set_node_offline", json!(["pve2"]));
    assert_eq!(lab.driver(LXC).meters(&[], AGE).await.unwrap().guests, []);
    let readings = lab.driver(VM).meters(&[name(MACHINE)], AGE).await.unwrap();
    let [(id, meters)] = readings.guests.as_slice() else { panic!("{readings:?}") };
    assert_eq!((id.name.clone(), meters.cpu_limit), (name(MACHINE), Some(Cpus(2000))));
    assert!(matches!(meters.cpu, Some(Cpu::Now(_))) && meters.memory.is_some() && meters.network.is_some());
    assert_eq!(meters.memory_limit, Some(2 << 30));
    let [up, down] = readings.nodes.as_slice() else { panic!("{readings:?}") };
    assert_eq!((up.name.as_str(), up.is_online, down.is_online), ("pve1", true, false));
    assert_eq!((up.meters.cpu_limit, up.meters.memory_limit), (Some(Cpus(4000)), Some(8 << 30)));
    let storages: Vec<_> = up.storages.iter().map(|s| (s.name.as_str(), s.permille().is_some())).collect();
    assert_eq!(storages, [("local", true), ("local-lvm", true)]);
}
