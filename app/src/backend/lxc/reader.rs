//! Reads the state of containers from LXC's directory and the kernel, without starting a process.
//!
//! ```text
//!   LXCPATH/NAME/config     there is such a container
//!   LXCPATH/NAME/partial    lxc-create is at work on it, or was cut off
//!   /proc/net/unix          whose monitor listens on its command socket
//!   /proc, once a change    the init below each monitor, and inits without one
//!   freezer control group   paused
//! ```
//!
//! Going through `/proc` costs a file per process. It is done only when the set of command sockets has changed or a
//! known init has ended; otherwise what is known is confirmed by one read per running container.

mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::{
    backend::{Error, cgroup::Layout, files, process::Proc},
    domain::{
        guest::{BackendKind, CONFIG_SHOWN, ConfigText, Guest, GuestDetail, GuestId, GuestStatus},
        name::GuestName,
        spec::Changes,
    },
};

use super::{
    config, configure,
    detail::facts,
    limits,
    scan::{self, Init},
    settings::Settings,
    sockets::{self, Sockets},
    state::{self, Creation, Monitor, Seen},
};

/// How often a set of sockets that changes under the scan is scanned again before the newest is taken.
const SCANS: usize = 3;
/// How long a running guest's addresses are believed in a list.
const ADDRESSES_HOLD: Duration = Duration::from_secs(5);
/// The same while there is none: one by DHCP comes some seconds after the start.
const NO_ADDRESS_HOLDS: Duration = Duration::from_millis(500);
/// Most guests whose addresses are read again for one list, so that no list pays for all at once.
const ADDRESSES_READ: usize = 8;

/// Most inits that are watched by open files, two or three each, so that enough are left for everything else.
const WATCHES: usize = 128;

/// Reads the containers of one LXC path.
pub struct Reader {
    lxcpath: String,
    skip_numeric: bool,
    proc: Proc,
    known: Mutex<Known>,
    settings: Settings,
}

/// What the last scan found.
#[derive(Default)]
struct Known {
    /// Those that the scan was made for; `None` before the first.
    sockets: Option<Sockets>,
    /// By the inode of the command socket.
    monitors: BTreeMap<u64, Attended>,
    /// Inits in an LXC payload group that no monitor looks after.
    unattended: Vec<Arc<Init>>,
    /// By the init's pid.
    addresses: BTreeMap<u32, (Instant, Vec<String>)>,
}

struct Attended {
    since: Instant,
    init: Option<Arc<Init>>,
    had_init: bool,
}

/// One container as it was seen.
pub struct Look {
    pub name: GuestName,
    pub seen: Seen,
    pub init: Option<Arc<Init>>,
    pub orphans: Vec<Orphan>,
}

/// An init of a container that no monitor looks after.
pub struct Orphan {
    pub init: Arc<Init>,
    /// Its root file system is this container's beyond doubt; else only the name of its control group says so.
    pub proven: bool,
}

impl Reader {
    pub fn new(lxcpath: String, skip_numeric: bool, proc: Proc) -> Self {
        Self { lxcpath, skip_numeric, proc, known: Mutex::default(), settings: Settings::default() }
    }

    pub fn lxcpath(&self) -> &str {
        &self.lxcpath
    }

    pub fn directory(&self, name: &GuestName) -> PathBuf {
        Path::new(&self.lxcpath).join(name.as_str())
    }

    /// Whether a container of this name would be somebody else's: on a Proxmox host all-numeric names are Proxmox's.
    pub fn is_foreign(&self, name: &GuestName) -> bool {
        self.skip_numeric && name.as_str().bytes().all(|byte| byte.is_ascii_digit())
    }

    pub fn list(&self) -> Result<Vec<Guest>, Error> {
        let all = self.names()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = self.look(&mut known, all.clone())?;
        let addresses = self.held_addresses(&mut known, &looks);
        drop(known);
        let guests: Vec<Guest> =
            looks.iter().zip(addresses).map(|(look, addresses)| self.told(look, addresses)).collect();
        self.settings.keep(&all);
        Ok(guests)
    }

    pub fn guest(&self, name: &GuestName) -> Result<Option<Guest>, Error> {
        Ok(self.one(name)?.map(|look| self.told(&look, self.addresses(&look))))
    }

    /// What a list says of it.
    fn told(&self, look: &Look, addresses: Vec<String>) -> Guest {
        let config = self.settings.of(&look.name, &self.directory(&look.name).join("config"));
        let (status, note) = state::status(&look.seen);
        let init = look.init.as_ref().filter(|_| status.is_active());
        let is_half = config.rootfs.is_none() && status == GuestStatus::Stopped;
        Guest {
            pid: init.map(|init| init.pid),
            started_ms: init.and_then(|init| init.started_ms),
            addresses,
            note: note.or_else(|| is_half.then(|| NO_ROOTFS.to_owned())),
            tags: configure::tags(&config.groups),
            ..Guest::new(GuestId::new(BackendKind::Lxc, look.name.clone()), status)
        }
    }

    pub fn inspect(&self, name: &GuestName) -> Result<Option<GuestDetail>, Error> {
        let Some(look) = self.one(name)? else { return Ok(None) };
        let init = look.init.as_ref().or(look.orphans.first().map(|orphan| &orphan.init));
        let usage = init.map(|init| init.groups.usage());
        let path = self.directory(name).join("config");
        let config = config::read(&path)?.unwrap_or_default();
        let text = files::read_capped(&path, CONFIG_SHOWN as u64)?;
        // What counts is what the kernel holds it to; while nothing of it runs, what it will be held to.
        let configured = limits::configured(&config.cgroups, Layout::of_host());
        let (cpu, memory, pids) = match &usage {
            Some(usage) => (usage.cpu_limit, usage.memory_limit, usage.tasks_limit),
            None => (configured.cpu, configured.memory, configured.pids),
        };
        let usage = usage.unwrap_or_default();
        Ok(Some(GuestDetail {
            guest: self.told(&look, self.addresses(&look)),
            memory: usage.memory,
            memory_limit: memory,
            cpu_limit: cpu,
            cpu_ns: usage.cpu_ns,
            cpu_now: None,
            tasks: usage.tasks,
            facts: facts(&self.lxcpath, &config, pids),
            pending: Vec::new(),
            settings: Changes {
                cpu: configured.cpu,
                memory: configured.memory,
                pids: configured.pids,
                tags: Some(configure::tags(&config.groups)),
                start_at_boot: Some(config.autostart),
                ..Changes::default()
            },
            config: text.map(|(text, cut)| ConfigText { path: path.display().to_string(), text, cut }),
        }))
    }

    /// The inits of these containers, as the last reading found them. Reads nothing.
    pub fn inits(&self, names: &[GuestName]) -> BTreeMap<GuestName, Arc<Init>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sockets) = &known.sockets else { return BTreeMap::new() };
        let init = |name: &GuestName| {
            let inode = sockets::of(sockets, &self.lxcpath, name.as_str())?;
            let init = known.monitors.get(&inode)?.init.as_ref()?;
            Some((name.clone(), Arc::clone(init)))
        };
        names.iter().filter_map(init).collect()
    }

    /// One container as it is now; `None` where there is none.
    pub fn one(&self, name: &GuestName) -> Result<Option<Look>, Error> {
        if self.is_foreign(name) || !self.is_defined(name) {
            return Ok(None);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.look(&mut known, vec![name.clone()])?.pop())
    }

    /// All containers' names. A directory whose name is no guest name was not made by anybody who means well.
    pub fn names(&self) -> Result<Vec<GuestName>, Error> {
        let found = files::names(Path::new(&self.lxcpath))?;
        Ok(found
            .iter()
            .filter_map(|name| GuestName::found(name).ok())
            .filter(|name| !self.is_foreign(name) && self.is_defined(name))
            .collect())
    }

    /// What LXC itself takes for defined: there is a configuration file.
    fn is_defined(&self, name: &GuestName) -> bool {
        fs::metadata(self.directory(name).join("config")).is_ok_and(|found| found.is_file())
    }

    fn look(&self, known: &mut Known, names: Vec<GuestName>) -> Result<Vec<Look>, Error> {
        let sockets = self.refresh(known, &names)?;
        names.into_iter().map(|name| self.look_at(known, &sockets, name)).collect()
    }

    /// Brings `known` up to date for these containers; answers the sockets that it is true for.
    fn refresh(&self, known: &mut Known, names: &[GuestName]) -> Result<Sockets, Error> {
        let mut sockets = self.sockets()?;
        if known.sockets.as_ref() == Some(&sockets) && self.still_true(known, &sockets, names) {
            return Ok(sockets);
        }
        for _ in 0..SCANS {
            self.scan(known, &sockets)?;
            // A container that starts or ends meanwhile would look like an init without a monitor.
            let now = self.sockets()?;
            if now == sockets {
                break;
            }
            sockets = now;
        }
        known.sockets = Some(sockets.clone());
        Ok(sockets)
    }

    fn sockets(&self) -> Result<Sockets, Error> {
        Ok(sockets::listening(&self.proc.unix_sockets()?))
    }

    /// A container that reboots keeps its monitor and socket and gets another init.
    fn still_true(&self, known: &Known, sockets: &Sockets, names: &[GuestName]) -> bool {
        let attended =
            names.iter().filter_map(|name| sockets::of(sockets, &self.lxcpath, name.as_str())).all(|inode| {
                let init = known.monitors.get(&inode).and_then(|attended| attended.init.as_ref());
                init.is_some_and(|init| !init.setting_up && init.is_alive(&self.proc))
            });
        attended && known.unattended.iter().all(|init| init.is_alive(&self.proc))
    }

    fn scan(&self, known: &mut Known, sockets: &Sockets) -> Result<(), Error> {
        let inodes: BTreeSet<u64> = sockets.values().copied().collect();
        let now = Instant::now();
        let mut monitors: BTreeMap<u64, Attended> = inodes
            .iter()
            .map(|inode| {
                let before = known.monitors.get(inode);
                let had_init = before.is_some_and(|before| before.had_init);
                // The time counts from when it was first seen without an init.
                let since = before.filter(|before| before.init.is_none()).map_or(now, |before| before.since);
                (*inode, Attended { since, init: None, had_init })
            })
            .collect();
        known.unattended.clear();
        // The old ones' descriptors are given back before new ones are taken.
        known.monitors.clear();
        let mut watches = WATCHES;
        for init in scan::inits(&self.proc, &inodes)? {
            match init.monitor_socket.and_then(|inode| monitors.get_mut(&inode)) {
                Some(attended) => {
                    attended.had_init = true;
                    let watched = watches > 0;
                    watches = watches.saturating_sub(1);
                    attended.init = Some(Arc::new(if watched { init.watched(&self.proc) } else { init }));
                }
                None if init.payload.is_some() => known.unattended.push(Arc::new(init)),
                None => {}
            }
        }
        known.monitors = monitors;
        let pids: BTreeSet<u32> =
            known.monitors.values().filter_map(|a| Some(a.init.as_ref()?.pid)).collect();
        known.addresses.retain(|pid, _| pids.contains(pid));
        Ok(())
    }

    fn look_at(&self, known: &Known, sockets: &Sockets, name: GuestName) -> Result<Look, Error> {
        let inode = sockets::of(sockets, &self.lxcpath, name.as_str());
        let attended = inode.and_then(|inode| known.monitors.get(&inode));
        let init = attended.and_then(|attended| attended.init.clone());
        let monitor = inode.map(|_| match &init {
            None => Monitor::Alone {
                had_init: attended.is_some_and(|attended| attended.had_init),
                since: attended.map(|attended| attended.since.elapsed()).unwrap_or_default(),
            },
            Some(init) if init.setting_up => Monitor::Starting,
            Some(init) if init.is_frozen() => Monitor::Frozen,
            Some(_) => Monitor::Running,
        });
        let orphans = self.orphans(known, &name)?;
        let seen = Seen {
            monitor,
            orphans: orphans.iter().map(|orphan| orphan.init.pid).collect(),
            creation: creation(&self.directory(&name).join("partial"))?,
        };
        Ok(Look { name, seen, init, orphans })
    }

    fn orphans(&self, known: &Known, name: &GuestName) -> Result<Vec<Orphan>, Error> {
        let mut orphans = Vec::new();
        for init in &known.unattended {
            let Some(payload) = init.payload.as_deref() else { continue };
            if !scan::payload_fits(payload, name.as_str()) {
                continue;
            }
            let proven = self.is_root_of(init, name)?;
            if proven || !self.is_anothers(init, payload, name)? {
                orphans.push(Orphan { init: Arc::clone(init), proven });
            }
        }
        Ok(orphans)
    }

    fn is_root_of(&self, init: &Init, name: &GuestName) -> Result<bool, Error> {
        let directory = self.directory(name);
        let config = config::read(&directory.join("config"))?.unwrap_or_default();
        Ok(init.root.is_of(&directory.to_string_lossy(), config.rootfs_directory()))
    }

    /// The group `lxc.payload.web-1` fits both "web" and "web-1"; proof for the one clears the other.
    fn is_anothers(&self, init: &Init, payload: &str, name: &GuestName) -> Result<bool, Error> {
        for other in self.names()? {
            if other != *name
                && scan::payload_fits(payload, other.as_str())
                && self.is_root_of(init, &other)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn addresses(&self, look: &Look) -> Vec<String> {
        look.init.as_ref().map(|init| self.proc.addresses(init.pid)).unwrap_or_default()
    }

    /// Every look's addresses; those read too long ago are read again, the oldest first.
    fn held_addresses(&self, known: &mut Known, looks: &[Look]) -> Vec<Vec<String>> {
        let now = Instant::now();
        let mut due: Vec<(Option<Instant>, u32)> = looks
            .iter()
            .filter_map(|look| look.init.as_ref())
            .filter_map(|init| match known.addresses.get(&init.pid) {
                None => Some((None, init.pid)),
                Some((read, found)) => {
                    let hold = if found.is_empty() { NO_ADDRESS_HOLDS } else { ADDRESSES_HOLD };
                    (now.duration_since(*read) >= hold).then_some((Some(*read), init.pid))
                }
            })
            .collect();
        due.sort_unstable();
        let first = due.iter().filter(|(read, _)| read.is_none()).count();
        for (_, pid) in due.into_iter().take(first.max(ADDRESSES_READ)) {
            known.addresses.insert(pid, (now, self.proc.addresses(pid)));
        }
        let held = |look: &Look| Some(known.addresses.get(&look.init.as_ref()?.pid)?.1.clone());
        looks.iter().map(|look| held(look).unwrap_or_default()).collect()
    }
}

/// LXC writes the path of a copy's root file system last.
const NO_ROOTFS: &str = "Its configuration names no root file system: a copy is at work on it or was cut off. It cannot \
                         be started; delete it if nothing is at work.";

/// lxc-create holds a write lock on this file for as long as it works and removes it at its end. Asking for a
/// shared lock and dropping it at once tells whether somebody does.
fn creation(partial: &Path) -> Result<Creation, Error> {
    let file = match fs::File::open(partial) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Creation::Done),
        Err(e) => return Err(files::unreadable(partial, &e)),
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Creation::CutOff),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(Creation::AtWork),
        Err(e) => Err(files::unreadable(partial, &e.into())),
    }
}
