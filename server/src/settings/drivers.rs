//! From the settings to the backends' drivers.

use std::{path::Path, sync::Arc};

use app::backend::{
    self, Backend,
    crun::{CrunConfig, CrunDriver},
    lxc::{LxcConfig, LxcDriver},
    proxmox::{Client, Credentials, Endpoint, ProxmoxConfig, ProxmoxDriver, Signs, Trust},
};
use app::domain::guest::BackendKind;

use super::{
    Proxmox, Settings, SettingsError,
    proxmox::{self, Account},
};

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
                images: self.crun.images.clone(),
                log_dir: logs.to_owned(),
            })));
        }
        if let Some(proxmox) = &self.proxmox {
            let config = proxmox.config(host)?;
            let containers = ProxmoxDriver::new(BackendKind::ProxmoxLxc, Client::new(&config)?, &config);
            let machines = containers.sibling(BackendKind::ProxmoxVm);
            drivers.extend([Arc::new(containers) as Arc<dyn Backend>, Arc::new(machines)]);
        }
        Ok(drivers)
    }
}

impl Proxmox {
    /// The cluster as its client and drivers take it, with the secret read from its file.
    pub fn config(&self, host: &Host) -> Result<ProxmoxConfig, SettingsError> {
        let secret = self.account.secret()?;
        let endpoint = |endpoint: &proxmox::Endpoint| Endpoint {
            host: endpoint.url.host.clone(),
            port: endpoint.url.port,
            trust: match &endpoint.trust {
                proxmox::Trust::Fingerprint(fingerprint) => Trust::Fingerprint(fingerprint.0),
                proxmox::Trust::Ca(path) => Trust::Ca(path.clone()),
            },
        };
        // Proxmox calls a node by its host's name without the domain.
        let this_node = || host.name.split('.').next().filter(|_| host.is_proxmox).map(str::to_owned);
        Ok(ProxmoxConfig {
            endpoints: self.endpoints.iter().map(endpoint).collect(),
            credentials: match &self.account {
                Account::Token { id, .. } => Credentials::Token { id: id.clone(), secret },
                Account::Password { user, .. } => {
                    Credentials::Password { user: user.clone(), password: secret }
                }
            },
            node: self.node.clone(),
            local_node: self.local_node.clone().or_else(this_node),
            signs: host.is_proxmox.then(Signs::default),
            timeout: self.timeout,
            concurrency: self.concurrency,
        })
    }
}
