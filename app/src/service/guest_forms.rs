//! What a guest's own tabs and forms show beside its page.

use std::sync::Arc;

use super::{AppState, Error, new_guests::storages, permit};
use crate::{
    auth::{Caller, policy},
    backend::{self, Backend},
    domain::{
        action::GuestAction,
        form::{self, Choices, Input},
        guest::{BackendKind, Guest, GuestId},
        host::Node,
        view::{FormPage, SnapshotList},
    },
};

/// A guest as it is now; `None` where there is none that the caller may see.
pub(super) async fn seen(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
) -> Result<Option<(Arc<dyn Backend>, Guest)>, Error> {
    let Ok(id) = GuestId::parse(backend, name) else { return Ok(None) };
    if permit::first_sight(state, caller, &id).await.is_err() {
        return Ok(None);
    }
    let Some(driver) = state.registry.get(id.backend) else { return Ok(None) };
    let guest = driver.guest(&id.name).await?.filter(|guest| policy::sees(caller, guest));
    Ok(guest.map(|guest| (driver.clone(), guest)))
}

/// The guest's snapshots; none where its backend keeps none. `None` where there is no such guest.
pub async fn snapshots(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
) -> Result<Option<SnapshotList>, Error> {
    let Some((driver, guest)) = seen(state, caller, backend, name).await? else { return Ok(None) };
    let snapshots = match driver.lack(GuestAction::Snapshot) {
        Some(_) => Vec::new(),
        None => driver.snapshots(&guest.id.name).await?,
    };
    Ok(Some(SnapshotList { now_ms: backend::now_ms(), snapshots }))
}

/// What the form of an action offers. What lies on the host is told to those alone who may do it. `None` where there is no
/// such guest.
pub async fn form(
    state: &AppState,
    caller: &Caller,
    backend: &str,
    name: &str,
    action: GuestAction,
) -> Result<Option<FormPage>, Error> {
    let Some((driver, guest)) = seen(state, caller, backend, name).await? else { return Ok(None) };
    let refusal = permit::refusal(driver.as_ref(), caller, &guest, action);
    let mut choices = Vec::new();
    if refusal.is_none() {
        let mut nodes = None;
        for parameter in form::parameters(guest.id.backend, action) {
            let Input::FromHost(from, _) = parameter.input else { continue };
            let names = match from {
                Choices::Snapshots => {
                    let snapshots = driver.snapshots(&guest.id.name).await?;
                    snapshots.into_iter().map(|snapshot| snapshot.name).collect()
                }
                Choices::Disks => disks(driver.as_ref(), &guest).await?,
                of_nodes => {
                    if nodes.is_none() {
                        nodes = Some(driver.nodes().await?);
                    }
                    names(of_nodes, &guest, nodes.as_deref().unwrap_or_default())
                }
            };
            choices.push((from, names));
        }
    }
    Ok(Some(FormPage { guest, action, refusal, choices }))
}

/// The disks that its page tells of.
async fn disks(driver: &dyn Backend, guest: &Guest) -> Result<Vec<String>, Error> {
    let detail = driver.inspect(&guest.id.name).await?;
    let labels = detail.into_iter().flat_map(|detail| detail.facts).map(|(label, _)| label);
    let keys = labels.filter_map(|label| label.strip_prefix("Disk ").map(str::to_owned));
    Ok(keys.filter(|key| !key.starts_with("unused")).collect())
}

fn names(from: Choices, guest: &Guest, nodes: &[Node]) -> Vec<String> {
    let is_here = |node: &&Node| guest.node.as_ref().is_none_or(|name| *name == node.name);
    let here: Vec<Node> = nodes.iter().filter(is_here).cloned().collect();
    match from {
        Choices::OtherNodes => {
            let others =
                nodes.iter().filter(|node| node.state.is_online() && Some(&node.name) != guest.node.as_ref());
            others.map(|node| node.name.clone()).collect()
        }
        Choices::DiskStorages if guest.id.backend == BackendKind::ProxmoxVm => storages(&here, "images"),
        Choices::DiskStorages => storages(&here, "rootdir"),
        Choices::BackupStorages => storages(&here, "backup"),
        _ => Vec::new(),
    }
}
