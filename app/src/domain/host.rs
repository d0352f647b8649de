//! The host and its cluster: which backends there are and what they can do, nodes, images.

use serde::{Deserialize, Serialize};

use super::{action::GuestAction, guest::BackendKind};

/// Whether a backend's tool can be used, and if not, what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// The tool's version, as it tells it.
    Available { version: String },
    /// One sentence of what is wrong, one of what to do. The other backends go on working.
    Unavailable { reason: String, cure: String },
}

impl Availability {
    pub fn is_available(&self) -> bool {
        matches!(self, Self::Available { .. })
    }
}

/// One backend of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendState {
    pub kind: BackendKind,
    pub availability: Availability,
    /// What it cannot do at all, whatever the guest: read by pages before anybody asks.
    #[serde(default)]
    pub lacks: Vec<Lack>,
}

impl BackendState {
    /// Why this backend cannot do that, `None` if it can.
    pub fn lack(&self, action: GuestAction) -> Option<&str> {
        self.lacks.iter().find(|lack| lack.action == action).map(|lack| lack.reason.as_str())
    }
}

/// An action that a backend does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    pub action: GuestAction,
    /// Why, one sentence.
    pub reason: String,
}

/// What can be chosen when a guest is made on this host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateOptions {
    /// Installed LXC templates by name, sorted.
    pub lxc_templates: Vec<String>,
    /// Bundles found where this host keeps them, absolute paths; any other path can be typed.
    pub crun_bundles: Vec<String>,
}

/// Something a guest can be made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What to name when a guest is made from it: a template's name, a volume, a path.
    pub id: String,
    pub kind: ImageKind,
    /// The cluster's node it is on; `None` for this host itself, or for all.
    pub node: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    pub description: String,
}

/// What kind of thing an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageKind {
    /// One of LXC's installed template scripts.
    LxcTemplate,
    /// A bundle on the host.
    Bundle,
    /// A tag of an OCI image layout on the host.
    OciLayout,
    /// A container template in a Proxmox storage.
    OsTemplate,
    /// In the appliance index, to be downloaded.
    Appliance,
    Iso,
    /// A disk image that can be imported.
    DiskImage,
}

impl ImageKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LxcTemplate => "lxc-template",
            Self::Bundle => "bundle",
            Self::OciLayout => "oci-layout",
            Self::OsTemplate => "os-template",
            Self::Appliance => "appliance",
            Self::Iso => "iso",
            Self::DiskImage => "disk-image",
        }
    }
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    Online,
    /// It is said to be there, but nothing new has been measured on it for long.
    Silent,
    #[default]
    Offline,
}

impl NodeState {
    pub fn of(is_online: bool) -> Self {
        if is_online { Self::Online } else { Self::Offline }
    }

    /// A guest can be put there.
    pub fn is_online(self) -> bool {
        self != Self::Offline
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Silent => "silent",
            Self::Offline => "offline",
        }
    }
}

/// A machine that guests run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    pub state: NodeState,
    /// Of Proxmox VE, else of the kernel.
    pub version: String,
    /// Processor use now, thousandths of all cores together.
    pub cpu_permille: Option<u32>,
    pub cores: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
    pub memory_total: Option<u64>,
    /// The load averages of 1, 5 and 15 minutes, as the kernel writes them.
    pub load: Vec<String>,
    /// Since boot, seconds.
    pub uptime_seconds: Option<u64>,
    pub storages: Vec<Storage>,
    pub networks: Vec<Network>,
    /// What could not be read of it, one sentence.
    pub note: Option<String>,
}

/// A place for disks, images and backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    pub name: String,
    /// `dir`, `lvmthin`, `zfspool`, ...
    pub kind: String,
    /// What may be put there: `images`, `rootdir`, `vztmpl`, `iso`, `backup`, `import`, ...; sorted.
    pub content: Vec<String>,
    /// Bytes.
    pub used: Option<u64>,
    pub total: Option<u64>,
    pub is_active: bool,
}

/// A network interface of a node that guests can be put on, or that carries them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub name: String,
    /// `bridge`, `bond`, `eth`, ...
    pub kind: String,
    pub address: Option<String>,
    pub is_active: bool,
}
