//! Operations of a Paddock that was killed in the gaps: between asking and noting, between the last step and the end.

use std::process::Command;

use app::{
    auth::Caller,
    backend::{RunningTool, Started, now_ms},
    domain::{
        action::{ActionRequest, GuestAction},
        guest::{BackendKind, GuestId, GuestStatus},
        operation::{Deed, GuestAfter, OperationId, OperationState, OperationSummary, Origin},
        plan::{StepOutcome, StepResult},
    },
    service::{
        Patience,
        actions::{self, Ask, Target},
        settle,
    },
    store::{Begun, By, NewOperation},
};
use serde_json::json;

use crate::{
    fakepve::{FakePve, TOKEN},
    lab::Paddock,
};

/// Longer ago than a call could still be under way.
const LONG_AGO_MS: i64 = 10_000;

/// A process that is gone.
fn nobody() -> RunningTool {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    RunningTool { pid: child.id(), start_ticks: 1 }
}

/// Container 101 is to be started: an operation of a process that is gone, which began to work at that time.
async fn begun(paddock: &Paddock, running_ms: i64) -> OperationId {
    let guest = GuestId::parse("proxmox-lxc", "101").unwrap();
    let ask = Ask::new(Target::Guest(guest.clone()), ActionRequest::Start);
    let planned = actions::plan(&paddock.state, &Caller::command_line("tester"), &ask).await.unwrap();
    let new = NewOperation {
        origin: Origin::Paddock,
        parent: None,
        children: None,
        guest: Some(&guest),
        node: None,
        title: None,
        action: Deed::Action(GuestAction::Start),
        actor: Some("tester"),
        address: None,
        request: Some(&ActionRequest::Start),
        plan: &planned.plan,
        started_ms: running_ms,
        owner: Some(nobody()),
    };
    let store = &paddock.state.store;
    let Begun::Planned(id) = store.begin_operation(&new).await.unwrap() else { panic!("not begun") };
    assert!(store.run_operation(id, running_ms).await.unwrap());
    id
}

struct Place {
    fake: FakePve,
    _dir: tempfile::TempDir,
    paddock: Paddock,
}

async fn place() -> Place {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), None).await;
    Place { fake, _dir: dir, paddock }
}

impl Place {
    /// What Paddock asked for just before it was killed.
    async fn ask_for_start(&self) {
        let driver = self.paddock.state.registry.get(BackendKind::ProxmoxLxc).unwrap();
        let guest = GuestId::parse("proxmox-lxc", "101").unwrap();
        let plan = driver.plan(&guest.name, &ActionRequest::Start).await.unwrap();
        let app::domain::plan::Work::Api(call) = &plan.steps[0].work else { panic!("{plan:?}") };
        let context = app::backend::RunContext {
            output: tokio::sync::mpsc::unbounded_channel().0,
            started: tokio::sync::mpsc::unbounded_channel().0,
            cancel: tokio_util::sync::CancellationToken::new(),
        };
        let api = driver.api().unwrap();
        assert!(api.call(call, &app::domain::secret::Secrets::new(), &context).await.result.is_ok());
    }

    async fn settled(&self, id: OperationId) -> OperationSummary {
        settle(&self.paddock.state, Patience::Follow).await.unwrap();
        self.paddock.operation(id).await.summary
    }
}

#[tokio::test]
async fn a_task_whose_name_nobody_noted_is_found_at_its_node_and_its_operation_ends_as_it_did() {
    let place = place().await;
    // Others' tasks on the same guest, and older and other ones of ours, are not it.
    let past = |kind: &str, user: &str, started_s: i64| {
        place
            .fake
            .call("past_task", json!({"started": started_s, "kind": kind, "user": user, "status": "no"}));
    };
    let now_s = now_ms() / 1000;
    past("vzstart", "root@pam", now_s - 1);
    past("vzstop", TOKEN, now_s - 1);
    past("vzstart", TOKEN, now_s - 600);
    let id = begun(&place.paddock, now_ms()).await;
    place.ask_for_start().await;
    let summary = place.settled(id).await;
    assert_eq!(summary.state, OperationState::Succeeded, "{summary:#?}");
    assert_eq!(summary.guest_after, Some(GuestAfter::Status(GuestStatus::Running)));
    let outcomes = place.paddock.operation(id).await.outcomes;
    let StepResult::Answered { upid: Some(upid), end: Some(end), .. } = &outcomes[0].result else {
        panic!("{outcomes:?}")
    };
    assert_eq!(end, "OK");
    assert!(place.paddock.state.store.is_task_known(upid).await.unwrap());
}

#[tokio::test]
async fn a_call_that_was_never_made_leaves_its_operation_live_while_it_may_be_under_way_and_then_interrupted()
{
    let place = place().await;
    let id = begun(&place.paddock, now_ms()).await;
    assert_eq!(place.settled(id).await.state, OperationState::Running, "it may come any moment");
    place.ask_for_start().await;
    assert_eq!(place.settled(id).await.state, OperationState::Succeeded, "and did");

    place.fake.set_guest(101, "status", json!("stopped"));
    let id = begun(&place.paddock, now_ms() - LONG_AGO_MS).await;
    let summary = place.settled(id).await;
    assert_eq!(summary.state, OperationState::Interrupted, "the task that is known already is not its");
    assert!(summary.failure.unwrap().contains("knows of no task"));
    assert_eq!(summary.guest_after, Some(GuestAfter::Status(GuestStatus::Stopped)));
}

#[tokio::test]
async fn an_operation_whose_steps_were_over_ends_as_they_did() {
    let place = place().await;
    for (end, state) in [("OK", OperationState::Succeeded), ("no disk", OperationState::Failed)] {
        place.fake.set_guest(101, "status", json!("stopped"));
        let id = begun(&place.paddock, now_ms()).await;
        place.fake.set_guest(101, "status", json!("running"));
        let upid =
            place.fake.call("past_task", json!({"started": now_ms() / 1000, "user": TOKEN, "status": end}));
        let upid = upid.as_str().unwrap().to_owned();
        let store = &place.paddock.state.store;
        store.note_started(id, 0, &Started::Task(upid.clone())).await.unwrap();
        let outcome = StepOutcome {
            result: StepResult::Answered { status: 200, upid: Some(upid), end: Some(end.to_owned()) },
            started_ms: Some(now_ms()),
            duration_ms: 1,
            dropped_bytes: 0,
        };
        store.record_progress(id, &[], &[(0, outcome)]).await.unwrap();
        let summary = place.settled(id).await;
        assert_eq!(summary.state, state, "{summary:#?}");
        assert_eq!(summary.failure.is_some_and(|failure| failure.contains("no disk")), end != "OK");
    }
}

#[tokio::test]
async fn a_task_that_was_told_to_end_by_the_one_that_is_gone_was_cancelled() {
    let place = place().await;
    place.fake.set("time_scale", json!(1.0));
    place.fake.set_guest(101, "start_secs", json!(600));
    let id = begun(&place.paddock, now_ms()).await;
    let upid = place.fake.call("run_task", json!({"secs": 600, "kind": "vzstart", "user": TOKEN}));
    let store = &place.paddock.state.store;
    store.note_started(id, 0, &Started::Task(upid.as_str().unwrap().to_owned())).await.unwrap();
    assert!(store.want_cancel(id, By::default()).await.unwrap());
    place.fake.call("interrupt", json!([upid]));
    let deadline = std::time::Instant::now() + crate::fakepve::PATIENCE;
    loop {
        let summary = place.settled(id).await;
        if !summary.state.is_live() {
            assert_eq!(summary.state, OperationState::Cancelled, "{summary:#?}");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it does not end");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
