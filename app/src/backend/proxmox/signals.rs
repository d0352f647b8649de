//! SIGNALS: which guests of one kind must be read anew.
//!
//! ```text
//!   pulse    a task on a guest has begun or ended          ─► that guest, at once and a few times more
//!            one that makes, moves or deletes has           ─► the list
//!   running  on this node a guest has begun or ended to run ─► that guest, at once and a few times more
//! ```
//!
//! A task's begin is told before its work is done, and its end perhaps late: so its guest is read again and again, ever
//! more seldom, while it runs.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{
    backend::{Heard, now_ms},
    domain::{guest::BackendKind, name::GuestName, task::Task},
};

use super::{
    cluster::Cluster,
    host::{Running, Signs},
    memory::Memory,
    place::{id_of, vmid_of},
    pulse::Beat,
};

/// Until a guest is read for the second time, doubled with each.
const AGAIN: Duration = Duration::from_millis(250);
/// The last pause after which one is read whose task has ended.
const LAST: Duration = Duration::from_millis(500);
/// The last pause after which one is read whose task still runs: 32 s in all. What goes on for longer is told by its
/// end.
const LAST_RUNNING: Duration = Duration::from_secs(16);
/// Most guests that are read at once: each costs a worker of Proxmox's daemon.
const AT_ONCE: usize = 8;
/// What ended no longer before the first reading may not be in the list of guests yet.
const JUST_NOW_MS: i64 = 15_000;

/// Kinds after whose begin or end there may be another guest, one less, or one elsewhere.
const OF_THE_LIST: [&str; 11] = [
    "vzcreate",
    "vzrestore",
    "vzclone",
    "vzdestroy",
    "vzmigrate",
    "qmcreate",
    "qmrestore",
    "qmclone",
    "qmdestroy",
    "qmigrate",
    "hamigrate",
];
/// Kinds that leave a guest as it is, and last as long as somebody looks.
const LOOKS: [&str; 6] = ["vncproxy", "vncshell", "spiceproxy", "termproxy", "pull_file", "push_file"];

/// Listens for one kind of guests.
pub struct Signals {
    kind: BackendKind,
    /// One listener at a time; what it heard and has not told is told to the next one.
    ear: tokio::sync::Mutex<Ear>,
}

struct Ear {
    tasks: Tasks,
    agenda: Agenda,
    running: Option<Running>,
}

impl Signals {
    /// `signs` where Paddock runs on a node of the cluster.
    pub fn new(kind: BackendKind, signs: Option<&Signs>) -> Arc<Self> {
        let ear = Ear {
            tasks: Tasks::default(),
            agenda: Agenda::default(),
            running: signs.map(|signs| Running::new(kind, signs)),
        };
        Arc::new(Self { kind, ear: tokio::sync::Mutex::new(ear) })
    }

    /// Waits until something must be read.
    pub async fn heard(&self, cluster: &Cluster) -> Heard {
        let mut ear = self.ear.lock().await;
        let Ear { tasks, agenda, running } = &mut *ear;
        loop {
            if std::mem::take(&mut agenda.list) {
                return Heard::List;
            }
            let due = agenda.take(Instant::now());
            if !due.is_empty() {
                let name = |vmid: u32| id_of(self.kind, vmid).map(|id| id.name);
                return Heard::Guests(due.into_iter().filter_map(name).collect());
            }
            let next = agenda.next();
            tokio::select! {
                beat = cluster.pulse.next(&cluster.client, tasks.number) => {
                    let is_list = tasks.hear(&beat, self.kind, &cluster.memory, agenda, now_ms());
                    if is_list && let Some(at) = beat.at {
                        cluster.outdate(at.into_std());
                    }
                    agenda.list |= is_list;
                }
                changed = changed(running.as_mut()) => {
                    let now = Instant::now();
                    changed.into_iter().for_each(|vmid| agenda.add(vmid, LAST, now));
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
    }
}

async fn changed(running: Option<&mut Running>) -> Vec<u32> {
    match running {
        Some(running) => running.changed().await,
        None => std::future::pending().await,
    }
}

/// What has been told of tasks.
#[derive(Default)]
struct Tasks {
    number: u64,
    guests: u64,
    seen: HashMap<String, Seen>,
}

struct Seen {
    has_ended: bool,
    vmid: Option<u32>,
    is_of_list: bool,
    beat: u64,
}

impl Tasks {
    /// Compares a reading to the one before, and notes which guests are to be read. True if the list is.
    fn hear(
        &mut self,
        beat: &Beat,
        kind: BackendKind,
        memory: &Memory,
        agenda: &mut Agenda,
        now_ms: i64,
    ) -> bool {
        let (is_first, now) = (self.number == 0, Instant::now());
        let mut is_list = !is_first && beat.guests != self.guests;
        (self.number, self.guests) = (beat.number, beat.guests);
        for task in beat.tasks.iter() {
            let (has_ended, before) = (!task.is_running(), self.seen.get(&task.upid));
            let is_news = match before {
                Some(seen) => has_ended && !seen.has_ended,
                None => !is_first || is_recent(task, now_ms),
            };
            let vmid = vmid_about(task, kind, memory);
            let is_of_list = OF_THE_LIST.contains(&task.kind.as_str());
            if is_news {
                is_list |= is_of_list;
                if let Some(vmid) = vmid {
                    agenda.add(vmid, if has_ended { LAST } else { LAST_RUNNING }, now);
                }
            }
            let seen = Seen { has_ended, vmid, is_of_list, beat: beat.number };
            self.seen.insert(task.upid.clone(), seen);
        }
        self.seen.retain(|_, seen| {
            let is_told = seen.beat == beat.number;
            // It ended, and as many others did that the short list has no room for it.
            if !is_told && !seen.has_ended {
                is_list |= seen.is_of_list;
                if let Some(vmid) = seen.vmid {
                    agenda.add(vmid, LAST, now);
                }
            }
            is_told
        });
        is_list
    }
}

fn is_recent(task: &Task, now_ms: i64) -> bool {
    let ended_ms = task.end.as_ref().map(|end| end.at_ms.unwrap_or(task.started_ms));
    ended_ms.is_none_or(|ended_ms| now_ms.saturating_sub(ended_ms) < JUST_NOW_MS)
}

/// The guest of this kind that it is about.
fn vmid_about(task: &Task, kind: BackendKind, memory: &Memory) -> Option<u32> {
    if LOOKS.contains(&task.kind.as_str()) {
        return None;
    }
    let vmid = vmid_of(&GuestName::found(&task.id).ok()?)?;
    let of = task.guest.as_ref().map(|guest| guest.backend).or_else(|| memory.kind(vmid));
    (of == Some(kind)).then_some(vmid)
}

/// When which guest is to be read.
#[derive(Default)]
struct Agenda {
    list: bool,
    guests: BTreeMap<u32, Turn>,
}

struct Turn {
    at: Instant,
    pause: Duration,
    last: Duration,
}

impl Agenda {
    /// Now, and again after pauses that double, up to the last.
    fn add(&mut self, vmid: u32, last: Duration, now: Instant) {
        self.guests.insert(vmid, Turn { at: now, pause: AGAIN, last });
    }

    fn next(&self) -> Option<Instant> {
        self.guests.values().map(|turn| turn.at).min()
    }

    /// Those whose turn it is, not too many; whoever waits longest first.
    fn take(&mut self, now: Instant) -> Vec<u32> {
        let mut due: Vec<(Instant, u32)> = self
            .guests
            .iter()
            .filter(|(_, turn)| turn.at <= now)
            .map(|(vmid, turn)| (turn.at, *vmid))
            .collect();
        due.sort_unstable();
        due.truncate(AT_ONCE);
        for (_, vmid) in &due {
            if let Some(turn) = self.guests.get_mut(vmid) {
                turn.at = now + turn.pause;
                turn.pause *= 2;
                if turn.pause > turn.last * 2 {
                    self.guests.remove(vmid);
                }
            }
        }
        due.into_iter().map(|(_, vmid)| vmid).collect()
    }
}

#[cfg(test)]
mod tests;
