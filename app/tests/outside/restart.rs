//! A Paddock that ends in the middle: what happened outside is there once, whatever happened meanwhile.

use app::{
    backend::now_ms,
    domain::operation::{OperationState, OperationSummary, Origin},
};
use serde_json::json;

use crate::{
    another::by_another,
    fakepve::FakePve,
    lab::{Paddock, QUICK, said},
};

fn cluster() -> FakePve {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "running");
    fake.set("time_scale", json!(1.0));
    fake.set_guest(101, "shutdown_secs", json!(600));
    fake
}

fn has_ended(operation: &OperationSummary) -> bool {
    !operation.state.is_live()
}

#[tokio::test]
async fn what_ran_when_paddock_ended_gets_its_end_and_what_was_done_meanwhile_is_added_once() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let now_s = now_ms() / 1000;
    fake.call("past_tasks", json!({"count": 40, "started": now_s - 600, "user": "root@pam"}));
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let first = by_another(&fake, "/nodes/pve1/lxc/101/status/shutdown").await;
    paddock.sees(Origin::Task, 41, |_| true).await;
    paddock.end().await;

    fake.call("say", json!([first, "said while nobody looked"]));
    fake.call("interrupt", json!([first]));
    fake.call("past_tasks", json!({"count": 5, "started": now_s - 1, "user": "root@pam", "vmid": 102}));
    let second = fake.call("run_task", json!({"secs": 600, "user": "bob@pve"}));
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let all = paddock.sees(Origin::Task, 46, has_ended).await;
    assert_eq!(all.len(), 47);
    let of_first: Vec<_> =
        all.iter().filter(|operation| operation.state == OperationState::Cancelled).collect();
    assert_eq!(of_first.len(), 1);
    assert!(said(&paddock.operation(of_first[0].id).await).contains("said while nobody looked\n"));
    fake.call("interrupt", json!([second]));
    paddock.sees(Origin::Task, 47, has_ended).await;
    for _ in 0..3 {
        let before = fake.count("GET", "/cluster/tasks");
        assert!(fake.sees("GET", "/cluster/tasks", before + 2).await);
    }
    assert_eq!(paddock.history(Origin::Task).await.len(), 47);
    paddock.end().await;
}

#[tokio::test]
async fn a_task_that_its_node_knows_no_more_is_interrupted_with_the_reason() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let upid = by_another(&fake, "/nodes/pve1/lxc/101/status/shutdown").await;
    paddock.sees(Origin::Task, 1, |_| true).await;
    paddock.end().await;
    fake.call("forget_task", json!([upid]));
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    let all = paddock.sees(Origin::Task, 1, has_ended).await;
    assert_eq!((all.len(), all[0].state), (1, OperationState::Interrupted));
    assert!(all[0].failure.as_deref().unwrap().contains("does not know it any more"), "{all:?}");
    paddock.end().await;
}

#[tokio::test]
async fn without_proxmox_in_the_settings_what_ran_there_is_interrupted() {
    let fake = cluster();
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(QUICK)).await;
    by_another(&fake, "/nodes/pve1/lxc/101/status/shutdown").await;
    paddock.sees(Origin::Task, 1, |_| true).await;
    paddock.end().await;
    let paddock = Paddock::start(dir.path(), Vec::new(), None).await;
    let all = paddock.history(Origin::Task).await;
    assert_eq!((all.len(), all[0].state), (1, OperationState::Interrupted));
    assert!(all[0].failure.as_deref().unwrap().contains("not in the settings any more"), "{all:?}");
    paddock.end().await;
}
