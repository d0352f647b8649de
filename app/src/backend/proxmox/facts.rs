//! FACTS: what a plan depends on besides its request, as it was read just before.

use crate::domain::guest::GuestStatus;

use super::{
    place::Place,
    wire::{config::Config, guest::TaskRow},
};

/// An existing guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestFacts {
    pub place: Place,
    pub status: GuestStatus,
    pub is_template: bool,
    pub lock: Option<String>,
    /// The cluster's HA manager starts and stops it; Proxmox's own tasks then only ask that manager.
    pub is_ha: bool,
    pub config: Config,
    /// Paddock runs on the guest's own node.
    pub is_local: bool,
}

/// The machine that a new or moved guest shall be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFact {
    pub name: String,
    pub is_online: bool,
}

/// What a new container is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateFact {
    /// A volume that is there.
    There(String),
    /// In the appliance index, to be put on this storage first.
    Download { storage: String, name: String },
}

/// A new container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerFacts {
    pub place: Place,
    pub storage: String,
    pub template: TemplateFact,
}

/// A new VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmFacts {
    pub place: Place,
    pub storage: String,
    /// Of the cloud image, bytes, where its storage tells it.
    pub image_size: Option<u64>,
}

/// What the directory of the node holds that containers are checkpointed to: there is one for all, and the newest
/// checkpoint lies on the older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointFact {
    /// This container's, and it has not run since.
    Its,
    /// That of another container.
    Other(u32),
    /// This container's, but it has run since.
    Stale,
    None,
}

/// From the container's own newest tasks, and all of the node that made a checkpoint.
pub fn checkpoint(vmid: u32, own: &[TaskRow], suspends: &[TaskRow]) -> CheckpointFact {
    const RUNS: [&str; 4] = ["vzstart", "vzresume", "vzreboot", "vzrollback"];
    let newest = |tasks: &[TaskRow], is_one: &dyn Fn(&TaskRow) -> bool| -> Option<(u64, u64, TaskRow)> {
        let dated = tasks
            .iter()
            .filter(|task| is_one(task))
            .map(|task| (task.starttime.unwrap_or_default(), task.pstart.unwrap_or_default(), task.clone()));
        dated.max_by_key(|(started, process, _)| (*started, *process))
    };
    let kind =
        |task: &TaskRow, kinds: &[&str]| task.kind.as_deref().is_some_and(|kind| kinds.contains(&kind));
    let is_done = |task: &TaskRow| task.status.as_deref() == Some("OK");
    let Some((_, _, last)) = newest(suspends, &|task| kind(task, &["vzsuspend"]) && is_done(task)) else {
        return CheckpointFact::None;
    };
    let last_id = last.id.as_deref().and_then(|id| id.parse().ok());
    if last_id != Some(vmid) {
        return last_id.map_or(CheckpointFact::None, CheckpointFact::Other);
    }
    let made = (last.starttime.unwrap_or_default(), last.pstart.unwrap_or_default());
    match newest(own, &|task| kind(task, &RUNS) && task.id.as_deref() == Some(vmid.to_string().as_str())) {
        Some((started, process, _)) if (started, process) > made => CheckpointFact::Stale,
        _ => CheckpointFact::Its,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(kind: &str, id: u32, started: u64, status: &str) -> TaskRow {
        TaskRow {
            kind: Some(kind.into()),
            id: Some(id.to_string()),
            status: Some(status.into()),
            starttime: Some(started),
            pstart: Some(started),
            ..TaskRow::default()
        }
    }

    #[test]
    fn a_checkpoint_is_a_containers_own_only_if_it_is_the_newest_and_nothing_ran_since() {
        let one = std::slice::from_ref::<TaskRow>;
        let ours = task("vzsuspend", 101, 10, "OK");
        assert_eq!(checkpoint(101, &[], one(&ours)), CheckpointFact::Its);
        assert_eq!(checkpoint(101, &[task("vzstart", 101, 5, "OK")], one(&ours)), CheckpointFact::Its);
        assert_eq!(checkpoint(101, &[task("vzstart", 101, 11, "OK")], one(&ours)), CheckpointFact::Stale);
        assert_eq!(checkpoint(101, &[task("vzstart", 102, 11, "OK")], one(&ours)), CheckpointFact::Its);
        let theirs = task("vzsuspend", 102, 12, "OK");
        assert_eq!(checkpoint(101, &[], &[theirs, ours.clone()]), CheckpointFact::Other(102));
        let failed = task("vzsuspend", 102, 12, "command failed");
        assert_eq!(checkpoint(101, &[], &[failed.clone(), ours]), CheckpointFact::Its);
        assert_eq!(checkpoint(101, &[], &[failed]), CheckpointFact::None);
    }
}
