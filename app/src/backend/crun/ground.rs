//! Facts about the places where containers are made from images: what is in the way, and what is Paddock's own.

use std::path::{Path, PathBuf};

use crate::{
    backend::{Error, files},
    domain::{name::GuestName, spec::OciSpec},
};

use super::{bundle::Config, facts::users, notes, places::Places, state::StateDir};

/// What is at the places that the container is made at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    pub places: Places,
    /// Of the two directories for bundles and images, those that are not there yet.
    pub missing: Vec<PathBuf>,
    pub has_unfinished: bool,
    pub bundle: Spot,
    /// Files of the host that a container on its network needs to see, as far as they are there.
    pub network_files: Vec<String>,
    /// Sources of the mounts that are directories, not files.
    pub directories: Vec<String>,
}

/// What lies at the bundle's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    Free,
    /// Made by Paddock for a container of this name that never came to be.
    LeftOver,
    Taken,
}

/// What lies where a container is made from an image.
pub fn ground(states: &StateDir, places: &Places, name: &GuestName, spec: &OciSpec) -> Result<Ground, Error> {
    let bundle = places.bundle(name);
    let text = files::read(&bundle.join("config.json")).ok().flatten();
    let is_left = text.and_then(|text| Config::parse(&text).ok()).is_some_and(|config| {
        config.annotation(notes::MADE_FOR) == Some(name.as_str())
            && config.annotation(notes::UNFINISHED).is_some()
    });
    // One that is a link, or that somebody made a container from all the same, is left alone.
    let is_left =
        is_left && is_real(&bundle) && users(states, name, &bundle.display().to_string())?.is_empty();
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    Ok(Ground {
        missing: [places.bundles(), places.images()]
            .into_iter()
            .filter(|dir| !dir.is_dir())
            .map(Path::to_owned)
            .collect(),
        has_unfinished: is_there(&places.unfinished(name)),
        bundle: match (is_there(&bundle), is_left) {
            (false, _) => Spot::Free,
            (true, true) => Spot::LeftOver,
            (true, false) => Spot::Taken,
        },
        network_files: ["/etc/resolv.conf", "/etc/hosts"]
            .into_iter()
            .filter(|file| Path::new(file).is_file())
            .map(str::to_owned)
            .collect(),
        directories: spec
            .mounts
            .iter()
            .filter(|mount| Path::new(&mount.source).is_dir())
            .map(|mount| mount.source.clone())
            .collect(),
        places: places.clone(),
    })
}

fn is_real(path: &Path) -> bool {
    std::fs::canonicalize(path).is_ok_and(|real| real == path)
}

/// What Paddock itself made for a container and may therefore remove: absolute paths without links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    pub bundle: Option<PathBuf>,
    pub layout: Option<PathBuf>,
}

/// `bundle` is what the container was made from. It counts as Paddock's if it says so itself and lies exactly where
/// Paddock puts the bundle of that name.
pub fn made(places: &Places, name: &GuestName, bundle: &str) -> Made {
    let own = places.bundle(name);
    let text = files::read(&own.join("config.json")).ok().flatten();
    let config = text.and_then(|text| Config::parse(&text).ok());
    let is_own = std::fs::canonicalize(bundle).is_ok_and(|real| real == own)
        && config.is_some_and(|config| config.annotation(notes::MADE_FOR) == Some(name.as_str()));
    if !is_own {
        return Made::default();
    }
    let layout = places.layout(name);
    Made {
        bundle: Some(own),
        layout: Some(layout).filter(|layout| is_real(layout) && layout.join("oci-layout").is_file()),
    }
}
