//! Paddock's own operations while the tasks are polled: none of theirs is taken for another's.

use std::{collections::BTreeMap, time::Duration};

use app::{
    auth::Caller,
    domain::{
        action::ActionRequest::{Shutdown, Start, Stop},
        guest::GuestId,
        operation::{OperationSummary, Origin},
    },
    service::{
        actions::{self, Ask, Target},
        operations,
    },
};
use serde_json::json;

use crate::{
    another::{BOB, by_another},
    fakepve::{FakePve, TOKEN},
    lab::{Paddock, proxmox},
};

const LANES: u32 = 10;
const ROUNDS: u32 = 10;

fn has_ended(operation: &OperationSummary) -> bool {
    !operation.state.is_live()
}

fn guest(vmid: u32) -> GuestId {
    GuestId::parse("proxmox-lxc", &vmid.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_own_operations_ten_at_a_time_are_not_imported_and_foreign_ones_among_them_are_once() {
    let fake = FakePve::start();
    for lane in 0..=LANES {
        fake.add_ct(300 + lane, "web", "stopped");
    }
    // So that tasks take a moment, and their ends are waited for.
    fake.set("time_scale", json!(0.02));
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::unfed(dir.path(), proxmox(&fake.config()), Some(Duration::from_millis(10))).await;
    let work = (0..LANES).map(|lane| {
        let (paddock, guest) = (&paddock, guest(300 + lane));
        async move {
            for round in 0..ROUNDS {
                paddock.act(&guest, if round % 2 == 0 { Start } else { Stop }).await;
            }
        }
    });
    let foreign = async {
        for round in 0..ROUNDS {
            let word = if round % 2 == 0 { "start" } else { "stop" };
            by_another(&fake, &format!("/nodes/pve1/lxc/{}/status/{word}", 300 + LANES)).await;
            paddock.sees(Origin::Task, round as usize + 1, has_ended).await;
        }
    };
    futures::future::join(futures::future::join_all(work), foreign).await;
    let before = fake.count("GET", "/cluster/tasks");
    assert!(fake.sees("GET", "/cluster/tasks", before + 5).await);
    let own = paddock.history(Origin::Paddock).await;
    assert_eq!(own.len(), (LANES * ROUNDS) as usize);
    let all = paddock.history(Origin::Task).await;
    let mut by_actor: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in &all {
        *by_actor.entry(operation.who()).or_default() += 1;
    }
    println!("{} own operations, {before} polls, brought in: {by_actor:?}", own.len());
    assert_eq!(by_actor, BTreeMap::from([(BOB, ROUNDS as usize)]));
    assert!(before >= 10, "polled often enough to mean something: {before}");
    paddock.end().await;
}

#[tokio::test]
async fn what_another_program_does_by_our_own_user_is_brought_in_once_nothing_of_ours_can_have_done_it() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "running");
    fake.set("time_scale", json!(1.0));
    fake.set_guest(101, "shutdown_secs", json!(600));
    let dir = tempfile::tempdir().unwrap();
    let paddock = Paddock::on(&fake, dir.path(), Some(Duration::from_millis(50))).await;
    let run = |vmid: u32| fake.call("run_task", json!({"secs": 0, "vmid": vmid, "user": TOKEN}));
    run(102);
    paddock.sees(Origin::Task, 1, has_ended).await;
    let caller = Caller::command_line("tester");
    let ask = Ask::new(Target::Guest(guest(101)), Shutdown { timeout_seconds: 500 });
    let id = actions::begin(&paddock.state, &caller, ask).await.unwrap();
    assert!(fake.sees("POST", "/shutdown", 1).await);
    run(101);
    run(103);
    let all = paddock.sees(Origin::Task, 2, has_ended).await;
    let before = fake.count("GET", "/cluster/tasks");
    assert!(fake.sees("GET", "/cluster/tasks", before + 5).await);
    assert_eq!(paddock.history(Origin::Task).await.len(), 2, "that on 101 may be ours: {all:?}");
    operations::cancel(&paddock.state, &caller, id).await.unwrap();
    paddock.state.supervisor.wait(id).await;
    let all = paddock.sees(Origin::Task, 3, has_ended).await;
    let about: Vec<String> = all.iter().map(OperationSummary::on_what).collect();
    assert_eq!(all.len(), 3, "our own shutdown is none of them: {about:?}");
    paddock.end().await;
}
