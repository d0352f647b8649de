//! Turns as they are had, whatever order people come, leave and give up in.

use std::{
    collections::HashMap,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::guest::BackendKind;

const LANE: BackendKind = BackendKind::Lxc;

/// All turns from here on, one at a time.
fn turns<T>(queue: &mut FairQueue<T>) -> Vec<T> {
    std::iter::from_fn(|| {
        queue.done();
        queue.take_turn()
    })
    .collect()
}

#[test]
fn a_single_action_does_not_wait_for_another_users_hundred() {
    let mut queue = FairQueue::new(2);
    for child in 0..100 {
        queue.push("bulk", child);
    }
    assert_eq!((queue.take_turn(), queue.take_turn(), queue.take_turn()), (Some(0), Some(1), None));
    queue.push("anna", 1000);
    assert_eq!(queue.position(|item| *item == 1000), Some(1));
    queue.done();
    assert_eq!(queue.take_turn(), Some(1000));
    queue.push("anna", 1001);
    queue.push("anna", 1002);
    assert_eq!(&turns(&mut queue)[..5], [2, 1001, 3, 1002, 4]);
}

#[test]
fn what_is_cancelled_while_it_waits_holds_up_nobody() {
    let mut queue = FairQueue::new(1);
    for (user, item) in [("a", 1), ("a", 2), ("b", 3), ("c", 4)] {
        queue.push(user, item);
    }
    assert_eq!(queue.position(|item| *item == 2), Some(4));
    assert_eq!(queue.remove(|item| *item == 3), Some(3));
    assert_eq!(queue.remove(|item| *item == 3), None);
    assert_eq!(queue.remove(|item| *item == 1), Some(1));
    assert_eq!((queue.len(), turns(&mut queue)), (2, vec![2, 4]));
    assert!(queue.is_empty());
}

#[test]
fn there_is_always_a_slot() {
    let mut queue = FairQueue::new(0);
    queue.push("a", ());
    assert!(queue.take_turn().is_some());
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Push(usize),
    Turn,
    Done,
    Remove(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        3 => (0..4usize).prop_map(Deed::Push),
        3 => Just(Deed::Turn),
        2 => Just(Deed::Done),
        1 => (0..40usize).prop_map(Deed::Remove),
    ];
    prop::collection::vec(deed, 0..120)
}

proptest! {
    #[test]
    fn turns_are_fair(slots in 1..4usize, deeds in deeds()) {
        let users = ["a", "b", "c", "d"];
        let mut queue = FairQueue::new(slots);
        // What waits of each user, oldest first, and who was passed over by whom since their last turn.
        let mut waiting: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut passed: HashMap<(usize, usize), usize> = HashMap::new();
        let (mut at_work, mut number) = (0, 0);
        for deed in deeds {
            match deed {
                Deed::Push(user) => {
                    number += 1;
                    queue.push(users[user], (user, number));
                    waiting.entry(user).or_default().push(number);
                }
                Deed::Turn => {
                    let first = queue.line().next().copied();
                    let turn = queue.take_turn();
                    if at_work == slots || waiting.values().all(Vec::is_empty) {
                        prop_assert_eq!(turn, None);
                        continue;
                    }
                    let (user, item) = turn.expect("a slot is free and somebody waits");
                    prop_assert_eq!(Some((user, item)), first, "the first in line");
                    prop_assert_eq!(waiting.get_mut(&user).map(|items| items.remove(0)), Some(item), "oldest first");
                    at_work += 1;
                    for other in (0..users.len()).filter(|other| *other != user) {
                        passed.remove(&(user, other));
                        if waiting.get(&other).is_some_and(|items| !items.is_empty()) {
                            let times = passed.entry((other, user)).or_insert(0);
                            *times += 1;
                            prop_assert!(*times <= 1, "{} waited for two turns of {}", users[other], users[user]);
                        } else {
                            passed.remove(&(other, user));
                        }
                    }
                }
                Deed::Done => {
                    queue.done();
                    at_work = at_work.saturating_sub(1);
                }
                Deed::Remove(item) => {
                    let removed = queue.remove(|(_, number)| *number == item);
                    let was_there = waiting.iter_mut().find_map(|(user, items)| {
                        let index = items.iter().position(|waits| *waits == item)?;
                        items.remove(index);
                        Some((*user, item))
                    });
                    prop_assert_eq!(removed, was_there);
                    // Who no longer waits is passed over by nobody.
                    passed.retain(|(user, _), _| waiting.get(user).is_some_and(|items| !items.is_empty()));
                }
            }
            prop_assert_eq!(queue.at_work(), at_work);
            prop_assert_eq!(queue.len(), waiting.values().map(Vec::len).sum::<usize>());
        }
        let line: Vec<_> = queue.line().copied().collect();
        prop_assert_eq!(line.len(), queue.len(), "all that wait are in line");
        for (index, item) in line.iter().enumerate() {
            prop_assert_eq!(queue.position(|other| other == item), Some(index + 1));
        }
        for _ in 0..at_work {
            queue.done();
        }
        prop_assert_eq!(turns(&mut queue), line, "turns come as the line told");
    }
}

/// Looks at a future once.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn lanes_of_two_backends_do_not_hold_each_other_up() {
    let (lanes, cancel) = (Lanes::new(1), CancellationToken::new());
    let enter = |lane| {
        let mut entering = Box::pin(lanes.enter(lane, "anna", &cancel));
        (poll(entering.as_mut()), entering)
    };
    let (Poll::Ready(Some(first)), _) = enter(LANE) else { panic!("the lane is empty") };
    assert!(matches!(enter(BackendKind::Crun).0, Poll::Ready(Some(_))));
    let (Poll::Pending, mut second) = enter(LANE) else { panic!("the lane is full") };
    assert_eq!((lanes.waiting(LANE), lanes.waiting(BackendKind::Crun)), (1, 0));
    drop(first);
    assert!(matches!(poll(second.as_mut()), Poll::Ready(Some(_))));
    assert_eq!((lanes.waiting(LANE), lanes.at_work(LANE)), (0, 0));
}

#[test]
fn a_place_tells_which_in_line_it_is() {
    let lanes = Lanes::new(1);
    let places = ["bulk", "bulk", "bulk", "anna"].map(|user| lanes.line_up(LANE, user));
    assert_eq!(places.each_ref().map(Place::position), [None, Some(2), Some(3), Some(1)]);
    let tickets = places.each_ref().map(Place::ticket);
    assert_eq!(tickets.map(|ticket| lanes.position(ticket)), [None, Some(2), Some(3), Some(1)]);
    let [first, second, third, anna] = places;
    drop(anna);
    assert_eq!(lanes.position(tickets[3]), None, "who left the line has no place in it");
    drop(first);
    assert_eq!([&second, &third].map(Place::position), [None, Some(1)]);
}

#[test]
fn what_was_cancelled_before_does_not_begin() {
    let (lanes, cancel) = (Lanes::new(1), CancellationToken::new());
    cancel.cancel();
    assert!(matches!(poll(pin!(lanes.enter(LANE, "anna", &cancel))), Poll::Ready(None)));
    assert_eq!(lanes.at_work(LANE), 0);
}

#[test]
fn a_turn_that_nobody_heard_of_is_given_on() {
    let lanes = Lanes::new(1);
    let [first, second, third] = [(); 3].map(|()| lanes.line_up(LANE, "anna"));
    drop(first);
    // It has been given the turn by now and is dropped without having looked.
    drop(second);
    assert!(matches!(poll(pin!(third.turn(&CancellationToken::new()))), Poll::Ready(Some(_))));
}

/// What may happen to one that entered, by its number.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Enter(usize),
    Look(usize),
    Cancel(usize),
    DropFuture(usize),
    DropPermit(usize),
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => (0..4usize).prop_map(Fate::Enter),
        3 => (0..20usize).prop_map(Fate::Look),
        1 => (0..20usize).prop_map(Fate::Cancel),
        1 => (0..20usize).prop_map(Fate::DropFuture),
        2 => (0..20usize).prop_map(Fate::DropPermit),
    ];
    prop::collection::vec(fate, 0..100)
}

type Entering = Pin<Box<dyn Future<Output = Option<Permit>>>>;

proptest! {
    #[test]
    fn no_permit_is_lost_and_none_is_given_twice(slots in 1..4usize, fates in fates()) {
        let lanes = Lanes::new(slots);
        let mut entering: Vec<(Option<Entering>, CancellationToken)> = vec![];
        let mut permits: Vec<Permit> = vec![];
        for fate in fates {
            match fate {
                Fate::Enter(user) => {
                    let cancel = CancellationToken::new();
                    let (lanes, token) = (lanes.clone(), cancel.clone());
                    let user = ["a", "b", "c", "d"][user];
                    entering.push((Some(Box::pin(async move { lanes.enter(LANE, user, &token).await })), cancel));
                }
                Fate::Look(index) => {
                    if let Some((future, cancel)) = entering.get_mut(index)
                        && let Some(Poll::Ready(entered)) = future.as_mut().map(|future| poll(future.as_mut()))
                    {
                        prop_assert_eq!(entered.is_none(), cancel.is_cancelled());
                        permits.extend(entered);
                        *future = None;
                    }
                }
                Fate::Cancel(index) => {
                    if let Some((_, cancel)) = entering.get(index) {
                        cancel.cancel();
                    }
                }
                Fate::DropFuture(index) => {
                    if let Some((future, _)) = entering.get_mut(index) {
                        *future = None;
                    }
                }
                Fate::DropPermit(index) => {
                    if index < permits.len() {
                        permits.swap_remove(index);
                    }
                }
            }
            prop_assert!(permits.len() <= lanes.at_work(LANE));
            prop_assert!(lanes.at_work(LANE) <= slots);
            prop_assert!(lanes.waiting(LANE) == 0 || lanes.at_work(LANE) == slots, "nobody waits beside a free slot");
        }
        permits.clear();
        // Everybody left has a turn in the end.
        while entering.iter().any(|(future, _)| future.is_some()) {
            let before = entering.iter().filter(|(future, _)| future.is_some()).count();
            for (future, _) in &mut entering {
                if future.as_mut().is_some_and(|future| poll(future.as_mut()).is_ready()) {
                    *future = None;
                }
            }
            prop_assert!(entering.iter().filter(|(future, _)| future.is_some()).count() < before, "nobody is stuck");
        }
        prop_assert_eq!((lanes.at_work(LANE), lanes.waiting(LANE)), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_woken_and_never_too_many_work() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    static AT_WORK: AtomicUsize = AtomicUsize::new(0);
    let lanes = Lanes::new(3);
    let tasks: Vec<_> = (0..600)
        .map(|number| {
            let lanes = lanes.clone();
            tokio::spawn(async move {
                let cancel = CancellationToken::new();
                if number % 3 == 0 {
                    cancel.cancel();
                }
                let entering = lanes.enter(LANE, ["a", "b"][number % 2], &cancel);
                if number % 5 == 0 {
                    // Dropped in the middle, or done if it came at once.
                    tokio::select! { biased; _ = entering => (), () = tokio::task::yield_now() => () }
                    return;
                }
                let Some(_permit) = entering.await else { return };
                assert!(AT_WORK.fetch_add(1, SeqCst) < 3);
                tokio::task::yield_now().await;
                AT_WORK.fetch_sub(1, SeqCst);
            })
        })
        .collect();
    let all = async {
        for task in tasks {
            task.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("nobody waits for ever");
    assert_eq!((lanes.at_work(LANE), lanes.waiting(LANE)), (0, 0));
}
