//! Snapshots: taken, gone back to, removed.

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::Snapshot,
        plan::{Expectation, Plan},
    },
};

use super::{
    super::{check::invalid, facts::GuestFacts},
    Call, HOUR, not_ready, plan,
};

const SNAPSHOT_MS: u64 = 2 * HOUR;

/// `is_possible`: the guest's storage can keep snapshots.
pub fn take(
    facts: &GuestFacts,
    snapshots: &[Snapshot],
    is_possible: bool,
    name: &str,
    description: &str,
    memory: bool,
) -> Result<Plan, Error> {
    let place = &facts.place;
    if snapshots.iter().any(|snapshot| snapshot.name == name) {
        return Err(invalid(
            Field::Snapshot,
            format!("There is a snapshot “{name}” already; choose another name."),
        ));
    }
    if !is_possible {
        let mut storages: Vec<String> =
            facts.config.disks(place.kind).iter().map(|disk| disk.storage().to_owned()).collect();
        storages.sort();
        storages.dedup();
        let cure = if place.is_vm() {
            "Move its disks to LVM-thin, ZFS, Btrfs or Ceph, or to the format qcow2."
        } else {
            "Move its disks to LVM-thin, ZFS, Btrfs or Ceph, or make a backup instead."
        };
        return Err(not_ready(
            format!("{}'s disks on {} cannot be snapshotted.", place.label(), listed(&storages)),
            cure,
        ));
    }
    let call = Call::post(place.path("/snapshot"), SNAPSHOT_MS).text("snapname", name);
    let call =
        call.maybe("description", Some(description).filter(|text| !text.is_empty())).flag("vmstate", memory);
    let what = if memory { " with the VM's memory" } else { "" };
    Ok(plan(vec![call.step(format!("Take the snapshot {name}{what}"))], Expectation::Exists))
}

fn listed(storages: &[String]) -> String {
    if storages.is_empty() { "no storage of its own".to_owned() } else { storages.join(", ") }
}

pub fn rollback(facts: &GuestFacts, snapshots: &[Snapshot], name: &str) -> Result<Plan, Error> {
    let place = &facts.place;
    let found = find(snapshots, name)?;
    let mut loses =
        vec![format!("What has changed on its disks and in its configuration since the snapshot {name}.")];
    if facts.status.is_active() {
        loses.push(format!(
            "What the running {} holds in memory: it is ended without being asked.",
            place.word()
        ));
    }
    let title = if found.memory {
        format!("Go back to the snapshot {name} and let the VM go on from there")
    } else {
        format!("Go back to the snapshot {name}")
    };
    let step = Call::post(place.path(&format!("/snapshot/{name}/rollback")), SNAPSHOT_MS).step(title);
    Ok(Plan { loses, ..plan(vec![step], Expectation::Exists) })
}

pub fn delete(facts: &GuestFacts, snapshots: &[Snapshot], name: &str) -> Result<Plan, Error> {
    find(snapshots, name)?;
    let call = Call::delete(facts.place.path(&format!("/snapshot/{name}")), SNAPSHOT_MS);
    let loses = vec![format!("The snapshot {name}: nobody can go back to it any more.")];
    Ok(Plan { loses, ..plan(vec![call.step(format!("Delete the snapshot {name}"))], Expectation::Exists) })
}

pub fn find<'a>(snapshots: &'a [Snapshot], name: &str) -> Result<&'a Snapshot, Error> {
    snapshots.iter().find(|snapshot| snapshot.name == name).ok_or_else(|| {
        let message = if snapshots.is_empty() {
            format!("There is no snapshot “{name}”, and no other.")
        } else {
            let names: Vec<&str> = snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
            format!("There is no snapshot “{name}”; there are {}.", names.join(", "))
        };
        invalid(Field::Snapshot, message)
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{LXC, VM, facts, lines, refused},
        *,
    };
    use crate::domain::guest::GuestStatus::{Running, Stopped};

    fn kept(name: &str, memory: bool) -> Vec<Snapshot> {
        vec![Snapshot {
            name: name.into(),
            created_ms: None,
            description: String::new(),
            parent: None,
            memory,
        }]
    }

    #[test]
    fn a_snapshot_is_taken_with_memory_where_that_is_asked_for() {
        let plan = take(&facts(VM, Running, &[]), &[], true, "s1", "before it all", true).unwrap();
        assert_eq!(
            lines(&plan),
            ["POST /nodes/pve1/qemu/200/snapshot snapname=s1 'description=before it all' vmstate=1"]
        );
        let plan = take(&facts(LXC, Running, &[]), &[], true, "s1", "", false).unwrap();
        assert_eq!(lines(&plan), ["POST /nodes/pve1/lxc/101/snapshot snapname=s1"]);
        assert!(plan.loses.is_empty());
    }

    #[test]
    fn a_storage_without_snapshots_is_named_before_anything_runs() {
        let ct = facts(LXC, Running, &[("rootfs", "local:101/vm-101-disk-0.raw,size=1G")]);
        let words = refused(take(&ct, &[], false, "s1", "", false));
        assert!(words.contains("CT 101's disks on local cannot") && words.contains("ZFS"), "{words}");
        let vm = facts(VM, Running, &[]);
        assert!(refused(take(&vm, &[], false, "s1", "", false)).contains("qcow2"));
        assert!(refused(take(&vm, &kept("s1", false), true, "s1", "", false)).contains("already"));
    }

    #[test]
    fn a_rollback_tells_what_it_undoes() {
        let plan = rollback(&facts(VM, Running, &[]), &kept("s1", true), "s1").unwrap();
        assert_eq!(lines(&plan), ["POST /nodes/pve1/qemu/200/snapshot/s1/rollback"]);
        assert_eq!(plan.loses.len(), 2);
        let plan = rollback(&facts(LXC, Stopped, &[]), &kept("s1", false), "s1").unwrap();
        assert_eq!(lines(&plan), ["POST /nodes/pve1/lxc/101/snapshot/s1/rollback"]);
        assert_eq!(plan.loses.len(), 1);
    }

    #[test]
    fn a_snapshot_that_is_not_there_is_named_with_those_that_are() {
        let ct = facts(LXC, Stopped, &[]);
        assert!(refused(rollback(&ct, &kept("s1", false), "s2")).contains("there are s1"));
        assert!(refused(delete(&ct, &[], "s2")).contains("no other"));
        let plan = delete(&ct, &kept("s1", false), "s1").unwrap();
        assert_eq!(lines(&plan), ["DELETE /nodes/pve1/lxc/101/snapshot/s1"]);
        assert_eq!(plan.loses.len(), 1);
    }
}
