//! Guests: which ones there are and how they are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    name::{GuestName, NameError},
    spec::Changes,
};

/// The tool that runs a guest. Written `proxmox-lxc`, `proxmox-vm`, `lxc`, `crun` in URLs, JSON and the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    ProxmoxLxc,
    ProxmoxVm,
    Lxc,
    Crun,
}

impl BackendKind {
    pub const ALL: [Self; 4] = [Self::ProxmoxLxc, Self::ProxmoxVm, Self::Lxc, Self::Crun];

    /// As in URLs and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProxmoxLxc => "proxmox-lxc",
            Self::ProxmoxVm => "proxmox-vm",
            Self::Lxc => "lxc",
            Self::Crun => "crun",
        }
    }

    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ProxmoxLxc => "Proxmox container",
            Self::ProxmoxVm => "Proxmox VM",
            Self::Lxc => "LXC",
            Self::Crun => "crun",
        }
    }

    /// The same where there is little room: as Proxmox's own pages have it.
    pub fn short_label(self) -> &'static str {
        match self {
            Self::ProxmoxLxc => "CT",
            Self::ProxmoxVm => "VM",
            Self::Lxc | Self::Crun => self.label(),
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no backend that Paddock knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There is no backend of that name; there are proxmox-lxc, proxmox-vm, lxc and crun.")]
pub struct UnknownBackend;

impl FromStr for BackendKind {
    type Err = UnknownBackend;
    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownBackend)
    }
}

/// What tells one guest from every other: its backend and its name there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GuestId {
    pub backend: BackendKind,
    pub name: GuestName,
}

/// Why a pair of texts names no guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuestIdError {
    #[error(transparent)]
    Backend(#[from] UnknownBackend),
    #[error(transparent)]
    Name(#[from] NameError),
}

impl GuestId {
    pub fn new(backend: BackendKind, name: GuestName) -> Self {
        Self { backend, name }
    }

    /// From the two parts of a URL or a database row.
    pub fn parse(backend: &str, name: &str) -> Result<Self, GuestIdError> {
        Ok(Self { backend: backend.parse()?, name: GuestName::found(name)? })
    }

    /// The guest's own page. Needs no escaping: both parts are URL-safe by construction.
    pub fn href(&self) -> String {
        format!("/guests/{}/{}", self.backend, self.name)
    }
}

impl fmt::Display for GuestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.backend, self.name)
    }
}

/// How a guest is right now, in the words of all backends.
///
/// ```text
///                 create                start
///   (nothing) ──► Creating ──► Stopped ───────► Starting ──► Running ◄──► Paused
///                    │            ▲  ▲                          │
///                    ▼            │  └──── Stopping ◄───────────┘ shut down, stop
///                 Unknown      Created (crun: made, its process not yet started)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestStatus {
    Running,
    Stopped,
    Paused,
    /// crun only: the container is set up and waits for `start`.
    Created,
    /// LXC only: `lxc-create` is still at work on it.
    Creating,
    Starting,
    Stopping,
    /// Its real state cannot be told; the guest's note says why.
    Unknown,
}

impl GuestStatus {
    pub const ALL: [Self; 8] = [
        Self::Running,
        Self::Stopped,
        Self::Paused,
        Self::Created,
        Self::Creating,
        Self::Starting,
        Self::Stopping,
        Self::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Created => "created",
            Self::Creating => "creating",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Unknown => "unknown",
        }
    }

    /// Has processes of its own on the host.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Starting | Self::Stopping)
    }
}

impl fmt::Display for GuestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no status word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not the status of a guest")]
pub struct UnknownStatus(pub String);

impl FromStr for GuestStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// One guest as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    pub id: GuestId,
    pub status: GuestStatus,
    /// Of the guest's init on the host; `None` unless it is active.
    pub pid: Option<u32>,
    /// When its init began, in milliseconds since 1970; `None` unless it is active.
    pub started_ms: Option<i64>,
    /// Addresses other than loopback and link-local ones, IPv4 first.
    pub addresses: Vec<String>,
    /// What a person must know about this guest before acting on it, one sentence.
    pub note: Option<String>,
    /// What people call it, where its id is a number: a Proxmox guest's host name.
    #[serde(default)]
    pub title: Option<String>,
    /// The cluster's node that it is on; `None` for this host itself.
    #[serde(default)]
    pub node: Option<String>,
    /// Sorted.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The Proxmox pool that it is in.
    #[serde(default)]
    pub pool: Option<String>,
    /// It is there to be cloned and cannot be started.
    #[serde(default)]
    pub is_template: bool,
    /// What holds the backend's own lock on it: `backup`, `migrate`, ...
    #[serde(default)]
    pub lock: Option<String>,
}

impl Guest {
    /// One of which nothing more is known.
    pub fn new(id: GuestId, status: GuestStatus) -> Self {
        Self {
            id,
            status,
            pid: None,
            started_ms: None,
            addresses: Vec::new(),
            note: None,
            title: None,
            node: None,
            tags: Vec::new(),
            pool: None,
            is_template: false,
            lock: None,
        }
    }

    /// What people call it.
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(self.id.name.as_str())
    }
}

/// A state of a guest that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub name: String,
    /// Milliseconds since 1970.
    pub created_ms: Option<i64>,
    pub description: String,
    /// The snapshot it was taken after.
    pub parent: Option<String>,
    /// It holds the running VM's memory.
    pub memory: bool,
}

/// What the guest's own page shows besides [`Guest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestDetail {
    pub guest: Guest,
    /// Memory in use, bytes.
    pub memory: Option<u64>,
    /// Memory limit, bytes; `None` without a limit.
    pub memory_limit: Option<u64>,
    /// Processor time it may use, thousandths of a core; `None` without a limit.
    #[serde(default)]
    pub cpu_limit: Option<super::limits::Cpus>,
    /// Processor time used since it started, nanoseconds.
    pub cpu_ns: Option<u64>,
    /// What it uses now, thousandths of a core, where the backend measures it.
    #[serde(default)]
    pub cpu_now: Option<super::limits::Cpus>,
    /// Processes and threads in the guest.
    pub tasks: Option<u64>,
    /// Further facts in the backend's own words, in reading order: label and value.
    pub facts: Vec<(String, String)>,
    /// Settings changed but not in force before the next start.
    #[serde(default)]
    pub pending: Vec<Pending>,
    /// How it is set now, of what can be changed of it: what the form of a change starts with.
    #[serde(default)]
    pub settings: Changes,
    /// The configuration file's path and text as they are on disk (cut at [`CONFIG_SHOWN`] bytes).
    pub config: Option<ConfigText>,
}

/// A setting that is another one from the next start on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub label: String,
    /// In force now; `None` where it is not set.
    pub now: Option<String>,
    /// `None` where it will be removed.
    pub next: Option<String>,
}

/// Most of a configuration file that is read for display, bytes.
pub const CONFIG_SHOWN: usize = 64 * 1024;

/// A configuration file as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigText {
    pub path: String,
    pub text: String,
    /// The file is longer than what is shown.
    pub cut: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_reads_back_from_its_own_text() {
        for kind in BackendKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert_eq!("docker".parse::<BackendKind>(), Err(UnknownBackend));
    }

    #[test]
    fn an_id_from_a_url_is_checked_in_both_parts() {
        assert_eq!(GuestId::parse("lxc", "web1").unwrap().href(), "/guests/lxc/web1");
        assert!(matches!(GuestId::parse("lxc", "../x"), Err(GuestIdError::Name(_))));
        assert!(matches!(GuestId::parse("xen", "web1"), Err(GuestIdError::Backend(_))));
    }
}
