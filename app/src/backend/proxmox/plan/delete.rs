//! Deleting a guest, and what is lost with it.

use crate::{
    backend::Error,
    domain::plan::{Expectation, Plan},
};

use super::{
    super::{facts::GuestFacts, wire::config::Disk},
    Call, HOUR, not_ready, plan,
};

const DELETE_MS: u64 = HOUR;

pub fn delete(facts: &GuestFacts, snapshots: &[String], purge: bool) -> Result<Plan, Error> {
    let place = &facts.place;
    check_unprotected(facts)?;
    if facts.is_ha && !purge {
        return Err(not_ready(
            format!("{} is looked after by the cluster's HA manager.", place.label()),
            "Delete it with all that refers to it, or take it out of HA first.",
        ));
    }
    let call = Call::delete(place.path(""), DELETE_MS);
    let call = call.flag("purge", purge).flag("destroy-unreferenced-disks", purge);
    let step = call.step(format!("Delete the {}, its configuration and its disks", place.word()));
    let disks = facts.config.disks(place.kind);
    let mut loses = vec![format!("The configuration {}.", place.config_path())];
    loses.extend(disks.iter().map(|disk| format!("The disk {} and all that is on it.", described(disk))));
    if !snapshots.is_empty() {
        loses.push(format!("Its snapshots: {}.", snapshots.join(", ")));
    }
    if purge {
        loses.push(format!("Disks that belong to {} and that its configuration does not name.", place.vmid));
        loses.push(format!("The mention of {} in backup jobs, replication, HA and permissions.", place.vmid));
    }
    Ok(Plan { loses, ..plan(vec![step], Expectation::Gone) })
}

/// Somebody marked the guest as one that must not be lost.
fn check_unprotected(facts: &GuestFacts) -> Result<(), Error> {
    if !facts.config.flag("protection") {
        return Ok(());
    }
    Err(not_ready(
        format!("{} is protected against deletion in Proxmox.", facts.place.label()),
        "Switch the protection off in its options there.",
    ))
}

/// `scsi0 (local-lvm:vm-200-disk-0, 10G)`.
pub fn described(disk: &Disk) -> String {
    match &disk.size_text {
        Some(size) => format!("{} ({}, {size})", disk.key, disk.volume),
        None => format!("{} ({})", disk.key, disk.volume),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{LXC, VM, facts, lines, refused},
        *,
    };
    use crate::domain::guest::GuestStatus::Stopped;

    #[test]
    fn everything_that_is_lost_is_told() {
        let ct = facts(
            LXC,
            Stopped,
            &[
                ("rootfs", "local-lvm:vm-101-disk-0,size=8G"),
                ("mp0", "local-lvm:vm-101-disk-1,mp=/data,size=1T"),
                ("mp1", "/srv/share,mp=/share"),
                ("unused0", "local:101/vm-101-disk-2.raw"),
            ],
        );
        let plan = delete(&ct, &["s1".into(), "s2".into()], false).unwrap();
        assert_eq!(lines(&plan), ["DELETE /nodes/pve1/lxc/101"]);
        assert_eq!(plan.expect, Some(Expectation::Gone));
        assert_eq!(
            plan.loses,
            [
                "The configuration /etc/pve/nodes/pve1/lxc/101.conf.",
                "The disk mp0 (local-lvm:vm-101-disk-1, 1T) and all that is on it.",
                "The disk rootfs (local-lvm:vm-101-disk-0, 8G) and all that is on it.",
                "The disk unused0 (local:101/vm-101-disk-2.raw) and all that is on it.",
                "Its snapshots: s1, s2.",
            ]
        );
    }

    #[test]
    fn a_purge_takes_what_refers_to_it_too() {
        let vm = facts(VM, Stopped, &[("scsi0", "local-lvm:vm-200-disk-0,size=10G")]);
        let plan = delete(&vm, &[], true).unwrap();
        assert_eq!(lines(&plan), ["DELETE /nodes/pve1/qemu/200 purge=1 destroy-unreferenced-disks=1"]);
        assert_eq!(plan.loses.len(), 4);
    }

    #[test]
    fn what_is_protected_or_looked_after_stays() {
        let protected = facts(VM, Stopped, &[("protection", "1")]);
        assert!(refused(delete(&protected, &[], true)).contains("protected"));
        let managed = GuestFacts { is_ha: true, ..facts(LXC, Stopped, &[]) };
        assert!(refused(delete(&managed, &[], false)).contains("HA"));
        assert!(delete(&managed, &[], true).is_ok());
    }
}
