//! Each captured answer of Proxmox VE 9.1.1 through its parser, and answers that nobody has seen yet.

use std::{collections::BTreeMap, fs, path::PathBuf};

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    super::num::{Rows, Scalar},
    config::Config,
    guest::{AgentInterfaces, Current, Feature, Interface, Pending, Resource, SnapshotRow, TaskRow},
    node::{Appliance, NetworkRow, NodeRow, NodeStatus, StorageRow, Version, Volume},
};
use crate::{backend::proxmox::Upid, domain::guest::BackendKind};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pve-9.1")
}

fn captured(name: &str) -> Value {
    let text = fs::read_to_string(fixtures().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn read<T: DeserializeOwned>(data: &Value) -> T {
    T::deserialize(data).unwrap()
}

fn rows<T: DeserializeOwned>(data: &Value) -> Vec<T> {
    read::<Rows<T>>(data).0
}

/// What the answer of this name says, in few words, by the parser that the product reads it with; `None` where there
/// is no parser for it.
fn told(name: &str, data: &Value) -> Option<String> {
    let current = |data| {
        let row: Current = read(data);
        format!("{:?} {:?} {:?} {:?}", row.name, row.status, row.qmpstatus, row.pid)
    };
    let config = |data, kind| {
        let config: Config = read(data);
        let disks: Vec<_> = config.disks(kind).into_iter().map(|disk| (disk.key, disk.size)).collect();
        format!("{disks:?} {:?}", config.digest.map(|digest| digest.len()))
    };
    Some(match name {
        "cluster-resources" | "cluster-resources-running" => {
            let guests = rows::<Resource>(data).into_iter().filter(|row| row.vmid.is_some());
            guests.map(|row| format!("{:?} {:?}", row.vmid, row.status)).collect::<Vec<_>>().join(", ")
        }
        "node-lxc" | "node-lxc-running" | "node-qemu" | "node-qemu-running" => {
            let guests = rows::<Current>(data).into_iter();
            guests.map(|row| format!("{:?} {:?}", row.name, row.status)).collect::<Vec<_>>().join(", ")
        }
        "lxc-101-status" | "lxc-101-status-running" | "lxc-102-status" => current(data),
        "qemu-200-status" | "qemu-200-status-running" => current(data),
        "lxc-101-config" | "lxc-102-config" => config(data, BackendKind::ProxmoxLxc),
        "qemu-200-config" => config(data, BackendKind::ProxmoxVm),
        "lxc-101-pending" | "qemu-200-pending" => {
            let pending = rows::<Pending>(data);
            let to_come = pending.iter().filter(|row| row.delete || row.pending.is_some()).count();
            format!("{} of {} to come", to_come, pending.len())
        }
        "lxc-101-interfaces" | "lxc-101-interfaces-running" => {
            let found = rows::<Interface>(data).into_iter();
            found
                .map(|row| format!("{:?} {}", row.name, row.addresses.0.len()))
                .collect::<Vec<_>>()
                .join(", ")
        }
        "qemu-200-agent-interfaces-running" => {
            let found = read::<AgentInterfaces>(data).result.0.into_iter();
            found
                .map(|row| format!("{:?} {:?}", row.name, row.addresses.0.last()))
                .collect::<Vec<_>>()
                .join(", ")
        }
        "lxc-102-snapshot" | "qemu-200-snapshot" => {
            let found = rows::<SnapshotRow>(data).into_iter();
            found.map(|row| format!("{:?} {:?}", row.name, row.snaptime)).collect::<Vec<_>>().join(", ")
        }
        "lxc-101-feature-snapshot" => read::<Feature>(data).has.to_string(),
        "nodes" => {
            let found = rows::<NodeRow>(data).into_iter();
            found.map(|row| format!("{:?} {}", row.node, row.is_online())).collect::<Vec<_>>().join(", ")
        }
        "node-status" => {
            let status: NodeStatus = read(data);
            format!("{:?} {:?} {:?}", status.version(), status.loadavg.0, status.memory.0)
        }
        "node-storage" | "storage-local-status" => {
            let found = if data.is_array() { rows::<StorageRow>(data) } else { vec![read(data)] };
            let found = found.into_iter();
            found
                .map(|row| format!("{:?} {}", row.storage, row.contents().join(",")))
                .collect::<Vec<_>>()
                .join("; ")
        }
        "node-network" => {
            let found = rows::<NetworkRow>(data).into_iter();
            found.map(|row| format!("{:?} {:?}", row.iface, row.kind)).collect::<Vec<_>>().join(", ")
        }
        "storage-local-content" => {
            let found = rows::<Volume>(data).into_iter();
            found.map(|row| format!("{:?} {:?}", row.content, row.size)).collect::<Vec<_>>().join(", ")
        }
        "aplinfo" => rows::<Appliance>(data).len().to_string(),
        "version" | "node-version" => read::<Version>(data).version.unwrap_or_default(),
        "cluster-nextid" => format!("{:?}", read::<Scalar>(data).uint()),
        "cluster-tasks" | "cluster-tasks-after" | "node-tasks" | "node-tasks-errors" => {
            let tasks = rows::<TaskRow>(data);
            let dated = tasks.iter().filter(|task| task.starttime.is_some() && task.kind.is_some()).count();
            format!(
                "{dated} of {}, {} running",
                tasks.len(),
                tasks.iter().filter(|task| task.is_running()).count()
            )
        }
        name if name.ends_with(".task-status") || name.ends_with(".task-running") => {
            read::<TaskRow>(data).status.unwrap_or_default()
        }
        _ if data.as_str().is_some_and(|text| text.starts_with("UPID:")) => {
            data.as_str()?.parse::<Upid>().ok()?.to_string()
        }
        _ => return None,
    })
}

/// Answers that this driver does not read: those of the client's own loops, whose tests are beside them, and those of
/// what Paddock leaves to Proxmox's own pages.
fn is_not_read(name: &str) -> bool {
    name.ends_with(".task-log")
        || name.starts_with("access-")
        || [
            "cluster-log",
            "cluster-options",
            "cluster-status",
            "lxc-101-rrddata",
            "lxc-config-put",
            "node-syslog",
            "pools",
            "qemu-200-agent-exec",
            "qemu-200-agent-exec-status",
            "qemu-200-agent-osinfo-running",
            "qemu-200-cpu-models",
        ]
        .contains(&name)
}

#[test]
fn each_captured_answer_goes_through_its_parser() {
    let mut seen = BTreeMap::new();
    for entry in fs::read_dir(fixtures()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let name = file.strip_suffix(".json").unwrap();
        let answer = captured(name);
        // What a command line tool answered stands among them.
        if answer.get("argv").is_some() {
            continue;
        }
        let status = answer["status"].as_u64().unwrap();
        if !(200..300).contains(&status) {
            continue;
        }
        let data = &answer["body"]["data"];
        match (told(name, data), is_not_read(name)) {
            (Some(words), false) => drop(seen.insert(name.to_owned(), words)),
            (None, true) => {}
            (Some(_), true) => panic!("{name} has a parser and is listed as not read"),
            (None, false) => panic!("{name} has no parser: give it one, or list it as not read"),
        }
    }
    for (name, words) in [
        (
            "cluster-resources",
            r#"Some(101) Some("stopped"), Some(102) Some("stopped"), Some(200) Some("stopped")"#,
        ),
        (
            "cluster-resources-running",
            r#"Some(101) Some("running"), Some(102) Some("stopped"), Some(200) Some("running")"#,
        ),
        ("node-lxc", r#"Some("ct101") Some("stopped"), Some("web1") Some("stopped")"#),
        ("lxc-101-status-running", r#"Some("ct101") Some("running") None Some(7769)"#),
        ("lxc-102-status", r#"Some("web1") Some("stopped") None None"#),
        ("qemu-200-status-running", r#"Some("vm200") Some("running") Some("running") Some(7832)"#),
        ("lxc-101-config", r#"[("rootfs", Some(1073741824))] Some(40)"#),
        ("qemu-200-config", r#"[("scsi0", Some(1073741824))] Some(40)"#),
        ("qemu-200-pending", "0 of 15 to come"),
        ("lxc-101-interfaces", ""),
        ("lxc-101-interfaces-running", r#"Some("lo") 2, Some("eth0") 0"#),
        ("lxc-102-snapshot", r#"Some("s1") Some(1795378982), Some("current") None"#),
        ("lxc-101-feature-snapshot", "false"),
        ("nodes", r#"Some("vm") true"#),
        (
            "node-status",
            r#"Some("9.1.1") ["0.14", "0.42", "1.02"] Some(Memory { used: Some(1077702656), total: Some(25276502016) })"#,
        ),
        (
            "node-storage",
            r#"Some("btr") backup,images,iso,rootdir,vztmpl; Some("local") backup,images,import,iso,rootdir,snippets,vztmpl"#,
        ),
        ("node-network", r#"Some("eth0") Some("eth")"#),
        ("version", "9.1.1"),
        ("cluster-nextid", "Some(100)"),
        ("qemu-start.task-running", "running"),
        ("qemu-start.task-status", "stopped"),
    ] {
        assert_eq!(seen.get(name).map(String::as_str), Some(words), "{name}");
    }
}

/// What a server might send in a value's place.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,20}".prop_map(Value::from),
        "[0-9,;:=./ -]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z0-9-]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Objects with the keys that the parsers look for, and anything as their values.
fn answers() -> impl Strategy<Value = Value> {
    const KEYS: [&str; 40] = [
        "type",
        "vmid",
        "node",
        "name",
        "status",
        "template",
        "tags",
        "lock",
        "uptime",
        "qmpstatus",
        "pid",
        "cpu",
        "cpus",
        "mem",
        "maxmem",
        "ha",
        "ip-addresses",
        "ip-address",
        "inet",
        "inet6",
        "result",
        "key",
        "value",
        "pending",
        "delete",
        "description",
        "snaptime",
        "parent",
        "vmstate",
        "hasFeature",
        "pveversion",
        "loadavg",
        "memory",
        "storage",
        "content",
        "active",
        "volid",
        "size",
        "digest",
        "scsi0",
    ];
    let row = || {
        prop::collection::btree_map(prop::sample::select(&KEYS[..]), anything(), 0..12).prop_map(|map| {
            Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        })
    };
    prop_oneof![row(), prop::collection::vec(prop_oneof![row(), anything()], 0..4).prop_map(Value::from)]
}

proptest! {
    #[test]
    fn no_answer_of_the_right_shape_is_refused_whatever_stands_in_it(answer in answers()) {
        if answer.is_object() {
            read::<Current>(&answer);
            read::<NodeStatus>(&answer);
            read::<Feature>(&answer);
            let config: Config = read(&answer);
            config.disks(BackendKind::ProxmoxVm);
            config.disks(BackendKind::ProxmoxLxc);
            config.text();
            config.has_agent();
            read::<AgentInterfaces>(&json!({"result": [answer]}));
        } else {
            rows::<Resource>(&answer);
            rows::<Interface>(&answer);
            rows::<Pending>(&answer);
            rows::<SnapshotRow>(&answer);
            rows::<StorageRow>(&answer).iter().for_each(|row| drop(row.contents()));
            rows::<Volume>(&answer);
            rows::<TaskRow>(&answer);
            rows::<NodeRow>(&answer);
        }
    }
}
