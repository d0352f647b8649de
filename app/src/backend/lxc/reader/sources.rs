//! What tells of changes to containers, whoever makes them.
//!
//! ```text
//!   LXCPATH, LXCPATH/NAME         made, renamed, removed; its configuration
//!   above lxc.payload.NAME        started, ended
//!   in it: freezer.state (v1)     paused
//!          cgroup.events (v2)     paused, ended
//!   init, monitor                 ended, rebooted
//! ```
//!
//! A container that is told to have its control groups elsewhere is heard of once it has been seen there.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, PoisonError},
};

use super::{Init, Reader, scan, sockets};
use crate::{
    backend::{Error, Sources, cgroup, files},
    domain::name::GuestName,
};

impl Reader {
    /// What tells of changes to what was last listed. A container's start and end show in the directory above its
    /// control group: command sockets themselves tell nobody.
    pub fn sources(&self) -> Result<Sources, Error> {
        let root = PathBuf::from(&self.lxcpath);
        // One that is being made has no configuration yet.
        let found = files::names(&root)?;
        let found = found.iter().filter_map(|name| GuestName::found(name).ok());
        let names: Vec<GuestName> = found.filter(|name| !self.is_foreign(name)).collect();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let sockets = known.sockets.iter();
        let inodes = sockets.flat_map(|sockets| {
            names.iter().filter_map(|name| sockets::of(sockets, &self.lxcpath, name.as_str()))
        });
        let attended = inodes.filter_map(|inode| known.monitors.get(&inode)?.init.as_ref());
        let fits = |payload: &str| names.iter().any(|name| scan::payload_fits(payload, name.as_str()));
        let unattended = known.unattended.iter().filter(|init| init.payload.as_deref().is_some_and(fits));
        // The end of one that has ended is no news.
        let inits: Vec<Arc<Init>> =
            attended.chain(unattended).filter(|init| init.is_alive(&self.proc)).cloned().collect();
        drop(known);
        let files: BTreeSet<PathBuf> = inits.iter().flat_map(|init| init.groups.telling()).collect();
        let directories = names.iter().map(|name| self.directory(name)).collect();
        let above = files.iter().filter_map(|file| Some(file.parent()?.parent()?.to_owned()));
        let shared = above.chain(cgroup::tops()).collect();
        let entries = names.iter().map(|name| format!("lxc.payload.{name}")).collect();
        let monitors = inits.iter().filter(|init| init.monitor_socket.is_some()).map(|init| init.parent);
        let processes = inits.iter().map(|init| init.pid).chain(monitors).collect();
        Ok(Sources { root, directories, files, shared, entries, processes })
    }
}
