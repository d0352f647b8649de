//! Hears from the kernel that something may have changed, so that nothing has to be read while nothing happens.
//!
//! A driver names the sources, see [`Backend::sources`](super::Backend::sources); a [`Watcher`] listens to them. What
//! it hears is no more than a reason to read again: what is true is told by the reading alone.
//!
//! ```text
//!   directories   made, removed, renamed, written        inotify ─┐
//!   files         of control groups, told by the kernel  inotify ─┼─ one epoll ─► changed()
//!   processes     ended                                  pidfd ───┘
//! ```

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    ffi::CStr,
    fs, io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    event::{Timespec, epoll},
    fs::inotify::{self, ReadFlags, WatchFlags},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};
use tokio::io::{Interest, unix::AsyncFd};

/// Most processes that one watcher keeps an eye on, a descriptor each. The end of any other is seen by its control
/// group, where that tells, or by the next reading.
const MOST_PROCESSES: usize = 128;
/// Bytes of events that are taken at once.
const BUFFER: usize = 16 * 1024;
const MOST_BUFFERS: usize = 16;
/// Marks the inotify instance among the processes, whose numbers are less.
const INOTIFY: u64 = u64::MAX;

/// What is told of a directory: its entries, files written to their end, and itself. Not each single write: logs lie
/// there, too.
const OF_DIRECTORY: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);
/// What is told of a file of a control group: the kernel's own word for a new state is a write.
const OF_FILE: WatchFlags = WatchFlags::MODIFY.union(WatchFlags::DELETE_SELF);

/// What tells of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Without this directory nothing can be told.
    pub root: PathBuf,
    /// Those that are not there tell nothing; so do files and processes.
    pub directories: BTreeSet<PathBuf>,
    pub files: BTreeSet<PathBuf>,
    /// Directories that others use, too: only these entries count, with or without `-N` behind them.
    pub shared: BTreeSet<PathBuf>,
    pub entries: BTreeSet<String>,
    /// In the order of how much their end matters.
    pub processes: Vec<u32>,
}

/// Listens to sources. Holds two descriptors, and one for each process.
#[derive(Debug)]
pub struct Watcher {
    inotify: OwnedFd,
    /// Of inotify and all processes, so that a thousand of them are waited for as one.
    epoll: AsyncFd<OwnedFd>,
    watches: HashMap<PathBuf, Watch>,
    processes: HashMap<u32, OwnedFd>,
    /// The watches of shared directories, and what counts there.
    shared: BTreeSet<i32>,
    entries: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy)]
struct Watch {
    descriptor: i32,
    /// Device and inode: a path may come to mean another directory.
    identity: (u64, u64),
}

impl Watcher {
    /// Listens to nothing yet. To be called within a runtime.
    pub fn new() -> io::Result<Self> {
        let inotify = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &inotify, epoll::EventData::new_u64(INOTIFY), epoll::EventFlags::IN)?;
        #[expect(deprecated, reason = "its successor is unsafe to call; an OwnedFd does what that asks for")]
        let epoll = AsyncFd::with_interest(epoll, Interest::READABLE)?;
        Ok(Self {
            inotify,
            epoll,
            watches: HashMap::new(),
            processes: HashMap::new(),
            shared: BTreeSet::new(),
            entries: BTreeSet::new(),
        })
    }

    /// From here on listens to these and to no others. True where one is new: what happened to it before was not
    /// heard. Fails where the root is not there, or where the kernel lets nobody watch any more.
    pub fn follow(&mut self, sources: &Sources) -> io::Result<bool> {
        let kept = |path: &PathBuf| {
            *path == sources.root
                || [&sources.directories, &sources.files, &sources.shared]
                    .iter()
                    .any(|paths| paths.contains(path))
        };
        let left: Vec<PathBuf> = self.watches.keys().filter(|path| !kept(path)).cloned().collect();
        for path in left {
            self.forget(&path);
        }
        let mut new = self.add(&sources.root, OF_DIRECTORY)?;
        if !self.watches.contains_key(&sources.root) {
            return Err(io::ErrorKind::NotFound.into());
        }
        for directory in sources.directories.iter().chain(&sources.shared) {
            new |= self.add(directory, OF_DIRECTORY)?;
        }
        for file in &sources.files {
            new |= self.add(file, OF_FILE)?;
        }
        let descriptor = |path: &PathBuf| self.watches.get(path).map(|watch| watch.descriptor);
        self.shared = sources.shared.iter().filter_map(descriptor).collect();
        self.entries.clone_from(&sources.entries);
        let wanted: BTreeSet<u32> = sources.processes.iter().take(MOST_PROCESSES).copied().collect();
        self.processes.retain(|pid, _| wanted.contains(pid));
        for pid in wanted {
            new |= self.add_process(pid)?;
        }
        Ok(new)
    }

    /// Waits until something may have changed. What happens between two calls is told by the second.
    pub async fn changed(&mut self) -> io::Result<()> {
        loop {
            self.epoll.readable().await?.clear_ready();
            if self.heard()? {
                return Ok(());
            }
        }
    }

    /// Takes what there is to hear, in bounds: whoever makes noise without end is heard no more often than he is asked.
    /// False where it was an echo of what this watcher did itself.
    fn heard(&mut self) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); 64];
        let (events, _) = epoll::wait(&self.epoll, &mut buffer, Some(&Timespec::default()))?;
        let mut heard = false;
        for event in events {
            let number = event.data.u64();
            if let Ok(pid) = u32::try_from(number) {
                self.processes.remove(&pid);
                heard = true;
            }
        }
        for _ in 0..MOST_BUFFERS {
            if !self.read(&mut heard)? {
                break;
            }
        }
        Ok(heard)
    }

    /// Takes one buffer of events. False once there is none.
    fn read(&mut self, heard: &mut bool) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut gone = BTreeSet::new();
        let mut lost = false;
        let mut any = false;
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e.into()),
            };
            any = true;
            lost |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            if event.events().contains(ReadFlags::IGNORED) {
                gone.insert(event.wd());
            } else {
                let name = event.file_name().map(CStr::to_string_lossy);
                let counts = |name: Cow<'_, str>| {
                    self.entries.contains(&*name) || self.entries.contains(unnumbered(&name))
                };
                *heard |= !self.shared.contains(&event.wd()) || name.is_none_or(counts);
            }
            if reader.is_buffer_empty() {
                break;
            }
        }
        if lost {
            *heard = true;
            // Which watches have ended was lost, too.
            *self = Self::new()?;
            return Ok(false);
        }
        // One that `forget` ended is not among them any more.
        self.watches.retain(|_, watch| !gone.contains(&watch.descriptor));
        Ok(any)
    }

    /// True where it was not watched before. What is not there, or is of another kind, is left out.
    fn add(&mut self, path: &Path, of: WatchFlags) -> io::Result<bool> {
        let Ok(found) = fs::metadata(path) else {
            self.forget(path);
            return Ok(false);
        };
        let identity = (found.dev(), found.ino());
        if self.watches.get(path).is_some_and(|watch| watch.identity == identity) {
            return Ok(false);
        }
        let descriptor = match inotify::add_watch(&self.inotify, path, of) {
            Ok(descriptor) => descriptor,
            // No room for another watch, or for anything.
            Err(e @ (Errno::NOSPC | Errno::NOMEM | Errno::MFILE | Errno::NFILE)) => return Err(e.into()),
            Err(_) => {
                self.forget(path);
                return Ok(false);
            }
        };
        if self.watches.get(path).is_some_and(|watch| watch.descriptor != descriptor) {
            self.forget(path);
        }
        self.watches.insert(path.to_owned(), Watch { descriptor, identity });
        Ok(true)
    }

    fn forget(&mut self, path: &Path) {
        let Some(watch) = self.watches.remove(path) else { return };
        // Another path may lead to the same place.
        if self.watches.values().all(|other| other.descriptor != watch.descriptor) {
            // It has ended already where the place is gone.
            let _ = inotify::remove_watch(&self.inotify, watch.descriptor);
        }
    }

    fn add_process(&mut self, pid: u32) -> io::Result<bool> {
        if self.processes.contains_key(&pid) {
            return Ok(false);
        }
        let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        let process = match pidfd_open(id, PidfdFlags::empty()) {
            Ok(process) => process,
            Err(e @ (Errno::NOMEM | Errno::MFILE | Errno::NFILE)) => return Err(e.into()),
            // It has ended, or this is no kernel for that.
            Err(_) => return Ok(false),
        };
        epoll::add(&self.epoll, &process, epoll::EventData::new_u64(pid.into()), epoll::EventFlags::IN)?;
        self.processes.insert(pid, process);
        Ok(true)
    }
}

/// Without the number that LXC puts behind a group's name where an older one of that name is still there.
fn unnumbered(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
