//! READING guests: all of them, one of them, its snapshots, and what a plan must know of it.

use std::time::Instant;

use futures::future::join_all;

use crate::{
    backend::{Error, now_ms},
    domain::guest::{BackendKind, Guest, Snapshot},
};

use super::{
    cluster::Cluster,
    facts::GuestFacts,
    num::Rows,
    place::Place,
    state,
    wire::{
        config::Config,
        guest::{Current, Feature, SnapshotRow},
    },
};

/// Most paused VMs whose state is asked for anew with one list.
const MOST_ASKED: usize = 8;

/// All guests of this kind, by one request; by one more for each VM that was last seen paused, every 12 s, as the
/// list calls those running.
pub async fn list(cluster: &Cluster, kind: BackendKind) -> Result<Vec<Guest>, Error> {
    let rows = cluster.list().await?;
    let listed = cluster.memory.list(kind, &rows, Instant::now(), now_ms());
    if listed.to_ask.is_empty() {
        return Ok(listed.guests);
    }
    // One that cannot be asked is as the list tells it.
    join_all(listed.to_ask.iter().take(MOST_ASKED).map(|place| async {
        if let Ok(current) = current(cluster, place).await {
            note(cluster, place, &current);
        }
    }))
    .await;
    Ok(cluster.memory.list(kind, &rows, Instant::now(), now_ms()).guests)
}

pub async fn current(cluster: &Cluster, place: &Place) -> Result<Current, Error> {
    cluster.client.get(&place.path("/status/current"), &[]).await
}

/// The configuration that is in force, without changes that wait for the next start.
pub async fn config(cluster: &Cluster, place: &Place) -> Result<Config, Error> {
    cluster.client.get(&place.path("/config"), &[("current", "1")]).await
}

/// The guest as its own node tells it; its start as it was told before.
pub fn note(cluster: &Cluster, place: &Place, current: &Current) -> Option<Guest> {
    let guest = state::current(place, current)?;
    Some(cluster.memory.note(place, guest, current.uptime.unwrap_or_default(), Instant::now(), now_ms()))
}

pub async fn guest(cluster: &Cluster, kind: BackendKind, vmid: u32) -> Result<Option<Guest>, Error> {
    let found = cluster.at(kind, vmid, |place| async move { current(cluster, &place).await }).await?;
    Ok(found.and_then(|(place, current)| note(cluster, &place, &current)))
}

/// What a plan must know of an existing guest.
pub async fn facts(
    cluster: &Cluster,
    kind: BackendKind,
    vmid: u32,
    local_node: Option<&str>,
) -> Result<Option<GuestFacts>, Error> {
    let read =
        |place: Place| async move { tokio::try_join!(current(cluster, &place), config(cluster, &place)) };
    let Some((place, (current, config))) = cluster.at(kind, vmid, read).await? else { return Ok(None) };
    let Some(guest) = note(cluster, &place, &current) else { return Ok(None) };
    Ok(Some(GuestFacts {
        status: guest.status,
        is_template: guest.is_template,
        lock: guest.lock,
        is_ha: current.is_ha_managed(),
        is_local: local_node == Some(place.node.as_str()),
        place,
        config,
    }))
}

/// Oldest first.
pub async fn snapshots(cluster: &Cluster, place: &Place) -> Result<Vec<Snapshot>, Error> {
    let Rows(rows) = cluster.client.get::<Rows<SnapshotRow>>(&place.path("/snapshot"), &[]).await?;
    Ok(kept(rows))
}

/// Without the guest itself, which Proxmox lists among them as `current`.
fn kept(rows: Vec<SnapshotRow>) -> Vec<Snapshot> {
    let mut snapshots: Vec<Snapshot> = rows
        .into_iter()
        .filter_map(|row| {
            let name = row.name.filter(|name| name != "current")?;
            Some(Snapshot {
                name,
                created_ms: row
                    .snaptime
                    .and_then(|s| i64::try_from(s.checked_mul(1000)?).ok())
                    .filter(|ms| *ms > 0),
                description: row.description.unwrap_or_default().trim_end().to_owned(),
                parent: row.parent,
                memory: row.vmstate,
            })
        })
        .collect();
    snapshots.sort_by(|a, b| (a.created_ms, &a.name).cmp(&(b.created_ms, &b.name)));
    snapshots
}

/// Whether the guest's storage can do this: `snapshot`, `clone`.
pub async fn can(
    cluster: &Cluster,
    place: &Place,
    feature: &str,
    snapshot: Option<&str>,
) -> Result<bool, Error> {
    let mut query = vec![("feature", feature)];
    query.extend(snapshot.map(|name| ("snapname", name)));
    Ok(cluster.client.get::<Feature>(&place.path("/feature"), &query).await?.has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_told_oldest_first_and_without_the_guest_itself() {
        let row = |name: &str, snaptime| SnapshotRow {
            name: Some(name.into()),
            snaptime,
            ..SnapshotRow::default()
        };
        let rows = vec![
            row("s2", Some(20)),
            SnapshotRow { parent: Some("s2".into()), ..row("current", None) },
            SnapshotRow { vmstate: true, description: Some("one\n".into()), ..row("s1", Some(10)) },
            SnapshotRow { name: None, ..SnapshotRow::default() },
            row("odd", Some(u64::MAX)),
        ];
        let told: Vec<_> =
            kept(rows).into_iter().map(|s| (s.name, s.created_ms, s.description, s.memory)).collect();
        assert_eq!(
            told,
            [
                ("odd".into(), None, String::new(), false),
                ("s1".into(), Some(10_000), "one".into(), true),
                ("s2".into(), Some(20_000), String::new(), false),
            ]
        );
    }
}
