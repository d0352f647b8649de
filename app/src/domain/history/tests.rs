//! Filters as people type them, and as they do not.

use proptest::prelude::*;

use super::*;
use crate::domain::{action::GuestAction, guest::BackendKind, words};

/// 2026-11-26 10:00:30 UTC
const NOW: i64 = 1_795_687_230_000;
const MIDNIGHT: i64 = 1_795_651_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn query(pairs: &[(&str, &str)]) -> HistoryQuery {
    HistoryQuery::from_pairs(pairs.iter().copied())
}

fn read(pairs: &[(&str, &str)]) -> HistoryFilter {
    query(pairs).read(NOW).unwrap_or_else(|errors| panic!("{pairs:?}: {errors:?}"))
}

/// The one thing that is wrong.
fn error(pairs: &[(&str, &str)]) -> (Option<HistoryField>, String) {
    let mut errors = query(pairs).read(NOW).expect_err("it makes no sense");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.pop().map(|e| (e.field, e.message)).unwrap()
}

#[test]
fn an_empty_filter_asks_for_everything() {
    assert_eq!(read(&[]), HistoryFilter::default());
    assert_eq!(read(&[("guest", ""), ("text", "  "), ("result", "")]), HistoryFilter::default());
    assert!(query(&[("text", " "), ("after", "5-1")]).is_all());
    assert!(!query(&[("text", "x")]).is_all());
    assert!(!query(&[("tetx", "x")]).is_all());
    assert_eq!(query(&[]).to_query(), "");
}

#[test]
fn all_fields_combine() {
    let filter = read(&[
        ("guest", "101"),
        ("backend", "proxmox-lxc"),
        ("user", " anna "),
        ("action", "start"),
        ("result", "bad"),
        ("from", "yesterday"),
        ("to", "today"),
        ("text", "no space left"),
        ("after", "1700000000000-42"),
    ]);
    let wanted = HistoryFilter {
        guest: Some("101".into()),
        backend: Some(BackendKind::ProxmoxLxc),
        user: Some(UserFilter::Named("anna".into())),
        action: Some(ActionFilter::Action(GuestAction::Start)),
        results: filter.results,
        from_ms: Some(MIDNIGHT - DAY),
        to_ms: Some(MIDNIGHT + DAY),
        text: Some("no space left".into()),
        after: Some(Cursor { started_ms: 1_700_000_000_000, id: 42 }),
        within: None,
    };
    assert_eq!(filter, wanted);
    assert_eq!(filter.results.unwrap().states(), ["failed", "timed-out", "interrupted"]);
}

#[test]
fn a_guest_may_bring_its_backend() {
    let filter = read(&[("guest", "crun/web-1")]);
    assert_eq!((filter.guest.as_deref(), filter.backend), (Some("web-1"), Some(BackendKind::Crun)));
    assert_eq!(read(&[("guest", "crun/web-1"), ("backend", "crun")]), filter);
    let (field, message) = error(&[("guest", "crun/web-1"), ("backend", "lxc")]);
    assert_eq!(field, Some(HistoryField::Guest));
    assert!(message.contains("crun") && message.contains("lxc"), "{message}");
}

#[test]
fn every_word_of_a_field_is_taken() {
    for action in GuestAction::ALL {
        assert_eq!(read(&[("action", action.as_str())]).action, Some(ActionFilter::Action(action)));
    }
    for (word, action) in [
        ("task", ActionFilter::AnyTask),
        ("task:vncproxy", ActionFilter::Task("vncproxy".into())),
        ("observed", ActionFilter::Observed),
    ] {
        assert_eq!(read(&[("action", word)]).action, Some(action));
    }
    for word in STATE_WORDS {
        assert_eq!(read(&[("result", word)]).results.unwrap().states(), [word]);
    }
    for word in ["live", "unfinished"] {
        assert_eq!(read(&[("result", word)]).results.unwrap().states(), ["planned", "running"]);
    }
    assert_eq!(read(&[("user", "unknown")]).user, Some(UserFilter::Unknown));
}

#[test]
fn a_time_covers_what_it_names() {
    let morning = MIDNIGHT + 10 * HOUR;
    for (text, start, end) in [
        ("2026-11-26", MIDNIGHT, MIDNIGHT + DAY),
        ("2026-11-26T10:00", morning, morning + MINUTE),
        ("2026-11-26 10:00:30", NOW, NOW + 1000),
        ("2026-11-26T10:00:30Z", NOW, NOW + 1000),
        ("2026-11-26T11:00+01:00", morning, morning + MINUTE),
        ("2026-11-26 04:30-05:30", morning, morning + MINUTE),
        ("2026-11-26+01:00", MIDNIGHT - HOUR, MIDNIGHT + 23 * HOUR),
        ("1970-01-01", 0, DAY),
        ("1969-12-31", -DAY, 0),
        ("2024-02-29", 1_709_164_800_000, 1_709_164_800_000 + DAY),
        ("90s", NOW - 90_000, NOW - 90_000),
        ("15m", NOW - 15 * MINUTE, NOW - 15 * MINUTE),
        ("24h", NOW - DAY, NOW - DAY),
        ("7d", NOW - 7 * DAY, NOW - 7 * DAY),
        ("2w", NOW - 14 * DAY, NOW - 14 * DAY),
        ("today", MIDNIGHT, MIDNIGHT + DAY),
        ("yesterday", MIDNIGHT - DAY, MIDNIGHT),
    ] {
        assert_eq!(read(&[("from", text)]).from_ms, Some(start), "from {text}");
        assert_eq!(read(&[("to", text)]).to_ms, Some(end), "to {text}");
    }
}

#[test]
fn a_field_that_makes_no_sense_says_so_itself() {
    use HistoryField::{Action, After, Backend, From, Guest, Result, Text, To, User};
    let long = "x".repeat(LONGEST_TEXT + 1);
    for (field, value, told) in [
        (Guest, "../etc", "no backend “..”"),
        (Guest, "web 1", "a blank"),
        (Guest, "podman/web1", "proxmox-lxc, proxmox-vm, lxc or crun"),
        (Guest, "lxc/", "Enter a name"),
        (Backend, "LXC", "proxmox-lxc, proxmox-vm, lxc or crun"),
        (User, &long, "200"),
        (User, "an\u{1b}na", "control character"),
        (Action, "explode", "unlock, delete, task, task:TYPE or observed"),
        (Action, "task:", "task:vncproxy"),
        (Action, "task:a b", "“a b”"),
        (Result, "fine", "interrupted, live, unfinished or bad"),
        (From, "soon", "2026-11-26"),
        (From, "2026-02-30", "no such day"),
        (From, "2026-11-26T24:00", "no such day"),
        (From, "2026-11-26T10:60", "no such day"),
        (From, "2026-11-26T10:00+25:00", "no such day"),
        (From, "2026-11-26T10", "2026-11-26T10:00"),
        (From, "2026-11-26T10:00 01:00", "+01:00"),
        (From, "+026-11-26", "no time"),
        (From, "99999999999999999999w", "smaller"),
        (From, "9300000000000000s", "smaller"),
        (To, "-5m", "15m"),
        (To, "2026-11-26x", "today"),
        (Text, &long, "200"),
        (Text, "a\nb", "control character"),
        (After, "42", "first page"),
        (After, "+1-2", "first page"),
        (After, "1--2", "first page"),
        (After, "99999999999999999999-1", "first page"),
    ] {
        let (at, message) = error(&[(field.as_str(), value)]);
        assert_eq!(at, Some(field), "{value:?}: {message}");
        assert!(message.contains(told), "{value:?}: {message}");
    }
    assert!(query(&[("text", &"ü".repeat(LONGEST_TEXT))]).read(NOW).is_ok());
}

#[test]
fn what_no_row_can_be_is_an_error_and_no_empty_list() {
    for (pairs, field) in [
        ([("from", "today"), ("to", "yesterday")], HistoryField::From),
        ([("from", "1h"), ("to", "1h")], HistoryField::From),
        ([("action", "observed"), ("result", "failed")], HistoryField::Result),
        ([("action", "task:qmstart"), ("backend", "lxc")], HistoryField::Action),
        ([("action", "task"), ("guest", "crun/web1")], HistoryField::Action),
    ] {
        assert_eq!(error(&pairs).0, Some(field), "{pairs:?}");
    }
    assert!(query(&[("from", "today"), ("to", "today")]).read(NOW).is_ok());
}

#[test]
fn nothing_in_the_address_is_passed_over() {
    let (field, message) = error(&[("gest", "web1")]);
    assert_eq!(field, None);
    assert!(message.contains("“gest”") && message.contains("guest, backend"), "{message}");
    assert_eq!(error(&[("Guest", "")]).0, None, "a key that is none, without a value");
    let (field, message) = error(&[("result", "failed"), ("result", "cancelled")]);
    assert_eq!(field, Some(HistoryField::Result));
    assert!(message.contains("more than once"), "{message}");
    let hostile = format!("\u{1b}]0;{}", "x".repeat(10_000));
    let (_, message) = error(&[(&hostile, "")]);
    assert!(!message.contains('\u{1b}') && message.len() < 300, "{message:?}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let errors = query(&[("from", "soon"), ("backend", "x"), ("page", "2")]).read(NOW).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|e| e.field).collect();
    assert_eq!(fields, [Some(HistoryField::Backend), Some(HistoryField::From), None]);
}

#[test]
fn another_filter_begins_at_its_first_page() {
    let page = query(&[("user", "anna"), ("after", "5-1")]);
    assert_eq!(page.with(HistoryField::Result, "bad").to_query(), "user=anna&result=bad");
    assert_eq!(page.with(HistoryField::User, "").to_query(), "");
    assert_eq!(page.with(HistoryField::After, "4-1").to_query(), "user=anna&after=4-1");
}

#[test]
fn an_address_has_one_order_and_escapes_all_that_has_a_meaning() {
    let query = query(&[("text", "a b&c=d+ü%"), ("guest", "lxc/web1")]);
    assert_eq!(query.to_query(), "guest=lxc%2Fweb1&text=a%20b%26c%3Dd%2B%C3%BC%25");
}

/// Texts near to what is taken, and far from it.
fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
        "[0-9]{1,20}[smhdw]",
        "(task|lxc|crun)[:/][a-z0-9 ]{0,5}",
        "[0-9]{0,20}-[0-9]{0,20}",
        Just(String::new()),
        Just("live".to_owned()),
    ]
}

fn typed_query() -> impl Strategy<Value = HistoryQuery> {
    let key = prop_oneof![
        4 => prop::sample::select(HistoryField::ALL.map(|field| field.as_str().to_owned()).to_vec()),
        1 => any::<String>(),
    ];
    prop::collection::vec((key, typed()), 0..12).prop_map(HistoryQuery::from_pairs)
}

proptest! {
    #[test]
    fn a_query_comes_back_from_the_address_as_it_was(query in typed_query()) {
        let address = query.to_query();
        prop_assert_eq!(&HistoryQuery::from_pairs(form_urlencoded::parse(address.as_bytes())), &query);
        let json = serde_json::to_string(&query).unwrap();
        prop_assert_eq!(serde_json::from_str::<HistoryQuery>(&json).unwrap(), query);
    }

    #[test]
    fn whatever_is_typed_is_taken_whole_or_refused(query in typed_query(), now_ms in any::<i64>()) {
        match query.read(now_ms) {
            Ok(filter) => {
                prop_assert!(query.stray.is_empty());
                let given = HistoryField::ALL.map(|field| !query.get(field).trim().is_empty());
                let taken = [
                    filter.guest.is_some(),
                    // A guest may have brought it.
                    given[1] && filter.backend.is_some(),
                    filter.user.is_some(),
                    filter.action.is_some(),
                    filter.results.is_some(),
                    filter.from_ms.is_some(),
                    filter.to_ms.is_some(),
                    filter.text.is_some(),
                    filter.after.is_some(),
                ];
                prop_assert_eq!(taken, given);
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(errors.iter().all(|e| !e.message.is_empty() && !e.message.contains(char::is_control)));
            }
        }
    }

    #[test]
    fn an_error_stands_at_the_field_it_is_of(index in 0usize..9, value in typed()) {
        let field = HistoryField::ALL[index];
        if let Err(errors) = HistoryQuery::default().with(field, value).read(NOW) {
            prop_assert!(errors.iter().all(|e| e.field == Some(field)), "{errors:?}");
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_is_written(started_ms in 0i64.., id in 0i64..) {
        let cursor = Cursor { started_ms, id };
        prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
    }
}

#[test]
fn an_end_is_told_as_it_is_typed() {
    for text in ["2026-11-26", "2026-11-26 10:00", "2026-11-26 10:00:30", "2026-11-26 23:59:59"] {
        let end_ms = moment::ending(text, NOW).unwrap();
        assert_eq!(words::until(end_ms).trim_end_matches(" UTC"), text);
    }
    assert_eq!(moment::ending("2026-11-26", NOW).unwrap(), MIDNIGHT + DAY, "the day is in it");
    assert_eq!(moment::ending("2026-11-26 10:00", NOW).unwrap(), MIDNIGHT + 10 * HOUR);
    let midnight = moment::ending("2026-11-27 00:00", NOW).unwrap();
    assert_eq!(words::until(midnight), "2026-11-26", "they end at the same moment");
}
