//! The settings as a whole; each room's own corner cases are in the files here.

mod drivers;
mod errors;
mod networks;
mod precedence;
mod proxmox;
mod sample;
mod secrets;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{layers::Override, *};

/// A directory for settings files, and an environment that holds only what a test put there.
struct Desk {
    dir: TempDir,
    environment: Vec<(&'static str, OsString)>,
    options: Vec<Override>,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), environment: Vec::new(), options: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The settings file, where every test here has it.
    fn file(&self) -> PathBuf {
        self.path("paddock.toml")
    }

    fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    fn option(mut self, key: &'static key::Info, value: &str) -> Self {
        self.options.push((key, value.into()));
        self
    }

    /// Loads with this text as the settings file.
    fn load(&self, text: impl AsRef<[u8]>) -> Result<Settings, SettingsError> {
        fs::write(self.file(), text).unwrap();
        self.load_named(Some(&self.file()))
    }

    /// Loads with what is there, in a host without a default file.
    fn load_named(&self, config: Option<&Path>) -> Result<Settings, SettingsError> {
        let nowhere = self.path("no default file");
        Settings::load_from(config, &|name| self.get(name), &Options(self.options.clone()), &nowhere)
    }

    fn get(&self, name: &str) -> Option<OsString> {
        self.environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    /// The words of the error that this text ends in.
    fn error(&self, text: impl AsRef<[u8]>) -> String {
        self.load(text).unwrap_err().to_string()
    }

    /// That this text ends in an error with the file, this line, this key and these words.
    #[track_caller]
    fn refuses(&self, text: &str, line: usize, key: &str, words: &str) {
        let error = self.error(text);
        let begin = format!("{}, line {line}: {key} ", self.file().display());
        assert!(error.starts_with(&begin), "{begin:?} does not begin\n{error}\nwhich is of\n{text}");
        assert!(error.contains(words), "{words:?} is not in\n{error}");
        assert!(error.contains("Nothing was done"), "{error}");
    }
}

fn defaults() -> Settings {
    Desk::new().load_named(None).unwrap()
}

/// What is said of the settings, without where it was said.
fn without_places(mut settings: Settings) -> Settings {
    settings.file = None;
    for effective in &mut settings.effective {
        effective.place = Place::Default;
    }
    settings
}

#[test]
fn without_anything_said_all_is_as_it_was_before_there_was_a_file() {
    let settings = defaults();
    assert_eq!(settings.server.addr.to_string(), "127.0.0.1:3000");
    assert_eq!(settings.server.data, Path::new("/var/lib/paddock"));
    assert!(!settings.server.https && settings.server.site.is_none());
    assert!(settings.lxc.enabled && settings.crun.enabled && settings.proxmox.is_none());
    assert_eq!(settings.lxc.path, Path::new("/var/lib/lxc"));
    assert_eq!(settings.lxc.templates, Path::new("/usr/share/lxc/templates"));
    assert_eq!(settings.lxc.create_config, None);
    assert_eq!(settings.crun.root, Path::new("/run/crun"));
    assert_eq!(settings.routing.default_backend(), BackendKind::Lxc);
    assert_eq!(settings.routing.rules().len(), 0);
}

#[test]
fn every_key_is_read_once_and_in_the_order_of_the_list() {
    let read: Vec<String> = defaults().effective.iter().map(|of| of.key.to_string()).collect();
    let all: Vec<String> = keys::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(read, all);
}

#[test]
fn every_key_says_what_it_means_and_how_it_is_written() {
    for key in keys::ALL {
        assert!(keys::SECTIONS.iter().any(|(section, _)| *section == key.section), "{key}");
        let doc = key.doc.trim();
        assert!(doc.ends_with('.') && doc.len() > 10, "{key}: {doc:?}");
        assert!(doc.starts_with(|c: char| c.is_uppercase()), "{key}: {doc:?}");
        assert!(key.doc.lines().all(|line| line.len() < 118), "{key}: too long for the sample");
        assert!(toml::de::DeValue::parse(key.sample.text()).is_ok(), "{key}: {}", key.sample.text());
        let name = key.name.to_uppercase();
        let both = format!("PADDOCK_{}_{name}", key.section.to_uppercase());
        let is_the_servers = key.section == "server" && key.env == format!("PADDOCK_{name}");
        assert!(key.env == both || is_the_servers, "{key}: {}", key.env);
    }
    let names = |of: fn(&key::Info) -> String| {
        keys::ALL.iter().map(|key| of(key)).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(names(|key| key.env.to_owned()), keys::ALL.len(), "no two keys share a variable");
    assert_eq!(names(key::Info::option), keys::ALL.len(), "no two keys share an option");
}
