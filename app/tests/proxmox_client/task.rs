//! Tasks: followed, cancelled, lost sight of.

use std::time::{Duration, Instant};

use app::{
    backend::{
        Error, OUTPUT_CAP, Started,
        proxmox::{Client, ProxmoxConfig, Upid},
    },
    domain::{
        guest::{BackendKind, GuestId},
        plan::{Answer, Method, Stream},
    },
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{Watch, api, called, fakepve::FakePve, post, unavailable, with, within};

const START: &str = "/nodes/pve1/lxc/101/status/start";
const SHUTDOWN: &str = "/nodes/pve1/lxc/101/status/shutdown";

/// A container that takes a minute to shut down.
fn stubborn() -> FakePve {
    let fake = FakePve::with_time(1.0);
    fake.add_ct(101, "web1", "running");
    fake.set_guest(101, "shutdown_secs", json!(60));
    fake
}

fn impatient(fake: &FakePve, timeout: Duration) -> Client {
    Client::new(&ProxmoxConfig { timeout, ..fake.config() }).unwrap()
}

#[tokio::test]
async fn a_task_is_followed_to_its_end_and_its_log_handed_on() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let mut watch = Watch::new();
    let output = watch.call(&fake.client(), &post(START, Answer::Task)).await;
    assert_eq!((output.status, output.end.as_deref()), (Some(200), Some("OK")));
    let upid: Upid = output.upid.unwrap().parse().unwrap();
    assert_eq!(upid.guest(), Some(GuestId::parse("proxmox-lxc", "101").unwrap()));
    assert_eq!(output.result, Ok(Value::from(upid.as_str())));
    assert_eq!(watch.started.try_recv(), Ok(Started::Task(upid.to_string())));
    assert!(watch.said(Stream::Log).ends_with("TASK OK\n"));
    assert_eq!(fake.get_guest(101, "status"), "running");
}

#[tokio::test]
async fn a_failed_task_is_understood_by_its_last_words() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    fake.add_vm(102, "db1", "stopped");
    let client = fake.client();
    fake.set_guest(102, "start_error", json!("volume 'local:100/x' cannot be opened"));
    let mut watch = Watch::new();
    let output = watch.call(&client, &post("/nodes/pve1/qemu/102/status/start", Answer::Task)).await;
    assert_eq!(output.status, Some(200), "the request itself was accepted");
    assert_eq!(output.end.as_deref(), Some("volume 'local:100/x' cannot be opened"));
    let failed = Error::ServiceFailed {
        service: "Proxmox".to_owned(),
        words: "volume 'local:100/x' cannot be opened".to_owned(),
    };
    assert_eq!(output.result, Err(failed));
    assert!(watch.said(Stream::Log).contains("TASK ERROR: volume"));

    fake.fail("POST", START, "you_can_t_start_if");
    let refused = called(&client, &post(START, Answer::Task)).await;
    assert_eq!(
        refused,
        Err(Error::WrongState { words: "you can't start a CT if it's a template".to_owned() })
    );
}

#[tokio::test]
async fn warnings_are_no_failure() {
    let fake = FakePve::start();
    fake.add_vm(102, "db1", "stopped");
    fake.set_guest(102, "start_error", json!("WARNINGS: 2"));
    let output =
        Watch::new().call(&fake.client(), &post("/nodes/pve1/qemu/102/status/start", Answer::Task)).await;
    assert_eq!(output.end.as_deref(), Some("WARNINGS: 2"));
    assert!(output.result.is_ok(), "{output:?}");
}

#[tokio::test]
async fn where_nothing_began_the_answer_is_the_end() {
    let fake = FakePve::start();
    fake.add_vm(102, "db1", "stopped");
    let call = with(api(Method::Put, "/nodes/pve1/qemu/102/config", Answer::Task), "description", "a b&c=ä");
    let mut watch = Watch::new();
    let output = watch.call(&fake.client(), &call).await;
    assert_eq!((output.upid, output.end, output.result), (None, None, Ok(Value::Null)));
    assert!(watch.started.try_recv().is_err());
    assert_eq!(fake.get_guest(102, "config")["description"], "a b&c=ä");
}

#[tokio::test]
async fn a_log_is_handed_on_while_the_task_runs_and_each_line_once() {
    let fake = FakePve::with_time(1.0);
    let client = fake.client();
    let upid = fake.call("run_task", json!({"secs": 600}));
    let mut watch = Watch::new();
    let following = {
        let (client, context) = (client.clone(), watch.context.clone());
        let upid: Upid = upid.as_str().unwrap().parse().unwrap();
        tokio::spawn(async move { client.follow(&upid, Duration::from_secs(600), &context).await })
    };
    assert!(fake.sees("GET", "/log", 2).await, "an empty log is asked for");
    let lines: Vec<String> = (0..1234).map(|n| format!("line {n}")).collect();
    let mut arguments = vec![upid.clone()];
    arguments.extend(lines.iter().map(|line| json!(line)));
    fake.call("say", json!(arguments));
    let mut seen = String::new();
    while !seen.contains("line 1233\n") {
        let (stream, text) =
            tokio::time::timeout(crate::fakepve::PATIENCE, watch.output.recv()).await.unwrap().unwrap();
        assert_eq!(stream, Stream::Log);
        seen.push_str(&text);
    }
    watch.context.cancel.cancel();
    let output = following.await.unwrap();
    assert_eq!((output.result, output.end.as_deref()), (Err(Error::Cancelled), Some("received interrupt")));
    seen.push_str(&watch.said(Stream::Log));
    let wanted = lines.join("\n") + "\nreceived interrupt\nTASK ERROR: received interrupt\n";
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn a_log_without_end_is_cut_at_the_cap() {
    let fake = FakePve::with_time(1.0);
    let upid = fake.call("run_task", json!({"secs": 600}));
    let line = "x".repeat(4000);
    for _ in 0..5 {
        let mut arguments = vec![upid.clone()];
        arguments.extend(std::iter::repeat_n(json!(line), 100));
        fake.call("say", json!(arguments));
    }
    let mut watch = Watch::new();
    watch.context.cancel.cancel();
    let upid: Upid = upid.as_str().unwrap().parse().unwrap();
    let output = fake.client().follow(&upid, Duration::from_secs(60), &watch.context).await;
    assert_eq!(output.result, Err(Error::Cancelled));
    let said = watch.said(Stream::Log);
    let kept = said.split_once("[Paddock: what follows is not kept").unwrap().0;
    assert_eq!(kept.len(), OUTPUT_CAP);
}

#[tokio::test]
async fn a_cancelled_task_is_ended_at_proxmox() {
    let fake = stubborn();
    let watch = Watch::new();
    let client = fake.client();
    let call = post(SHUTDOWN, Answer::Task);
    let cancel = async {
        assert!(fake.sees("GET", "/log", 1).await);
        watch.context.cancel.cancel();
    };
    let begun = Instant::now();
    let (output, ()) = tokio::join!(watch.call(&client, &call), cancel);
    assert_eq!(output.result, Err(Error::Cancelled));
    assert_eq!(output.end.as_deref(), Some("received interrupt"));
    assert!(output.upid.is_some());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(fake.get_guest(101, "status"), "running", "it was not shut down");
}

#[tokio::test]
async fn a_call_that_was_cancelled_before_it_began_is_not_made() {
    let fake = stubborn();
    let watch = Watch::new();
    watch.context.cancel.cancel();
    let output = watch.call(&fake.client(), &post(SHUTDOWN, Answer::Task)).await;
    assert_eq!((output.status, output.result), (None, Err(Error::Cancelled)));
    assert_eq!(fake.get("requests"), json!([]));
}

#[tokio::test]
async fn a_cancel_before_the_answer_still_ends_what_the_call_began() {
    let fake = stubborn();
    fake.set("network.latency", json!(0.5));
    let watch = Watch::new();
    let client = fake.client();
    let call = post(SHUTDOWN, Answer::Task);
    let cancel = async {
        sleep(Duration::from_millis(200)).await;
        watch.context.cancel.cancel();
    };
    let (output, ()) = tokio::join!(watch.call(&client, &call), cancel);
    assert_eq!(output.result, Err(Error::Cancelled));
    assert_eq!(output.end.as_deref(), Some("received interrupt"), "the task is gone, too");
}

#[tokio::test]
async fn a_cancel_that_gets_no_answer_says_that_the_rest_is_not_known() {
    let fake = stubborn();
    fake.spoil("POST", SHUTDOWN, "hang", 1, json!({"seconds": 30}));
    let mut watch = Watch::new();
    let client = impatient(&fake, Duration::from_millis(500));
    let call = post(SHUTDOWN, Answer::Task);
    let cancel = async {
        assert!(fake.sees("POST", SHUTDOWN, 1).await);
        watch.context.cancel.cancel();
    };
    let (output, ()) = tokio::join!(watch.call(&client, &call), cancel);
    assert_eq!((output.status, output.result), (None, Err(Error::Cancelled)));
    assert!(watch.said(Stream::Log).contains("carried out is not known"));
}

#[tokio::test]
async fn a_time_beyond_every_clock_is_no_trouble() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    let client = impatient(&fake, Duration::MAX);
    let mut call = post(START, Answer::Task);
    call.timeout_ms = u64::MAX;
    called(&client, &call).await.unwrap();
    let upid = fake.call("run_task", json!({"secs": 0}));
    let upid: Upid = upid.as_str().unwrap().parse().unwrap();
    let output = client.follow(&upid, Duration::MAX, &Watch::new().context).await;
    assert_eq!(output.end.as_deref(), Some("OK"));
}

#[tokio::test]
async fn a_task_whose_time_is_up_is_ended() {
    let fake = stubborn();
    let call = within(post(SHUTDOWN, Answer::Task), Duration::from_millis(700));
    let output = Watch::new().call(&fake.client(), &call).await;
    let Err(Error::TimedOut { words }) = &output.result else { panic!("{output:?}") };
    assert!(words.contains(output.upid.as_deref().unwrap()), "{words}");
    assert_eq!(output.end.as_deref(), Some("received interrupt"));
}

#[tokio::test]
async fn a_task_that_may_not_be_ended_is_said_to_run_on() {
    let fake = stubborn();
    fake.call(
        "fail",
        json!({"method": "DELETE", "suffix": "/nodes/{node}/tasks/{upid}", "status": 403,
               "message": "Permission check failed (/nodes/pve1, Sys.Modify)"}),
    );
    let call = within(post(SHUTDOWN, Answer::Task), Duration::from_millis(300));
    let output = Watch::new().call(&fake.client(), &call).await;
    let Err(Error::TimedOut { words }) = &output.result else { panic!("{output:?}") };
    assert!(words.contains("still runs"), "{words}");
    assert!(words.contains("Sys.Modify on /nodes/pve1 is missing"), "{words}");
    assert_eq!(output.end, None);
}

#[tokio::test]
async fn a_task_that_is_out_of_sight_for_a_while_is_found_again() {
    let fake = FakePve::with_time(1.0);
    fake.add_ct(101, "web1", "running");
    fake.set_guest(101, "shutdown_secs", json!(3));
    let client = impatient(&fake, Duration::from_millis(500));
    let call = post(SHUTDOWN, Answer::Task);
    let watch = Watch::new();
    let trouble = async {
        assert!(fake.sees("GET", "/status", 1).await);
        fake.shut(fake.port);
        sleep(Duration::from_secs(2)).await;
        fake.reopen(fake.port);
    };
    let (output, ()) = tokio::join!(watch.call(&client, &call), trouble);
    assert_eq!(output.end.as_deref(), Some("OK"), "{output:?}");
    assert_eq!(fake.get_guest(101, "status"), "stopped");
    assert_eq!(fake.count("POST", "/status/shutdown"), 1);
}

#[tokio::test]
async fn another_node_of_the_cluster_tells_of_the_task_when_the_first_falls_silent() {
    let fake = FakePve::with_time(1.0);
    fake.add_ct(101, "web1", "running");
    fake.set_guest(101, "shutdown_secs", json!(2));
    let other = fake.listen();
    let endpoints = vec![fake.endpoint(), fake.endpoint_at(other)];
    let client = Client::new(&ProxmoxConfig { endpoints, ..fake.config() }).unwrap();
    let call = post(SHUTDOWN, Answer::Task);
    let watch = Watch::new();
    let trouble = async {
        assert!(fake.sees("GET", "/status", 1).await);
        fake.shut(fake.port);
    };
    let (output, ()) = tokio::join!(watch.call(&client, &call), trouble);
    assert_eq!(output.end.as_deref(), Some("OK"), "{output:?}");
}

#[tokio::test]
async fn a_task_that_stays_out_of_sight_is_not_said_to_have_ended() {
    let fake = stubborn();
    let client = impatient(&fake, Duration::from_millis(300));
    let call = within(post(SHUTDOWN, Answer::Task), Duration::from_secs(2));
    let mut watch = Watch::new();
    let trouble = async {
        assert!(fake.sees("GET", "/status", 1).await);
        fake.shut(fake.port);
    };
    let (output, ()) = tokio::join!(watch.call(&client, &call), trouble);
    let upid = output.upid.clone().unwrap();
    assert_eq!(watch.started.try_recv(), Ok(Started::Task(upid.clone())));
    let (reason, cure) = unavailable(output.result);
    assert!(reason.contains(&format!("The end of the task {upid} was not seen")), "{reason}");
    assert!(cure.contains("it may go on"), "{cure}");
    assert_eq!(output.end, None);
}

#[tokio::test]
async fn a_task_that_proxmox_does_not_know_is_not_waited_for() {
    let fake = FakePve::start();
    let upid: Upid = "UPID:pve1:00000001:00000001:6B0342E1:vzstart:101:root@pam:".parse().unwrap();
    let begun = Instant::now();
    let output = fake.client().follow(&upid, Duration::from_secs(600), &Watch::new().context).await;
    let (reason, _) = unavailable(output.result);
    assert!(reason.contains("no such task"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_locked_guest_names_what_holds_it() {
    let fake = FakePve::start();
    fake.add_ct(101, "web1", "stopped");
    fake.add_vm(102, "db1", "stopped");
    let client = fake.client();
    fake.call("snapshot_lock", json!([101, "backup"]));
    let locked = |backend: BackendKind, vmid, by: &str| {
        Err(Error::Locked { guest: GuestId::parse(backend.as_str(), vmid).unwrap(), by: by.to_owned() })
    };
    let start = called(&client, &post(START, Answer::Task)).await;
    assert_eq!(start, locked(BackendKind::ProxmoxLxc, "101", "backup"));
    // Another task at work on it at this very moment.
    fake.call("hold_config_lock", json!([102, null]));
    let start = called(&client, &post("/nodes/pve1/qemu/102/status/start", Answer::Task)).await;
    assert_eq!(start, locked(BackendKind::ProxmoxVm, "102", "another task of Proxmox"));
}
