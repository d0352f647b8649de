//! What Paddock needs to know from a container's `config` file. Format: lxc.container.conf(5).
//!
//! Not a validator: LXC itself says what is wrong with a file. Whatever cannot be understood here is left out.
//! [`edit`] changes such a file.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::backend::{Error, files};

pub mod edit;
#[cfg(test)]
mod tests;

/// Most that is read of one configuration file, bytes.
const FILE_CAP: u64 = 256 * 1024;
/// Most files that are read for one container; `lxc.include` may form a circle.
const MOST_FILES: usize = 64;
/// What LXC takes for blank; anything else belongs to a value.
const BLANKS: [char; 3] = [' ', '\t', '\0'];

/// One container's settings, with those of the files it includes. A key set twice has its last value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerConfig {
    /// `lxc.rootfs.path` with its type prefix, as it stands there.
    pub rootfs: Option<String>,
    /// LXC deletes the root file system together with the container, unless `lxc.rootfs.managed = 0`.
    pub unmanaged: bool,
    pub autostart: bool,
    pub host_name: Option<String>,
    pub architecture: Option<String>,
    /// Its root is an ordinary user of the host.
    pub has_id_map: bool,
    /// By the number in `lxc.net.N`.
    pub networks: BTreeMap<u32, Network>,
    /// `lxc.group`, in the order of the file.
    pub groups: Vec<String>,
    /// What follows `lxc.` in the keys of control groups, and their values: `cgroup2.memory.max`.
    pub cgroups: BTreeMap<String, String>,
    /// Names of the variables that `lxc.environment` sets.
    pub environment: Vec<String>,
    /// It names the program of an application (`lxc.execute.cmd`) and no init.
    pub is_application: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    pub kind: String,
    /// The host's bridge or interface.
    pub link: String,
    /// It has a hardware address of its own in the configuration.
    pub has_hardware_address: bool,
}

impl Network {
    /// Whether starting needs the link: `empty` and `none` ignore one.
    pub fn needs_link(&self) -> bool {
        matches!(self.kind.as_str(), "veth" | "macvlan" | "ipvlan" | "vlan" | "phys") && !self.link.is_empty()
    }
}

impl ContainerConfig {
    /// The directory that is the root file system, where it is a plain directory.
    pub fn rootfs_directory(&self) -> Option<&str> {
        let path = self.rootfs.as_deref()?;
        let path = path.strip_prefix("dir:").unwrap_or(path);
        path.starts_with('/').then_some(path)
    }

    /// Its root file system lies over another one's.
    pub fn is_overlay(&self) -> bool {
        self.rootfs
            .as_deref()
            .is_some_and(|path| ["overlay:", "overlayfs:"].iter().any(|kind| path.starts_with(kind)))
    }
}

/// A file or directory that settings were read from, as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    stamp: Option<Stamp>,
}

type Stamp = (u64, i64, i64, u64);

impl Source {
    fn now(path: &Path) -> Self {
        Self { path: path.to_owned(), stamp: stamp(path) }
    }

    pub fn is_unchanged(&self) -> bool {
        stamp(&self.path) == self.stamp
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().map(|found| (found.ino(), found.mtime(), found.mtime_nsec(), found.size()))
}

/// Reads a container's settings; `None` if the file does not exist.
pub fn read(path: &Path) -> Result<Option<ContainerConfig>, Error> {
    Ok(read_with_sources(path)?.map(|(config, _)| config))
}

/// As [`read`], with all that it was read from, also what is not there.
pub fn read_with_sources(path: &Path) -> Result<Option<(ContainerConfig, Vec<Source>)>, Error> {
    let mut reading = Reading { files_left: MOST_FILES, ..Reading::default() };
    // Before it is read, so that a change in between is a change.
    reading.sources.push(Source::now(path));
    let Some((text, _)) = files::read_capped(path, FILE_CAP)? else { return Ok(None) };
    reading.open.push(path.to_owned());
    reading.apply(&text);
    reading.config.is_application = reading.executes && !reading.has_init;
    Ok(Some((reading.config, reading.sources)))
}

#[derive(Default)]
struct Reading {
    config: ContainerConfig,
    files_left: usize,
    /// The file being read and those that include it.
    open: Vec<PathBuf>,
    sources: Vec<Source>,
    executes: bool,
    has_init: bool,
}

impl Reading {
    /// In the order of the lines, so that a later line wins over an included file and the other way round.
    fn apply(&mut self, text: &str) {
        for (key, value) in lines(text) {
            if key == "lxc.include" { self.include(Path::new(value)) } else { self.set(key, value) }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let config = &mut self.config;
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match key {
            "lxc.rootfs.path" => config.rootfs = text(),
            "lxc.rootfs.managed" => config.unmanaged = value == "0",
            "lxc.start.auto" => config.autostart = value == "1",
            "lxc.uts.name" => config.host_name = text(),
            "lxc.arch" => config.architecture = text(),
            "lxc.idmap" => config.has_id_map = !value.is_empty(),
            "lxc.execute.cmd" => self.executes = !value.is_empty(),
            "lxc.init.cmd" => self.has_init = !value.is_empty(),
            "lxc.net" if value.is_empty() => config.networks.clear(),
            "lxc.group" if value.is_empty() => config.groups.clear(),
            "lxc.group" => {
                let groups = value.split([' ', '\t']).filter(|group| !group.is_empty());
                config.groups.extend(groups.map(str::to_owned));
            }
            "lxc.environment" if value.is_empty() => config.environment.clear(),
            "lxc.environment" => {
                config.environment.extend(value.split_once('=').map(|(name, _)| name.to_owned()));
            }
            _ => config.set_numbered(key, value),
        }
    }

    /// A file, or all `*.conf` files of a directory. One that cannot be read is LXC's to complain about.
    fn include(&mut self, path: &Path) {
        let mut paths = vec![path.to_owned()];
        if path.is_dir() {
            self.sources.push(Source::now(path));
            let mut names = files::names(path).unwrap_or_default();
            names.retain(|name| name.ends_with(".conf"));
            names.sort_unstable();
            paths = names.iter().map(|name| path.join(name)).collect();
        }
        for path in paths {
            let Some(left) = self.files_left.checked_sub(1) else { return };
            self.sources.push(Source::now(&path));
            // Only a regular file: opening a pipe would wait for ever.
            if self.open.contains(&path) || !path.is_file() {
                continue;
            }
            self.files_left = left;
            if let Ok(Some((text, _))) = files::read_capped(&path, FILE_CAP) {
                self.open.push(path);
                self.apply(&text);
                self.open.pop();
            }
        }
    }
}

impl ContainerConfig {
    fn set_numbered(&mut self, key: &str, value: &str) {
        if let Some(group) = key.strip_prefix("lxc.").filter(|rest| is_of_cgroup(rest)) {
            if value.is_empty() {
                self.cgroups.remove(group);
            } else {
                self.cgroups.insert(group.to_owned(), value.to_owned());
            }
            return;
        }
        let Some((number, key)) = key.strip_prefix("lxc.net.").and_then(|rest| rest.split_once('.')) else {
            return;
        };
        let Ok(number) = number.parse() else { return };
        match key {
            "type" => self.networks.entry(number).or_default().kind = value.to_owned(),
            "link" => self.networks.entry(number).or_default().link = value.to_owned(),
            "hwaddr" => {
                self.networks.entry(number).or_default().has_hardware_address = !value.is_empty();
            }
            _ => {}
        }
    }
}

fn is_of_cgroup(key: &str) -> bool {
    ["cgroup.", "cgroup2."]
        .iter()
        .any(|version| key.strip_prefix(version).is_some_and(|rest| !rest.is_empty()))
}

/// `key = value` of each line that LXC reads, without blanks around either and quotes around the value.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('\n').filter_map(setting)
}

/// The setting in one line. Comments, and whatever else does not begin with `lxc.`, LXC passes over.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim_start_matches(BLANKS).split_once('=')?;
    key.starts_with("lxc.").then(|| (key.trim_end_matches(BLANKS), unquoted(value.trim_matches(BLANKS))))
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}
