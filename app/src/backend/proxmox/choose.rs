//! CHOOSING for a new guest: its node and storage where the request names none, and whether all that it is to be made
//! from is there. Proxmox formats the disk before it looks for the template, so this is looked at before.

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::BackendKind,
        spec::{ContainerSpec, ProxmoxNetwork, VmSource, VmSpec},
    },
};

use super::{
    Client,
    check::{self, invalid},
    cluster::Cluster,
    facts::{ContainerFacts, NodeFact, TemplateFact, VmFacts},
    images, nodes,
    num::Scalar,
    place::{Place, id_of},
    plan::not_ready,
    wire::node::{StorageRow, Volume},
};

/// A VMID that is free, or the one asked for if it is.
pub async fn vmid(client: &Client, kind: BackendKind, asked: Option<u32>) -> Result<u32, Error> {
    let Some(vmid) = asked else {
        let next: Scalar = client.get("/cluster/nextid", &[]).await?;
        let vmid = next.uint().and_then(|number| u32::try_from(number).ok());
        return vmid.filter(|vmid| check::vmid(*vmid).is_ok()).ok_or_else(|| Error::Garbled {
            source_name: "Proxmox's /cluster/nextid".to_owned(),
            detail: format!("{next:?} is no VMID"),
        });
    };
    check::vmid(vmid)?;
    match client.get::<Scalar>("/cluster/nextid", &[("vmid", &vmid.to_string())]).await {
        Ok(_) => Ok(vmid),
        // Proxmox tells a taken one as a bad parameter, and which kind of guest has it not at all.
        Err(Error::Invalid { .. } | Error::AlreadyExists(_)) => Err(match id_of(kind, vmid) {
            Some(id) => Error::AlreadyExists(id),
            None => invalid(Field::Vmid, "This VMID cannot be used."),
        }),
        Err(error) => Err(error),
    }
}

/// The node for a new guest: that of the request, else the preferred one, else the first that is up.
pub fn node(nodes: &[NodeFact], asked: Option<&str>, preferred: &[Option<&str>]) -> Result<String, Error> {
    if let Some(name) = asked {
        let Some(node) = nodes.iter().find(|node| node.name == name) else {
            let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
            return Err(invalid(
                Field::Node,
                format!("There is no node {name}; there are {}.", names.join(", ")),
            ));
        };
        if !node.is_online {
            return Err(not_ready(format!("The node {name} is offline."), "Bring it up, or choose another."));
        }
        return Ok(node.name.clone());
    }
    let is_up = |name: &&str| nodes.iter().any(|node| node.is_online && node.name == **name);
    let preferred = preferred.iter().copied().flatten().find(is_up);
    let first = || nodes.iter().find(|node| node.is_online).map(|node| node.name.as_str());
    let found = preferred.or_else(first);
    found.map(str::to_owned).ok_or_else(|| not_ready("No node of the cluster is up.", "Bring one up."))
}

/// The storage of this name, or the first that is usable and takes this content.
pub fn storage(rows: &[StorageRow], node: &str, asked: Option<&str>, content: &str) -> Result<String, Error> {
    let fit = |row: &StorageRow| row.is_usable() && row.takes(content);
    let Some(name) = asked else {
        let first = rows.iter().filter(|row| fit(row)).find_map(|row| row.storage.clone());
        return first.ok_or_else(|| {
            not_ready(
                format!("No active storage of the node {node} takes {}.", word(content)),
                format!("Add “{content}” to the content of one in Proxmox (Datacenter, Storage)."),
            )
        });
    };
    let Some(row) = rows.iter().find(|row| row.storage.as_deref() == Some(name)) else {
        let names: Vec<&str> =
            rows.iter().filter(|row| fit(row)).filter_map(|row| row.storage.as_deref()).collect();
        return Err(invalid(
            Field::Storage,
            format!("The node {node} has no storage {name}; {} would do.", or_none(&names)),
        ));
    };
    if !row.takes(content) {
        return Err(invalid(Field::Storage, format!("The storage {name} takes no {}.", word(content))));
    }
    if !row.is_usable() {
        return Err(not_ready(
            format!("The storage {name} is not active on the node {node}."),
            "Bring it up or enable it, or choose another.",
        ));
    }
    Ok(name.to_owned())
}

fn or_none(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A kind of content in plain words.
fn word(content: &str) -> &str {
    match content {
        "rootdir" => "containers",
        "images" => "disks of VMs",
        "vztmpl" => "container templates",
        "backup" => "backups",
        other => other,
    }
}

/// A bridge that is not there breaks no creation, but every start from then on.
fn check_bridges(known: &[String], node: &str, networks: &[ProxmoxNetwork]) -> Result<(), Error> {
    if known.is_empty() {
        return Ok(());
    }
    match networks.iter().find(|network| !known.contains(&network.bridge)) {
        None => Ok(()),
        Some(network) => Err(invalid(
            Field::Network,
            format!("The node {node} has no bridge {}; it has {}.", network.bridge, known.join(", ")),
        )),
    }
}

async fn bridges(cluster: &Cluster, node: &str, networks: &[ProxmoxNetwork]) -> Result<(), Error> {
    if networks.is_empty() {
        return Ok(());
    }
    check_bridges(&nodes::bridges(cluster, node).await?, node, networks)
}

pub async fn container(
    cluster: &Cluster,
    place: Place,
    spec: &ContainerSpec,
) -> Result<ContainerFacts, Error> {
    let (rows, ()) = tokio::try_join!(
        nodes::storages(cluster, &place.node),
        bridges(cluster, &place.node, &spec.networks)
    )?;
    let storage = storage(&rows, &place.node, spec.storage.as_deref(), "rootdir")?;
    let template = template(cluster, &rows, &place.node, &spec.template).await?;
    Ok(ContainerFacts { place, storage, template })
}

async fn template(
    cluster: &Cluster,
    rows: &[StorageRow],
    node: &str,
    text: &str,
) -> Result<TemplateFact, Error> {
    if text.contains(':') {
        find(cluster, rows, node, Field::Template, text, check::request::TEMPLATE_KINDS).await?;
        return Ok(TemplateFact::There(text.to_owned()));
    }
    let store = storage(rows, node, None, "vztmpl")?;
    // It may have been downloaded to any of them.
    for name in rows
        .iter()
        .filter(|row| row.is_usable() && row.takes("vztmpl"))
        .filter_map(|row| row.storage.as_ref())
    {
        let volume = format!("{name}:vztmpl/{text}");
        let there = images::volumes(cluster, node, name, "vztmpl").await?;
        if there.iter().any(|found| found.volid.as_deref() == Some(&volume)) {
            return Ok(TemplateFact::There(volume));
        }
    }
    let index = images::index(cluster, node).await?;
    if index.iter().any(|row| row.template.as_deref() == Some(text)) {
        return Ok(TemplateFact::Download { storage: store, name: text.to_owned() });
    }
    Err(invalid(
        Field::Template,
        format!(
            "Neither a storage of {node} nor the appliance index has a template {text}; `pveam update` renews the index."
        ),
    ))
}

/// A volume that must be there.
async fn find(
    cluster: &Cluster,
    rows: &[StorageRow],
    node: &str,
    field: Field,
    volume: &str,
    contents: &[&'static str],
) -> Result<Volume, Error> {
    let id = check::volume(field, volume, contents)?;
    let store = id.storage;
    let is_there = rows.iter().any(|row| row.storage.as_deref() == Some(store) && row.is_usable());
    if !is_there {
        return Err(invalid(field, format!("The node {node} has no active storage {store}.")));
    }
    let found = images::volumes(cluster, node, store, id.content).await?;
    let found = found.into_iter().find(|found| found.volid.as_deref() == Some(volume));
    found.ok_or_else(|| invalid(field, format!("There is no {volume} on the node {node}.")))
}

pub async fn vm(cluster: &Cluster, place: Place, spec: &VmSpec) -> Result<VmFacts, Error> {
    let (rows, ()) = tokio::try_join!(
        nodes::storages(cluster, &place.node),
        bridges(cluster, &place.node, &spec.networks)
    )?;
    let storage = storage(&rows, &place.node, spec.storage.as_deref(), "images")?;
    let image_size = match &spec.source {
        VmSource::CloudImage(image) => {
            find(cluster, &rows, &place.node, Field::Image, image, check::request::DISK_KINDS).await?.size
        }
        VmSource::Iso(image) => {
            find(cluster, &rows, &place.node, Field::Image, image, check::request::ISO_KINDS).await?;
            None
        }
        VmSource::Empty => None,
    };
    Ok(VmFacts { place, storage, image_size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<NodeFact> {
        [("pve1", false), ("pve2", true), ("pve3", true)]
            .map(|(name, is_online)| NodeFact { name: name.into(), is_online })
            .into()
    }

    fn row(name: &str, content: &str, is_active: bool) -> StorageRow {
        StorageRow {
            storage: Some(name.into()),
            content: Some(content.into()),
            active: is_active,
            enabled: true,
            ..StorageRow::default()
        }
    }

    fn words<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_node_is_that_of_the_request_or_the_first_preferred_that_is_up() {
        assert_eq!(node(&nodes(), Some("pve3"), &[]), Ok("pve3".into()));
        assert_eq!(node(&nodes(), None, &[Some("pve1"), Some("pve3")]), Ok("pve3".into()));
        assert_eq!(node(&nodes(), None, &[None, Some("gone")]), Ok("pve2".into()));
        assert!(words(node(&nodes(), Some("pve1"), &[])).contains("offline"));
        assert!(words(node(&nodes(), Some("pve9"), &[])).contains("there are pve1, pve2, pve3"));
        assert!(words(node(&nodes()[..1], None, &[])).contains("No node"));
    }

    #[test]
    fn a_storage_must_be_active_and_take_what_is_put_there() {
        let rows =
            [row("down", "rootdir", false), row("iso", "iso", true), row("ssd", "images,rootdir", true)];
        assert_eq!(storage(&rows, "pve1", None, "rootdir"), Ok("ssd".into()));
        assert_eq!(storage(&rows, "pve1", Some("ssd"), "images"), Ok("ssd".into()));
        assert!(words(storage(&rows, "pve1", Some("iso"), "images")).contains("takes no disks of VMs"));
        assert!(words(storage(&rows, "pve1", Some("down"), "rootdir")).contains("not active"));
        assert!(words(storage(&rows, "pve1", Some("x"), "rootdir")).contains("ssd would do"));
        assert!(words(storage(&rows, "pve1", None, "backup")).contains("takes backups"));
    }

    #[test]
    fn a_bridge_must_be_there_where_the_node_tells_its_bridges() {
        let on = |bridge: &str| [ProxmoxNetwork { bridge: bridge.into(), ..ProxmoxNetwork::default() }];
        let known = ["vmbr0".to_owned()];
        assert_eq!(check_bridges(&known, "pve1", &on("vmbr0")), Ok(()));
        assert!(words(check_bridges(&known, "pve1", &on("vmbr9"))).contains("it has vmbr0"));
        assert_eq!(check_bridges(&[], "pve1", &on("vmbr9")), Ok(()));
    }
}
