//! What Paddock needs to know from a container's `config` file. Format: lxc.container.conf(5).
//!
//! Not a validator: LXC itself says what is wrong with a file. Whatever cannot be understood here is left out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::backend::{Error, files};

/// Most that is read of one configuration file, bytes.
const FILE_CAP: u64 = 256 * 1024;
/// Most files that are read for one container; `lxc.include` may form a circle.
const MOST_FILES: usize = 64;

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
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    pub kind: String,
    /// The host's bridge or interface.
    pub link: String,
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

    fn set(&mut self, key: &str, value: &str) {
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match key {
            "lxc.rootfs.path" => self.rootfs = text(),
            "lxc.rootfs.managed" => self.unmanaged = value == "0",
            "lxc.start.auto" => self.autostart = value == "1",
            "lxc.uts.name" => self.host_name = text(),
            "lxc.arch" => self.architecture = text(),
            "lxc.idmap" => self.has_id_map = !value.is_empty(),
            "lxc.net" if value.is_empty() => self.networks.clear(),
            _ => self.set_network(key, value),
        }
    }

    fn set_network(&mut self, key: &str, value: &str) {
        let Some((number, key)) = key.strip_prefix("lxc.net.").and_then(|rest| rest.split_once('.')) else {
            return;
        };
        let Ok(number) = number.parse() else { return };
        match key {
            "type" => self.networks.entry(number).or_default().kind = value.to_owned(),
            "link" => self.networks.entry(number).or_default().link = value.to_owned(),
            _ => {}
        }
    }
}

/// Reads a container's settings; `None` if the file does not exist.
pub fn read(path: &Path) -> Result<Option<ContainerConfig>, Error> {
    let Some((text, _)) = files::read_capped(path, FILE_CAP)? else { return Ok(None) };
    let mut reading =
        Reading { config: ContainerConfig::default(), files_left: MOST_FILES, open: Vec::new() };
    reading.open.push(path.to_owned());
    reading.apply(&text);
    Ok(Some(reading.config))
}

struct Reading {
    config: ContainerConfig,
    files_left: usize,
    /// The file being read and those that include it.
    open: Vec<PathBuf>,
}

impl Reading {
    /// In the order of the lines, so that a later line wins over an included file and the other way round.
    fn apply(&mut self, text: &str) {
        for (key, value) in lines(text) {
            if key == "lxc.include" { self.include(Path::new(value)) } else { self.config.set(key, value) }
        }
    }

    /// A file, or all `*.conf` files of a directory. One that cannot be read is LXC's to complain about.
    fn include(&mut self, path: &Path) {
        let mut paths = vec![path.to_owned()];
        if path.is_dir() {
            let mut names = files::names(path).unwrap_or_default();
            names.retain(|name| name.ends_with(".conf"));
            names.sort_unstable();
            paths = names.iter().map(|name| path.join(name)).collect();
        }
        for path in paths {
            let Some(left) = self.files_left.checked_sub(1) else { return };
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

/// `key = value`, without comments, blanks around either and quotes around the value.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let (key, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        Some((key.trim(), unquoted(value.trim())))
    })
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(text: &str) -> ContainerConfig {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        fs::write(&path, text).unwrap();
        read(&path).unwrap().unwrap()
    }

    #[test]
    fn a_config_as_lxc_create_writes_it_is_understood() {
        let config = of("# Template used: busybox\n#lxc.include = /none\n\nlxc.net.0.type = veth\n\
            lxc.net.0.link = lxcbr0\nlxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs\nlxc.uts.name = \"c1\"\n\
              lxc.start.auto=1\nlxc.mount.entry = shm dev/shm tmpfs defaults,create=dir 0 0\n");
        assert_eq!(config.rootfs_directory(), Some("/var/lib/lxc/c1/rootfs"));
        assert_eq!(config.host_name.as_deref(), Some("c1"));
        assert!(config.autostart && !config.unmanaged && !config.has_id_map);
        assert!(config.networks[&0].needs_link());
        assert_eq!(config.networks[&0].link, "lxcbr0");
    }

    #[test]
    fn a_later_line_wins_and_an_empty_one_clears() {
        let config = of("lxc.net.0.type = veth\nlxc.net.0.link = a\nlxc.net.0.link = b\n");
        assert_eq!(config.networks[&0].link, "b");
        assert_eq!(of("lxc.net.0.type = veth\nlxc.net =\n").networks, BTreeMap::new());
        assert!(!of("lxc.net.0.type = empty\nlxc.net.0.link = gone0\n").networks[&0].needs_link());
    }

    #[test]
    fn an_overlay_is_no_plain_directory() {
        assert_eq!(of("lxc.rootfs.path = overlay:/base:/delta\n").rootfs_directory(), None);
        assert_eq!(of("lxc.rootfs.path = /plain\n").rootfs_directory(), Some("/plain"));
    }

    #[test]
    fn included_files_and_directories_count_and_a_circle_ends() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("conf.d"));
        fs::create_dir(&b).unwrap();
        fs::write(b.join("1.conf"), "lxc.net.3.type = veth\nlxc.net.3.link = br3\n").unwrap();
        fs::write(b.join("ignored"), "lxc.net.4.type = veth\nlxc.net.4.link = br4\n").unwrap();
        fs::write(&a, format!("lxc.include = {}\nlxc.include = {}\n", a.display(), b.display())).unwrap();
        let config = read(&a).unwrap().unwrap();
        assert_eq!(config.networks.keys().copied().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn hostile_lines_are_left_out() {
        let config =
            of("lxc.net.99999999999999999999.link = x\nlxc.net..link = x\n=\n==\nlxc.net.0\n\u{0}=\u{0}\n");
        assert_eq!(config, ContainerConfig::default());
        assert_eq!(read(Path::new("/nonexistent/config")), Ok(None));
    }
}
