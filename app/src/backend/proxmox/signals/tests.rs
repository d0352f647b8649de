use crate::{
    backend::proxmox::wire::guest::Resource,
    domain::task::{TaskEnd, TaskResult},
};

use super::*;

const LXC: BackendKind = BackendKind::ProxmoxLxc;
const VM: BackendKind = BackendKind::ProxmoxVm;
const NOW_MS: i64 = 1_000_000_000;

fn task(number: u32, kind: &str, id: &str, end: Option<i64>) -> Task {
    let upid = format!("UPID:pve1:{number:08X}:1:6B034F2F:{kind}:{id}:root@pam:");
    let guest = upid.parse::<super::super::Upid>().unwrap().guest();
    Task {
        upid,
        kind: kind.to_owned(),
        id: id.to_owned(),
        guest,
        node: "pve1".to_owned(),
        user: "root@pam".to_owned(),
        started_ms: NOW_MS - 100_000,
        end: end.map(|at_ms| TaskEnd { at_ms: Some(at_ms), result: TaskResult::Ok }),
    }
}

/// What one kind hears of the same readings.
struct Trial {
    kind: BackendKind,
    memory: Memory,
    tasks: Tasks,
    agenda: Agenda,
    number: u64,
}

impl Trial {
    fn new(kind: BackendKind) -> Self {
        let row = |kind: &str, vmid| Resource {
            kind: Some(kind.to_owned()),
            vmid: Some(vmid),
            node: Some("pve1".to_owned()),
            ..Resource::default()
        };
        let memory = Memory::default();
        memory.learn(&[row("lxc", 101), row("qemu", 200)]);
        Self { kind, memory, tasks: Tasks::default(), agenda: Agenda::default(), number: 0 }
    }

    /// Whether the list is to be read, and which guests.
    fn hears(&mut self, tasks: &[Task], guests: u64) -> (bool, Vec<u32>) {
        self.number += 1;
        let beat = Beat { number: self.number, guests, at: None, tasks: Arc::new(tasks.to_vec()) };
        let list = self.tasks.hear(&beat, self.kind, &self.memory, &mut self.agenda, NOW_MS);
        let named = self.agenda.guests.keys().copied().collect();
        self.agenda.guests.clear();
        (list, named)
    }
}

#[test]
fn a_task_is_news_at_its_begin_and_at_its_end_and_never_else() {
    let mut trial = Trial::new(LXC);
    let old = task(1, "vzstart", "101", Some(NOW_MS - 60_000));
    assert_eq!(trial.hears(std::slice::from_ref(&old), 0), (false, vec![]), "long over");
    let begun = [task(2, "vzstop", "101", None), old.clone()];
    assert_eq!(trial.hears(&begun, 0), (false, vec![101]));
    assert_eq!(trial.hears(&begun, 0), (false, vec![]));
    let ended = [task(2, "vzstop", "101", Some(NOW_MS)), old.clone()];
    assert_eq!(trial.hears(&ended, 0), (false, vec![101]));
    assert_eq!(trial.hears(&ended, 0), (false, vec![]));
    let whole = [task(3, "vzstart", "101", Some(NOW_MS)), old];
    assert_eq!(trial.hears(&whole, 0), (false, vec![101]), "begun and ended between two readings");
}

#[test]
fn what_ended_just_before_the_first_reading_is_news_as_the_list_of_guests_lags() {
    for (task, wanted) in [
        (task(1, "vzstart", "101", Some(NOW_MS - 5000)), vec![101]),
        (task(1, "vzstart", "101", None), vec![101]),
        (task(1, "vzstart", "101", Some(NOW_MS - 20_000)), vec![]),
    ] {
        assert_eq!(Trial::new(LXC).hears(&[task], 7), (false, wanted));
    }
}

#[test]
fn a_running_task_that_is_told_no_more_has_ended() {
    let mut trial = Trial::new(LXC);
    trial.hears(&[task(1, "vzstart", "101", None), task(2, "vzclone", "101", None)], 0);
    assert_eq!(trial.hears(&[], 0), (true, vec![101]));
    assert_eq!(trial.hears(&[], 0), (false, vec![]));
}

#[test]
fn each_kind_hears_of_its_own_guests_and_both_of_what_changes_the_list() {
    let tasks = [
        task(1, "vzstart", "101", None),
        task(2, "qmstart", "200", None),
        task(3, "vzdump", "200", None),
        task(4, "vncproxy", "200", None),
        task(5, "aptupdate", "", None),
        task(6, "vzdump", "999", None),
    ];
    let (mut containers, mut machines) = (Trial::new(LXC), Trial::new(VM));
    for trial in [&mut containers, &mut machines] {
        trial.hears(&[], 0);
    }
    assert_eq!(containers.hears(&tasks, 0), (false, vec![101]));
    assert_eq!(machines.hears(&tasks, 0), (false, vec![200]));
    let clone = [task(7, "qmclone", "200", None)];
    assert!(containers.hears(&clone, 0).0 && machines.hears(&clone, 0).0);
    assert_eq!(containers.hears(&clone, 1), (true, vec![]), "the node's file says so");
}

#[test]
fn a_guest_is_read_at_once_and_ever_more_seldom() {
    let (mut agenda, begun) = (Agenda::default(), Instant::now());
    let read_at = |agenda: &mut Agenda, last| {
        agenda.add(101, last, begun);
        let mut times = Vec::new();
        while let Some(at) = agenda.next() {
            assert_eq!(agenda.take(at), [101]);
            assert!(agenda.take(at).is_empty());
            times.push((at - begun).as_millis());
        }
        times
    };
    assert_eq!(read_at(&mut agenda, LAST), [0, 250, 750]);
    assert_eq!(read_at(&mut agenda, LAST_RUNNING), [0, 250, 750, 1750, 3750, 7750, 15_750, 31_750]);
}

#[test]
fn of_many_guests_a_few_are_read_at_once_and_all_in_the_end() {
    let (mut agenda, begun) = (Agenda::default(), Instant::now());
    (100..200).for_each(|vmid| agenda.add(vmid, LAST, begun));
    let mut first: Vec<u32> = Vec::new();
    for _ in 0..13 {
        let some = agenda.take(begun);
        assert!(some.len() <= AT_ONCE);
        first.extend(some);
    }
    assert_eq!(first, (100..200).collect::<Vec<_>>(), "each before any for the second time");
}
