//! What Proxmox answers about nodes, their storages and networks, and what guests can be made from.

use serde::Deserialize;

use super::super::num::{Part, flag, float, text, uint};

/// `GET /version` and `GET /nodes/N/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Version {
    #[serde(deserialize_with = "text")]
    pub version: Option<String>,
}

/// One node of `GET /nodes`; of an offline one there is no more than name and status.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeRow {
    #[serde(deserialize_with = "text")]
    pub node: Option<String>,
    /// `online`, `offline`, `unknown`.
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    /// Processor use, as a part of all.
    #[serde(deserialize_with = "float")]
    pub cpu: Option<f64>,
    #[serde(deserialize_with = "uint")]
    pub maxcpu: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub mem: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub maxmem: Option<u64>,
    /// Seconds.
    #[serde(deserialize_with = "uint")]
    pub uptime: Option<u64>,
}

impl NodeRow {
    pub fn is_online(&self) -> bool {
        self.status.as_deref() == Some("online")
    }
}

/// `GET /nodes/N/status`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    /// `pve-manager/9.1.1/d87f3475b6144b2c`.
    #[serde(deserialize_with = "text")]
    pub pveversion: Option<String>,
    pub loadavg: Load,
    pub memory: Part<Memory>,
}

impl NodeStatus {
    /// The version alone.
    pub fn version(&self) -> Option<String> {
        let text = self.pveversion.as_deref()?;
        Some(text.strip_prefix("pve-manager/").unwrap_or(text).split('/').next()?.to_owned())
    }
}

/// Bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Memory {
    #[serde(deserialize_with = "uint")]
    pub used: Option<u64>,
    #[serde(deserialize_with = "uint")]
    pub total: Option<u64>,
}

/// The load averages, as the kernel writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load(pub Vec<String>);

impl<'de> Deserialize<'de> for Load {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let words = value.as_array().into_iter().flatten();
        Ok(Self(
            words
                .filter_map(|word| match word {
                    serde_json::Value::String(text) => Some(text.clone()),
                    serde_json::Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .collect(),
        ))
    }
}

/// One storage of `GET /nodes/N/storage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StorageRow {
    #[serde(deserialize_with = "text")]
    pub storage: Option<String>,
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// Comma-separated, in no order that stays.
    #[serde(deserialize_with = "text")]
    pub content: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub active: bool,
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
    /// All nodes see the same.
    #[serde(deserialize_with = "flag")]
    pub shared: bool,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub used: Option<u64>,
    /// Bytes.
    #[serde(deserialize_with = "uint")]
    pub total: Option<u64>,
}

impl StorageRow {
    /// What may be put there, sorted.
    pub fn contents(&self) -> Vec<String> {
        let words = self.content.as_deref().unwrap_or_default().split(',').map(str::trim);
        let mut words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        words.sort();
        words
    }

    pub fn takes(&self, content: &str) -> bool {
        self.content.as_deref().unwrap_or_default().split(',').any(|word| word.trim() == content)
    }

    pub fn is_usable(&self) -> bool {
        self.active && self.enabled
    }
}

/// One interface of `GET /nodes/N/network`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NetworkRow {
    #[serde(deserialize_with = "text")]
    pub iface: Option<String>,
    /// `bridge`, `bond`, `eth`, `vnet`, ...
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// `ADDRESS/PREFIX`.
    #[serde(deserialize_with = "text")]
    pub cidr: Option<String>,
    #[serde(deserialize_with = "text")]
    pub address: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub active: bool,
}

/// One volume of `GET /nodes/N/storage/S/content`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Volume {
    #[serde(deserialize_with = "text")]
    pub volid: Option<String>,
    /// `vztmpl`, `iso`, `import`, `images`, ...
    #[serde(deserialize_with = "text")]
    pub content: Option<String>,
    #[serde(deserialize_with = "text")]
    pub format: Option<String>,
    /// Bytes; of a disk image what the guest sees.
    #[serde(deserialize_with = "uint")]
    pub size: Option<u64>,
    /// The guest it belongs to.
    #[serde(deserialize_with = "uint")]
    pub vmid: Option<u64>,
}

/// One entry of the appliance index, `GET /nodes/N/aplinfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Appliance {
    /// The file's name, and what is asked for.
    #[serde(deserialize_with = "text")]
    pub template: Option<String>,
    /// `lxc`, or another kind that this Proxmox makes no guest of.
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "text")]
    pub headline: Option<String>,
    #[serde(deserialize_with = "text")]
    pub package: Option<String>,
    #[serde(deserialize_with = "text")]
    pub version: Option<String>,
}
