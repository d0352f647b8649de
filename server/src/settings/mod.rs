//! SETTINGS: what Paddock is told before it starts: by options, by the environment, by one file.
//!
//! ```text
//!   keys ──► options (clap)   sample   show
//!     │
//!     ▼
//!   option > variable > file > default ──layers──► Settings ──drivers──► the registry's backends
//! ```
//!
//! One table, [`keys`], says of each key how it is written, what it means and how it is read; all else is made from
//! it. It is read by a small layer of our own over the `toml` crate, because an error has to name file, line and
//! key, and a misspelt key has to be one. Of the crates for layered settings, tried on the same five wrong files,
//! none does: figment 0.10 and config 0.15 name file and key but no line (config not even the file for an unknown
//! key), and confique 0.4 takes unknown keys and sections without a word. `toml` keeps the place of every key and
//! value, which is all that is needed.
//!
//! Secrets are never among the settings, only the files that hold them; those are read when the drivers are made.

mod drivers;
mod endpoint;
mod error;
mod file;
mod key;
mod keys;
mod layers;
mod list;
mod networks;
mod options;
mod proxmox;
mod read;
mod rules;
mod sample;
mod secret;
mod show;

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use app::{backend::routing::Routing, domain::guest::BackendKind};
use ipnet::IpNet;

use error::{Place, Problem};
use file::SettingsFile;
use key::Info;
use layers::{Effective, Environment, Layers, at_key};

pub use drivers::{DriversError, Host};
pub use error::SettingsError;
pub use options::Options;
pub use proxmox::Proxmox;
pub use sample::sample;

/// The settings file of a host where nobody names another. It need not be there.
pub const DEFAULT_FILE: &str = "/etc/paddock/paddock.toml";
/// The variable that names another.
pub const FILE_VARIABLE: &str = "PADDOCK_CONFIG";

/// All settings, checked. [`keys`] says what each means.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub server: Server,
    pub accounts: Accounts,
    pub operations: Operations,
    pub history: History,
    pub lxc: Lxc,
    pub crun: Crun,
    /// `None` where no cluster is set up.
    pub proxmox: Option<Proxmox>,
    pub routing: Routing,
    /// The file that was read.
    file: Option<PathBuf>,
    /// Every key in the order of the sample.
    effective: Vec<Effective>,
}

/// The dashboard itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub addr: SocketAddr,
    pub data: PathBuf,
    pub https: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub site: Option<PathBuf>,
}

/// Accounts of Paddock's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    pub require_second_factor: bool,
}

/// What is done to guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations {
    /// Of one backend.
    pub at_once: usize,
}

/// How long the history stays in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// `None`: for ever.
    pub keep_days: Option<u32>,
    pub archive_dir: Option<PathBuf>,
}

impl History {
    /// The directory of archives.
    pub fn archives(&self, data: &Path) -> PathBuf {
        self.archive_dir.clone().unwrap_or_else(|| data.join("archive"))
    }
}

/// Plain LXC on this host. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lxc {
    pub enabled: bool,
    pub path: PathBuf,
    pub create_config: Option<PathBuf>,
    pub templates: PathBuf,
}

/// crun on this host. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crun {
    pub enabled: bool,
    pub root: PathBuf,
    pub bundles: PathBuf,
    pub images: PathBuf,
}

impl Settings {
    /// From the environment and one file: `config`, else what [`FILE_VARIABLE`] names, else [`DEFAULT_FILE`] if it is
    /// there.
    pub fn load(
        config: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SettingsError> {
        Self::load_with(config, environment, &Options::default())
    }

    /// The same, with options of the command line over all.
    pub fn load_with(
        config: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
        options: &Options,
    ) -> Result<Self, SettingsError> {
        Self::load_from(config, &environment, options, Path::new(DEFAULT_FILE))
    }

    /// Every key in the order of the sample, with its value if it has one and the value's place.
    pub fn effective(&self) -> impl Iterator<Item = (&Info, Option<&toml::Value>, &Place)> {
        self.effective.iter().map(|of| (of.key, of.value.as_ref(), &of.place))
    }

    /// Every key with its value, null where it has none, for the ledger: as in [`effective`](Self::effective), so no
    /// secret, only the paths of their files.
    pub fn recorded(&self) -> serde_json::Map<String, serde_json::Value> {
        let value = |value: Option<&toml::Value>| serde_json::to_value(value).unwrap_or_default();
        self.effective().map(|(key, of, _)| (key.to_string(), value(of))).collect()
    }

    fn load_from(
        config: Option<&Path>,
        environment: Environment<'_>,
        options: &Options,
        default_file: &Path,
    ) -> Result<Self, SettingsError> {
        let path = find_file(config, environment, default_file)?;
        let text = path.as_deref().map(file::read).transpose()?;
        let file = match (&path, &text) {
            (Some(path), Some(text)) => Some(SettingsFile::parse(path, text)?),
            _ => None,
        };
        let mut layers = Layers { options: &options.0, environment, file, effective: Vec::new() };
        let server = Server {
            addr: layers.get(&keys::ADDR)?,
            data: layers.get(&keys::DATA)?,
            https: layers.get(&keys::HTTPS)?,
            trusted_proxies: layers.get(&keys::TRUSTED_PROXIES)?,
            site: layers.find(&keys::SITE)?.map(|found| found.value),
        };
        let accounts = Accounts { require_second_factor: layers.get(&keys::REQUIRE_SECOND_FACTOR)? };
        let operations =
            Operations { at_once: usize::try_from(layers.get(&keys::OPERATIONS_AT_ONCE)?).unwrap_or(1) };
        let history = History {
            keep_days: Some(layers.get(&keys::HISTORY_KEEP_DAYS)?).filter(|days| *days > 0),
            archive_dir: layers.find(&keys::HISTORY_ARCHIVE_DIR)?.map(|found| found.value),
        };
        let lxc = Lxc {
            enabled: layers.get(&keys::LXC_ENABLED)?,
            path: layers.get(&keys::LXC_PATH)?,
            create_config: layers.find(&keys::LXC_CREATE_CONFIG)?.map(|found| found.value),
            templates: layers.get(&keys::LXC_TEMPLATES)?,
        };
        let crun = Crun {
            enabled: layers.get(&keys::CRUN_ENABLED)?,
            root: layers.get(&keys::CRUN_ROOT)?,
            bundles: layers.get(&keys::CRUN_BUNDLES)?,
            images: layers.get(&keys::CRUN_IMAGES)?,
        };
        let proxmox = proxmox::read(&mut layers)?;
        let is_set_up = |kind| match kind {
            BackendKind::Lxc => lxc.enabled,
            BackendKind::Crun => crun.enabled,
            BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => proxmox.is_some(),
        };
        if !BackendKind::ALL.into_iter().any(is_set_up) {
            let found = layers.effective.iter().find(|of| *of.key == keys::LXC_ENABLED.info);
            let place = found.map_or(Place::Default, |of| of.place.clone());
            return Err(at_key(place, &keys::LXC_ENABLED.info, Problem::NoBackend.into()));
        }
        let routing = rules::routing(&mut layers, is_set_up)?;
        let effective = layers.effective;
        Ok(Self { server, accounts, operations, history, lxc, crun, proxmox, routing, file: path, effective })
    }
}

fn find_file(
    config: Option<&Path>,
    environment: Environment<'_>,
    default_file: &Path,
) -> Result<Option<PathBuf>, SettingsError> {
    let variable = environment(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let (path, named_by) = match (config, variable) {
        (Some(path), _) => (path.to_owned(), "--config"),
        (None, Some(path)) => (path, FILE_VARIABLE),
        (None, None) => return Ok((!is_absent(default_file)).then(|| default_file.to_owned())),
    };
    if is_absent(&path) { Err(SettingsError::NoFile { path, named_by }) } else { Ok(Some(path)) }
}

/// One that cannot be looked at is not absent: reading it says why.
fn is_absent(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

#[cfg(test)]
mod tests;
