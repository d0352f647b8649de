//! A guest's configuration: keys and values as in its file, `GET .../config`.

use std::{cmp::Ordering, collections::BTreeMap};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::num::shown;
use crate::domain::{guest::BackendKind, size};

/// A guest's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    entries: BTreeMap<String, String>,
    /// What a change must name, so that one made in between is not lost.
    pub digest: Option<String>,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let mut config = Self::default();
        for (key, value) in values {
            let key = shown(key);
            match value {
                Value::Null | Value::Object(_) => {}
                // Raw lines of LXC: `[["lxc.apparmor.profile", "unconfined"]]`.
                Value::Array(lines) => config.entries.extend(lines.iter().filter_map(raw_line)),
                Value::Bool(flag) => drop(config.entries.insert(key, u8::from(flag).to_string())),
                Value::Number(number) => drop(config.entries.insert(key, number.to_string())),
                Value::String(text) => drop(config.entries.insert(key, shown(text))),
            }
        }
        config.digest = config.entries.remove("digest");
        Ok(config)
    }
}

fn raw_line(line: &Value) -> Option<(String, String)> {
    let key = line.get(0)?.as_str()?;
    let value = line.get(1)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some((shown(key.to_owned()), shown(text)))
}

/// A disk that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// `rootfs`, `mp0`, `scsi0`, `unused0`, ...
    pub key: String,
    /// `STORAGE:NAME`.
    pub volume: String,
    /// Bytes, where the configuration tells it.
    pub size: Option<u64>,
    /// As the configuration writes it: `8G`.
    pub size_text: Option<String>,
    /// No longer used by the guest, and still there.
    pub is_unused: bool,
}

impl Disk {
    pub fn storage(&self) -> &str {
        self.volume.split(':').next().unwrap_or_default()
    }
}

impl Config {
    /// For tests and facts: of these keys and values.
    #[cfg(test)]
    pub fn of(entries: &[(&str, &str)]) -> Self {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self { entries, digest: Some("d1".to_owned()) }
    }

    /// With this key set, or removed.
    #[must_use]
    pub fn with(mut self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => drop(self.entries.insert(key.to_owned(), value.to_owned())),
            None => drop(self.entries.remove(key)),
        }
        self
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    pub fn uint(&self, key: &str) -> Option<u64> {
        self.get(key)?.trim().parse().ok()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.get(key) == Some("1")
    }

    /// A property string's own value (`1` of `1,fstrim_cloned_disks=1`) or that of this name.
    pub fn property(&self, key: &str, name: &str) -> Option<&str> {
        let mut parts = self.get(key)?.split(',');
        let first = parts.clone().next().filter(|part| !part.contains('='));
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).or(first)
    }

    /// The guest agent is expected in the VM.
    pub fn has_agent(&self) -> bool {
        self.property("agent", "enabled").is_some_and(|value| matches!(value, "1" | "true" | "yes" | "on"))
    }

    /// Keys of this stem and a number, in the numbers' order: `net0`, `net1`, `net10`.
    pub fn numbered<'a>(&'a self, stem: &'a str) -> Vec<(&'a str, &'a str)> {
        let is_one = |key: &str| key.strip_prefix(stem).is_some_and(is_number);
        let mut found: Vec<_> =
            self.entries.iter().filter(|(k, _)| is_one(k)).map(|(k, v)| (k.as_str(), v.as_str())).collect();
        found.sort_by(|a, b| natural(a.0, b.0));
        found
    }

    /// The guest's own disks: no bind mounts, no CD-ROMs, no cloud-init drives.
    pub fn disks(&self, kind: BackendKind) -> Vec<Disk> {
        let mut disks: Vec<Disk> =
            self.entries.iter().filter_map(|(key, text)| disk(kind, key, text)).collect();
        disks.sort_by(|a, b| (a.is_unused.cmp(&b.is_unused)).then_with(|| natural(&a.key, &b.key)));
        disks
    }

    /// As in the file: the description as comments, then `key: value`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.get("description").unwrap_or_default().lines() {
            text.push_str(&format!("#{line}\n"));
        }
        let mut keys: Vec<&String> = self.entries.keys().filter(|key| *key != "description").collect();
        keys.sort_by(|a, b| natural(a, b));
        for key in keys {
            text.push_str(&format!("{key}: {}\n", self.get(key).unwrap_or_default()));
        }
        text
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is the key of a disk of such a guest.
pub fn is_disk_key(kind: BackendKind, key: &str) -> bool {
    let stems: &[&str] = match kind {
        BackendKind::ProxmoxLxc => &["mp", "unused"],
        _ => &["ide", "sata", "scsi", "virtio", "efidisk", "tpmstate", "unused"],
    };
    key == "rootfs" && kind == BackendKind::ProxmoxLxc
        || stems
            .iter()
            .any(|stem| key.strip_prefix(stem).is_some_and(|rest| is_number(rest) && rest.len() <= 3))
}

fn disk(kind: BackendKind, key: &str, text: &str) -> Option<Disk> {
    if !is_disk_key(kind, key) {
        return None;
    }
    let named = |name: &str| text.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let first = text.split(',').next().filter(|part| !part.contains('='));
    let volume = first.or_else(|| named("file")).or_else(|| named("volume"))?;
    // A path is a bind mount or a device of the host: not the guest's own.
    let is_volume = volume.contains(':') && !volume.starts_with('/');
    if !is_volume || named("media") == Some("cdrom") || volume.ends_with("cloudinit") {
        return None;
    }
    let size_text = named("size").map(str::to_owned);
    Some(Disk {
        key: key.to_owned(),
        volume: volume.to_owned(),
        size: size_text.as_deref().and_then(|text| size::parse(text).ok()),
        size_text,
        is_unused: key.starts_with("unused"),
    })
}

/// `scsi2` before `scsi10`.
fn natural(a: &str, b: &str) -> Ordering {
    let split = |text: &str| {
        let stem = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        (text[..stem].to_owned(), text[stem..].parse::<u64>().ok())
    };
    split(a).cmp(&split(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn values_of_any_type_become_text_and_the_digest_stands_apart() {
        let config = config(
            r#"{"digest":"d1","cores":2,"onboot":true,"memory":"256","net0":null,"x":{"y":1},
                "lxc":[["lxc.apparmor.profile","unconfined"],["lxc.a",1],"odd"],"description":"one\ntwo"}"#,
        );
        assert_eq!(config.digest.as_deref(), Some("d1"));
        assert_eq!((config.uint("cores"), config.flag("onboot")), (Some(2), true));
        assert_eq!(
            config.text(),
            "#one\n#two\ncores: 2\nlxc.a: 1\nlxc.apparmor.profile: unconfined\nmemory: 256\nonboot: 1\n"
        );
    }

    #[test]
    fn a_guests_own_disks_are_told_from_what_else_it_sees() {
        let lxc = Config::of(&[
            ("rootfs", "local:101/vm-101-disk-0.raw,size=1G"),
            ("mp0", "local-lvm:vm-101-disk-1,mp=/data,size=1536M"),
            ("mp1", "/srv/share,mp=/share"),
            ("unused0", "local-lvm:vm-101-disk-2"),
            ("scsi0", "local:1"),
        ]);
        let keys = |config: &Config, kind| -> Vec<_> {
            config.disks(kind).into_iter().map(|disk| (disk.key, disk.size.unwrap_or(0) >> 20)).collect()
        };
        assert_eq!(
            keys(&lxc, BackendKind::ProxmoxLxc),
            [("mp0".into(), 1536), ("rootfs".into(), 1024), ("unused0".into(), 0)]
        );
        let vm = Config::of(&[
            ("scsi10", "local-lvm:vm-1-disk-2,size=1T"),
            ("scsi2", "file=local-lvm:vm-1-disk-1,size=10G"),
            ("efidisk0", "local-lvm:vm-1-disk-0,efitype=4m,size=528K"),
            ("ide2", "local:iso/debian.iso,media=cdrom"),
            ("ide0", "local-lvm:vm-1-cloudinit"),
            ("sata0", "none,media=cdrom"),
            ("scsihw", "virtio-scsi-single"),
        ]);
        let disks: Vec<_> = vm.disks(BackendKind::ProxmoxVm).into_iter().map(|disk| disk.key).collect();
        assert_eq!(disks, ["efidisk0", "scsi2", "scsi10"]);
    }

    #[test]
    fn a_property_is_found_by_name_or_as_the_value_itself() {
        for (text, has) in [
            ("1", true),
            ("1,fstrim_cloned_disks=1", true),
            ("enabled=1,type=virtio", true),
            ("0", false),
            ("type=isa", false),
        ] {
            assert_eq!(Config::of(&[("agent", text)]).has_agent(), has, "{text}");
        }
        assert!(!Config::default().has_agent());
    }
}
