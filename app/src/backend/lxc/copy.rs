//! Plans of what copies a container's root file system: clones and snapshots.
//!
//! LXC's tools are silent when these fail, so each keeps a log; and they hardly check what they are given: a snapshot
//! called `A` would be taken for the beginning of `ALL`, and all snapshots would be deleted.

use crate::{
    backend::{Error, edit},
    domain::{
        action::Field,
        guest::{BackendKind, GuestId, GuestStatus},
        name::GuestName,
        plan::{Argv, Change, Command, Expectation, FileEdit, Output, Plan, Step, When, Work},
        spec::CloneSpec,
    },
};

use super::{
    facts::{Place, StorageFacts},
    plan::{command, not_ready, plan, step, tool},
    snapshots::Kept,
};

#[cfg(test)]
mod tests;

/// A whole root file system is copied.
const COPY_MS: u64 = 3_600_000;
const DELETE_MS: u64 = 600_000;
const LONGEST_COMMENT: usize = 4096;
/// What an edit of a snapshot's comment calls it.
pub const COMMENT: &str = "comment";
/// An empty comment, to be filled in by an edit: lxc-snapshot takes a comment as a file only.
const EMPTY_FILE: &str = "/dev/null";

/// Judges the request for a clone by itself.
pub fn check_clone(spec: &CloneSpec, is_foreign: bool) -> Result<(), Error> {
    let invalid = |field, message: &str| Err(Error::Invalid { field, message: message.to_owned() });
    // A name that was merely found may be longer than one that Paddock gives.
    if let Err(e) = GuestName::new(spec.name.as_str()) {
        return invalid(Field::Name, &e.to_string());
    }
    if is_foreign {
        return invalid(Field::Name, "Names of digits only belong to Proxmox on this host.");
    }
    if spec.vmid.is_some() {
        return invalid(Field::Vmid, "An LXC container has a name and no VMID; leave it empty.");
    }
    if spec.storage.is_some() {
        return invalid(Field::Storage, "LXC keeps a clone beside its original; leave the storage empty.");
    }
    if spec.node.is_some() {
        return invalid(Field::Node, "LXC makes a clone on its original's host; leave the node empty.");
    }
    if spec.snapshot.is_some() && spec.linked {
        return invalid(Field::Snapshot, "LXC makes no linked clone of a snapshot; ask for a full one.");
    }
    Ok(())
}

/// The plan of a clone, for a request that has passed [`check_clone`].
pub fn clone(place: &Place, name: &GuestName, spec: &CloneSpec, facts: &StorageFacts) -> Result<Plan, Error> {
    let new = &spec.name;
    if facts.is_taken {
        return Err(Error::AlreadyExists(GuestId::new(BackendKind::Lxc, new.clone())));
    }
    if let Some(snapshot) = &spec.snapshot {
        let kept = usable(snapshot, facts)?;
        not_recorded(facts, "LXC uses no snapshot of a container that others were cloned from")?;
        needs_rsync(facts)?;
        let argv = snapshot_tool(place, name).args(["-r", &kept.name, "-N", new.as_str()]);
        let shares = if facts.is_overlay { ", which shares the original's base" } else { "" };
        let title = format!("Make {new} from the snapshot {}{shares}", kept.name);
        let step = step(title, logged(place, name, argv, COPY_MS));
        return Ok(plan(vec![step], Expectation::OtherExists(new.clone())));
    }
    stopped(facts, "LXC clones only a container that is stopped")?;
    has_own_rootfs(name, facts)?;
    let mut argv = tool(place, "lxc-copy", name).args(["-N", new.as_str()]);
    let title = if spec.linked {
        argv = argv.arg("-s");
        format!("Make {new} as a linked clone of {name}")
    } else if facts.is_overlay {
        // LXC copies no overlay as such; what is seen in it can be copied into a plain directory.
        argv = argv.args(["-B", "dir"]);
        format!("Copy all that is seen in {name} to {new}")
    } else {
        format!("Copy {name} to {new}")
    };
    if !spec.linked || facts.is_overlay {
        needs_rsync(facts)?;
    }
    let step = step(title, logged(place, name, argv, COPY_MS));
    Ok(plan(vec![step], Expectation::OtherExists(new.clone())))
}

/// Judges the request for a snapshot by itself.
pub fn check_snapshot(name: Option<&str>, description: &str, memory: bool) -> Result<(), Error> {
    let invalid = |field, message: &str| Err(Error::Invalid { field, message: message.to_owned() });
    if name.is_some() {
        return invalid(
            Field::Snapshot,
            "LXC names its snapshots itself: snap0, snap1, ...; leave the name empty.",
        );
    }
    if memory {
        return invalid(Field::Memory, "An LXC snapshot cannot hold a running container's memory.");
    }
    let hostile = |c: char| c.is_control() && c != '\n' && c != '\t';
    if description.len() > LONGEST_COMMENT || description.contains(hostile) {
        return invalid(
            Field::Description,
            "A description has at most 4096 bytes and no control characters but line breaks and tabs.",
        );
    }
    Ok(())
}

/// The plan of a snapshot, for a request that has passed [`check_snapshot`].
pub fn snapshot(
    place: &Place,
    name: &GuestName,
    description: &str,
    facts: &StorageFacts,
) -> Result<Plan, Error> {
    stopped(facts, "LXC takes snapshots only of a container that is stopped")?;
    has_own_rootfs(name, facts)?;
    needs_rsync(facts)?;
    let description = description.trim();
    let mut argv = snapshot_tool(place, name);
    if !description.is_empty() {
        argv = argv.args(["-c", EMPTY_FILE]);
    }
    let title = format!("Take the snapshot {}", facts.next_snapshot);
    let mut steps = vec![step(title, logged(place, name, argv, COPY_MS))];
    if !description.is_empty() {
        let text = Change { key: COMMENT.to_owned(), value: Some(description.to_owned()) };
        let edit = FileEdit {
            path: format!("{}/{}/comment", facts.snapshot_directory, facts.next_snapshot),
            changes: vec![text],
            // Somebody else's snapshot that came in between has a comment of its own, or none.
            digest: Some(edit::digest("")),
        };
        steps.push(Step {
            title: "Write its description".to_owned(),
            when: When::Always,
            work: Work::Edit(edit),
        });
    }
    Ok(plan(steps, Expectation::Status(GuestStatus::Stopped)))
}

/// LXC deletes the container first and then copies the snapshot to its place.
pub fn rollback(
    place: &Place,
    name: &GuestName,
    snapshot: &str,
    facts: &StorageFacts,
) -> Result<Plan, Error> {
    let kept = usable(snapshot, facts)?;
    stopped(facts, "LXC rolls back only a container that is stopped")?;
    not_recorded(facts, "LXC does not roll back a container that others were cloned from")?;
    if !facts.dependents.is_empty() {
        return Err(not_ready(
            format!("other containers live on its root file system: {}.", facts.dependents.join(", ")),
            "Delete those first.",
        ));
    }
    if facts.is_unmanaged {
        return Err(not_ready(
            "its configuration keeps LXC from replacing its root file system (lxc.rootfs.managed = 0)."
                .to_owned(),
            "Make a new container from the snapshot instead.",
        ));
    }
    needs_rsync(facts)?;
    let argv = snapshot_tool(place, name).args(["-r", &kept.name]);
    let mut loses = vec![format!(
        "Everything written in {name} since the snapshot {} was taken is gone, and its configuration is that of the \
         snapshot. Later snapshots stay.",
        kept.name
    )];
    if facts.has_hardware_address {
        loses.push("LXC gives its network interfaces new hardware addresses.".to_owned());
    }
    let step =
        step(format!("Put {name} back to the snapshot {}", kept.name), logged(place, name, argv, COPY_MS));
    Ok(Plan { loses, ..plan(vec![step], Expectation::Status(GuestStatus::Stopped)) })
}

pub fn delete_snapshot(
    place: &Place,
    name: &GuestName,
    snapshot: &str,
    facts: &StorageFacts,
) -> Result<Plan, Error> {
    let kept = known(snapshot, facts)?;
    if "ALL".starts_with(&kept.name) {
        let path = format!("{}/{}", facts.snapshot_directory, kept.name);
        return Err(not_ready(
            format!("LXC would take the name “{}” for “ALL” and delete every snapshot.", kept.name),
            &format!("Remove {path} by hand."),
        ));
    }
    if !kept.clones.is_empty() {
        return Err(not_ready(
            format!("other containers were made from it: {}.", kept.clones.join(", ")),
            "Delete those first.",
        ));
    }
    let argv = snapshot_tool(place, name).args(["-d", &kept.name]);
    let step = step(format!("Delete the snapshot {}", kept.name), logged(place, name, argv, DELETE_MS));
    let loses = vec![format!("The snapshot {} of {name} is deleted.", kept.name)];
    Ok(Plan { loses, ..plan(vec![step], Expectation::Exists) })
}

fn snapshot_tool(place: &Place, name: &GuestName) -> Argv {
    tool(place, "lxc-snapshot", name)
}

fn logged(place: &Place, name: &GuestName, argv: Argv, timeout_ms: u64) -> Command {
    let log = format!("{}/{}-{name}.log", place.log_dir, argv.program());
    command(argv.args(["-l", "ERROR", "-o", &log]), timeout_ms, Output::LogFile(log))
}

/// One of those that are there: nothing else is ever named to a tool.
fn known<'a>(snapshot: &str, facts: &'a StorageFacts) -> Result<&'a Kept, Error> {
    facts.snapshots.iter().find(|kept| kept.name == snapshot).ok_or_else(|| {
        let names: Vec<&str> = facts.snapshots.iter().map(|kept| kept.name.as_str()).collect();
        let message = match &names[..] {
            [] => "It has no snapshots.".to_owned(),
            names => format!("It has no such snapshot; there are {}.", names.join(", ")),
        };
        Error::Invalid { field: Field::Snapshot, message }
    })
}

/// As [`known`], and whole: from half a snapshot LXC would make half a container.
fn usable<'a>(snapshot: &str, facts: &'a StorageFacts) -> Result<&'a Kept, Error> {
    let kept = known(snapshot, facts)?;
    if kept.is_complete {
        return Ok(kept);
    }
    Err(not_ready(
        format!("the snapshot {} was cut off while it was taken.", kept.name),
        "Use another one, or delete it.",
    ))
}

fn stopped(facts: &StorageFacts, why: &str) -> Result<(), Error> {
    if facts.is_active {
        return Err(not_ready(format!("it is running, and {why}."), "Shut it down first."));
    }
    Ok(())
}

fn not_recorded(facts: &StorageFacts, why: &str) -> Result<(), Error> {
    if facts.clones.is_empty() {
        return Ok(());
    }
    Err(not_ready(format!("{why}: {}.", facts.clones.join(", ")), "Delete those first."))
}

fn needs_rsync(facts: &StorageFacts) -> Result<(), Error> {
    if facts.has_rsync {
        return Ok(());
    }
    Err(not_ready(
        "LXC copies root file systems with the program “rsync”, which is not installed.".to_owned(),
        "Install it with `apt-get install rsync`.",
    ))
}

/// LXC finds the copy's place by putting its name where the original's stands in the path.
fn has_own_rootfs(name: &GuestName, facts: &StorageFacts) -> Result<(), Error> {
    let Some(rootfs) = &facts.rootfs else {
        return Err(not_ready(
            "its configuration names no root file system, so there is nothing to copy.".to_owned(),
            "Set lxc.rootfs.path there.",
        ));
    };
    if rootfs.contains(name.as_str()) {
        return Ok(());
    }
    Err(not_ready(
        format!(
            "its root file system {rootfs} does not have the name {name} in its path, which LXC needs to copy it."
        ),
        "Move it to a path with that name, and change lxc.rootfs.path.",
    ))
}
