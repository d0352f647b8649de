use super::*;
use crate::{
    domain::{
        access::{BuiltIn, Rights},
        dashboard::Counts,
        guest::{BackendKind, GuestId},
        host::{BackendState, Node, NodeState},
        operation::{OperationId, OperationState, Origin},
    },
    store::UserId,
};

const NOW: i64 = 1_741_003_200_000;
const DAY: i64 = 24 * 3600 * 1000;

fn web1(status: GuestStatus) -> Guest {
    Guest::new(GuestId::parse("lxc", "web1").unwrap(), status)
}

fn caller(role: BuiltIn) -> Caller {
    Caller { rights: Rights::whole(role).into(), ..Caller::command_line("anna") }
}

fn operation(action: Deed) -> OperationSummary {
    OperationSummary {
        id: OperationId(7),
        origin: Origin::Paddock,
        parent: None,
        children: None,
        guest: Some(web1(GuestStatus::Stopped).id),
        node: None,
        title: None,
        action,
        actor: Some("anna".to_owned()),
        address: None,
        state: OperationState::Failed,
        started_ms: 1,
        running_ms: Some(2),
        finished_ms: Some(3),
        failure: Some("It has no init.".to_owned()),
        failure_kind: None,
        guest_after: None,
        place: None,
    }
}

#[test]
fn a_failure_says_what_who_when_why_and_where_to_look() {
    let told = failure(&web1(GuestStatus::Stopped), operation(GuestAction::Start.into()));
    assert_eq!(told.title, "web1: start failed, asked by anna");
    assert_eq!((told.detail.as_str(), told.since_ms), ("It has no init.", Some(3)));
    assert_eq!((told.todo.as_str(), told.href.as_deref()), ("See why", Some("/history/7")));
    assert!(is_of_console(&operation(Deed::Task("vncproxy".to_owned()))));
    assert!(!is_of_console(&operation(Deed::Task("vzdump".to_owned()))));
}

#[test]
fn a_guest_that_is_well_is_no_concern() {
    assert_eq!(guest(&web1(GuestStatus::Stopped), &caller(BuiltIn::Administrator)), None);
    let unknown = guest(&web1(GuestStatus::Unknown), &caller(BuiltIn::Viewer)).unwrap();
    assert_eq!((unknown.kind, unknown.href.as_deref()), (ConcernKind::Unknown, Some("/guests/lxc/web1")));
    let noted =
        Guest { note: Some("Its configuration cannot be read.".to_owned()), ..web1(GuestStatus::Running) };
    assert_eq!(guest(&noted, &caller(BuiltIn::Viewer)).unwrap().kind, ConcernKind::Noted);
}

#[test]
fn a_lock_leads_to_its_removal_for_those_who_may() {
    let locked = Guest { lock: Some("backup".to_owned()), ..web1(GuestStatus::Running) };
    let told = guest(&locked, &caller(BuiltIn::Administrator)).unwrap();
    assert_eq!((told.kind, told.title.as_str()), (ConcernKind::Locked, "web1 is locked (backup)"));
    assert_eq!(told.href.as_deref(), Some("/guests/lxc/web1/plan/unlock"));
    let told = guest(&locked, &caller(BuiltIn::Viewer)).unwrap();
    assert_eq!(told.href.as_deref(), Some("/guests/lxc/web1"));
}

#[test]
fn what_is_nearly_full_is_told_with_what_is_left() {
    let storage = |name: &str, used, total| Storage {
        name: name.to_owned(),
        kind: "dir".to_owned(),
        content: Vec::new(),
        used,
        total,
        is_active: true,
    };
    let node = Node {
        name: "pve1".to_owned(),
        state: NodeState::Online,
        version: String::new(),
        cpu_permille: None,
        cores: None,
        memory: Some(94 << 30),
        memory_total: Some(100 << 30),
        load: Vec::new(),
        uptime_seconds: None,
        storages: vec![
            storage("full", Some(95 << 30), Some(100 << 30)),
            storage("roomy", Some(1), Some(100)),
            storage("unread", None, None),
            storage("empty", Some(0), Some(0)),
        ],
        networks: Vec::new(),
        note: None,
    };
    let view = |node| NodeView { node, backends: Vec::new(), at_ms: 0, counts: Counts::default() };
    let told = super::node(&view(node.clone()));
    let titles: Vec<&str> = told.iter().map(|concern| concern.title.as_str()).collect();
    assert_eq!(titles, ["The storage full of pve1 is 95 % full"]);
    assert_eq!(told[0].detail, "5.0 GiB are left.");
    assert_eq!(super::node(&view(Node { memory: Some(96 << 30), ..node.clone() })).len(), 2);
    let down = super::node(&view(Node { state: NodeState::Offline, ..node.clone() }));
    assert_eq!((down.len(), down[0].kind), (1, ConcernKind::Unavailable));
    // Its figures are old: nothing is said of what they say.
    let silent = super::node(&view(Node { state: NodeState::Silent, ..node }));
    assert_eq!((silent.len(), silent[0].kind), (1, ConcernKind::Stale));
    assert!(silent[0].title.contains("no news of the node pve1"), "{}", silent[0].title);
}

#[test]
fn a_backend_that_is_as_it_should_be_is_no_concern() {
    let health = |availability| BackendHealth {
        state: BackendState { kind: BackendKind::Lxc, availability, lacks: Vec::new() },
        stale: None,
        unavailable_ms: Some(7),
    };
    assert_eq!(backend(&health(Availability::Available { version: "5".to_owned() })), None);
    let (reason, cure) = ("It is not installed.".to_owned(), "Install it.".to_owned());
    let told = backend(&health(Availability::Unavailable { reason, cure })).unwrap();
    assert_eq!((told.detail.as_str(), told.since_ms), ("It is not installed. Install it.", Some(7)));
}

#[test]
fn accounts_are_named_by_what_they_owe() {
    let user = |name: &str, must_change_password, factor_required, age| User {
        id: UserId(1),
        username: name.to_owned(),
        realm: LOCAL.to_owned(),
        password_hash: None,
        must_change_password,
        is_disabled: false,
        expires_ms: None,
        factor_required,
        has_factor: false,
        session_epoch: 0,
        created_ms: NOW - age,
    };
    let users =
        [user("anna", false, true, 0), user("ben", true, false, 2 * DAY), user("cleo", true, false, 0)];
    let told = |requires| -> Vec<String> {
        accounts(&users, requires, NOW).into_iter().map(|concern| concern.title).collect()
    };
    assert_eq!(told(false), ["anna owes a second factor", "ben still has a one-time password"]);
    assert_eq!(told(true)[0], "anna, ben and 1 more owe a second factor");
    let gone = User { is_disabled: true, ..user("dan", true, true, 2 * DAY) };
    assert_eq!(accounts(&[gone], true, NOW), []);
}

#[test]
fn the_most_pressing_comes_first_and_many_of_a_kind_are_counted() {
    let failed = |at| Concern {
        since_ms: Some(at),
        ..failure(&web1(GuestStatus::Stopped), operation(GuestAction::Start.into()))
    };
    let told = in_order(vec![failed(1), damage("It was.".to_owned()), failed(2)]);
    let order: Vec<_> = told.iter().map(|concern| (concern.kind, concern.since_ms)).collect();
    assert_eq!(
        order,
        [(ConcernKind::Damaged, None), (ConcernKind::Failed, Some(2)), (ConcernKind::Failed, Some(1))]
    );
    assert_eq!(in_order((0..6).map(failed).collect()).len(), 6);
    let told = in_order((0..20).map(failed).collect());
    assert_eq!((told.len(), told[5].title.as_str()), (6, "15 more guests were left after a failure"));
}
