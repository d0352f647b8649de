//! Tasks that another client of a Proxmox cluster began.

use std::time::{Duration, Instant};

use app::{
    backend::{OUTPUT_CAP, now_ms},
    domain::{
        action::GuestAction,
        failure::FailureKind,
        guest::{GuestId, GuestStatus},
        operation::{Deed, GuestAfter, OperationState, OperationSummary, Origin},
        plan::{Plan, Stream},
    },
};
use serde_json::json;

use crate::{
    another::{BOB, by_another},
    fakepve::FakePve,
    lab::{Paddock, QUICK, said},
};

/// Container 101 `web1`, stopped.
fn cluster() -> FakePve {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    fake
}

fn web1() -> GuestId {
    GuestId::parse("proxmox-lxc", "101").unwrap()
}

fn has_ended(operation: &OperationSummary) -> bool {
    !operation.state.is_live()
}

#[tokio::test]
async fn a_task_of_another_client_is_in_the_history_within_five_seconds_and_whole() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), None).await;
    let mut delays = Vec::new();
    for round in 0..20_u32 {
        // At every phase of the time between two polls.
        tokio::time::sleep(Duration::from_millis(u64::from(round) * 150 % 3000)).await;
        let word = if round % 2 == 0 { "start" } else { "stop" };
        by_another(&fake, &format!("/nodes/pve1/lxc/101/status/{word}")).await;
        let begun = Instant::now();
        paddock.sees(Origin::Task, round as usize + 1, has_ended).await;
        delays.push(begun.elapsed());
    }
    delays.sort_unstable();
    let (p50, worst) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    println!("a task of another appears after {p50:?} p50, {worst:?} p99");
    assert!(worst < Duration::from_secs(5), "{delays:?}");

    let all = paddock.history(Origin::Task).await;
    assert_eq!(all.len(), 20);
    let operation = paddock.operation(all[0].id).await;
    let summary = &operation.summary;
    assert_eq!(summary.guest, Some(web1()));
    assert_eq!((summary.title.as_deref(), summary.node.as_deref()), (Some("web1"), Some("pve1")));
    assert_eq!(summary.action, Deed::Action(GuestAction::Start));
    assert_eq!((summary.actor.as_deref(), summary.address.as_deref()), (Some(BOB), None));
    assert_eq!(summary.state, OperationState::Succeeded);
    assert_eq!(summary.guest_after, Some(GuestAfter::Status(GuestStatus::Running)));
    let finished_ms = summary.finished_ms.unwrap();
    assert!(summary.started_ms <= finished_ms && finished_ms <= now_ms());
    assert_eq!(summary.started_ms % 1000, 0, "as Proxmox tells it");
    assert!(said(&operation).ends_with("TASK OK\n"), "{operation:?}");
    assert!(operation.output.iter().all(|chunk| chunk.stream == Stream::Log && chunk.step == 0));
    assert_eq!((&operation.plan, &operation.request), (&Plan::default(), &None));
    let kinds: Vec<&str> = operation.ledger.iter().map(|place| place.kind.as_str()).collect();
    assert_eq!(kinds, ["operation-begun", "operation-ended"]);
    paddock.end().await;
}

#[tokio::test]
async fn a_failed_task_is_recorded_as_failed_with_its_words_and_its_log() {
    let fake = cluster();
    fake.set_guest(101, "start_error", json!("CT is locked (backup)"));
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    by_another(&fake, "/nodes/pve1/lxc/101/status/start").await;
    let all = paddock.sees(Origin::Task, 1, has_ended).await;
    let operation = paddock.operation(all[0].id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert_eq!(operation.summary.failure.as_deref(), Some("Proxmox says: CT is locked (backup)"));
    assert_eq!(operation.summary.failure_kind, Some(FailureKind::ToolFailed));
    assert!(said(&operation).ends_with("TASK ERROR: CT is locked (backup)\n"), "{operation:?}");
    paddock.end().await;
}

#[tokio::test]
async fn a_running_task_is_recorded_as_running_and_gets_its_end_and_log_when_it_has_ended() {
    let fake = cluster();
    fake.set_guest(101, "status", json!("running"));
    fake.set("time_scale", json!(1.0));
    fake.set_guest(101, "shutdown_secs", json!(600));
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let upid = by_another(&fake, "/nodes/pve1/lxc/101/status/shutdown").await;
    let all = paddock.sees(Origin::Task, 1, |_| true).await;
    let running = paddock.operation(all[0].id).await;
    assert_eq!(running.summary.state, OperationState::Running);
    assert_eq!(running.summary.running_ms, Some(running.summary.started_ms));
    assert_eq!((running.summary.finished_ms, said(&running).as_str()), (None, ""));
    fake.call("say", json!([upid, "half way"]));
    fake.call("interrupt", json!([upid]));
    paddock.sees(Origin::Task, 1, has_ended).await;
    let ended = paddock.operation(all[0].id).await;
    assert_eq!(ended.summary.state, OperationState::Cancelled);
    assert!(ended.summary.failure.as_deref().unwrap().contains("received interrupt"));
    assert!(said(&ended).contains("half way\n"), "{ended:?}");
    assert_eq!(ended.summary.guest_after, Some(GuestAfter::Status(GuestStatus::Running)));
    assert_eq!(paddock.history(Origin::Task).await.len(), 1);
    paddock.end().await;
}

#[tokio::test]
async fn tasks_of_the_day_before_the_first_start_are_there_and_older_ones_are_not() {
    let fake = cluster();
    let now_s = now_ms() / 1000;
    let past = |hours: i64, more: serde_json::Value| {
        let mut arguments = json!({"started": now_s - hours * 3600, "user": "root@pam"});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fake.call("past_task", arguments);
    };
    past(25, json!({}));
    past(23, json!({"kind": "aptupdate", "vmid": ""}));
    past(22, json!({"kind": "vzdump", "vmid": 101, "status": "WARNINGS: 2", "secs": 60}));
    past(21, json!({"kind": "vncproxy", "vmid": 101, "status": "unexpected status"}));
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let all = paddock.sees(Origin::Task, 3, has_ended).await;
    assert_eq!(all.len(), 3, "{all:#?}");
    assert!(all.iter().all(|operation| operation.actor.as_deref() == Some("root@pam")));
    assert!(all.iter().all(|operation| operation.guest_after == Some(GuestAfter::NotRead)), "long ago");
    let [update, backup, console] = &all[..] else { panic!("{all:#?}") };
    assert_eq!((&update.guest, update.on_what().as_str()), (&None, "pve1"));
    assert_eq!(update.action, Deed::Task("aptupdate".to_owned()));
    assert_eq!((&backup.guest, &backup.action), (&Some(web1()), &Deed::Action(GuestAction::Backup)));
    assert_eq!(backup.state, OperationState::Succeeded);
    assert_eq!(backup.finished_ms.unwrap() - backup.started_ms, 60_000);
    assert!(said(&paddock.operation(backup.id).await).contains("with 2 warnings"));
    assert_eq!(console.state, OperationState::Interrupted);
    assert!(console.failure.as_deref().unwrap().contains("unexpected status"));
    let last = paddock.state.store.last_operations().await.unwrap();
    assert_eq!(last[&web1()].id, backup.id, "a console hides nothing that was done");
    paddock.end().await;
}

#[tokio::test]
async fn a_log_past_the_cap_is_kept_to_the_cap_with_a_mark() {
    let fake = cluster();
    let line = "x".repeat(1023);
    let lines: Vec<&str> = (0..1100).map(|_| line.as_str()).collect();
    fake.call("past_task", json!({"started": now_ms() / 1000 - 60, "log": lines, "kind": "vzdump"}));
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let all = paddock.sees(Origin::Task, 1, has_ended).await;
    let operation = paddock.operation(all[0].id).await;
    assert_eq!(operation.output.len(), 2);
    assert_eq!(operation.output[0].text.len(), OUTPUT_CAP);
    assert!(operation.output[1].text.starts_with("[Paddock: what follows is not kept"), "{operation:?}");
    paddock.end().await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_tried_again_and_then_said_to_be_missing() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    fake.spoil("GET", "/log", "raw", 2, json!({"status": 500, "reason": "not now"}));
    by_another(&fake, "/nodes/pve1/lxc/101/status/start").await;
    let all = paddock.sees(Origin::Task, 1, has_ended).await;
    assert!(said(&paddock.operation(all[0].id).await).ends_with("TASK OK\n"));
    fake.spoil("GET", "/log", "raw", 1000, json!({"status": 500, "reason": "never"}));
    by_another(&fake, "/nodes/pve1/lxc/101/status/stop").await;
    let all = paddock.sees(Origin::Task, 2, has_ended).await;
    let second = paddock.operation(all[1].id).await;
    assert!(said(&second).starts_with("[Paddock: its log could not be read: "), "{second:?}");
    assert_eq!(second.summary.state, OperationState::Succeeded, "its end is known all the same");
    paddock.end().await;
}

#[tokio::test]
async fn what_was_done_while_proxmox_did_not_answer_is_there_once_it_does() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    assert!(fake.sees("GET", "/cluster/tasks", 2).await);
    fake.shut(fake.port);
    fake.call("past_tasks", json!({"count": 30, "started": now_ms() / 1000 - 30, "user": "root@pam"}));
    tokio::time::sleep(QUICK * 3).await;
    fake.reopen(fake.port);
    let all = paddock.sees(Origin::Task, 30, has_ended).await;
    assert_eq!(all.len(), 30);
    assert!(all.is_sorted_by_key(|operation| operation.started_ms), "oldest first");
    paddock.end().await;
}

#[tokio::test]
async fn idle_it_asks_proxmox_less_than_once_a_second() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), None).await;
    assert!(fake.sees("GET", "/cluster/tasks", 1).await);
    let before = fake.get("requests").as_array().unwrap().len();
    let seconds = 30;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let requests = fake.get("requests").as_array().unwrap().len() - before;
    println!("{requests} requests in {seconds} s idle");
    assert!(requests as u64 <= seconds, "{requests}");
    assert!(requests as u64 >= seconds / 3, "it asks at all: {requests}");
    paddock.end().await;
}
