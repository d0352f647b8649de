//! The rule that turns what was seen of a container into its status and the note a person must read.

use std::time::Duration;

use crate::domain::guest::GuestStatus;

/// How long a monitor may be there without an init before that is no passing state any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was seen of one container, all read from files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its monitor listens on its command socket.
    pub monitor: Option<Monitor>,
    /// Inits of it that no monitor looks after.
    pub orphans: Vec<u32>,
    pub creation: Creation,
}

/// A monitor and what it looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Monitor {
    Starting,
    Running,
    Frozen,
    /// There is no init (any more).
    Alone {
        /// It had one before: the guest is on its way down, not up.
        had_init: bool,
        since: Duration,
    },
}

/// How far its creation has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Creation {
    #[default]
    Done,
    /// The file `partial` is there and locked.
    AtWork,
    /// The file `partial` is there, and nobody holds its lock.
    CutOff,
}

/// ```text
///   monitor?  yes ── init?  no ── had one? ─► Stopping │ Starting   (a minute later: Unknown)
///      │               └─ yes ── executed, frozen? ───► Starting │ Running │ Paused
///      no ─── orphans? ─ yes ─► Unknown, never Stopped: a second instance would start beside it
///               └─ no ── partial? ─ locked ─► Creating, else Unknown
///                           └─ no ─► Stopped
/// ```
pub fn status(seen: &Seen) -> (GuestStatus, Option<String>) {
    match (&seen.monitor, &seen.orphans[..], seen.creation) {
        (Some(monitor), orphans, _) => {
            let (status, note) = with_monitor(monitor);
            (status, second_instance(orphans).or(note))
        }
        (None, [_, ..], _) => (GuestStatus::Unknown, Some(orphaned(&seen.orphans))),
        (None, [], Creation::AtWork) => (GuestStatus::Creating, None),
        (None, [], Creation::CutOff) => (GuestStatus::Unknown, Some(CUT_OFF.to_owned())),
        (None, [], Creation::Done) => (GuestStatus::Stopped, None),
    }
}

const CUT_OFF: &str = "Its creation was cut off, so it cannot be started; delete it and create it again.";

fn with_monitor(monitor: &Monitor) -> (GuestStatus, Option<String>) {
    match monitor {
        Monitor::Starting => (GuestStatus::Starting, None),
        Monitor::Running => (GuestStatus::Running, None),
        Monitor::Frozen => (GuestStatus::Paused, None),
        Monitor::Alone { since, .. } if *since > PATIENCE => (
            GuestStatus::Unknown,
            Some(format!(
                "LXC has looked after it for {} s without a process of the guest to be seen; Stop ends that.",
                since.as_secs()
            )),
        ),
        Monitor::Alone { had_init: true, .. } => (GuestStatus::Stopping, None),
        Monitor::Alone { had_init: false, .. } => (GuestStatus::Starting, None),
    }
}

/// What is wrong and what helps, where inits run that no monitor looks after.
pub fn orphaned(pids: &[u32]) -> String {
    format!(
        "Its LXC monitor process died, but the guest goes on as process {}, which LXC takes for stopped; do not \
         start it a second time: Stop ends what is left of it.",
        list(pids)
    )
}

fn second_instance(pids: &[u32]) -> Option<String> {
    (!pids.is_empty()).then(|| {
        format!(
            "It runs twice: process {} is an older instance that LXC does not know any more, perhaps on the same \
             root file system; Stop ends both.",
            list(pids)
        )
    })
}

pub fn list(pids: &[u32]) -> String {
    pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(monitor: Option<Monitor>, orphans: &[u32], creation: Creation) -> (GuestStatus, Option<String>) {
        status(&Seen { monitor, orphans: orphans.to_vec(), creation })
    }

    #[test]
    fn a_container_nobody_looks_after_is_stopped() {
        assert_eq!(seen(None, &[], Creation::Done), (GuestStatus::Stopped, None));
    }

    #[test]
    fn a_payload_without_its_monitor_is_never_called_stopped() {
        let (status, note) = seen(None, &[4711], Creation::Done);
        assert_eq!(status, GuestStatus::Unknown);
        let note = note.unwrap();
        assert!(note.contains("process 4711") && note.contains("Stop ends"), "{note}");
    }

    #[test]
    fn a_second_instance_is_told_of_while_the_first_runs() {
        let (status, note) = seen(Some(Monitor::Running), &[7, 8], Creation::Done);
        assert_eq!(status, GuestStatus::Running);
        assert!(note.unwrap().contains("process 7 and 8"));
    }

    #[test]
    fn a_partial_container_is_being_created_only_while_its_lock_is_held() {
        assert_eq!(seen(None, &[], Creation::AtWork), (GuestStatus::Creating, None));
        let (status, note) = seen(None, &[], Creation::CutOff);
        assert_eq!(status, GuestStatus::Unknown);
        assert!(note.unwrap().contains("delete it"));
    }

    #[test]
    fn a_monitor_without_an_init_is_a_passing_state_that_does_not_last_for_ever() {
        let alone = |had_init, seconds| {
            seen(Some(Monitor::Alone { had_init, since: Duration::from_secs(seconds) }), &[], Creation::Done)
                .0
        };
        assert_eq!(alone(false, 1), GuestStatus::Starting);
        assert_eq!(alone(true, 1), GuestStatus::Stopping);
        assert_eq!(alone(true, 61), GuestStatus::Unknown, "so that a person may stop it");
        assert_eq!(seen(Some(Monitor::Starting), &[], Creation::Done).0, GuestStatus::Starting);
        assert_eq!(seen(Some(Monitor::Frozen), &[], Creation::Done).0, GuestStatus::Paused);
    }
}
