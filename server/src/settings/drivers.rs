//! From the settings to the backends' drivers.

use std::{path::Path, sync::Arc};

use app::backend::{
    self, Backend,
    crun::{CrunConfig, CrunDriver},
    lxc::{LxcConfig, LxcDriver},
};

use super::{Settings, SettingsError};

/// What the drivers have to know of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    /// It is a node of Proxmox VE.
    pub is_proxmox: bool,
}

impl Host {
    pub fn read() -> Self {
        let read = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = if read.trim().is_empty() { "host" } else { read.trim() };
        Self { name: name.to_owned(), is_proxmox: Path::new("/etc/pve").exists() }
    }
}

/// Why a backend that is set up has no driver.
#[derive(Debug, thiserror::Error)]
pub enum DriversError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("Cannot use a backend: {0}")]
    Backend(#[from] backend::Error),
}

impl Settings {
    /// The drivers of all backends that are set up. `logs` is where tools that detach write their words until they
    /// are read. Reads the secrets; fails for a path that is not text and so could not be a word of a command.
    pub fn drivers(&self, host: &Host, logs: &Path) -> Result<Vec<Arc<dyn Backend>>, DriversError> {
        let mut drivers: Vec<Arc<dyn Backend>> = Vec::new();
        if self.lxc.enabled {
            drivers.push(Arc::new(LxcDriver::new(LxcConfig {
                lxcpath: self.lxc.path.clone(),
                create_config: self.lxc.create_config.clone(),
                templates: self.lxc.templates.clone(),
                // On a Proxmox host the numbered containers belong to Proxmox.
                skip_numeric: host.is_proxmox,
                log_dir: logs.to_owned(),
            })?));
        }
        if self.crun.enabled {
            drivers.push(Arc::new(CrunDriver::new(CrunConfig {
                root: self.crun.root.clone(),
                bundles: Some(self.crun.bundles.clone()),
                log_dir: logs.to_owned(),
            })));
        }
        Ok(drivers)
    }
}
