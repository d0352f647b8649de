use proptest::prelude::*;

use super::*;
use crate::domain::{
    guest::{GuestId, GuestStatus},
    limits::Cpus,
};

struct Item(Guest, Option<i64>, Option<Sample>);

impl Listed for Item {
    fn guest(&self) -> &Guest {
        &self.0
    }

    fn last_ms(&self) -> Option<i64> {
        self.1
    }

    fn sample(&self) -> Option<&Sample> {
        self.2.as_ref()
    }
}

fn items() -> Vec<Item> {
    let guest = |id: &str, status| {
        let (backend, name) = id.split_once('/').unwrap();
        Guest::new(GuestId::parse(backend, name).unwrap(), status)
    };
    vec![
        Item(
            Guest {
                addresses: vec!["10.0.0.10".to_owned()],
                started_ms: Some(500),
                tags: vec!["lab".to_owned(), "web".to_owned()],
                ..guest("lxc/a", GuestStatus::Running)
            },
            Some(10),
            Some(Sample { cpu: Some(Cpus(250)), memory: Some(9), ..Sample::default() }),
        ),
        Item(guest("crun/b", GuestStatus::Stopped), None, None),
        Item(
            Guest {
                addresses: vec!["10.0.0.9".to_owned()],
                started_ms: Some(100),
                tags: vec!["lab".to_owned()],
                ..guest("lxc/c", GuestStatus::Running)
            },
            Some(30),
            Some(Sample { cpu: Some(Cpus(1500)), memory: None, ..Sample::default() }),
        ),
        Item(
            Guest { node: Some("pve2".to_owned()), ..guest("proxmox-vm/100", GuestStatus::Stopped) },
            None,
            None,
        ),
    ]
}

fn shown(sort: &str, group: &str, q: &str) -> Vec<String> {
    let items = items();
    let arranged = arrange(&items, &ListQuery::of(q, sort, group));
    let name = |line: &ListLine| match line {
        ListLine::Guest(at) => items[*at].0.id.name.to_string(),
        ListLine::Heading(heading) => {
            let counts: Vec<_> = heading.counts.iter().map(|(status, n)| format!("{n} {status}")).collect();
            format!("{}: {}", heading.title, counts.join(", "))
        }
    };
    arranged.lines.iter().map(name).collect()
}

#[test]
fn each_column_sorts_both_ways_and_what_has_no_value_comes_last() {
    assert_eq!(shown("", "", ""), ["a", "b", "c", "100"]);
    assert_eq!(shown("-name", "", ""), ["c", "b", "a", "100"]);
    assert_eq!(shown("status", "", ""), ["a", "c", "b", "100"]);
    assert_eq!(shown("backend", "", ""), ["100", "a", "c", "b"]);
    assert_eq!(shown("node", "", ""), ["100", "a", "b", "c"]);
    assert_eq!(shown("-node", "", ""), ["100", "a", "b", "c"]);
    assert_eq!(shown("address", "", ""), ["c", "a", "b", "100"], "as numbers, not as text");
    assert_eq!(shown("-address", "", ""), ["a", "c", "b", "100"]);
    assert_eq!(shown("cpu", "", ""), ["c", "a", "b", "100"], "the most first");
    assert_eq!(shown("-cpu", "", ""), ["a", "c", "b", "100"]);
    assert_eq!(shown("memory", "", ""), ["a", "b", "c", "100"]);
    assert_eq!(shown("uptime", "", ""), ["a", "c", "b", "100"], "the youngest first");
    assert_eq!(shown("-uptime", "", ""), ["c", "a", "b", "100"]);
    assert_eq!(shown("last", "", ""), ["c", "a", "b", "100"], "the newest first");
    assert_eq!(shown("nonsense", "nonsense", ""), shown("", "", ""));
}

#[test]
fn groups_have_headings_that_count_states_and_a_guest_stands_under_each_of_its_tags() {
    assert_eq!(shown("", "status", ""), ["running: 2 running", "a", "c", "stopped: 2 stopped", "b", "100"]);
    assert_eq!(shown("-name", "tag", "tag:lab"), ["lab: 2 running", "c", "a", "web: 1 running", "a"]);
    let arranged = arrange(&items(), &ListQuery::of("tag:lab", "", "tag"));
    assert_eq!(arranged.found, 2);
    assert_eq!(shown("", "node", "stopped"), ["pve2: 1 stopped", "100", "this host: 1 stopped", "b"]);
}

#[test]
fn an_address_says_only_what_is_not_the_default() {
    let search = |q, sort, group, page| ListQuery::of(q, sort, group).search(page);
    assert_eq!(search("", "name", "", 1), "");
    assert_eq!(search(" tag:a&b ", "-uptime", "tag", 2), "?q=tag%3Aa%26b&sort=-uptime&group=tag&page=2");
}

proptest! {
    #[test]
    fn sorting_is_a_total_order_whatever_the_values(
        seeds in prop::collection::vec((0u8..8, 0i64..3, 0u8..4, prop::option::of(0i64..3)), 0..40),
        column in 0usize..Column::ALL.len(),
        is_down: bool,
    ) {
        let item = |(at, (status, started, address, last)): (usize, &(u8, i64, u8, Option<i64>))| {
            let id = GuestId::parse("lxc", &format!("g{at:02}")).unwrap();
            let guest = Guest {
                started_ms: (*started > 0).then_some(*started),
                addresses: (*address > 0).then(|| format!("10.0.0.{address}")).into_iter().collect(),
                ..Guest::new(id, GuestStatus::ALL[usize::from(*status)])
            };
            let sample = Sample { cpu: Some(Cpus(u32::from(*address))), ..Sample::default() };
            Item(guest, *last, (*status > 2).then_some(sample))
        };
        let items: Vec<Item> = seeds.iter().enumerate().map(item).collect();
        let query = ListQuery { sort: Sort { column: Column::ALL[column], is_down }, ..ListQuery::default() };
        let arranged = arrange(&items, &query);
        prop_assert_eq!(arranged.lines.len(), items.len());
        // The standard library's sort panics where an order is none; equals keep their place.
        let places: Vec<usize> = arranged.lines.iter().map(|line| match line {
            ListLine::Guest(at) => *at,
            ListLine::Heading(_) => unreachable!("there are no groups"),
        }).collect();
        for pair in places.windows(2) {
            let order = compare(&items[pair[0]], &items[pair[1]], query.sort);
            prop_assert!(order != Ordering::Greater && (order != Ordering::Equal || pair[0] < pair[1]));
        }
    }
}
