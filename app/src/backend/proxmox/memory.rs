//! MEMORY: what the driver remembers between two readings, so that answers agree with each other.
//!
//! The cluster's list is up to 10 s old. What a guest's own node has said since is truer, so it stands in for the list
//! for as long as that may lag behind: a guest that was just stopped does not rise again in the next list.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::domain::guest::{BackendKind, Guest, GuestStatus};

use super::{place::Place, state, wire::guest::Resource};

/// How far the cluster's list may lag behind the guest's own node.
const LAG: Duration = Duration::from_secs(12);
/// For so long a list that says otherwise is not believed before the node was asked again: it may be one of a
/// `pvestatd` that hangs.
const DOUBT: Duration = Duration::from_secs(60);
/// Two tellings of one start may differ by so much, milliseconds: the age of the list, and rounding.
const START_TOLERANCE_MS: u64 = 15_000;

/// What is known of each guest, by VMID, which is one for all kinds.
#[derive(Default)]
pub struct Memory {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    places: HashMap<u32, Place>,
    /// Those that are in one. Only the cluster's list tells it.
    pools: HashMap<u32, String>,
    starts: HashMap<u32, Start>,
    fresh: HashMap<u32, Fresh>,
}

/// When a guest began, as it was first told.
struct Start {
    uptime: u64,
    started_ms: i64,
}

/// What a guest's own node said.
struct Fresh {
    guest: Guest,
    at: Instant,
}

/// Guests of a list, and those of them that their own node must be asked about: paused VMs, which the list calls
/// running, and those that were lately in another state.
pub struct Listed {
    pub guests: Vec<Guest>,
    pub to_ask: Vec<Place>,
}

impl Memory {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn place(&self, kind: BackendKind, vmid: u32) -> Option<Place> {
        self.known().places.get(&vmid).filter(|place| place.kind == kind).cloned()
    }

    /// Which sort of guest has this VMID, by the last list.
    pub fn kind(&self, vmid: u32) -> Option<BackendKind> {
        self.known().places.get(&vmid).map(|place| place.kind)
    }

    /// Where all guests are, by a list that was just read. Forgets those that are gone.
    pub fn learn(&self, rows: &[Resource]) {
        let mut known = self.known();
        known.places = rows.iter().filter_map(place_of).map(|place| (place.vmid, place)).collect();
        let pool = |row: &Resource| Some((u32::try_from(row.vmid?).ok()?, row.pool.clone()?));
        known.pools = rows.iter().filter_map(pool).collect();
        let Known { places, starts, fresh, .. } = &mut *known;
        starts.retain(|vmid, _| places.contains_key(vmid));
        fresh.retain(|vmid, _| places.contains_key(vmid));
    }

    /// The guests of one kind, by a list.
    pub fn list(&self, kind: BackendKind, rows: &[Resource], now: Instant, now_ms: i64) -> Listed {
        let mut known = self.known();
        let mut listed = Listed { guests: Vec::with_capacity(rows.len()), to_ask: Vec::new() };
        for row in rows {
            let Some(place) = place_of(row).filter(|place| place.kind == kind) else { continue };
            if let Some(fresh) = known.fresh.get(&place.vmid).filter(|fresh| fresh.guest.node == row.node) {
                let age = now.saturating_duration_since(fresh.at);
                if age < LAG {
                    listed.guests.push(Guest { pool: row.pool.clone(), ..fresh.guest.clone() });
                    continue;
                }
                let is_paused = fresh.guest.status == GuestStatus::Paused;
                let differs =
                    state::listed(&place, row).is_some_and(|told| told.status != fresh.guest.status);
                if (is_paused && row.status.as_deref() == Some("running")) || (differs && age < DOUBT) {
                    listed.to_ask.push(place.clone());
                }
            }
            let Some(mut guest) = state::listed(&place, row) else { continue };
            if guest.status.is_active() {
                guest.started_ms = Some(known.started(place.vmid, row.uptime.unwrap_or_default(), now_ms));
            }
            listed.guests.push(guest);
        }
        listed
    }

    /// Notes what a guest's own node said, with its start as it was told before.
    pub fn note(&self, place: &Place, mut guest: Guest, uptime: u64, now: Instant, now_ms: i64) -> Guest {
        let mut known = self.known();
        if guest.status.is_active() {
            guest.started_ms = Some(known.started(place.vmid, uptime, now_ms));
        } else {
            known.starts.remove(&place.vmid);
        }
        guest.pool = known.pools.get(&place.vmid).cloned();
        known.places.insert(place.vmid, place.clone());
        known.fresh.insert(place.vmid, Fresh { guest: guest.clone(), at: now });
        guest
    }

    /// Whether this guest has been seen at all.
    pub fn forget(&self, vmid: u32) -> bool {
        let mut known = self.known();
        known.starts.remove(&vmid);
        known.fresh.remove(&vmid);
        known.places.remove(&vmid).is_some()
    }
}

impl Known {
    /// A start never moves while the guest lives, whatever the age of what is told of it.
    fn started(&mut self, vmid: u32, uptime: u64, now_ms: i64) -> i64 {
        let told = now_ms.saturating_sub(i64::try_from(uptime.saturating_mul(1000)).unwrap_or(i64::MAX));
        let same = self.starts.get(&vmid).filter(|start| {
            // The same uptime as before, later: nobody has measured it since.
            uptime == start.uptime || told.abs_diff(start.started_ms) <= START_TOLERANCE_MS
        });
        let started_ms = same.map_or(told, |start| start.started_ms);
        self.starts.insert(vmid, Start { uptime, started_ms });
        started_ms
    }
}

/// `None` for what is no guest, and for one on a node whose name can be none: it would stand in paths.
pub fn place_of(row: &Resource) -> Option<Place> {
    let kind = match row.kind.as_deref()? {
        "lxc" => BackendKind::ProxmoxLxc,
        "qemu" => BackendKind::ProxmoxVm,
        _ => return None,
    };
    let vmid = u32::try_from(row.vmid?).ok().filter(|vmid| super::check::VMIDS.contains(vmid))?;
    let node = row.node.clone().filter(|node| super::check::node(node).is_ok())?;
    Some(Place { kind, node, vmid })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, vmid: u64, status: &str, uptime: u64) -> Resource {
        Resource {
            kind: Some(kind.into()),
            vmid: Some(vmid),
            node: Some("pve1".into()),
            status: Some(status.into()),
            uptime: Some(uptime),
            ..Resource::default()
        }
    }

    fn vm(vmid: u32) -> Place {
        Place { kind: BackendKind::ProxmoxVm, node: "pve1".into(), vmid }
    }

    fn guest(vmid: u32, status: GuestStatus) -> Guest {
        let id = super::super::place::id_of(BackendKind::ProxmoxVm, vmid).unwrap();
        Guest { node: Some("pve1".into()), ..Guest::new(id, status) }
    }

    fn one(memory: &Memory, row: &Resource, now: Instant, now_ms: i64) -> Guest {
        memory.list(BackendKind::ProxmoxVm, std::slice::from_ref(row), now, now_ms).guests.remove(0)
    }

    #[test]
    fn a_start_stays_where_it_was_first_told() {
        let (memory, now) = (Memory::default(), Instant::now());
        let started =
            |uptime, now_ms| one(&memory, &row("qemu", 200, "running", uptime), now, now_ms).started_ms;
        assert_eq!(started(100, 1_000_000), Some(900_000));
        assert_eq!(started(100, 1_009_000), Some(900_000), "the list is one from before");
        assert_eq!(started(110, 1_011_500), Some(900_000));
        assert_eq!(started(110, 1_500_000), Some(900_000), "pvestatd hangs");
        assert_eq!(started(3, 1_600_000), Some(1_597_000), "it was started anew");
        assert_eq!(started(300, 1_600_000), Some(1_300_000), "and so it was in between");
    }

    #[test]
    fn an_uptime_of_ages_is_no_overflow() {
        let (memory, now) = (Memory::default(), Instant::now());
        for (uptime, now_ms) in [(u64::MAX, 1_000_000), (0, 2_000_000), (u64::MAX / 1000, 3_000_000)] {
            assert!(one(&memory, &row("qemu", 200, "running", uptime), now, now_ms).started_ms.is_some());
        }
    }

    #[test]
    fn a_guest_that_was_seen_stopped_began_anew() {
        let (memory, now) = (Memory::default(), Instant::now());
        let noted = |status, uptime, now_ms| {
            memory.note(&vm(200), guest(200, status), uptime, now, now_ms).started_ms
        };
        assert_eq!(noted(GuestStatus::Running, 5, 1_000_000), Some(995_000));
        assert_eq!(noted(GuestStatus::Stopped, 0, 1_002_000), None);
        assert_eq!(noted(GuestStatus::Running, 0, 1_004_000), Some(1_004_000));
    }

    #[test]
    fn what_the_node_said_stands_until_the_list_has_caught_up() {
        let (memory, now) = (Memory::default(), Instant::now());
        let old = row("qemu", 200, "running", 100);
        memory.note(&vm(200), guest(200, GuestStatus::Stopped), 0, now, 1_000_000);
        assert_eq!(one(&memory, &old, now, 1_000_000).status, GuestStatus::Stopped);
        assert_eq!(one(&memory, &old, now + LAG, 1_012_000).status, GuestStatus::Running);
        let moved = Resource { node: Some("pve2".into()), ..old };
        assert_eq!(one(&memory, &moved, now, 1_000_000).node.as_deref(), Some("pve2"));
    }

    #[test]
    fn a_list_that_says_otherwise_than_the_node_did_is_doubted_for_a_while() {
        let (memory, now) = (Memory::default(), Instant::now());
        memory.note(&vm(200), guest(200, GuestStatus::Stopped), 0, now, 0);
        let asks = |status, age| {
            let rows = [row("qemu", 200, status, 100)];
            !memory.list(BackendKind::ProxmoxVm, &rows, now + age, 0).to_ask.is_empty()
        };
        assert!(!asks("running", LAG - Duration::from_secs(1)), "the node's word stands");
        assert!(asks("running", LAG) && asks("running", DOUBT - Duration::from_secs(1)));
        assert!(!asks("stopped", LAG) && !asks("running", DOUBT));
    }

    #[test]
    fn a_paused_vm_is_asked_about_again_as_the_list_calls_it_running() {
        let (memory, now) = (Memory::default(), Instant::now());
        memory.note(&vm(200), guest(200, GuestStatus::Paused), 100, now, 0);
        let rows = [row("qemu", 200, "running", 110), row("qemu", 201, "running", 110)];
        let listed = memory.list(BackendKind::ProxmoxVm, &rows, now, 0);
        assert_eq!((listed.guests[0].status, listed.to_ask.len()), (GuestStatus::Paused, 0));
        let listed = memory.list(BackendKind::ProxmoxVm, &rows, now + LAG, 0);
        assert_eq!(listed.to_ask, [vm(200)]);
    }

    #[test]
    fn each_kind_has_its_own_guests_and_what_is_none_is_left_out() {
        let memory = Memory::default();
        let rows = [
            row("qemu", 200, "running", 1),
            row("lxc", 101, "stopped", 0),
            row("node", 102, "online", 0),
            row("lxc", 7, "stopped", 0),
            Resource { node: None, ..row("lxc", 103, "stopped", 0) },
            Resource { node: Some("..".into()), ..row("lxc", 104, "stopped", 0) },
            Resource::default(),
        ];
        memory.learn(&rows);
        assert_eq!(memory.place(BackendKind::ProxmoxVm, 200), Some(vm(200)));
        assert_eq!(memory.place(BackendKind::ProxmoxLxc, 200), None);
        assert_eq!(memory.list(BackendKind::ProxmoxLxc, &rows, Instant::now(), 0).guests.len(), 1);
        memory.learn(&[]);
        assert_eq!(memory.place(BackendKind::ProxmoxVm, 200), None);
    }
}
