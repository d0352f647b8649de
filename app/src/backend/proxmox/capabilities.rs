//! What Proxmox cannot do at all with a kind of guest, whatever the guest.

use crate::domain::{action::GuestAction, guest::BackendKind};

/// One sentence; `None` where it can. `is_on_node`: Paddock runs on a node of the cluster.
pub fn lack(kind: BackendKind, action: GuestAction, is_on_node: bool) -> Option<&'static str> {
    match (kind, action) {
        (BackendKind::ProxmoxLxc, GuestAction::Reset) => {
            Some("a container has no reset button; stop and start it, or reboot it.")
        }
        (BackendKind::ProxmoxLxc, GuestAction::Hibernate) => {
            Some("Proxmox hibernates VMs alone; a container can be shut down, or checkpointed by “pause”.")
        }
        (BackendKind::ProxmoxLxc, GuestAction::Exec) if !is_on_node => Some(
            "Proxmox's API runs no commands in a container; Paddock can only on a node of the cluster, by `pct exec`.",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_lacks_nothing_and_a_container_what_only_a_machine_has() {
        let lacks = |kind, is_on_node| {
            GuestAction::ALL.into_iter().filter(|a| lack(kind, *a, is_on_node).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(lacks(BackendKind::ProxmoxVm, false), []);
        assert_eq!(lacks(BackendKind::ProxmoxLxc, true), [GuestAction::Reset, GuestAction::Hibernate]);
        assert_eq!(
            lacks(BackendKind::ProxmoxLxc, false),
            [GuestAction::Reset, GuestAction::Hibernate, GuestAction::Exec]
        );
    }
}
