//! Changes of LXC and crun guests that somebody makes by hand.

use std::{
    fs,
    time::{Duration, Instant},
};

use app::{
    auth::Caller,
    backend::now_ms,
    domain::{
        action::{ActionRequest, GuestAction},
        guest::{BackendKind, GuestId, GuestStatus},
        name::GuestName,
        operation::{Deed, GuestAfter, OperationState, OperationSummary, Origin, Seen},
        plan::{Argv, Command, Output, Plan, Step, When, Work},
        spec::{CloneSpec, CreateRequest, CreateSpec},
    },
    service::actions::{self, Ask, Target},
    store::{Begun, NewOperation},
};

use crate::{guests::Host, lab::Paddock};

const BECAME_RUNNING: Deed = Deed::Observed(Seen::Became(GuestStatus::Running));
const BECAME_STOPPED: Deed = Deed::Observed(Seen::Became(GuestStatus::Stopped));
/// Runs until it is told to end.
const SERVER: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

/// The deeds that were seen on a guest, oldest first.
fn seen(all: &[OperationSummary], guest: &GuestId) -> Vec<Deed> {
    let of_guest = all.iter().filter(|operation| operation.guest.as_ref() == Some(guest));
    of_guest.map(|operation| operation.action.clone()).collect()
}

/// How long it takes until so many changes are in the history.
async fn delay(paddock: &Paddock, count: usize, change: impl FnOnce()) -> Duration {
    change();
    let begun = Instant::now();
    paddock.sees(Origin::Observed, count, |_| true).await;
    begun.elapsed()
}

/// Waits for whole readings of both backends that began after now.
async fn readings(paddock: &Paddock) {
    for _ in 0..2 {
        for kind in [BackendKind::Lxc, BackendKind::Crun] {
            paddock.state.inventory.refresh(paddock.state.registry.get(kind).unwrap().as_ref()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_by_hand_is_seen_within_about_a_second_and_nobody_is_named() {
    let host = Host::new();
    let web = host.lxc_create("web1");
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    let mut delays = Vec::new();
    for round in 0..5 {
        delays.push(delay(&paddock, 2 * round + 1, || host.lxc("lxc-start", "web1", &["-d"])).await);
        delays.push(delay(&paddock, 2 * round + 2, || host.lxc("lxc-stop", "web1", &["-k"])).await);
    }
    let all = paddock.history(Origin::Observed).await;
    let expected: Vec<Deed> = (0..5).flat_map(|_| [BECAME_RUNNING, BECAME_STOPPED]).collect();
    assert_eq!(seen(&all, &web), expected, "that it was there when Paddock came is no change");

    let id = host.unique("job");
    let job = GuestId::new(BackendKind::Crun, id.clone());
    let bundle = host.bundle("job", SERVER);
    let bundle = bundle.to_str().unwrap();
    delays.push(delay(&paddock, 11, || host.crun(&["run", "-d", "-b", bundle, id.as_str()])).await);
    delays.push(delay(&paddock, 12, || host.crun(&["kill", id.as_str(), "KILL"])).await);
    delays.push(delay(&paddock, 13, || host.crun(&["delete", "-f", id.as_str()])).await);
    let all = paddock.history(Origin::Observed).await;
    let (appeared, gone) = (Deed::Observed(Seen::Appeared), Deed::Observed(Seen::Gone));
    assert_eq!(seen(&all, &job), [appeared, BECAME_STOPPED, gone]);
    delays.sort_unstable();
    let (p50, worst) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    println!("a change by hand is seen after {p50:?} p50, {worst:?} worst of {}", delays.len());
    assert!(worst < Duration::from_secs(2), "{delays:?}");

    for operation in &all {
        assert_eq!((operation.actor.as_deref(), operation.who()), (None, "unknown"));
        assert_eq!(operation.state, OperationState::Succeeded);
        assert_eq!(Some(operation.started_ms), operation.finished_ms);
    }
    assert_eq!(all[0].guest_after, Some(GuestAfter::Status(GuestStatus::Running)));
    assert_eq!(all[12].guest_after, Some(GuestAfter::Gone));
    let whole = paddock.operation(all[0].id).await;
    assert_eq!((whole.ledger.len(), whole.plan.steps.len(), whole.plan.notes.len()), (2, 0, 0));
    paddock.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_many_guests_at_once_is_recorded_once_each_and_remembered_of_none_that_is_gone() {
    let host = Host::new();
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    readings(&paddock).await;
    let names: Vec<String> = (0..300).map(|n| format!("many{n}")).collect();
    let directory = |name: &String| host.path("lxc").join(name);
    for name in &names {
        fs::create_dir(directory(name)).unwrap();
        fs::write(directory(name).join("config"), format!("lxc.uts.name = {name}\n")).unwrap();
    }
    let before = paddock.sees(Origin::Observed, 300, |_| true).await;
    for name in &names {
        fs::remove_dir_all(directory(name)).unwrap();
    }
    let begun = Instant::now();
    let all = paddock.sees(Origin::Observed, 600, |_| true).await;
    println!("300 that went were in the history after {:?}", begun.elapsed());
    assert_eq!(all[..300], before);
    for name in &names {
        let guest = GuestId::parse("lxc", name).unwrap();
        let (appeared, gone) = (Deed::Observed(Seen::Appeared), Deed::Observed(Seen::Gone));
        assert_eq!(seen(&all, &guest), [appeared, gone], "{name}");
    }
    assert!(all.iter().all(|operation| operation.state == OperationState::Succeeded));
    assert_eq!(paddock.operation(all[599].id).await.ledger.len(), 2);
    // A page reads what is known of all; of those that are gone nothing is kept for it.
    paddock.state.latest.catch_up(&paddock.state.store, true).await.unwrap();
    let known = |name: &String| {
        let guest = GuestId::parse("lxc", name).unwrap();
        paddock.state.latest.look(|known| known.of(&guest).is_some())
    };
    assert!(!names.iter().any(known));
    paddock.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_actions_of_paddock_are_not_seen_as_anybody_elses() {
    let host = Host::new();
    let web = host.lxc_create("web1");
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    let bundle = host.bundle("job", SERVER).to_str().unwrap().to_owned();
    let job = GuestId::new(BackendKind::Crun, host.unique("job"));
    let reboot = || ActionRequest::Reboot { timeout_seconds: 10 };
    let on_lxc = async {
        for _ in 0..16 {
            paddock.act(&web, ActionRequest::Start).await;
            paddock.act(&web, reboot()).await;
            paddock.act(&web, ActionRequest::Stop).await;
        }
        2 + 16 * 3
    };
    let on_crun = async {
        let mut count = 0;
        for _ in 0..10 {
            let create =
                CreateRequest::of(job.name.clone(), CreateSpec::CrunBundle { bundle: bundle.clone() });
            let ask = Ask::new(Target::New(BackendKind::Crun), ActionRequest::Create(create));
            let caller = Caller::command_line("tester");
            let id = actions::begin(&paddock.state, &caller, ask).await.unwrap();
            paddock.state.supervisor.wait(id).await;
            assert_eq!(paddock.operation(id).await.summary.state, OperationState::Succeeded);
            paddock.act(&job, ActionRequest::Start).await;
            paddock.act(&job, reboot()).await;
            paddock.act(&job, ActionRequest::Stop).await;
            paddock.act(&job, ActionRequest::Delete { purge: false }).await;
            count += 5;
        }
        count
    };
    let (lxc, crun) = futures::future::join(on_lxc, on_crun).await;
    let copy = CloneSpec {
        name: GuestName::found("web2").unwrap(),
        vmid: None,
        linked: false,
        snapshot: None,
        storage: None,
        node: None,
    };
    paddock.act(&web, ActionRequest::Clone(copy)).await;
    paddock.act(&web, ActionRequest::Start).await;
    readings(&paddock).await;
    // One by hand, so that it is certain that everything before it has been looked at.
    host.lxc("lxc-stop", "web1", &["-k"]);
    let all = paddock.sees(Origin::Observed, 1, |operation| operation.guest.as_ref() == Some(&web)).await;
    let own = paddock.history(Origin::Paddock).await.len();
    println!("{own} own operations ({lxc} on LXC, {crun} on crun), {} changes seen", all.len());
    assert!(own >= 100, "{own}");
    assert_eq!(seen(&all, &web), [BECAME_STOPPED], "{all:#?}");
    assert_eq!(all.len(), 1, "{all:#?}");
    paddock.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_has_done_its_work_is_seen_stopped_however_soon() {
    let host = Host::new();
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    for (name, script) in [("slow", "sleep 1"), ("quick", "sleep 0.15")] {
        let job = GuestId::new(BackendKind::Crun, host.unique(name));
        let bundle = host.bundle(name, script).to_str().unwrap().to_owned();
        host.crun(&["create", "-b", &bundle, job.name.as_str()]);
        let of_job = |operation: &OperationSummary| operation.guest.as_ref() == Some(&job);
        paddock.sees(Origin::Observed, 1, of_job).await;
        let started = paddock.act(&job, ActionRequest::Start).await;
        assert_eq!(started.guest_after, Some(GuestAfter::Status(GuestStatus::Running)));
        let all = paddock.sees(Origin::Observed, 2, of_job).await;
        assert_eq!(seen(&all, &job), [Deed::Observed(Seen::Appeared), BECAME_STOPPED], "{name}");
    }
    paddock.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_while_paddock_was_down_is_seen_at_its_start_with_the_time_between() {
    let host = Host::new();
    let (web1, web2) = (host.lxc_create("web1"), host.lxc_create("web2"));
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    readings(&paddock).await;
    // A change that is in the history: the memory of how all were is written by then.
    host.lxc("lxc-start", "web2", &["-d"]);
    paddock.sees(Origin::Observed, 1, |_| true).await;
    paddock.act(&web1, ActionRequest::Start).await;
    readings(&paddock).await;
    paddock.end().await;

    host.lxc("lxc-stop", "web2", &["-k"]);
    host.lxc("lxc-destroy", "web2", &[]);
    let web3 = host.lxc_create("web3");
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    let all = paddock.sees(Origin::Observed, 3, |_| true).await;
    readings(&paddock).await;
    assert_eq!(seen(&all, &web1), [], "Paddock itself left it running");
    assert_eq!(seen(&all, &web2), [BECAME_RUNNING, Deed::Observed(Seen::Gone)]);
    assert_eq!(seen(&all, &web3), [Deed::Observed(Seen::Appeared)]);
    let notes = paddock.operation(all[1].id).await.plan.notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("after Paddock's start; it happened between 20"), "{notes:?}");
    assert_eq!(paddock.history(Origin::Observed).await.len(), 3);
    paddock.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_creation_left_that_was_cut_off_is_nobody_elses_doing_however_often_paddock_is_killed() {
    let host = Host::new();
    let (other, name) = (host.lxc_create("web1"), GuestName::found("web2").unwrap());
    let guest = GuestId::new(BackendKind::Lxc, name.clone());
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    readings(&paddock).await;
    host.lxc("lxc-start", "web1", &["-d"]);
    paddock.sees(Origin::Observed, 1, |_| true).await;
    // Of a process that is gone, and of an lxc-create that is gone, too.
    let argv = Argv::new("lxc-create").args(["-n", name.as_str()]);
    let work = Work::Command(Command { argv, timeout_ms: 1000, output: Output::Piped });
    let step = Step { title: "Create it".into(), when: When::Always, work };
    let plan = Plan { steps: vec![step], ..Plan::default() };
    let new = NewOperation {
        origin: Origin::Paddock,
        parent: None,
        children: None,
        guest: Some(&guest),
        node: None,
        title: None,
        action: GuestAction::Create.into(),
        actor: Some("anna"),
        address: None,
        request: None,
        plan: &plan,
        started_ms: now_ms(),
        owner: None,
    };
    let store = &paddock.state.store;
    let Begun::Planned(id) = store.begin_operation(&new).await.unwrap() else { panic!("none is live there") };
    assert!(store.run_operation(id, now_ms()).await.unwrap());
    paddock.end().await;
    let made = host.path("lxc").join(name.as_str());
    std::fs::create_dir(&made).unwrap();
    std::fs::write(made.join("config"), "lxc.net.0.type = empty\n").unwrap();
    std::fs::write(made.join("partial"), "").unwrap();

    // It settles the operation, and is killed before it is sure what has become of the guest.
    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    assert_eq!(paddock.operation(id).await.summary.state, OperationState::Interrupted);
    readings(&paddock).await;
    for (count, tool, more) in [(2, "lxc-stop", "-k"), (3, "lxc-start", "-d")] {
        host.lxc(tool, "web1", &[more]);
        paddock.sees(Origin::Observed, count, |_| true).await;
    }
    paddock.end().await;

    let paddock = Paddock::start(host.dir.path(), host.drivers(), None).await;
    let begun = Instant::now();
    while !paddock
        .state
        .store
        .known_guests(BackendKind::Lxc)
        .await
        .unwrap()
        .iter()
        .any(|known| known.name == name)
    {
        assert!(begun.elapsed() < Duration::from_secs(60), "what it came to is not noted");
        readings(&paddock).await;
    }
    host.lxc("lxc-stop", "web1", &["-k"]);
    let all = paddock.sees(Origin::Observed, 4, |operation| operation.guest.as_ref() == Some(&other)).await;
    assert_eq!(seen(&all, &guest), [], "{all:#?}");
    std::fs::remove_file(made.join("partial")).unwrap();
    paddock.end().await;
}
