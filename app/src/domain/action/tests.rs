//! Which action a guest can be asked for, and when.

use super::*;
use crate::domain::guest::GuestId;

#[test]
fn every_action_reads_back_from_its_own_text() {
    for action in GuestAction::ALL {
        assert_eq!(action.as_str().parse(), Ok(action));
        assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{action}\""));
    }
    assert!("reboot; rm".parse::<GuestAction>().is_err());
}

#[test]
fn a_running_guest_cannot_be_started_or_deleted() {
    use GuestAction::{Delete, Pause, Reboot, Resume, Shutdown, Start, Stop};
    let allowed = |status| {
        [Start, Shutdown, Stop, Reboot, Pause, Resume, Delete]
            .into_iter()
            .filter(|a| a.allowed_in(status))
            .collect::<Vec<_>>()
    };
    assert_eq!(allowed(GuestStatus::Running), [Shutdown, Stop, Reboot, Pause]);
    assert_eq!(allowed(GuestStatus::Stopped), [Start, Delete]);
    assert_eq!(allowed(GuestStatus::Paused), [Stop, Resume]);
    assert_eq!(allowed(GuestStatus::Creating), []);
    assert_eq!(allowed(GuestStatus::Unknown), [Stop, Delete]);
}

#[test]
fn a_lock_keeps_everything_out_but_the_unlocking() {
    let id = GuestId::parse("proxmox-vm", "101").unwrap();
    let guest = Guest { lock: Some("backup".into()), ..Guest::new(id, GuestStatus::Running) };
    assert!(
        matches!(GuestAction::Stop.allowed_for(&guest), Err(Refusal::Locked { by, .. }) if by == "backup")
    );
    assert_eq!(GuestAction::Unlock.allowed_for(&guest), Ok(()));
    let hibernated = Guest { status: GuestStatus::Stopped, lock: Some("suspended".into()), ..guest };
    assert_eq!(GuestAction::Start.allowed_for(&hibernated), Ok(()));
    assert!(GuestAction::Delete.allowed_for(&hibernated).is_err());
}

#[test]
fn a_stopped_proxmox_container_may_be_a_checkpointed_one() {
    let stopped = |backend| Guest::new(GuestId::parse(backend, "101").unwrap(), GuestStatus::Stopped);
    assert_eq!(GuestAction::Resume.allowed_for(&stopped("proxmox-lxc")), Ok(()));
    assert!(GuestAction::Resume.allowed_for(&stopped("proxmox-vm")).is_err());
    assert!(GuestAction::Resume.allowed_for(&stopped("lxc")).is_err());
}

#[test]
fn a_template_is_cloned_but_never_started() {
    let id = GuestId::parse("proxmox-vm", "9000").unwrap();
    let guest = Guest { is_template: true, ..Guest::new(id, GuestStatus::Stopped) };
    assert!(matches!(GuestAction::Start.allowed_for(&guest), Err(Refusal::IsTemplate { .. })));
    assert_eq!(GuestAction::Clone.allowed_for(&guest), Ok(()));
}
