//! What Proxmox answers about guests.

use serde::Deserialize;

use super::super::num::{Part, Rows, flag, float, list, text, uint};

/// One guest, node or storage of `GET /cluster/resources`. Its numbers are `pvestatd`'s, up to 10 s old; existence, lock
/// and tags are those of now.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// `lxc`, `qemu`, `node`, `storage`, ...
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "uint")]
    pub vmid: Option<u64>,
    #[serde(deserialize_with = "text")]
    pub node: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    /// Of a guest `running`, `stopped`, `unknown`, a paused VM being `running`; of a node `online`, `offline`,
    /// `unknown`; of a storage `available`, `unknown`.
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub template: bool,
    #[serde(deserialize_with = "text")]
    pub tags: Option<String>,
    #[serde(deserialize_with = "text")]
    pub pool: Option<String>,
    #[serde(deserialize_with = "text")]
    pub lock: Option<String>,
    /// Seconds; 0 unless it runs.
    #[serde(deserialize_with = "uint")]
    pub uptime: Option<u64>,
    /// Processor use, as a part of `maxcpu`. Proxmox may answer a little less than nothing.
    #[serde(deserialize_with = "float")]
    pub cpu: Option<f64>,
    /// Processors of a node, and those that a guest may use.
    #[serde(deserialize_with = "float")]
    pub maxcpu: Option<f64>,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub mem: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub maxmem: Option<u64>,
    /// Bytes of a storage that are in use.
    #[serde(deserialize_with = "uint")]
    pub disk: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub maxdisk: Option<u64>,
    /// Bytes since the guest's start.
    #[serde(deserialize_with = "uint")]
    pub diskread: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub diskwrite: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub netin: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub netout: Option<u64>,
    /// A storage's name.
    #[serde(deserialize_with = "text")]
    pub storage: Option<String>,
    #[serde(deserialize_with = "text")]
    pub plugintype: Option<String>,
    /// All nodes see the same storage.
    #[serde(deserialize_with = "flag")]
    pub shared: bool,
}

/// `GET /nodes/N/{lxc,qemu}/ID/status/current`: as the guest is now.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Current {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    /// `running` or `stopped`.
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    /// A VM's own state, in QEMU's words: `running`, `paused`, `prelaunch`, `io-error`, ...
    #[serde(deserialize_with = "text")]
    pub qmpstatus: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub template: bool,
    #[serde(deserialize_with = "text")]
    pub tags: Option<String>,
    #[serde(deserialize_with = "text")]
    pub lock: Option<String>,
    /// Seconds; 0 unless it runs, and in the first second.
    #[serde(deserialize_with = "uint")]
    pub uptime: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub pid: Option<u64>,
    /// Processor use, as a part of all that it may use. Proxmox may answer a little less than nothing.
    #[serde(deserialize_with = "float")]
    pub cpu: Option<f64>,
    /// Processors it may use.
    #[serde(deserialize_with = "float")]
    pub cpus: Option<f64>,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub mem: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub maxmem: Option<u64>,
    pub ha: Part<Ha>,
}

impl Current {
    /// The cluster's HA manager starts and stops it; Proxmox's own tasks then only ask that manager.
    pub fn is_ha_managed(&self) -> bool {
        self.ha.0.as_ref().is_some_and(|ha| ha.managed)
    }
}

/// Who keeps a guest available.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Ha {
    #[serde(deserialize_with = "flag")]
    pub managed: bool,
}

/// One interface, of `GET .../lxc/ID/interfaces` and of the guest agent in a VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Interface {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(rename = "ip-addresses", deserialize_with = "list")]
    pub addresses: Rows<Address>,
    /// `ADDRESS/PREFIX`, of older versions.
    #[serde(deserialize_with = "text")]
    pub inet: Option<String>,
    /// As `inet`.
    #[serde(deserialize_with = "text")]
    pub inet6: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Address {
    #[serde(rename = "ip-address", deserialize_with = "text")]
    pub address: Option<String>,
}

/// The guest agent's answer to `network-get-interfaces`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AgentInterfaces {
    #[serde(deserialize_with = "list")]
    pub result: Rows<Interface>,
}

/// One setting of `GET .../pending`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Pending {
    #[serde(deserialize_with = "text")]
    pub key: Option<String>,
    #[serde(deserialize_with = "text")]
    pub value: Option<String>,
    /// What it will be.
    #[serde(deserialize_with = "text")]
    pub pending: Option<String>,
    /// It will be removed: 1, or 2 where that is forced.
    #[serde(deserialize_with = "flag")]
    pub delete: bool,
}

/// One snapshot of `GET .../snapshot`; the one named `current` is the guest itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SnapshotRow {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub description: Option<String>,
    /// Seconds since 1970.
    #[serde(deserialize_with = "uint")]
    pub snaptime: Option<u64>,
    #[serde(deserialize_with = "text")]
    pub parent: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub vmstate: bool,
}

/// `GET .../feature?feature=F`: whether the guest's storage can do that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Feature {
    #[serde(rename = "hasFeature", deserialize_with = "flag")]
    pub has: bool,
}

/// One task of `GET /nodes/N/tasks` or `GET /cluster/tasks`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TaskRow {
    #[serde(deserialize_with = "text")]
    pub upid: Option<String>,
    /// `vzsuspend`, `vzstart`, ...
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// The guest's VMID, where it is about one.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    /// `OK`, an error, or nothing while it runs.
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    /// Seconds since 1970.
    #[serde(deserialize_with = "uint")]
    pub starttime: Option<u64>,
    /// Seconds since 1970; nothing while it runs.
    #[serde(deserialize_with = "uint")]
    pub endtime: Option<u64>,
    /// When its process began, in the kernel's ticks: the order of two in one second.
    #[serde(deserialize_with = "uint")]
    pub pstart: Option<u64>,
}

impl TaskRow {
    /// The cluster's list has no status then, a node's has `RUNNING`.
    pub fn is_running(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "RUNNING")
    }
}
