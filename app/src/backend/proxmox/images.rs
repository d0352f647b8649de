//! What guests can be made from: templates, installers and disk images in the storages, and the appliance index.

use std::collections::{BTreeMap, HashSet};

use futures::future::join_all;

use crate::{
    backend::Error,
    domain::host::{Image, ImageKind},
};

use super::{
    cluster::Cluster,
    nodes,
    num::Rows,
    place::node_path,
    segment,
    wire::node::{Appliance, Volume},
};

/// Kinds of content that are looked for.
const CONTENTS: [&str; 4] = ["vztmpl", "iso", "import", "images"];
/// Formats of a disk image that Proxmox copies into a disk.
const FORMATS: [&str; 3] = ["raw", "qcow2", "vmdk"];

/// Sorted by kind and id. What one node or storage does not tell is left out and logged: the others count.
pub async fn images(cluster: &Cluster) -> Result<Vec<Image>, Error> {
    let (facts, rows) = tokio::try_join!(nodes::facts(cluster), cluster.list())?;
    let guests: HashSet<u64> = rows.iter().filter_map(|row| row.vmid).collect();
    let online: Vec<&str> =
        facts.iter().filter(|node| node.is_online).map(|node| node.name.as_str()).collect();
    let (found, appliances) = tokio::join!(
        join_all(online.iter().map(|node| on_node(cluster, node))),
        appliances(cluster, online.first())
    );
    // A storage that all nodes share is told once, and of no node.
    let mut images: BTreeMap<(ImageKind, String, Option<String>), Image> = BTreeMap::new();
    for (node, is_shared, volume) in found.into_iter().flatten() {
        let node = (!is_shared).then_some(node);
        if let Some(image) = image(volume, node, &guests) {
            images.insert((image.kind, image.id.clone(), image.node.clone()), image);
        }
    }
    for image in appliances {
        images.insert((image.kind, image.id.clone(), None), image);
    }
    Ok(images.into_values().collect())
}

/// Whether a guest of this kind is made from such an image.
pub fn is_for(kind: ImageKind, is_vm: bool) -> bool {
    matches!(kind, ImageKind::Iso | ImageKind::DiskImage) == is_vm
}

/// Volumes of this node's usable storages, and whether all nodes share the storage.
async fn on_node(cluster: &Cluster, node: &str) -> Vec<(String, bool, Volume)> {
    let storages = match nodes::storages(cluster, node).await {
        Ok(storages) => storages,
        Err(error) => {
            tracing::warn!(node, %error, "storages not read");
            return Vec::new();
        }
    };
    let asked = storages.iter().filter(|row| row.is_usable()).flat_map(|row| {
        let contents = CONTENTS.into_iter().filter(|content| row.takes(content));
        contents.filter_map(|content| Some((row.storage.as_deref()?, row.shared, content)))
    });
    join_all(asked.map(|(storage, is_shared, content)| async move {
        let volumes = volumes(cluster, node, storage, content).await.unwrap_or_else(|error| {
            tracing::warn!(node, storage, content, %error, "storage not read");
            Vec::new()
        });
        volumes.into_iter().map(move |volume| (node.to_owned(), is_shared, volume))
    }))
    .await
    .into_iter()
    .flatten()
    .collect()
}

/// What a storage holds of one kind of content.
pub async fn volumes(
    cluster: &Cluster,
    node: &str,
    storage: &str,
    content: &str,
) -> Result<Vec<Volume>, Error> {
    let path = node_path(node, &format!("/storage/{}/content", segment(storage)));
    let Rows(rows) = cluster.client.get::<Rows<Volume>>(&path, &[("content", content)]).await?;
    Ok(rows)
}

async fn appliances(cluster: &Cluster, node: Option<&&str>) -> Vec<Image> {
    let Some(node) = node else { return Vec::new() };
    let rows = index(cluster, node).await.unwrap_or_else(|error| {
        tracing::warn!(node, %error, "appliance index not read");
        Vec::new()
    });
    rows.into_iter().filter_map(appliance).collect()
}

/// The appliance index, as this node has it.
pub async fn index(cluster: &Cluster, node: &str) -> Result<Vec<Appliance>, Error> {
    let Rows(rows) = cluster.client.get(&node_path(node, "/aplinfo"), &[]).await?;
    Ok(rows)
}

fn appliance(row: Appliance) -> Option<Image> {
    if row.kind.as_deref().is_some_and(|kind| kind != "lxc") {
        return None;
    }
    let words = [row.headline, row.version.map(|version| format!("({version})"))];
    let description = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let description = if description.is_empty() { row.package.unwrap_or_default() } else { description };
    Some(Image { id: row.template?, kind: ImageKind::Appliance, node: None, size: None, description })
}

/// `guests`: VMIDs that are taken. A disk of an existing guest is cloned, not imported.
fn image(volume: Volume, node: Option<String>, guests: &HashSet<u64>) -> Option<Image> {
    let id = volume.volid?;
    let format = volume.format.unwrap_or_default();
    let is_importable = FORMATS.contains(&format.as_str());
    let kind = match volume.content.as_deref()? {
        "vztmpl" => ImageKind::OsTemplate,
        "iso" => ImageKind::Iso,
        "import" if is_importable => ImageKind::DiskImage,
        "images" if is_importable && volume.vmid.is_none_or(|vmid| !guests.contains(&vmid)) => {
            ImageKind::DiskImage
        }
        _ => return None,
    };
    let name = id.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
    Some(Image { id, kind, node, size: volume.size, description: name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(content: &str, format: &str, vmid: Option<u64>) -> Option<ImageKind> {
        let volume = Volume {
            volid: Some("local:x/y".into()),
            content: Some(content.into()),
            format: Some(format.into()),
            vmid,
            size: None,
        };
        image(volume, None, &HashSet::from([101])).map(|image| image.kind)
    }

    #[test]
    fn only_what_a_guest_can_be_made_from_is_offered() {
        assert_eq!(kind_of("vztmpl", "tgz", None), Some(ImageKind::OsTemplate));
        assert_eq!(kind_of("iso", "iso", None), Some(ImageKind::Iso));
        assert_eq!(kind_of("import", "qcow2", None), Some(ImageKind::DiskImage));
        assert_eq!(kind_of("import", "ova", None), None);
        assert_eq!(kind_of("images", "raw", Some(101)), None, "a guest's own disk");
        assert_eq!(kind_of("images", "raw", Some(999)), Some(ImageKind::DiskImage), "nobody's");
        assert_eq!(kind_of("images", "subvol", Some(999)), None);
        assert_eq!(kind_of("backup", "tar.zst", None), None);
    }

    #[test]
    fn an_appliance_is_told_by_its_headline() {
        let row = Appliance {
            template: Some("debian-12.tar.zst".into()),
            kind: Some("lxc".into()),
            headline: Some("Debian 12 Bookworm".into()),
            version: Some("12.7-1".into()),
            package: None,
        };
        let image = appliance(row.clone()).unwrap();
        assert_eq!(
            (image.id.as_str(), image.description.as_str()),
            ("debian-12.tar.zst", "Debian 12 Bookworm (12.7-1)")
        );
        assert_eq!(appliance(Appliance { kind: Some("openvz".into()), ..row }), None);
        assert_eq!(appliance(Appliance::default()), None);
    }
}
