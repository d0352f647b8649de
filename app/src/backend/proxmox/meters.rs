//! METERS: what guests and nodes use, by the cluster's list.
//!
//! `pvestatd` measures every ten seconds, so that the list may say the same twice, or skip one. How long a guest is up is
//! the clock of its own counters: what they come to a second is told by that, and not by when somebody looked.

use std::time::{Duration, Instant};

use crate::{
    backend::meter::{Cpu, Meters, NodeMeters, Readings},
    domain::{guest::BackendKind, limits::Cpus, usage::StorageUse},
};

use super::{check, memory::place_of, place::id_of, wire::guest::Resource};

/// The running guests of one kind, and all nodes.
pub fn read(rows: &[Resource], kind: BackendKind, local_node: Option<&str>) -> Readings {
    let began = Instant::now();
    let guest = |row: &Resource| {
        let place = place_of(row).filter(|place| place.kind == kind)?;
        let meters = (row.status.as_deref() == Some("running")).then(|| meters(row))?;
        Some((id_of(kind, place.vmid)?, meters))
    };
    let guests = rows.iter().filter_map(guest).collect();
    let nodes = rows.iter().filter_map(|row| node(row, rows, local_node)).collect();
    Readings { guests, nodes, work: began.elapsed() }
}

fn meters(row: &Resource) -> Meters {
    let pair = |first: Option<u64>, second: Option<u64>| Some([first?, second?]);
    Meters {
        // Counters that begin anew go back, and so does the uptime.
        run: 0,
        at: Duration::from_secs(row.uptime.unwrap_or_default()),
        cpu: row.cpu.zip(row.maxcpu).and_then(|(part, most)| cpus(part * most)).map(Cpu::Now),
        cpu_limit: row.maxcpu.and_then(cpus).filter(|limit| limit.0 > 0),
        memory: row.mem,
        memory_limit: row.maxmem.filter(|limit| *limit > 0),
        disk: pair(row.diskread, row.diskwrite),
        network: pair(row.netin, row.netout),
    }
}

/// `None` for what is no node.
fn node(row: &Resource, rows: &[Resource], local_node: Option<&str>) -> Option<NodeMeters> {
    let is_node = row.kind.as_deref() == Some("node");
    let name = row.node.clone().filter(|name| is_node && check::node(name).is_ok())?;
    let is_online = row.status.as_deref() == Some("online");
    let mut storages: Vec<StorageUse> =
        rows.iter().filter(|other| other.node.as_ref() == Some(&name)).filter_map(storage).collect();
    storages.sort_by(|a, b| a.name.cmp(&b.name));
    Some(NodeMeters {
        is_this_host: local_node == Some(name.as_str()),
        is_online,
        meters: if is_online { meters(row) } else { Meters::default() },
        load: Vec::new(),
        uptime: row.uptime.filter(|_| is_online),
        storages,
        name,
    })
}

fn storage(row: &Resource) -> Option<StorageUse> {
    let name = row.storage.clone().filter(|_| row.kind.as_deref() == Some("storage"))?;
    let is_active = row.status.as_deref() == Some("available");
    Some(StorageUse {
        name,
        kind: row.plugintype.clone().unwrap_or_default(),
        // One that cannot be reached tells 0 of 0, or what it was.
        used: row.disk.filter(|_| is_active),
        total: row.maxdisk.filter(|_| is_active),
        is_shared: row.shared,
    })
}

/// Cores as thousandths of one; nothing for what is no number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn cpus(cores: f64) -> Option<Cpus> {
    cores.is_finite().then(|| Cpus((cores * 1000.0).round().clamp(0.0, f64::from(Cpus::MOST.0)) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::proxmox::num::Rows;

    /// As the real daemon answered.
    fn captured() -> Vec<Resource> {
        let text = include_str!("../../../tests/fixtures/pve-9.1/cluster-resources-running.json");
        let capture: serde_json::Value = serde_json::from_str(text).unwrap();
        let Rows(rows) = serde_json::from_value(capture["body"]["data"].clone()).unwrap();
        rows
    }

    #[test]
    fn guests_that_run_are_told_by_the_clusters_list() {
        let rows = captured();
        let containers = read(&rows, BackendKind::ProxmoxLxc, Some("vm")).guests;
        let [(id, meters)] = containers.as_slice() else { panic!("{containers:?}") };
        assert_eq!(id.name.as_str(), "101", "102 is stopped");
        let wanted = Meters {
            run: 0,
            at: Duration::from_secs(4),
            cpu: Some(Cpu::Now(Cpus(0))),
            cpu_limit: Some(Cpus(1000)),
            memory: Some(1_052_672),
            memory_limit: Some(134_217_728),
            disk: Some([0, 0]),
            network: Some([0, 0]),
        };
        assert_eq!(*meters, wanted, "a little less than nothing is nothing");
        let vms = read(&rows, BackendKind::ProxmoxVm, None).guests;
        let [(id, meters)] = vms.as_slice() else { panic!("{vms:?}") };
        assert_eq!(
            (id.name.as_str(), meters.network, meters.memory),
            ("200", Some([110, 0]), Some(52_517_888))
        );
    }

    #[test]
    fn nodes_are_told_with_their_storages() {
        let nodes = read(&captured(), BackendKind::ProxmoxVm, Some("vm")).nodes;
        let [node] = nodes.as_slice() else { panic!("{nodes:?}") };
        assert!(node.is_online && node.is_this_host && node.name == "vm");
        assert_eq!((node.meters.cpu, node.meters.cpu_limit), (Some(Cpu::Now(Cpus(332))), Some(Cpus(2000))));
        assert_eq!((node.meters.memory, node.uptime), (Some(1_212_981_248), Some(4949)));
        assert_eq!((node.meters.disk, node.meters.network), (None, None), "of nodes they are not told");
        let storages: Vec<_> =
            node.storages.iter().map(|s| (s.name.as_str(), s.kind.as_str(), s.permille())).collect();
        assert_eq!(storages, [("btr", "btrfs", Some(1)), ("local", "dir", Some(92))]);
    }

    #[test]
    fn what_cannot_be_reached_has_no_figures() {
        let text = |text: &str| Some(text.to_owned());
        let node = Resource { kind: text("node"), node: text("pve2"), mem: Some(5), ..Resource::default() };
        let storage = Resource {
            kind: text("storage"),
            node: text("pve2"),
            storage: text("nfs"),
            status: text("unknown"),
            disk: Some(0),
            maxdisk: Some(0),
            shared: true,
            ..Resource::default()
        };
        let odd = Resource { node: text("../x"), ..node.clone() };
        let nodes = read(&[node, storage, odd], BackendKind::ProxmoxVm, None).nodes;
        let [node] = nodes.as_slice() else { panic!("{nodes:?}") };
        assert!(!node.is_online && node.meters == Meters::default());
        assert_eq!((node.storages[0].permille(), node.storages[0].is_shared), (None, true));
        assert_eq!([cpus(f64::NAN), cpus(-1.0), cpus(1e300)], [None, Some(Cpus(0)), Some(Cpus::MOST)]);
    }
}
