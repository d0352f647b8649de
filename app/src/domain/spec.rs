//! What a new guest is made from, and what can be changed of one.

use serde::{Deserialize, Serialize};

use super::{guest::BackendKind, name::GuestName, secret::Secret};

pub use super::limits::{BadCpus, Cpus, Limits};

/// A new guest: its name and all that the backend needs to make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRequest {
    /// What people will call it. With Proxmox the host name; the guest's id is its VMID.
    pub name: GuestName,
    pub spec: CreateSpec,
    /// Start it as the last step.
    pub start: bool,
}

impl CreateRequest {
    /// Made, and not started.
    pub fn of(name: GuestName, spec: CreateSpec) -> Self {
        Self { name, spec, start: false }
    }
}

/// What a new guest is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreateSpec {
    /// An LXC container by one of the installed templates (`busybox`, `download`, ...). The arguments go to the
    /// template script as they are, one argv word each.
    LxcTemplate {
        template: String,
        arguments: Vec<String>,
        limits: Limits,
        network: Option<LxcNetwork>,
    },
    /// An LXC container from two archives on the host: image metadata and root file system, absolute paths.
    LxcLocal {
        metadata: String,
        rootfs: String,
        limits: Limits,
        network: Option<LxcNetwork>,
    },
    /// An LXC container from an OCI image, by LXC's own template `oci`: `docker://...`, `oci:DIR:TAG`.
    LxcOci {
        image: String,
        limits: Limits,
        network: Option<LxcNetwork>,
    },
    /// An OCI container from a bundle on the host: absolute path of a directory with `config.json` and a root
    /// file system.
    CrunBundle {
        bundle: String,
    },
    /// An OCI container from an image.
    CrunImage(OciSpec),
    ProxmoxLxc(ContainerSpec),
    ProxmoxVm(VmSpec),
}

impl CreateSpec {
    pub fn backend(&self) -> BackendKind {
        match self {
            Self::LxcTemplate { .. } | Self::LxcLocal { .. } | Self::LxcOci { .. } => BackendKind::Lxc,
            Self::CrunBundle { .. } | Self::CrunImage(_) => BackendKind::Crun,
            Self::ProxmoxLxc(_) => BackendKind::ProxmoxLxc,
            Self::ProxmoxVm(_) => BackendKind::ProxmoxVm,
        }
    }

    /// Whether the new guest gets the next free number for an id.
    pub fn takes_next_id(&self) -> bool {
        match self {
            Self::ProxmoxLxc(spec) => spec.vmid.is_none(),
            Self::ProxmoxVm(spec) => spec.vmid.is_none(),
            _ => false,
        }
    }
}

/// The network interface of a new LXC container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LxcNetwork {
    /// Loopback alone.
    None,
    /// A veth pair on a bridge of the host. The address is `ADDRESS/PREFIX`; without one it is the guest's affair
    /// (DHCP).
    Bridge { bridge: String, address: Option<String>, gateway: Option<String> },
}

/// A new OCI container from an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OciSpec {
    pub image: OciImage,
    /// Replaces the image's own command; empty keeps it.
    pub command: Vec<String>,
    /// Added to the image's own environment, or in place of a variable there.
    pub env: Vec<(String, String)>,
    pub mounts: Vec<BindMount>,
    pub limits: Limits,
    /// Shares the host's network; otherwise it has loopback alone.
    pub host_network: bool,
}

/// Where an OCI image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OciImage {
    /// From a registry: `docker.io/library/alpine:3.20`.
    Registry(String),
    /// An OCI image layout on the host: absolute path of the directory, and a tag in it.
    Layout { path: String, tag: String },
    /// An archive on the host, absolute path: `docker save` or an OCI archive.
    Archive { path: String },
}

/// A directory or file of the host seen inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindMount {
    /// Absolute path on the host.
    pub source: String,
    /// Absolute path inside.
    pub target: String,
    pub read_only: bool,
}

/// One network interface of a Proxmox guest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxmoxNetwork {
    pub bridge: String,
    /// `dhcp`, or `ADDRESS/PREFIX`; `None` leaves the interface without. For a VM it is given by cloud-init.
    pub address: Option<String>,
    pub gateway: Option<String>,
    pub vlan: Option<u16>,
    pub firewall: bool,
}

/// A new Proxmox container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// `None`: the node that Paddock prefers.
    pub node: Option<String>,
    /// `None`: the cluster's next free one.
    pub vmid: Option<u32>,
    /// A template's volume (`local:vztmpl/debian-12...tar.zst`), or the name of one in the appliance index, which
    /// is then downloaded first.
    pub template: String,
    /// `None`: the first storage of the node that takes root file systems.
    pub storage: Option<String>,
    /// GiB.
    pub disk_gib: u32,
    pub cpu: Option<Cpus>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub swap: Option<u64>,
    pub networks: Vec<ProxmoxNetwork>,
    pub password: Option<Secret>,
    /// Public keys, one line each.
    pub ssh_keys: Vec<String>,
    pub unprivileged: bool,
    pub nesting: bool,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub start_at_boot: bool,
}

impl ContainerSpec {
    /// Unprivileged, 4 GiB of disk, everything else as Proxmox does it.
    pub fn of(template: impl Into<String>) -> Self {
        Self {
            node: None,
            vmid: None,
            template: template.into(),
            storage: None,
            disk_gib: 4,
            cpu: None,
            memory: None,
            swap: None,
            networks: Vec::new(),
            password: None,
            ssh_keys: Vec::new(),
            unprivileged: true,
            nesting: false,
            description: None,
            tags: Vec::new(),
            start_at_boot: false,
        }
    }
}

/// What a new VM starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VmSource {
    /// A volume with a disk image, copied into the VM's first disk: `local:import/debian-12.qcow2`.
    CloudImage(String),
    /// A volume with an installer: `local:iso/debian-12.iso`. The first disk is empty.
    Iso(String),
    /// An empty first disk, booted from the network.
    Empty,
}

/// A VM's firmware.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bios {
    #[default]
    SeaBios,
    /// UEFI; a small disk for its variables is made on the same storage.
    Ovmf,
}

/// What cloud-init tells the VM at its first start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudInit {
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Public keys, one line each.
    pub ssh_keys: Vec<String>,
}

/// A new Proxmox VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmSpec {
    pub node: Option<String>,
    pub vmid: Option<u32>,
    pub source: VmSource,
    /// `None`: the first storage of the node that takes disk images.
    pub storage: Option<String>,
    /// Of the first disk, GiB. A cloud image is grown to it.
    pub disk_gib: u32,
    /// Further empty disks, GiB each.
    pub more_disks_gib: Vec<u32>,
    pub cores: Option<u32>,
    pub sockets: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
    pub bios: Bios,
    pub networks: Vec<ProxmoxNetwork>,
    pub cloud_init: Option<CloudInit>,
    /// The guest agent is expected inside.
    pub agent: bool,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub start_at_boot: bool,
}

impl VmSpec {
    /// 8 GiB of disk, everything else as Proxmox does it.
    pub fn of(source: VmSource) -> Self {
        Self {
            node: None,
            vmid: None,
            source,
            storage: None,
            disk_gib: 8,
            more_disks_gib: Vec::new(),
            cores: None,
            sockets: None,
            memory: None,
            bios: Bios::SeaBios,
            networks: Vec::new(),
            cloud_init: None,
            agent: true,
            description: None,
            tags: Vec::new(),
            start_at_boot: false,
        }
    }
}

/// A copy of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneSpec {
    /// What people will call the copy.
    pub name: GuestName,
    /// Proxmox: its VMID; `None`: the cluster's next free one.
    pub vmid: Option<u32>,
    /// Shares the original's disk and holds only what differs: Proxmox's linked clone (of a template), LXC's
    /// snapshot clone.
    pub linked: bool,
    /// The state to copy: a snapshot of the original, else as it is now.
    pub snapshot: Option<String>,
    pub storage: Option<String>,
    /// Proxmox: another node to make it on.
    pub node: Option<String>,
}

/// What to change of a guest; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changes {
    pub cpu: Option<Cpus>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub swap: Option<u64>,
    pub pids: Option<u64>,
    /// Empty removes it.
    pub description: Option<String>,
    /// All tags it shall have.
    pub tags: Option<Vec<String>>,
    pub start_at_boot: Option<bool>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a backup is taken of a running guest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupMode {
    /// From a snapshot, the guest goes on.
    #[default]
    Snapshot,
    /// The guest is paused meanwhile.
    Suspend,
    /// The guest is shut down and started again.
    Stop,
}

impl BackupMode {
    pub const ALL: [Self; 3] = [Self::Snapshot, Self::Suspend, Self::Stop];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Suspend => "suspend",
            Self::Stop => "stop",
        }
    }
}
