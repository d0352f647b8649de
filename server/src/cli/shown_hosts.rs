//! Images, nodes, storages and networks as they are printed; as in `shown`, no field is ever renamed.

use app::{
    domain::{
        host::{Image, Node},
        words,
    },
    service::nodes::Machine,
};
use serde::Serialize;

use super::output::{Row, or_dash};

/// Something to make guests from.
#[derive(Debug, Serialize)]
pub struct ImageRow {
    pub backend: String,
    /// What to name when a guest is made from it.
    pub id: String,
    /// lxc-template, bundle, oci-layout, os-template, appliance, iso or disk-image.
    pub kind: String,
    pub node: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    pub description: String,
}

impl ImageRow {
    pub fn of(backend: &str, image: Image) -> Self {
        Self {
            backend: backend.to_owned(),
            id: image.id,
            kind: image.kind.as_str().to_owned(),
            node: image.node,
            size: image.size,
            description: image.description,
        }
    }
}

impl Row for ImageRow {
    const COLUMNS: &'static [&'static str] = &["BACKEND", "KIND", "IMAGE", "NODE", "SIZE", "DESCRIPTION"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.backend.clone(),
            self.kind.clone(),
            self.id.clone(),
            or_dash(self.node.as_ref()),
            or_dash(self.size.map(words::bytes)),
            self.description.clone(),
        ]
    }
}

/// A machine that guests run on.
#[derive(Debug, Serialize)]
pub struct NodeRow {
    #[serde(flatten)]
    pub node: Node,
    /// What `state` says beside whether it is heard of: not `offline`.
    pub is_online: bool,
    /// The backends whose guests run there.
    pub backends: Vec<String>,
}

impl Row for NodeRow {
    const COLUMNS: &'static [&'static str] =
        &["NODE", "STATE", "CPU", "CORES", "MEMORY", "LOAD", "UPTIME", "VERSION", "BACKENDS"];

    fn cells(&self) -> Vec<String> {
        let node = &self.node;
        let memory = match (node.memory, node.memory_total) {
            (Some(used), Some(total)) => {
                format!("{} of {}", words::bytes(used), words::bytes(total))
            }
            _ => "-".to_owned(),
        };
        let uptime = node.uptime_seconds.and_then(|s| i64::try_from(s).ok()?.checked_mul(1000));
        vec![
            node.name.clone(),
            node.state.as_str().to_owned(),
            or_dash(node.cpu_permille.map(|permille| format!("{}.{} %", permille / 10, permille % 10))),
            or_dash(node.cores),
            memory,
            if node.load.is_empty() { "-".to_owned() } else { node.load.join(" ") },
            or_dash(uptime.map(words::span)),
            node.version.clone(),
            self.backends.join(","),
        ]
    }
}

impl NodeRow {
    pub fn of(machine: Machine) -> Self {
        let backends = machine.backends.iter().map(ToString::to_string).collect();
        Self { is_online: machine.node.state.is_online(), node: machine.node, backends }
    }
}

/// A storage of a node, for people; JSON has it in the node.
#[derive(Debug, Serialize)]
pub struct StorageRow(Vec<String>);

impl StorageRow {
    pub fn of(row: &NodeRow) -> impl Iterator<Item = Self> {
        let bytes = |n: Option<u64>| or_dash(n.map(words::bytes));
        row.node.storages.iter().map(move |s| {
            Self(vec![
                row.node.name.clone(),
                s.name.clone(),
                s.kind.clone(),
                if s.is_active { "active" } else { "inactive" }.to_owned(),
                bytes(s.used),
                bytes(s.total),
                s.content.join(","),
            ])
        })
    }
}

impl Row for StorageRow {
    const COLUMNS: &'static [&'static str] = &["NODE", "STORAGE", "KIND", "STATE", "USED", "SIZE", "CONTENT"];

    fn cells(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// A network interface of a node, for people; JSON has it in the node.
#[derive(Debug, Serialize)]
pub struct NetworkRow(Vec<String>);

impl NetworkRow {
    pub fn of(row: &NodeRow) -> impl Iterator<Item = Self> {
        row.node.networks.iter().map(move |n| {
            Self(vec![
                row.node.name.clone(),
                n.name.clone(),
                n.kind.clone(),
                if n.is_active { "up" } else { "down" }.to_owned(),
                or_dash(n.address.as_ref()),
            ])
        })
    }
}

impl Row for NetworkRow {
    const COLUMNS: &'static [&'static str] = &["NODE", "NETWORK", "KIND", "STATE", "ADDRESS"];

    fn cells(&self) -> Vec<String> {
        self.0.clone()
    }
}
