//! The settings of all containers, read again only when one of their files has changed: a list asks for all of them.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::domain::name::GuestName;

use super::config::{self, ContainerConfig, Source};

/// What was read of each container.
#[derive(Default)]
pub struct Settings(Mutex<BTreeMap<GuestName, Read>>);

struct Read {
    sources: Vec<Source>,
    config: Arc<ContainerConfig>,
}

impl Settings {
    /// Those in this file. Settings that cannot be read are none: one broken file is no reason to show no list.
    pub fn of(&self, name: &GuestName, path: &Path) -> Arc<ContainerConfig> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = all.get(name)
            && read.sources.iter().all(Source::is_unchanged)
        {
            return Arc::clone(&read.config);
        }
        let (config, sources) = config::read_with_sources(path).ok().flatten().unwrap_or_default();
        let config = Arc::new(config);
        if sources.is_empty() {
            // Nothing would tell when that changes.
            all.remove(name);
        } else {
            all.insert(name.clone(), Read { sources, config: Arc::clone(&config) });
        }
        config
    }

    /// Forgets those of containers that are gone. `names` are all that there are.
    pub fn keep(&self, names: &[GuestName]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > names.len() {
            all.retain(|name, _| names.contains(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn settings_are_those_in_the_file_now() {
        let dir = tempfile::tempdir().unwrap();
        let (path, name) = (dir.path().join("config"), GuestName::new("web1").unwrap());
        let settings = Settings::default();
        assert_eq!(*settings.of(&name, &path), ContainerConfig::default());
        fs::write(&path, "lxc.group = a\n").unwrap();
        let read = settings.of(&name, &path);
        assert_eq!(read.groups, ["a"]);
        assert!(Arc::ptr_eq(&read, &settings.of(&name, &path)), "it was not read again");
        fs::write(&path, "lxc.group = ab\n").unwrap();
        assert_eq!(settings.of(&name, &path).groups, ["ab"]);
        settings.keep(&[]);
        assert!(settings.0.lock().unwrap().is_empty());
    }
}
