//! UPIDs: the names of Proxmox's tasks.

use std::{fmt, str::FromStr};

use crate::domain::{
    guest::{BackendKind, GuestId},
    name::GuestName,
};

use super::place::{id_of, vmid_of};

/// Longest that is taken for one.
const LONGEST: usize = 512;

/// A task's name: `UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upid {
    text: String,
    node: String,
    kind: String,
    id: String,
    user: String,
    /// Seconds since 1970, in hexadecimal digits.
    started: String,
}

/// Kinds about a guest of either sort, by the name that Proxmox's own code gives to `fork_worker`.
const EITHER: [&str; 10] = [
    "vzdump",
    "resize",
    "hastart",
    "hastop",
    "hashutdown",
    "hamigrate",
    "vncproxy",
    "spiceproxy",
    "termproxy",
    "pbs-download",
];
/// Kinds about a container whose names do not begin as the others' do.
const OF_CONTAINERS: [&str; 3] = ["move_volume", "pull_file", "push_file"];

/// The text is no UPID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” names no task of Proxmox")]
pub struct NoUpid(String);

impl FromStr for Upid {
    type Err = NoUpid;
    fn from_str(text: &str) -> Result<Self, NoUpid> {
        let no = || NoUpid(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let is_plain = |part: &str, more: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let parts: Vec<&str> = text.split(':').collect();
        // The worker's numbers are Proxmox's affair.
        let &["UPID", node, _, _, started, kind, id, user, ""] = parts.as_slice() else { return Err(no()) };
        let is_one = text.len() <= LONGEST
            && !text.chars().any(|c| c.is_control() || c.is_whitespace())
            && is_plain(node, "-")
            && is_plain(kind, "-_")
            && !user.is_empty();
        if !is_one {
            return Err(no());
        }
        Ok(Self {
            text: text.to_owned(),
            node: node.to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
            started: started.to_owned(),
        })
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Upid {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The node that the task runs on. Any node of the cluster can be asked about it.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// What kind of task: `vzstart`, `qmclone`, `vzdump`, ...
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What it is about; empty where it does not say.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As whom it runs: `root@pam`, `alice@pve!dash`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// When it began, milliseconds since 1970, whole seconds.
    pub fn started_ms(&self) -> Option<i64> {
        u32::from_str_radix(&self.started, 16).ok().map(|seconds| i64::from(seconds) * 1000)
    }

    /// The guest it is about, where its kind tells which sort of guest that is.
    pub fn guest(&self) -> Option<GuestId> {
        let backend = match self.kind.as_str() {
            kind if EITHER.contains(&kind) => return None,
            kind if kind.starts_with("vz") || OF_CONTAINERS.contains(&kind) => BackendKind::ProxmoxLxc,
            kind if kind.starts_with("qm") => BackendKind::ProxmoxVm,
            _ => return None,
        };
        id_of(backend, self.vmid()?)
    }

    /// The VMID of the guest it is about, where that can be of either sort.
    pub fn guest_of_either_sort(&self) -> Option<u32> {
        self.vmid().filter(|_| EITHER.contains(&self.kind.as_str()))
    }

    fn vmid(&self) -> Option<u32> {
        vmid_of(&GuestName::found(&self.id).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_upid_tells_node_kind_and_guest() {
        let text = "UPID:vm:00001EDE:000793E5:6B03502B:vzcreate:150:alice@pve!dash:";
        let upid: Upid = text.parse().unwrap();
        assert_eq!((upid.as_str(), upid.node(), upid.kind()), (text, "vm", "vzcreate"));
        assert_eq!(upid.guest().unwrap().to_string(), "proxmox-lxc/150");
        assert_eq!((upid.id(), upid.user()), ("150", "alice@pve!dash"));
        assert_eq!(upid.started_ms(), Some(1_795_379_243_000));
        let backup: Upid = "UPID:a:1:2:x:vzdump:100:jürg@ldap:".parse().unwrap();
        assert_eq!((backup.guest(), backup.guest_of_either_sort()), (None, Some(100)));
        assert_eq!((backup.started_ms(), backup.user()), (None, "jürg@ldap"));
        assert_eq!(upid.guest_of_either_sort(), None);
        let guest = |text: &str| text.parse::<Upid>().unwrap().guest().map(|guest| guest.to_string());
        assert_eq!(guest("UPID:a-b:1:2:3:qmstart:100:root@pam:").as_deref(), Some("proxmox-vm/100"));
        assert_eq!(guest("UPID:a:1:2:3:vzdump:100:root@pam:"), None);
        assert_eq!(guest("UPID:a:1:2:3:download:debian-12.iso:root@pam:"), None);
        assert_eq!(guest("UPID:a:1:2:3:srvreload:networking:root@pam:"), None);
        assert_eq!(guest("UPID:a:1:2:3:vzdestroy::root@pam:"), None);
        assert_eq!(guest("UPID:a:1:2:3:move_volume:100:root@pam:").as_deref(), Some("proxmox-lxc/100"));
        assert_eq!(guest("UPID:a:1:2:3:cephcreatepool:100:root@pam:"), None, "a pool may have any name");
        assert_eq!(guest("UPID:a:1:2:3:qmstart:99:root@pam:"), None);
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_upid() {
        for text in [
            "",
            "OK",
            "UPID",
            "UPID:::::::::",
            "UPID:../x:1:2:3:vzstart:100:root@pam:",
            "UPID:a/b:1:2:3:vzstart:100:root@pam:",
            "UPID:..:1:2:3:vzstart:100:root@pam:",
            "UPID:a:1:2:3:vzstart:100:root@pam",
            "UPID:a:1:2:3:vzstart:100:root@pam:x",
            "UPID:a:1:2:3:vz/start:100:root@pam:",
            "UPID:a:1:2:3:vzstart:100:root@pam\n:",
            "UPID:a:1:2:3:vzstart:100:root @pam:",
            "UPID:a:1:2:3:vzstart:100:\u{1b}[2J@pam:",
            "UPID:ä:1:2:3:vzstart:100:root@pam:",
            &format!("UPID:a:1:2:3:vzstart:{}:root@pam:", "1".repeat(600)),
        ] {
            assert!(text.parse::<Upid>().is_err(), "{text:?}");
        }
    }
}
