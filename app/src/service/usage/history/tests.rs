use super::*;
use crate::domain::{guest::BackendKind, usage::NodeSample};

fn id(name: &str) -> GuestId {
    GuestId::new(BackendKind::Lxc, name.parse().unwrap())
}

fn sample(cpu: u32, memory: u64) -> Sample {
    Sample {
        cpu: Some(Cpus(cpu)),
        cpu_most: Some(Cpus(1000)),
        memory: Some(memory),
        memory_most: Some(64),
        ..Sample::default()
    }
}

/// Moments of ten seconds; at each, `who` says which guests have a sample.
fn pushed(
    history: &mut History,
    numbers: std::ops::RangeInclusive<u64>,
    who: impl Fn(u64) -> Vec<(&'static str, Sample)>,
) {
    for number in numbers {
        let guests = who(number).into_iter().map(|(name, sample)| (id(name), sample)).collect();
        let node = NodeSample { state: NodeState::Online, sample: sample(7, 8), ..NodeSample::default() };
        let nodes = BTreeMap::from([("pve1".to_owned(), node)]);
        let tick = Tick { number, at_ms: i64::try_from(number).unwrap() * 10_000, guests, nodes };
        history.push(&tick, |_| true);
    }
}

#[test]
fn figures_are_true_to_one_part_in_three_thousand() {
    assert_eq!(unpack(pack(None)), None);
    for exact in [0, 1, 2, 3, 100, 999] {
        assert_eq!(unpack(pack(Some(exact))), Some(exact));
    }
    for figure in [1_234, 98_765_432, 1 << 30, (1 << 40) + 12_345, 1 << 50] {
        let kept = unpack(pack(Some(figure))).unwrap();
        assert!(kept.abs_diff(figure) * 3000 <= figure, "{figure} is kept as {kept}");
    }
    assert!(unpack(pack(Some(u64::MAX))).unwrap() > 1 << 54, "what is past all bounds stays at them");
}

#[test]
fn a_ring_holds_an_hour_and_no_more() {
    let mut history = History::default();
    pushed(&mut history, 1..=1000, |n| vec![("web1", sample(u32::try_from(n).unwrap(), n))]);
    let series = history.series(&history.guests[&id("web1")], i64::MIN).unwrap();
    assert_eq!((series.len(), series.start_ms, series.end_ms()), (361, 6_400_000, Some(10_000_000)));
    assert_eq!((series.cpu.len(), series.cpu[360], series.memory[0]), (361, Some(1000), Some(640)));
    assert!(series.disk_read.is_empty() && series.net_out.is_empty(), "nothing was ever told of them");
    let ring = &history.guests[&id("web1")];
    assert!(ring.entries.capacity() <= MOST + GROWTH, "{}", ring.entries.capacity());
    assert_eq!(size_of::<Packed>(), 12);
    assert_eq!(history.series(&history.nodes["pve1"], i64::MIN).unwrap().len(), 361);
}

#[test]
fn only_what_is_newer_is_told_to_whoever_has_the_rest() {
    let mut history = History::default();
    pushed(&mut history, 1..=20, |_| vec![("web1", sample(1, 2))]);
    let ring = &history.guests[&id("web1")];
    let newer = history.series(ring, 180_000).unwrap();
    assert_eq!((newer.start_ms, newer.at), (190_000, vec![0, 10_000]));
    let none = history.series(ring, 200_000).unwrap();
    assert!(none.is_empty() && none.cpu.is_empty());
}

#[test]
fn moments_without_a_sample_are_gaps() {
    let mut history = History::default();
    pushed(
        &mut history,
        1..=10,
        |n| if (4..=6).contains(&n) { vec![] } else { vec![("web1", sample(500, 64))] },
    );
    let ring = &history.guests[&id("web1")];
    let series = history.series(ring, i64::MIN).unwrap();
    let some = |cpu: Option<u64>| cpu.is_some();
    assert_eq!(
        series.cpu.into_iter().map(some).collect::<Vec<_>>(),
        [true, true, true, false, false, false, true, true, true, true]
    );
    let spark = history.spark(ring);
    assert_eq!((spark.cpu.as_str(), spark.memory.as_str()), ("ggg...gggg", "___...____"));
}

#[test]
fn a_spark_has_the_newest_moments_and_says_which_are_missing() {
    let mut history = History::default();
    pushed(&mut history, 1..=100, |_| vec![("web1", sample(1000, 0))]);
    assert_eq!(history.spark(&history.guests[&id("web1")]).cpu, "_".repeat(SPARK_POINTS));
    pushed(&mut history, 101..=103, |_| vec![]);
    assert_eq!(history.spark(&history.guests[&id("web1")]).cpu, "_".repeat(SPARK_POINTS - 3) + "...");
    pushed(&mut history, 104..=400, |_| vec![]);
    assert_eq!(history.spark(&history.guests[&id("web1")]).cpu, ".".repeat(SPARK_POINTS), "it is off");
}

#[test]
fn guests_that_are_gone_are_let_go_and_so_are_those_without_a_sample_for_an_hour() {
    let mut history = History::default();
    pushed(&mut history, 1..=5, |_| vec![("web1", sample(1, 1)), ("web2", sample(1, 1))]);
    let tick = Tick { number: 6, at_ms: 60_000, ..Tick::default() };
    history.push(&tick, |kept| *kept == id("web1"));
    assert_eq!(history.guests.keys().collect::<Vec<_>>(), [&id("web1")]);
    pushed(&mut history, 7..=365, |_| vec![]);
    assert_eq!(history.guests.len(), 1);
    pushed(&mut history, 366..=366, |_| vec![]);
    assert!(history.guests.is_empty());
}

#[test]
fn a_guest_that_was_off_for_most_of_an_hour_fills_no_more_than_an_hour() {
    let mut history = History::default();
    pushed(&mut history, 1..=2, |_| vec![("web1", sample(1, 1))]);
    pushed(&mut history, 3..=361, |_| vec![]);
    pushed(&mut history, 362..=364, |_| vec![("web1", sample(1, 1))]);
    let series = history.series(&history.guests[&id("web1")], i64::MIN).unwrap();
    assert!(series.len() <= 361 && series.end_ms() == Some(3_640_000));
    assert_eq!(series.cpu.iter().flatten().count(), 3);
}

#[test]
fn a_clock_that_is_set_back_keeps_the_order() {
    let mut history = History::default();
    pushed(&mut history, 1..=3, |_| vec![("web1", sample(1, 1))]);
    let guests = HashMap::from([(id("web1"), sample(2, 2))]);
    history.push(&Tick { number: 4, at_ms: 5_000, guests, ..Tick::default() }, |_| true);
    let series = history.series(&history.guests[&id("web1")], i64::MIN).unwrap();
    assert_eq!((series.len(), series.end_ms()), (4, Some(5_000)));
    assert!(series.at.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", series.at);
}
