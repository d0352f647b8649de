//! Where a guest is: its kind, its node and its VMID, and the paths that follow from these.

use crate::domain::{
    guest::{BackendKind, GuestId},
    name::GuestName,
};

use super::{check::VMIDS, segment};

/// One guest's place in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub kind: BackendKind,
    pub node: String,
    pub vmid: u32,
}

impl Place {
    /// The API's path of the guest and what comes below it: `/nodes/pve1/lxc/101/status/start`.
    pub fn path(&self, tail: &str) -> String {
        format!("{}/{}{tail}", self.guests_path(), self.vmid)
    }

    /// The API's path of all guests of this kind on the node.
    pub fn guests_path(&self) -> String {
        self.node_path(&format!("/{}", if self.is_vm() { "qemu" } else { "lxc" }))
    }

    pub fn node_path(&self, tail: &str) -> String {
        node_path(&self.node, tail)
    }

    /// Where the configuration is on every node of the cluster.
    pub fn config_path(&self) -> String {
        let room = if self.is_vm() { "qemu-server" } else { "lxc" };
        format!("/etc/pve/nodes/{}/{room}/{}.conf", self.node, self.vmid)
    }

    pub fn is_vm(&self) -> bool {
        self.kind == BackendKind::ProxmoxVm
    }

    /// What Proxmox calls it: `CT 101`, `VM 200`.
    pub fn label(&self) -> String {
        format!("{} {}", if self.is_vm() { "VM" } else { "CT" }, self.vmid)
    }

    /// As part of a sentence.
    pub fn word(&self) -> &'static str {
        if self.is_vm() { "VM" } else { "container" }
    }

    /// The command line tool of its kind.
    pub fn tool(&self) -> &'static str {
        if self.is_vm() { "qm" } else { "pct" }
    }
}

/// The API's path of a node and what comes below it.
pub fn node_path(node: &str, tail: &str) -> String {
    format!("/nodes/{}{tail}", segment(node))
}

/// The VMID that a guest's id is; `None` for what can be none, as Proxmox writes them.
pub fn vmid_of(name: &GuestName) -> Option<u32> {
    let text = name.as_str();
    let vmid: u32 = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    (VMIDS.contains(&vmid) && !text.starts_with('0')).then_some(vmid)
}

/// The id of the guest with this VMID.
pub fn id_of(kind: BackendKind, vmid: u32) -> Option<GuestId> {
    Some(GuestId::new(kind, GuestName::found(&vmid.to_string()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vmid_is_read_only_as_proxmox_writes_it() {
        let read = |text| GuestName::found(text).ok().and_then(|name| vmid_of(&name));
        assert_eq!(read("101"), Some(101));
        for text in ["99", "0101", "101a", "1e3", "1000000000", "99999999999999999999", "web1"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(
            id_of(BackendKind::ProxmoxVm, 101).map(|id| id.to_string()),
            Some("proxmox-vm/101".into())
        );
    }

    #[test]
    fn a_node_from_the_wire_stays_one_segment() {
        let place = Place { kind: BackendKind::ProxmoxLxc, node: "a/b?c".into(), vmid: 101 };
        assert_eq!(place.path("/config"), "/nodes/a%2Fb%3Fc/lxc/101/config");
    }
}
