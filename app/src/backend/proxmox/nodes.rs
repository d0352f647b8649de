//! The cluster's nodes, with their storages and networks.

use futures::future::join_all;

use crate::{
    backend::Error,
    domain::host::{Network, Node, NodeState, Storage},
};

use super::{
    check,
    cluster::Cluster,
    facts::NodeFact,
    num::Rows,
    place::node_path,
    wire::node::{NetworkRow, NodeRow, NodeStatus, StorageRow},
};

/// Sorted by name. What cannot be read of one is told in its note; the others are not held up by it.
pub async fn nodes(cluster: &Cluster) -> Result<Vec<Node>, Error> {
    let rows = rows(cluster).await?;
    let mut nodes: Vec<Node> =
        join_all(rows.iter().filter_map(|row| {
            let name = row.node.as_deref()?;
            Some(async move {
                if row.is_online() { online(cluster, name, row).await } else { offline(name, row) }
            })
        }))
        .await;
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(nodes)
}

/// Those whose names can be a node's: they stand in paths.
async fn rows(cluster: &Cluster) -> Result<Vec<NodeRow>, Error> {
    let Rows(mut rows) = cluster.client.get::<Rows<NodeRow>>("/nodes", &[]).await?;
    rows.retain(|row| row.node.as_deref().is_some_and(|name| check::node(name).is_ok()));
    Ok(rows)
}

/// Which nodes there are, sorted by name, and whether they are up.
pub async fn facts(cluster: &Cluster) -> Result<Vec<NodeFact>, Error> {
    let mut facts: Vec<NodeFact> = rows(cluster)
        .await?
        .into_iter()
        .filter_map(|row| Some(NodeFact { is_online: row.is_online(), name: row.node? }))
        .collect();
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(facts)
}

/// Those whose names can be a storage's, sorted: they stand in paths, and before a comma in a disk's properties.
pub async fn storages(cluster: &Cluster, node: &str) -> Result<Vec<StorageRow>, Error> {
    let Rows(mut rows) = cluster.client.get::<Rows<StorageRow>>(&node_path(node, "/storage"), &[]).await?;
    rows.retain(|row| row.storage.as_deref().is_some_and(|name| check::storage(name).is_ok()));
    rows.sort_by(|a, b| a.storage.cmp(&b.storage));
    Ok(rows)
}

/// Names of the bridges that a guest can be put on, software-defined ones too; empty where none can be told.
pub async fn bridges(cluster: &Cluster, node: &str) -> Result<Vec<String>, Error> {
    let query = [("type", "any_bridge")];
    let Rows(rows) = cluster.client.get::<Rows<NetworkRow>>(&node_path(node, "/network"), &query).await?;
    Ok(rows.into_iter().filter_map(|row| row.iface).collect())
}

async fn online(cluster: &Cluster, name: &str, row: &NodeRow) -> Node {
    let (status_path, network_path) = (node_path(name, "/status"), node_path(name, "/network"));
    let (status, storages, networks) = tokio::join!(
        cluster.client.get::<NodeStatus>(&status_path, &[]),
        storages(cluster, name),
        cluster.client.get::<Rows<NetworkRow>>(&network_path, &[]),
    );
    let mut failed = Vec::new();
    let mut part = |what: &str, error: Error| failed.push(format!("{what} ({error})"));
    let status = status.unwrap_or_else(|error| {
        part("its state", error);
        NodeStatus::default()
    });
    let storages = storages.unwrap_or_else(|error| {
        part("its storages", error);
        Vec::new()
    });
    let Rows(networks) = networks.unwrap_or_else(|error| {
        part("its networks", error);
        Rows::default()
    });
    let memory = status.memory.0.clone().unwrap_or_default();
    let note = (!failed.is_empty()).then(|| format!("Could not be read: {}.", failed.join("; ")));
    Node {
        version: status.version().unwrap_or_default(),
        memory: row.mem.or(memory.used),
        memory_total: row.maxmem.or(memory.total),
        load: status.loadavg.0.clone(),
        storages: storages.iter().filter_map(storage).collect(),
        networks: sorted(networks.iter().filter_map(network).collect()),
        note,
        ..of(name, row)
    }
}

fn offline(name: &str, row: &NodeRow) -> Node {
    let state = row.status.as_deref().unwrap_or("offline");
    Node {
        note: Some(format!("The cluster calls it {}; its guests cannot be reached.", state.escape_debug())),
        ..of(name, row)
    }
}

/// What the list of nodes tells of one.
fn of(name: &str, row: &NodeRow) -> Node {
    Node {
        name: name.to_owned(),
        state: NodeState::of(row.is_online()),
        version: String::new(),
        cpu_permille: row.cpu.and_then(permille),
        cores: row.maxcpu.and_then(|cores| u32::try_from(cores).ok()),
        memory: row.mem,
        memory_total: row.maxmem,
        load: Vec::new(),
        uptime_seconds: row.uptime,
        storages: Vec::new(),
        networks: Vec::new(),
        note: None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn permille(part: f64) -> Option<u32> {
    part.is_finite().then(|| (part * 1000.0).round().clamp(0.0, 1000.0) as u32)
}

fn storage(row: &StorageRow) -> Option<Storage> {
    let is_active = row.is_usable();
    Some(Storage {
        name: row.storage.clone()?,
        kind: row.kind.clone().unwrap_or_default(),
        content: row.contents(),
        // An inactive one tells 0 of 0.
        used: row.used.filter(|_| is_active),
        total: row.total.filter(|_| is_active),
        is_active,
    })
}

fn network(row: &NetworkRow) -> Option<Network> {
    Some(Network {
        name: row.iface.clone()?,
        kind: row.kind.clone().unwrap_or_default(),
        address: row.cidr.clone().or_else(|| row.address.clone()),
        is_active: row.active,
    })
}

fn sorted(mut networks: Vec<Network>) -> Vec<Network> {
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offline_node_is_told_with_what_that_means() {
        let row = NodeRow { node: Some("pve2".into()), status: Some("offline".into()), ..NodeRow::default() };
        let node = offline("pve2", &row);
        assert!(!node.state.is_online() && node.note.unwrap().contains("cannot be reached"));
    }

    #[test]
    fn use_is_told_in_thousandths() {
        assert_eq!([0.0065, 1.5, -0.1].map(permille), [Some(7), Some(1000), Some(0)]);
        assert_eq!(permille(f64::NAN), None);
    }

    #[test]
    fn an_inactive_storage_has_no_numbers() {
        let row = StorageRow {
            storage: Some("nfs".into()),
            content: Some("iso,backup , images".into()),
            used: Some(0),
            total: Some(0),
            ..StorageRow::default()
        };
        let told = storage(&row).unwrap();
        assert_eq!((told.used, told.total, told.is_active), (None, None, false));
        assert_eq!(told.content, ["backup", "images", "iso"]);
    }
}
