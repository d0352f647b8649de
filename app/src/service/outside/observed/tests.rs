use GuestStatus::{Running, Stopped, Stopping};

use super::*;
use crate::domain::guest::GuestStatus;

fn change(before: Option<GuestStatus>, after: Option<GuestStatus>) -> Change {
    Change {
        guest: GuestId::parse("crun", "job").unwrap(),
        before,
        after,
        from_ms: 1000,
        began_ms: 1500,
        ended_ms: 1505,
        cause: Cause::Open,
    }
}

fn last(finished_ms: i64, after: GuestAfter) -> LastDone {
    LastDone { finished_ms: Some(finished_ms), guest_after: Some(after) }
}

#[test]
fn what_an_operation_did_is_not_from_outside() {
    let stopped = change(Some(Running), Some(Stopped));
    assert_eq!(outside_since(&stopped, None), Some(1000));
    let live = LastDone { finished_ms: None, guest_after: None };
    assert_eq!(outside_since(&stopped, Some(&live)), None);
    let copied = LastDone { finished_ms: Some(1200), guest_after: None };
    assert_eq!(outside_since(&stopped, Some(&copied)), None);
    for after in [GuestAfter::Status(Stopped), GuestAfter::Status(Stopping), GuestAfter::NotRead] {
        assert_eq!(outside_since(&stopped, Some(&last(1200, after))), None, "{after:?}");
    }
    let gone = change(Some(Running), None);
    assert_eq!(outside_since(&gone, Some(&last(1200, GuestAfter::Gone))), None);
}

#[test]
fn what_changed_after_an_operation_had_ended_is_from_outside() {
    let stopped = change(Some(Running), Some(Stopped));
    assert_eq!(outside_since(&stopped, Some(&last(1200, GuestAfter::Status(Running)))), Some(1200));
    assert_eq!(outside_since(&stopped, Some(&last(1200, GuestAfter::Gone))), Some(1200));
    for finished_ms in [1500, 1502] {
        // A restart was read in its middle, or may have been.
        let restarted = last(finished_ms, GuestAfter::Status(Running));
        assert_eq!(outside_since(&stopped, Some(&restarted)), None);
    }
}

#[test]
fn a_guest_that_flaps_is_recorded_so_often_and_then_it_is_said() {
    let mut count = Count::default();
    let mut words = Vec::new();
    for number in 1..=200 {
        count = count.next(1000 + number);
        assert_eq!(count.is_recorded(), number <= 61, "{number}");
        words.extend(count.words());
    }
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].starts_with("This guest changed more than 60 times within an hour"), "{words:?}");
    count = count.next(1001 + HOUR_MS);
    assert!(count.is_recorded());
    assert_eq!(
        count.words().unwrap(),
        "139 changes before this one were not recorded, as there were too many."
    );
    assert_eq!(count.next(1002 + HOUR_MS).words(), None);
}

#[test]
fn it_is_told_between_which_times_a_change_happened_that_was_not_seen_at_once() {
    let prompt = change(Some(Running), Some(Stopped));
    assert_eq!(when(&prompt, prompt.from_ms), None);
    let late = Change { ended_ms: 61_000, ..prompt.clone() };
    assert!(
        when(&late, 1000).unwrap().contains("between 1970-01-01 00:00:01 UTC and 1970-01-01 00:01:01 UTC")
    );
    let down = Change { cause: Cause::WhileDown, ..prompt };
    assert!(when(&down, 1000).unwrap().starts_with("Seen by the first reading after Paddock's start"));
}

#[test]
fn of_very_many_guests_those_that_changed_most_stay_counted() {
    let guest = |n: usize| GuestId::parse("lxc", &format!("g{n}")).unwrap();
    let count = |n: usize| Count { changes: if n < 10 { MOST_AN_HOUR + 5 } else { 2 }, ..Count::default() };
    let mut counts: HashMap<GuestId, Count> = (0..MOST_COUNTED).map(|n| (guest(n), count(n))).collect();
    forget_calm(&mut counts);
    assert_eq!(counts.len(), MOST_COUNTED);
    counts.insert(guest(MOST_COUNTED), count(MOST_COUNTED));
    forget_calm(&mut counts);
    assert_eq!(counts.len(), 10);
    assert!((0..10).all(|n| !counts[&guest(n)].is_recorded()));
}
