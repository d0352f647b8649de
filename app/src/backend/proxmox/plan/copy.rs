//! Copies of a guest: clones, templates, backups, and the guest itself on another node.

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::{GuestStatus, Snapshot},
        plan::{Expectation, Plan},
        spec::{BackupMode, CloneSpec},
    },
};

use super::{
    super::{
        check::invalid,
        facts::{GuestFacts, NodeFact},
        place::id_of,
    },
    Call, HOUR, not_ready, plan, snapshot,
};

const CLONE_MS: u64 = 12 * HOUR;
const TEMPLATE_MS: u64 = 2 * HOUR;
const MIGRATE_MS: u64 = 24 * HOUR;
const BACKUP_MS: u64 = 24 * HOUR;

/// What a clone depends on besides its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneFacts {
    /// The copy's VMID.
    pub vmid: u32,
    pub snapshots: Vec<Snapshot>,
    /// The storage can share the original's disks; asked only for a linked one.
    pub can_link: bool,
    /// The cluster's nodes; read only where another is asked for.
    pub nodes: Vec<NodeFact>,
}

pub fn clone(facts: &GuestFacts, spec: &CloneSpec, clone: &CloneFacts) -> Result<Plan, Error> {
    let place = &facts.place;
    if let Some(name) = &spec.snapshot {
        snapshot::find(&clone.snapshots, name)?;
    }
    if spec.linked {
        check_linkable(facts, spec, clone)?;
    } else if !place.is_vm() && facts.status == GuestStatus::Running && spec.snapshot.is_none() {
        return Err(not_ready(
            format!("{} runs, and Proxmox copies a running container only from a snapshot.", place.label()),
            "Take a snapshot and clone that, or shut the container down first.",
        ));
    }
    let target = spec.node.as_deref().filter(|node| *node != place.node);
    if let Some(node) = target {
        find_online(&clone.nodes, node)?;
    }
    let call = Call::post(place.path("/clone"), CLONE_MS).text("newid", clone.vmid.to_string());
    let call = call.text(if place.is_vm() { "name" } else { "hostname" }, spec.name.as_str());
    let call = call.text("full", if spec.linked { "0" } else { "1" });
    let call = call.maybe("snapname", spec.snapshot.as_deref()).maybe("storage", spec.storage.as_deref());
    let call = call.maybe("target", target);
    let id =
        id_of(place.kind, clone.vmid).ok_or_else(|| invalid(Field::Vmid, "This VMID cannot be used."))?;
    let how = if spec.linked { "that shares its disks" } else { "with disks of its own" };
    let title = format!("Make {} {}, a copy {how}", place.word(), clone.vmid);
    Ok(plan(vec![call.step(title)], Expectation::OtherExists(id.name)))
}

fn check_linkable(facts: &GuestFacts, spec: &CloneSpec, clone: &CloneFacts) -> Result<(), Error> {
    let place = &facts.place;
    if !facts.is_template && spec.snapshot.is_none() {
        return Err(not_ready(
            format!(
                "A linked clone shares the disks of a template or of a snapshot, and {} is no template.",
                place.label()
            ),
            "Make a template of it, name one of its snapshots, or make a full clone.",
        ));
    }
    if !clone.can_link {
        return Err(not_ready(
            format!("The storage of {} cannot share its disks with a copy.", place.label()),
            "Make a full clone.",
        ));
    }
    Ok(())
}

fn find_online(nodes: &[NodeFact], name: &str) -> Result<(), Error> {
    let Some(node) = nodes.iter().find(|node| node.name == name) else {
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        return Err(invalid(
            Field::Node,
            format!("There is no node {name}; there are {}.", names.join(", ")),
        ));
    };
    if node.is_online {
        return Ok(());
    }
    Err(not_ready(format!("The node {name} is offline."), "Bring it up, or choose another."))
}

pub fn make_template(facts: &GuestFacts, snapshots: &[Snapshot]) -> Result<Plan, Error> {
    let place = &facts.place;
    if !snapshots.is_empty() {
        let names: Vec<&str> = snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
        return Err(not_ready(
            format!("{} has snapshots: {}. A template can have none.", place.label(), names.join(", ")),
            "Delete them, or make a template of a clone.",
        ));
    }
    let step = Call::post(place.path("/template"), TEMPLATE_MS)
        .step(format!("Make a template of the {}", place.word()));
    let loses =
        vec![format!("{} itself: as a template it can never be started again, only cloned.", place.label())];
    Ok(Plan { loses, ..plan(vec![step], Expectation::Exists) })
}

pub fn migrate(facts: &GuestFacts, nodes: &[NodeFact], target: &str) -> Result<Plan, Error> {
    let place = &facts.place;
    if target == place.node {
        return Err(invalid(
            Field::Node,
            format!("{} is on {target} already; choose another node.", place.label()),
        ));
    }
    find_online(nodes, target)?;
    let runs = facts.status == GuestStatus::Running;
    let call = Call::post(place.path("/migrate"), MIGRATE_MS).text("target", target);
    // Its disks move with it where the nodes do not share them.
    let call = call.flag("online", runs && place.is_vm()).flag("with-local-disks", runs && place.is_vm());
    let call = call.flag("restart", runs && !place.is_vm());
    let how = match (runs, place.is_vm()) {
        (false, _) => "",
        (true, true) => " while it runs",
        (true, false) => ": shut it down, start it over there",
    };
    let title = if facts.is_ha {
        format!("Ask the cluster's HA manager to move the {} to {target}; it does so later", place.word())
    } else {
        format!("Move the {} to {target}{how}", place.word())
    };
    let step = call.step(title);
    Ok(plan(vec![step], Expectation::Status(facts.status)))
}

pub fn backup(facts: &GuestFacts, storage: &str, mode: BackupMode) -> Plan {
    let place = &facts.place;
    let call = Call::post(place.node_path("/vzdump"), BACKUP_MS).text("vmid", place.vmid.to_string());
    let call = call.text("storage", storage).text("mode", mode.as_str()).text("compress", "zstd");
    // Older backups stay, whatever the storage's retention says: that is its jobs' affair.
    let call = call.text("remove", "0");
    let how = match (facts.status.is_active(), mode) {
        (false, _) | (true, BackupMode::Snapshot) => "",
        (true, BackupMode::Suspend) => "; it is halted meanwhile",
        (true, BackupMode::Stop) => "; it is shut down and started again",
    };
    plan(
        vec![call.step(format!("Back the {} up to {storage}{how}", place.word()))],
        Expectation::Status(facts.status),
    )
}

#[cfg(test)]
mod tests;
