//! The host: which backends it has and what they can do.

use serde::{Deserialize, Serialize};

use super::guest::BackendKind;

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
}

/// What can be chosen when a guest is made on this host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateOptions {
    /// Installed LXC templates by name, sorted.
    pub lxc_templates: Vec<String>,
    /// Bundles found where this host keeps them, absolute paths; any other path can be typed.
    pub crun_bundles: Vec<String>,
}
