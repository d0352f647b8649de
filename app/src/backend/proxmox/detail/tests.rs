use serde_json::json;

use super::*;
use crate::backend::proxmox::place::id_of;

fn place(kind: BackendKind) -> Place {
    Place { kind, node: "pve1".into(), vmid: 101 }
}

fn shown(kind: BackendKind, status: GuestStatus, config: &Config, current: serde_json::Value) -> GuestDetail {
    let guest = Guest::new(id_of(kind, 101).unwrap(), status);
    let current: Current = serde_json::from_value(current).unwrap();
    detail(&place(kind), guest, &current, config, vec![], &[])
}

#[test]
fn what_is_used_is_told_of_a_running_guest_alone() {
    let numbers = json!({"mem": 64, "maxmem": "128", "cpu": 0.5, "cpus": 2, "pid": 4711});
    let running = shown(BackendKind::ProxmoxLxc, GuestStatus::Running, &Config::default(), numbers.clone());
    assert_eq!((running.memory, running.memory_limit), (Some(64), Some(128)));
    assert_eq!((running.cpu_now, running.guest.pid), (Some(Cpus(1000)), Some(4711)));
    let stopped = shown(BackendKind::ProxmoxLxc, GuestStatus::Stopped, &Config::default(), numbers);
    assert_eq!((stopped.memory, stopped.cpu_now, stopped.guest.pid), (None, None, None));
    let below =
        shown(BackendKind::ProxmoxLxc, GuestStatus::Running, &Config::default(), json!({"cpu": -5e-5}));
    assert_eq!(below.cpu_now, Some(Cpus(0)));
    let wild = shown(
        BackendKind::ProxmoxVm,
        GuestStatus::Running,
        &Config::default(),
        json!({"cpu": 1e300, "cpus": 1e300}),
    );
    assert_eq!(wild.cpu_now, Some(Cpus::MOST));
}

#[test]
fn the_processor_limit_is_the_smaller_of_the_two() {
    for (is_vm, config, limit) in [
        (false, Config::default(), None),
        (false, Config::of(&[("cores", "2")]), Some(Cpus(2000))),
        (false, Config::of(&[("cores", "2"), ("cpulimit", "1.5")]), Some(Cpus(1500))),
        (false, Config::of(&[("cpulimit", "0"), ("cores", "1")]), Some(Cpus(1000))),
        (true, Config::default(), Some(Cpus(1000))),
        (true, Config::of(&[("cores", "2"), ("sockets", "2")]), Some(Cpus(4000))),
    ] {
        assert_eq!(cpu_limit(is_vm, &config), limit, "{config:?}");
    }
}

#[test]
fn addresses_are_told_once_and_not_those_that_every_host_has() {
    let interfaces: Rows<Interface> = serde_json::from_value(json!([
        {"name": "lo", "inet": "127.0.0.1/8", "ip-addresses": [{"ip-address": "::1"}]},
        {"name": "eth0", "inet6": "2001:db8::5/64", "inet": "10.0.0.5/24", "ip-addresses": [
            {"ip-address": "fe80::1"}, {"ip-address": "10.0.0.5"}, {"ip-address": "odd"}, {"ip-address": null}, 7]},
        {"name": "eth1", "inet": "169.254.1.1/16"},
    ]))
    .unwrap();
    assert_eq!(addresses(&interfaces.0), ["10.0.0.5", "2001:db8::5"]);
}

#[test]
fn only_what_is_to_come_is_pending() {
    let rows: Rows<PendingRow> = serde_json::from_value(json!([
        {"key": "memory", "value": 512, "pending": 1024},
        {"key": "cores", "value": 2},
        {"key": "net1", "value": "virtio", "delete": 1},
        {"key": "digest", "value": "d1"},
        {"value": 1},
    ]))
    .unwrap();
    let pending: Vec<_> = rows.0.into_iter().filter_map(to_come).collect();
    let shown: Vec<_> =
        pending.iter().map(|p| (p.label.as_str(), p.now.as_deref(), p.next.as_deref())).collect();
    assert_eq!(shown[0], ("memory", Some("512"), Some("1024")));
    assert_eq!((shown[1].0, shown[1].2, shown.len()), ("net1", None, 2));
}

#[test]
fn the_facts_are_told_in_reading_order() {
    let config = Config::of(&[
        ("cores", "2"),
        ("memory", "512"),
        ("rootfs", "local:101/vm-101-disk-0.raw,size=1G"),
        ("net0", "name=eth0,bridge=vmbr0"),
        ("hostname", "web1"),
        ("onboot", "1"),
    ]);
    let ct = shown(BackendKind::ProxmoxLxc, GuestStatus::Running, &config, json!({"ha": {"managed": "1"}}));
    let lines: Vec<String> = ct.facts.iter().map(|(label, value)| format!("{label}: {value}")).collect();
    assert_eq!(
        lines,
        [
            "VMID: 101",
            "Node: pve1",
            "Cores: 2",
            "Configured memory: 512 MiB",
            "Disk rootfs: local:101/vm-101-disk-0.raw, 1G",
            "Network 0: name=eth0,bridge=vmbr0",
            "Host name: web1",
            "Unprivileged: no",
            "Start at boot: yes",
            "High availability: looked after by the cluster",
        ]
    );
    let config = ct.config.unwrap();
    assert_eq!(config.path, "/etc/pve/nodes/pve1/lxc/101.conf");
    assert!(config.text.starts_with("cores: 2\nhostname: web1\n"));
}

#[test]
fn a_long_configuration_is_cut_between_two_characters() {
    let config = Config::of(&[("description", &"ü".repeat(CONFIG_SHOWN))]);
    let shown = shown(BackendKind::ProxmoxVm, GuestStatus::Stopped, &config, json!({})).config.unwrap();
    assert!(shown.cut && shown.text.len() <= CONFIG_SHOWN && shown.text.len() > CONFIG_SHOWN - 4);
}
