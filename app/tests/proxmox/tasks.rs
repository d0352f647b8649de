//! Tasks that somebody else began, as the drivers tell them: once each, with who, what, when, and how it ended.

use std::time::{Duration, Instant};

use app::{
    backend::{
        Backend, Error, ExecutionEnd, RunContext, now_ms,
        proxmox::{Client, ProxmoxDriver},
    },
    domain::{
        action::{ActionRequest, GuestAction},
        guest::GuestId,
        plan::Stream,
        task::{Task, TaskResult},
    },
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    another::{BOB, by_another},
    fakepve::{FakePve, PATIENCE, TOKEN},
    lab::{CT, LXC, Lab, VM},
};

const HOUR_MS: i64 = 3_600_000;

fn context() -> (RunContext, mpsc::UnboundedReceiver<(Stream, String)>) {
    let (output, heard) = mpsc::unbounded_channel();
    (RunContext { output, started: mpsc::unbounded_channel().0, cancel: CancellationToken::new() }, heard)
}

fn upid(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn find<'a>(tasks: &'a [Task], upid: &str) -> &'a Task {
    let found: Vec<&Task> = tasks.iter().filter(|task| task.upid == upid).collect();
    assert_eq!(found.len(), 1, "{upid} is told once");
    found[0]
}

/// Requests that ask for lists of tasks, the cluster's or a node's, and all there were.
fn requests(fake: &FakePve) -> (u64, u64) {
    (fake.count("GET", "/tasks"), fake.count("GET", ""))
}

#[tokio::test]
async fn a_task_of_another_client_is_told_by_the_next_poll_with_all_that_is_known_of_it() {
    let lab = Lab::new();
    let driver = lab.driver(LXC);
    let begun_ms = now_ms();
    assert_eq!(driver.tasks(begun_ms).await.unwrap(), []);
    let upid = by_another(&lab.fake, "/nodes/pve1/lxc/101/status/start").await;
    let tasks = driver.tasks(begun_ms).await.unwrap();
    let task = find(&tasks, &upid);
    assert_eq!((task.kind.as_str(), task.id.as_str(), task.node.as_str()), ("vzstart", "101", "pve1"));
    assert_eq!(task.guest, Some(GuestId::parse("proxmox-lxc", "101").unwrap()));
    assert_eq!(task.action(), Some(GuestAction::Start));
    assert_eq!(task.user, BOB);
    assert!((begun_ms - 1000..=now_ms()).contains(&task.started_ms));
    let end = task.end.as_ref().unwrap();
    assert_eq!(end.result, TaskResult::Ok);
    assert!((task.started_ms..=now_ms()).contains(&end.at_ms.unwrap()));
    let (log, is_cut) = driver.task_log(&upid, 10_000).await.unwrap();
    assert!(log.ends_with("TASK OK\n") && !is_cut, "{log:?}");
    assert_eq!(driver.task(&upid).await.unwrap().as_ref(), Some(task), "asked for alone it is the same");
}

#[tokio::test]
async fn paddocks_own_tasks_bear_the_name_it_says_it_has() {
    let lab = Lab::new();
    assert_eq!(lab.act(LXC, CT, ActionRequest::Start).await, ExecutionEnd::Done);
    let tasks = lab.driver(LXC).tasks(0).await.unwrap();
    let users: Vec<Option<String>> = tasks.iter().map(|task| Some(task.user.clone())).collect();
    assert!(!users.is_empty() && users.iter().all(|user| *user == lab.driver(LXC).api_user()), "{users:?}");
    assert_eq!(lab.driver(VM).api_user().as_deref(), Some(TOKEN));
    let fake = FakePve::start();
    let config = fake.password_config();
    let by_password = ProxmoxDriver::new(VM, Client::new(&config).unwrap(), &config);
    assert_eq!(by_password.api_user().as_deref(), Some("root@pam"));
}

#[tokio::test]
async fn of_two_drivers_on_one_cluster_one_tells_the_tasks_of_both() {
    let lab = Lab::new();
    let upid = by_another(&lab.fake, "/nodes/pve1/qemu/200/status/start").await;
    assert!(lab.driver(LXC).tells_tasks() && !lab.driver(VM).tells_tasks());
    assert_eq!(lab.driver(VM).tasks(0).await.unwrap(), []);
    let tasks = lab.driver(LXC).tasks(0).await.unwrap();
    assert_eq!(find(&tasks, &upid).guest, Some(GuestId::parse("proxmox-vm", "200").unwrap()));
    assert!(lab.driver(VM).task(&upid).await.unwrap().is_some(), "each can say how one is");
}

#[tokio::test]
async fn a_running_task_has_no_end_until_it_has_and_is_followed_to_it() {
    let lab = Lab::running();
    lab.fake.set("time_scale", json!(1.0));
    lab.fake.set_guest(CT, "shutdown_secs", json!(600));
    let upid = by_another(&lab.fake, "/nodes/pve1/lxc/101/status/shutdown").await;
    let driver = lab.driver(LXC);
    // However late: what runs is told.
    let tasks = driver.tasks(now_ms() + HOUR_MS).await.unwrap();
    assert!(find(&tasks, &upid).is_running());
    assert!(driver.task(&upid).await.unwrap().unwrap().is_running());
    let (context, mut heard) = context();
    let follow = {
        let (driver, upid) = (driver.clone(), upid.clone());
        tokio::spawn(async move { driver.follow(&upid, PATIENCE, &context).await })
    };
    assert!(lab.fake.sees("GET", "/status", 2).await, "it is followed");
    lab.fake.call("say", json!([upid, "\u{1b}[31mhalf way"]));
    lab.fake.call("interrupt", json!([upid]));
    let followed = follow.await.unwrap();
    assert_eq!(followed.end.as_deref(), Some("received interrupt"));
    assert!(matches!(followed.result, Err(Error::ServiceFailed { .. })), "{followed:?}");
    let mut said = String::new();
    while let Ok((_, text)) = heard.try_recv() {
        said.push_str(&text);
    }
    assert!(said.contains("[31mhalf way\n") && !said.contains('\u{1b}'), "{said:?}");
    let tasks = driver.tasks(now_ms() - HOUR_MS).await.unwrap();
    let end = find(&tasks, &upid).end.as_ref().unwrap();
    assert_eq!(end.result, TaskResult::Cancelled("received interrupt".to_owned()));
}

#[tokio::test]
async fn a_failed_task_is_told_in_its_last_words_and_with_the_error_that_a_plan_has() {
    let lab = Lab::new();
    lab.fake.set_guest(CT, "start_error", json!("CT is locked (backup)"));
    let upid = by_another(&lab.fake, "/nodes/pve1/lxc/101/status/start").await;
    let driver = lab.driver(LXC);
    let tasks = driver.tasks(0).await.unwrap();
    let end = find(&tasks, &upid).end.as_ref().unwrap();
    assert_eq!(end.result, TaskResult::Failed("CT is locked (backup)".to_owned()));
    let (log, _) = driver.task_log(&upid, 10_000).await.unwrap();
    assert!(log.ends_with("TASK ERROR: CT is locked (backup)\n"), "{log:?}");
    let followed = driver.follow(&upid, PATIENCE, &context().0).await;
    assert_eq!(followed.end.as_deref(), Some("CT is locked (backup)"));
    let ct = GuestId::parse("proxmox-lxc", "101").unwrap();
    assert_eq!(followed.result, Err(Error::Locked { guest: ct, by: "backup".to_owned() }));
}

#[tokio::test]
async fn a_task_of_a_node_is_about_no_guest_and_a_backup_about_the_one_that_has_its_number() {
    let lab = Lab::new();
    let past = |more: serde_json::Value| {
        let mut arguments = json!({"started": now_ms() / 1000 - 60});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        upid(&lab.fake.call("past_task", arguments))
    };
    let update = past(json!({"kind": "aptupdate", "vmid": ""}));
    let all = past(json!({"kind": "vzdump", "vmid": "", "status": "job errors"}));
    let container = past(json!({"kind": "vzdump", "vmid": 101, "status": "WARNINGS: 2"}));
    let machine = past(json!({"kind": "vzdump", "vmid": 200}));
    let gone = past(json!({"kind": "vzdump", "vmid": 999, "status": "unexpected status"}));
    let tasks = lab.driver(LXC).tasks(0).await.unwrap();
    let guest = |upid: &str| find(&tasks, upid).guest.as_ref().map(ToString::to_string);
    assert_eq!((guest(&update), guest(&all), guest(&gone)), (None, None, None));
    assert_eq!(guest(&container).as_deref(), Some("proxmox-lxc/101"));
    assert_eq!(guest(&machine).as_deref(), Some("proxmox-vm/200"));
    assert_eq!(find(&tasks, &gone).id, "999");
    let result = |upid: &str| find(&tasks, upid).end.as_ref().unwrap().result.clone();
    assert_eq!(result(&container), TaskResult::Warnings(2));
    assert_eq!(result(&all), TaskResult::Failed("job errors".to_owned()));
    assert_eq!(result(&gone), TaskResult::Unknown("unexpected status".to_owned()));
    assert_eq!(find(&tasks, &update).action(), None);
}

#[tokio::test]
async fn one_poll_is_one_request_whatever_there_is() {
    let lab = Lab::new();
    let driver = lab.driver(LXC);
    let now_s = now_ms() / 1000;
    lab.fake.call("past_tasks", json!({"count": 40, "started": now_s - 7200}));
    lab.fake.call("past_tasks", json!({"count": 3, "started": now_s - 7200, "node": "pve2", "vmid": 102}));
    let first = driver.tasks(now_ms() - HOUR_MS).await.unwrap();
    assert_eq!(first, [], "all of it is older");
    let (_, before) = requests(&lab.fake);
    assert_eq!(before, 2, "the list, and which nodes there are: it reaches further back than asked for");
    let mut since_ms = now_ms() - HOUR_MS;
    for round in 0..20 {
        let upid = upid(&lab.fake.call("past_task", json!({"started": now_s - 60 + round, "node": "pve2"})));
        let tasks = driver.tasks(since_ms).await.unwrap();
        since_ms = find(&tasks, &upid).started_ms;
    }
    assert_eq!(requests(&lab.fake).1 - before, 20);
}

#[tokio::test]
async fn what_happened_while_nobody_looked_is_told_once_and_whole() {
    let lab = Lab::new();
    let now_s = now_ms() / 1000;
    // Two pages of one node, more than the short list of the other, and older ones that were told before.
    let old = lab.fake.call("past_tasks", json!({"count": 30, "started": now_s - 90_000}));
    let many = lab.fake.call("past_tasks", json!({"count": 700, "started": now_s - 3000}));
    let some = lab.fake.call("past_tasks", json!({"count": 30, "started": now_s - 3000, "node": "pve2"}));
    let driver = lab.driver(LXC);
    let since_ms = now_ms() - HOUR_MS;
    let begun = Instant::now();
    let tasks = driver.tasks(since_ms).await.unwrap();
    println!("{} tasks by {} requests in {:?}", tasks.len(), requests(&lab.fake).1, begun.elapsed());
    assert_eq!(tasks.len(), 730);
    assert!(tasks.is_sorted_by_key(|task| task.started_ms));
    for upid in many.as_array().unwrap().iter().chain(some.as_array().unwrap()) {
        find(&tasks, upid.as_str().unwrap());
    }
    assert!(tasks.iter().all(|task| !old.as_array().unwrap().contains(&json!(task.upid))));
    let (_, before) = requests(&lab.fake);
    assert_eq!(before, 1 + 1 + 2 + 1, "the list, the nodes, two pages and one");
    // A burst between two polls.
    let last_ms = tasks.last().unwrap().started_ms;
    lab.fake.call("past_tasks", json!({"count": 40, "started": last_ms / 1000 + 1}));
    assert_eq!(driver.tasks(last_ms).await.unwrap().iter().filter(|t| t.started_ms > last_ms).count(), 40);
    assert_eq!(requests(&lab.fake).1 - before, 2);
}

#[tokio::test]
async fn of_a_second_with_more_tasks_than_the_short_list_holds_none_is_lost() {
    let lab = Lab::new();
    let driver = lab.driver(LXC);
    let now_s = now_ms() / 1000;
    let one = || upid(&lab.fake.call("past_task", json!({"started": now_s})));
    let first: Vec<String> = (0..25).map(|_| one()).collect();
    find(&driver.tasks(now_ms() - HOUR_MS).await.unwrap(), &first[24]);
    // The list stays as it is: it has no room for a later one of the same second.
    for _ in 0..3 {
        let later = one();
        find(&driver.tasks(now_ms() - HOUR_MS).await.unwrap(), &later);
    }
}

#[tokio::test]
async fn a_node_that_cannot_be_asked_holds_up_nothing_and_is_left_alone_for_a_while() {
    let lab = Lab::new();
    let now_s = now_ms() / 1000;
    lab.fake.call("past_tasks", json!({"count": 40, "started": now_s - 3000}));
    lab.fake.call("past_tasks", json!({"count": 40, "started": now_s - 3000, "node": "pve2"}));
    let refusal = json!({"status": 595, "reason": "No route to host"});
    lab.fake.spoil("GET", "/nodes/pve2/tasks", "raw", 1, refusal);
    let driver = lab.driver(LXC);
    let tasks = driver.tasks(now_ms() - HOUR_MS).await.unwrap();
    let on = |tasks: &[Task], node: &str| tasks.iter().filter(|task| task.node == node).count();
    assert_eq!((on(&tasks, "pve1"), on(&tasks, "pve2")), (40, 25), "what the cluster knows is told");
    let (_, before) = requests(&lab.fake);
    driver.tasks(now_ms()).await.unwrap();
    assert_eq!(requests(&lab.fake).1 - before, 1);
}

#[tokio::test]
async fn a_name_that_is_no_tasks_and_a_task_that_is_no_more_are_told_apart() {
    let lab = Lab::new();
    let driver = lab.driver(LXC);
    let gone = upid(&lab.fake.call("past_task", json!({"started": now_ms() / 1000 - 60})));
    assert!(driver.task(&gone).await.unwrap().is_some());
    lab.fake.call("forget_task", json!([gone]));
    assert_eq!(driver.task(&gone).await, Ok(None));
    assert!(driver.task_log(&gone, 100).await.is_err());
    let (_, before) = requests(&lab.fake);
    for bad in
        ["", "UPID:bad", "UPID:../x:1:2:3:vzstart:100:root@pam:", "UPID:-:1:2:3:vzstart:100:a@b:", "x\u{1b}"]
    {
        let errors = [
            driver.task(bad).await.unwrap_err(),
            driver.task_log(bad, 100).await.unwrap_err(),
            driver.follow(bad, PATIENCE, &context().0).await.result.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(&error, Error::Garbled { .. }) && !error.to_string().contains('\u{1b}'));
        }
    }
    assert_eq!(requests(&lab.fake).1, before, "nothing is asked for them");
    let followed = driver.follow(&gone, Duration::from_secs(20), &context().0).await;
    assert!(matches!(followed.result, Err(Error::Unavailable { .. })), "{followed:?}");
    assert_eq!(followed.end, None);
}

#[tokio::test]
async fn a_long_log_is_cut_at_the_limit_between_characters() {
    let lab = Lab::new();
    let driver = lab.driver(LXC);
    let lines: Vec<String> = (0..1200).map(|n| format!("€ line {n}\u{7}")).collect();
    let upid = upid(&lab.fake.call("past_task", json!({"started": now_ms() / 1000, "log": lines})));
    let (whole, is_cut) = driver.task_log(&upid, 1 << 20).await.unwrap();
    assert!(!is_cut && whole.lines().count() == 1201 && !whole.contains('\u{7}'));
    assert_eq!(lab.fake.count("GET", "/log"), 3);
    for limit in [0, 1, 2, 3, 10, 4096] {
        let (part, is_cut) = driver.task_log(&upid, limit).await.unwrap();
        assert!(is_cut && part.len() <= limit && limit - part.len() < 3 && whole.starts_with(&part));
    }
    let (same, is_cut) = driver.task_log(&upid, whole.len()).await.unwrap();
    assert_eq!((same, is_cut), (whole, false));
}

#[tokio::test]
async fn lists_without_end_cost_a_bounded_number_of_requests_and_of_tasks() {
    let lab = Lab::new();
    let row = |node: &str, number: usize| json!({"upid": format!("UPID:{node}:{number:08X}:1:6B034F2F:vzdump:101:a@pve:"), "status": "OK"});
    let rows = |rows: Vec<serde_json::Value>| json!({"body": json!({"data": rows}).to_string()});
    let page = rows((0..500).map(|number| row("pve1", number)).collect());
    lab.fake.spoil("GET", "/tasks", "raw", 1_000_000, page);
    assert!(lab.driver(LXC).tasks(0).await.unwrap().len() <= 500);
    let (asked, _) = requests(&lab.fake);
    assert!(asked <= 1 + 2 * 20, "{asked}");

    let lab = Lab::new();
    let flood = rows((0..100_000).map(|number| row(&format!("n{}", number % 3000), number)).collect());
    lab.fake.spoil("GET", "/cluster/tasks", "raw", 1_000_000, flood);
    lab.fake.spoil("GET", "/tasks", "raw", 1_000_000, rows(Vec::new()));
    let mut before = 0;
    for _ in 0..12 {
        let tasks = lab.driver(LXC).tasks(0).await.unwrap();
        assert!(tasks.len() <= 20_000, "{}", tasks.len());
        let (asked, _) = requests(&lab.fake);
        assert!(asked - before <= 1 + 64, "{asked}");
        before = asked;
    }
}
