//! How a guest is, in the words of all backends.

use crate::domain::guest::{Guest, GuestStatus};

use super::{
    place::{Place, id_of},
    wire::guest::{Current, Resource},
};

/// What Proxmox's words about a guest come to, and what a person must know besides.
///
/// A lock changes no status: one that was left behind must not keep the guest from being unlocked. A guest that is
/// still being made reads as stopped, and its lock keeps everything else out.
pub fn status(
    status: Option<&str>,
    qmpstatus: Option<&str>,
    lock: Option<&str>,
    node: &str,
) -> (GuestStatus, Option<String>) {
    let note = |text: &str| Some(text.to_owned());
    let (found, told) = match (status, qmpstatus) {
        (Some("running"), qmp) => running(qmp),
        (Some("stopped"), _) => (GuestStatus::Stopped, None),
        (Some("unknown") | None, _) => (
            GuestStatus::Unknown,
            Some(format!("Proxmox does not know its state: the node {node} is off, or its pvestatd hangs.")),
        ),
        (Some(word), _) => {
            let word: String = word.chars().take(40).collect();
            (GuestStatus::Unknown, Some(format!("Proxmox calls its state “{}”.", word.escape_debug())))
        }
    };
    let locked = match lock {
        Some("create" | "clone") => {
            note("It is still being made. If no task of Proxmox is at it, unlock it, then delete it.")
        }
        Some("suspended") => note("It is hibernated: it goes on where it was when it is started."),
        Some("suspending") => note("It is being hibernated."),
        _ => None,
    };
    (found, told.or(locked))
}

/// A VM whose QEMU process lives.
fn running(qmp: Option<&str>) -> (GuestStatus, Option<String>) {
    let halted = |why: &str| (GuestStatus::Paused, Some(why.to_owned()));
    match qmp {
        None | Some("running") => (GuestStatus::Running, None),
        Some("paused") => (GuestStatus::Paused, None),
        Some("prelaunch" | "preconfig") => {
            halted("QEMU has made it and not let it begin: a backup may be at work.")
        }
        Some("suspended") => halted("The guest has put itself to sleep."),
        Some("io-error") => halted("QEMU halted it, as a disk could not be read or written."),
        Some("guest-panicked") => halted("The guest's kernel panicked, and QEMU halted it."),
        Some(word @ ("internal-error" | "watchdog" | "debug" | "colo")) => {
            (GuestStatus::Paused, Some(format!("QEMU halted it: {word}.")))
        }
        // It lives, and can be stopped; what else is going on is said.
        Some(word) => {
            let word: String = word.chars().take(40).collect();
            (GuestStatus::Running, Some(format!("QEMU calls its state “{}”.", word.escape_debug())))
        }
    }
}

/// Sorted, each once. Proxmox takes `;`, `,` and blanks between them.
pub fn tags(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(|c: char| matches!(c, ';' | ',') || c.is_whitespace());
    let mut tags: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    tags.sort();
    tags.dedup();
    tags
}

/// As the cluster's list tells it; `None` for one without a VMID or node. Its start is not told here.
pub fn listed(place: &Place, row: &Resource) -> Option<Guest> {
    let (status, note) = status(row.status.as_deref(), None, row.lock.as_deref(), &place.node);
    Some(Guest {
        note,
        title: row.name.clone(),
        node: Some(place.node.clone()),
        tags: tags(row.tags.as_deref()),
        pool: row.pool.clone(),
        is_template: row.template,
        lock: row.lock.clone(),
        ..Guest::new(id_of(place.kind, place.vmid)?, status)
    })
}

/// As the guest's own node tells it. Its start is not told here.
pub fn current(place: &Place, row: &Current) -> Option<Guest> {
    let (status, note) =
        status(row.status.as_deref(), row.qmpstatus.as_deref(), row.lock.as_deref(), &place.node);
    Some(Guest {
        note,
        title: row.name.clone(),
        node: Some(place.node.clone()),
        tags: tags(row.tags.as_deref()),
        is_template: row.template,
        lock: row.lock.clone(),
        ..Guest::new(id_of(place.kind, place.vmid)?, status)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use GuestStatus::{Paused, Running, Stopped, Unknown};

    #[test]
    fn qemus_own_word_decides_whether_a_vm_runs() {
        for (qmp, wanted, is_noted) in [
            (None, Running, false),
            (Some("running"), Running, false),
            (Some("paused"), Paused, false),
            (Some("prelaunch"), Paused, true),
            (Some("suspended"), Paused, true),
            (Some("io-error"), Paused, true),
            (Some("internal-error"), Paused, true),
            (Some("guest-panicked"), Paused, true),
            (Some("shutdown"), Running, true),
            (Some("finish-migrate"), Running, true),
        ] {
            let (found, note) = status(Some("running"), qmp, None, "pve1");
            assert_eq!((found, note.is_some()), (wanted, is_noted), "{qmp:?}");
        }
        assert_eq!(status(Some("stopped"), Some("stopped"), None, "pve1"), (Stopped, None));
    }

    #[test]
    fn what_proxmox_does_not_know_is_unknown_with_the_reason() {
        let (found, note) = status(Some("unknown"), None, None, "pve2");
        assert_eq!(found, Unknown);
        assert!(note.unwrap().contains("pve2"));
        assert_eq!(status(None, None, None, "pve2").0, Unknown);
        let (found, note) = status(Some("odd\n"), None, None, "pve2");
        assert_eq!((found, note.as_deref()), (Unknown, Some("Proxmox calls its state “odd\\n”.")));
    }

    #[test]
    fn a_hibernated_vm_is_stopped_and_says_so() {
        let (found, note) = status(Some("stopped"), Some("stopped"), Some("suspended"), "pve1");
        assert_eq!(found, Stopped);
        assert!(note.unwrap().contains("hibernated"));
        assert_eq!(status(Some("stopped"), None, Some("create"), "pve1").0, Stopped);
    }

    #[test]
    fn tags_are_told_apart_and_sorted() {
        assert_eq!(tags(Some("web;prod, a b;web")), ["a", "b", "prod", "web"]);
        assert_eq!(tags(None), Vec::<String>::new());
    }
}
