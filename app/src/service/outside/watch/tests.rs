use GuestStatus::{Creating, Paused, Running, Starting, Stopped, Stopping, Unknown};

use super::*;

const LXC: BackendKind = BackendKind::Lxc;

fn name(text: &str) -> GuestName {
    GuestName::found(text).unwrap()
}

fn guests(all: &[(&str, GuestStatus)]) -> Vec<Guest> {
    all.iter().map(|(text, status)| Guest::new(GuestId::new(LXC, name(text)), *status)).collect()
}

/// A watch on LXC, read every 500 ms from `at` on; a reading takes 5 ms.
struct Trial {
    watch: Watch,
    at: i64,
}

impl Trial {
    /// Of which nothing was known.
    fn new() -> Self {
        Self { watch: Watch::new([(LXC, Memory::default())]), at: 10_000 }
    }

    /// That was read last at 1000, and found this.
    fn knowing(all: &[(&str, GuestStatus)]) -> Self {
        let known = |(text, status): &(&str, GuestStatus)| KnownGuest {
            name: name(text),
            status: *status,
            since_ms: 500,
        };
        let guests = all.iter().map(known).collect();
        Self { watch: Watch::new([(LXC, Memory { guests, read_ms: Some(1000) })]), at: 10_000 }
    }

    fn events(&mut self, all: &[(&str, GuestStatus)]) -> Vec<Event> {
        self.at += 500;
        self.watch.reading(LXC, &guests(all), self.at, self.at + 5)
    }

    fn changes(&mut self, all: &[(&str, GuestStatus)]) -> Vec<Change> {
        let change = |event| match event {
            Event::Changed(change) => Some(change),
            _ => None,
        };
        self.events(all).into_iter().filter_map(change).collect()
    }

    /// From what to what, of the one guest that changed.
    fn one(&mut self, all: &[(&str, GuestStatus)]) -> (Option<GuestStatus>, Option<GuestStatus>) {
        let changes = self.changes(all);
        assert_eq!(changes.len(), 1, "{changes:?}");
        (changes[0].before, changes[0].after)
    }
}

#[test]
fn the_very_first_reading_is_no_change() {
    let mut trial = Trial::new();
    let events = trial.events(&[("a", Running), ("b", Starting)]);
    let found = Event::Found { kind: LXC, guests: vec![(name("a"), Running)], read_ms: 10_500 };
    assert_eq!(events, [found, Event::ReadUntil { kind: LXC, until_ms: 10_500 }]);
    let settled = trial.changes(&[("a", Running), ("b", Running)]);
    assert_eq!((settled[0].after, settled[0].cause), (Some(Running), Cause::None), "how b was is not known");
    assert_eq!(trial.events(&[("a", Running), ("b", Running)]), []);
}

#[test]
fn a_change_is_told_once_with_the_times_between_which_it_happened() {
    let mut trial = Trial::new();
    trial.events(&[("a", Running)]);
    let change = Change {
        guest: GuestId::new(LXC, name("a")),
        before: Some(Running),
        after: Some(Stopped),
        from_ms: 10_500,
        began_ms: 11_000,
        ended_ms: 11_005,
        cause: Cause::Open,
    };
    assert_eq!(trial.changes(&[("a", Stopped)]), [change]);
    assert_eq!(trial.changes(&[("a", Stopped)]), []);
    assert_eq!(trial.one(&[]), (Some(Stopped), None));
    assert_eq!(trial.changes(&[]), []);
    assert_eq!(trial.one(&[("a", Paused)]), (None, Some(Paused)));
}

#[test]
fn what_passes_is_no_change_and_what_it_comes_to_began_when_it_left_its_rest() {
    let mut trial = Trial::new();
    trial.events(&[("a", Running)]);
    for passing in [Stopping, Starting, Stopping] {
        assert_eq!(trial.changes(&[("a", passing)]), []);
    }
    let change = trial.changes(&[("a", Stopped)]).remove(0);
    assert_eq!((change.from_ms, change.began_ms), (10_500, 12_500));
    trial.events(&[("a", Starting)]);
    assert_eq!(trial.changes(&[("a", Stopped)]), [], "it is as it was");
    assert_eq!(trial.one(&[("a", Running)]), (Some(Stopped), Some(Running)));
}

#[test]
fn a_server_that_is_killed_while_a_guest_passes_leaves_to_the_next_since_when_it_did() {
    // A creation that was cut off: it is unknown for a while, then for good.
    let mut trial = Trial::knowing(&[]);
    assert_eq!(trial.events(&[("a", Unknown)]), [Event::ReadUntil { kind: LXC, until_ms: 1000 }]);
    // The next server knows no more than that; what Paddock did at 5000 is within.
    let mut trial = Trial { at: 20_000, ..Trial::knowing(&[]) };
    trial.events(&[("a", Unknown)]);
    let change = (0..10).flat_map(|_| trial.changes(&[("a", Unknown)])).next().unwrap();
    assert_eq!((change.from_ms, change.before, change.after), (1000, None, Some(Unknown)));
}

#[test]
fn a_guest_that_is_made_appears_once_it_is_made() {
    let mut trial = Trial::new();
    trial.events(&[]);
    assert_eq!(trial.changes(&[("a", Creating)]), []);
    assert_eq!(trial.one(&[("a", Stopped)]), (None, Some(Stopped)));
    assert_eq!(trial.changes(&[("a", Stopped), ("b", Creating)]), []);
    assert_eq!(trial.changes(&[("a", Stopped)]), [], "b was never made");
}

#[test]
fn a_state_that_cannot_be_told_for_a_moment_is_no_change() {
    let mut trial = Trial::new();
    trial.events(&[("a", Running)]);
    assert_eq!(trial.changes(&[("a", Unknown)]), []);
    assert_eq!(trial.changes(&[("a", Running)]), []);
    for _ in 0..6 {
        assert_eq!(trial.changes(&[("a", Unknown)]), []);
    }
    assert_eq!(trial.one(&[("a", Unknown)]), (Some(Running), Some(Unknown)));
    assert_eq!(trial.changes(&[("a", Unknown)]), []);
    assert_eq!(trial.one(&[("a", Stopped)]), (Some(Unknown), Some(Stopped)));
}

#[test]
fn what_happened_while_paddock_was_down_is_told_by_the_first_reading() {
    let mut trial = Trial::knowing(&[("a", Running), ("b", Running), ("c", Stopped), ("d", Stopped)]);
    let changes = trial.changes(&[("a", Running), ("b", Stopped), ("d", Starting), ("e", Running)]);
    let told: Vec<_> =
        changes.iter().map(|change| (change.guest.name.as_str(), change.before, change.after)).collect();
    assert_eq!(
        told,
        [("b", Some(Running), Some(Stopped)), ("e", None, Some(Running)), ("c", Some(Stopped), None)]
    );
    assert!(changes.iter().all(|change| change.from_ms == 1000 && change.cause == Cause::WhileDown));
    let late = trial.changes(&[("a", Running), ("b", Stopped), ("d", Running), ("e", Running)]);
    assert_eq!((late[0].from_ms, late[0].cause), (1000, Cause::WhileDown), "it may have begun then");
    assert_eq!(trial.changes(&[("b", Stopped), ("d", Running), ("e", Running)])[0].cause, Cause::Open);
}

#[test]
fn what_an_operation_left_is_what_the_next_reading_is_compared_to() {
    let mut trial = Trial::new();
    trial.events(&[("job", Stopped)]);
    let job = GuestId::new(LXC, name("job"));
    trial.watch.operation_ended(&job, GuestAfter::Status(Running));
    assert_eq!(trial.one(&[("job", Stopped)]), (Some(Running), Some(Stopped)), "it ended by itself");
    for nothing_new in [GuestAfter::Status(Stopped), GuestAfter::NotRead, GuestAfter::Status(Stopping)] {
        trial.watch.operation_ended(&job, nothing_new);
        assert_eq!(trial.changes(&[("job", Stopped)]), [], "{nothing_new:?}");
    }
    trial.watch.operation_ended(&job, GuestAfter::Gone);
    assert_eq!(trial.changes(&[]), []);
    trial.watch.operation_ended(&job, GuestAfter::Status(Running));
    assert_eq!(trial.one(&[]), (Some(Running), None));
}

#[test]
fn what_a_command_line_left_while_no_server_was_up_is_how_it_was() {
    let known = |status, since_ms| KnownGuest { name: name("a"), status, since_ms };
    let mut memory = Memory { guests: vec![known(Stopped, 500)], read_ms: Some(1000) };
    memory.operation_ended(&name("a"), GuestAfter::NotRead, 2000);
    memory.operation_ended(&name("a"), GuestAfter::Status(Running), 400);
    assert_eq!(memory.guests, [known(Stopped, 500)], "older than what was seen");
    memory.operation_ended(&name("a"), GuestAfter::Status(Running), 3000);
    assert_eq!(memory.guests, [known(Running, 3000)]);
    let mut trial = Trial { watch: Watch::new([(LXC, memory.clone())]), at: 10_000 };
    assert_eq!(trial.one(&[("a", Stopped)]), (Some(Running), Some(Stopped)));
    memory.operation_ended(&name("a"), GuestAfter::Gone, 4000);
    assert_eq!(memory.guests, []);
}

#[test]
fn it_is_told_once_a_minute_up_to_when_all_is_told() {
    let mut trial = Trial::new();
    let mut told = Vec::new();
    for _ in 0..300 {
        let until = |event| match event {
            Event::ReadUntil { until_ms, .. } => Some(until_ms),
            _ => None,
        };
        told.extend(trial.events(&[("a", Running)]).into_iter().filter_map(until));
    }
    assert_eq!(told, [10_500, 70_500, 130_500]);
}

#[test]
fn what_was_seen_after_the_last_time_that_was_noted_is_not_older_than_that() {
    let known = KnownGuest { name: name("a"), status: Running, since_ms: 3000 };
    let memory = Memory { guests: vec![known], read_ms: Some(1000) };
    let mut trial = Trial { watch: Watch::new([(LXC, memory)]), at: 10_000 };
    let change = trial.changes(&[("a", Stopped)]).remove(0);
    assert_eq!((change.from_ms, change.cause), (3000, Cause::WhileDown));
}
