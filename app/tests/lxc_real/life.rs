//! What can be done with a container, and how each of it fails.

use std::fs;

use app::{
    backend::{Backend, Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::{BackendKind, GuestId, GuestStatus},
        plan::{Exit, StepResult},
    },
};

use super::{
    STUBBORN, by_busybox, failed,
    lab::{Lab, unique},
    shutdown,
};

#[tokio::test]
async fn a_container_lives_its_whole_life() {
    let lab = Lab::new();
    let name = unique();
    assert_eq!(lab.guest(&name).await, None);

    assert_eq!(lab.act(&name, by_busybox()).await, ExecutionEnd::Done);
    assert_eq!(lab.status(&name).await, Some(GuestStatus::Stopped));
    let again = lab.plan(&name, by_busybox()).await;
    assert_eq!(again, Err(Error::AlreadyExists(GuestId::new(BackendKind::Lxc, name.clone()))));

    lab.start(&name).await;
    let listed = lab.driver.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].status, GuestStatus::Running);
    assert_eq!(listed[0].pid.unwrap().to_string(), lab.told(&name, "-p"), "lxc-info agrees");
    assert!(listed[0].started_ms.is_some_and(|ms| ms > 1_600_000_000_000));
    assert_eq!(Some(&listed[0]), lab.guest(&name).await.as_ref());

    assert!(lab.tool("lxc-freeze", &name, &[]).status.success());
    assert_eq!(lab.status(&name).await, Some(GuestStatus::Paused));
    assert!(lab.guest(&name).await.unwrap().pid.is_some());
    assert!(lab.tool("lxc-unfreeze", &name, &[]).status.success());
    assert_eq!(lab.status(&name).await, Some(GuestStatus::Running));

    assert_eq!(lab.act(&name, shutdown(30)).await, ExecutionEnd::Done);
    let stopped = lab.guest(&name).await.unwrap();
    assert_eq!((stopped.status, stopped.pid, stopped.started_ms), (GuestStatus::Stopped, None, None));

    lab.start(&name).await;
    assert_eq!(lab.act(&name, ActionRequest::Stop).await, ExecutionEnd::Done);

    let plan = lab.plan(&name, ActionRequest::Delete { purge: false }).await.unwrap();
    assert!(plan.loses[0].contains(name.as_str()));
    assert!(lab.lxcpath.join(name.as_str()).exists(), "a plan changes nothing");
    assert_eq!(lab.run(&name, &plan).await.end, ExecutionEnd::Done);
    assert!(!lab.lxcpath.join(name.as_str()).exists());
    assert_eq!(lab.run(&name, &plan).await.end, ExecutionEnd::Done, "what is gone needs no deleting");
}

#[tokio::test]
async fn a_page_shows_usage_settings_and_configuration() {
    let lab = Lab::new();
    let name = lab.made("lxc.start.auto = 1");
    lab.start(&name).await;
    let detail = lab.driver.inspect(&name).await.unwrap().unwrap();
    assert_eq!(detail.guest.status, GuestStatus::Running);
    assert!(detail.memory.is_some_and(|bytes| bytes > 0), "{detail:?}");
    assert!(detail.cpu_ns.is_some() && detail.tasks.is_some_and(|tasks| tasks > 0), "{detail:?}");
    assert_eq!(detail.memory_limit, None);
    assert!(detail.facts.contains(&("Start at boot".into(), "yes".into())));
    assert!(detail.facts.contains(&("LXC path".into(), lab.lxcpath.display().to_string())));
    let config = detail.config.unwrap();
    assert!(config.text.contains("lxc.start.auto") && config.path.ends_with("/config") && !config.cut);
    assert_eq!(lab.driver.inspect(&unique()).await.unwrap(), None);
}

#[tokio::test]
async fn a_container_frozen_by_somebody_can_be_stopped() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    assert!(lab.tool("lxc-freeze", &name, &[]).status.success());
    lab.until(&name, GuestStatus::Paused).await;
    assert_eq!(lab.act(&name, ActionRequest::Stop).await, ExecutionEnd::Done);
}

#[tokio::test]
async fn a_start_that_fails_tells_the_cause() {
    let lab = Lab::new();
    let bad_key = lab.made("lxc.nosuch.key = 1");
    let error = failed(lab.act(&bad_key, ActionRequest::Start).await).to_string();
    assert!(error.contains("Unsupported config key \"lxc.nosuch.key\""), "{error}");
    let no_init = lab.made("lxc.init.cmd = /sbin/nosuchinit");
    let error = failed(lab.act(&no_init, ActionRequest::Start).await).to_string();
    assert!(error.contains("Failed to exec \"/sbin/nosuchinit\""), "{error}");
    lab.until(&no_init, GuestStatus::Stopped).await;
    let left: Vec<_> = fs::read_dir(lab.dir.path().join("log")).unwrap().collect();
    assert!(left.is_empty(), "the log is read and removed: {left:?}");
}

#[tokio::test]
async fn a_missing_bridge_is_told_before_anything_runs() {
    let lab = Lab::new();
    let name = lab.made("lxc.net.1.type = veth\nlxc.net.1.link = nosuchbr0");
    let error = lab.plan(&name, ActionRequest::Start).await.unwrap_err();
    assert!(matches!(error, Error::NotReady { .. }), "{error}");
    assert!(error.to_string().contains("nosuchbr0"), "{error}");
    // Through an included file, too.
    let net = lab.dir.path().join("bridge.conf");
    fs::write(&net, "lxc.net.1.type = veth\nlxc.net.1.link = nosuchbr1\n").unwrap();
    let name = lab.made(&format!("lxc.include = {}", net.display()));
    let error = lab.plan(&name, ActionRequest::Start).await.unwrap_err();
    assert!(error.to_string().contains("nosuchbr1"), "{error}");
}

#[tokio::test]
async fn a_second_start_fails_although_the_tool_exits_0() {
    let lab = Lab::new();
    let name = lab.made("");
    let plan = lab.plan(&name, ActionRequest::Start).await.unwrap();
    assert_eq!(lab.run(&name, &plan).await.end, ExecutionEnd::Done);
    let pid = lab.guest(&name).await.unwrap().pid;
    let second = lab.run(&name, &plan).await;
    assert_eq!(second.outcomes[0].result, StepResult::Exited(Exit::Code(0)));
    assert_eq!(failed(second.end), Error::WrongState { words: "Container is already running".into() });
    assert_eq!(lab.guest(&name).await.unwrap().pid, pid, "the first one runs on");
}

#[tokio::test]
async fn a_shutdown_right_after_the_start_is_not_lost() {
    let lab = Lab::new();
    // For its first second this init knows no request to halt, as any does that has just begun.
    let name =
        lab.made_with_init("trap '' USR1; sleep 1; trap 'exit 0' USR1; while :; do sleep 0.1; done", "");
    lab.start(&name).await;
    let plan = lab.plan(&name, shutdown(20)).await.unwrap();
    let ran = lab.run(&name, &plan).await;
    assert_eq!(ran.end, ExecutionEnd::Done, "{:?}", ran.outcomes);
    assert_eq!(ran.outcomes[0].result, StepResult::Exited(Exit::Code(1)), "the first request was lost");
    assert_eq!(ran.outcomes[1].result, StepResult::Exited(Exit::Code(0)));
}

#[tokio::test]
async fn a_stop_right_after_the_start_stops() {
    let lab = Lab::new();
    let name = lab.made("");
    for _ in 0..5 {
        lab.start(&name).await;
        assert_eq!(lab.act(&name, ActionRequest::Stop).await, ExecutionEnd::Done);
    }
}

#[tokio::test]
async fn a_stubborn_guest_is_not_killed_by_a_shutdown() {
    let lab = Lab::new();
    let name = lab.made_with_init(STUBBORN, "");
    lab.start(&name).await;
    let pid = lab.guest(&name).await.unwrap().pid;
    let error = failed(lab.act(&name, shutdown(2)).await).to_string();
    assert!(error.contains("still runs, nothing was killed"), "{error}");
    let guest = lab.guest(&name).await.unwrap();
    assert_eq!((guest.status, guest.pid), (GuestStatus::Running, pid));
    assert_eq!(lab.act(&name, ActionRequest::Stop).await, ExecutionEnd::Done);
}

#[tokio::test]
async fn a_shutdown_of_one_that_has_just_stopped_is_done() {
    let lab = Lab::new();
    let name = lab.made("");
    let plan = lab.plan(&name, shutdown(2)).await.unwrap();
    assert_eq!(lab.run(&name, &plan).await.end, ExecutionEnd::Done);
}

#[tokio::test]
async fn snapshots_and_clones_stand_in_the_way_of_a_delete_by_name() {
    let lab = Lab::new();
    let name = lab.made("");
    // As lxc-snapshot leaves it, which needs rsync for a plain directory.
    let snapshot = lab.lxcpath.join(name.as_str()).join("snaps/snap0");
    fs::create_dir_all(&snapshot).unwrap();
    fs::write(snapshot.join("config"), "").unwrap();
    let refused = lab.tool("lxc-destroy", &name, &[]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has snapshots"), "LXC itself sees it");
    let error = lab.plan(&name, ActionRequest::Delete { purge: false }).await.unwrap_err().to_string();
    assert!(error.contains("snap0") && error.contains("together with them"), "{error}");
    fs::remove_dir_all(&snapshot).unwrap();

    let clone = unique();
    let cloned = lab.tool("lxc-copy", &name, &["-N", clone.as_str(), "-s", "-B", "overlay", "-l", "ERROR"]);
    assert!(cloned.status.success(), "{}", String::from_utf8_lossy(&cloned.stderr));
    let error = lab.plan(&name, ActionRequest::Delete { purge: false }).await.unwrap_err().to_string();
    assert!(error.contains(clone.as_str()), "{error}");
    assert_eq!(lab.act(&clone, ActionRequest::Delete { purge: false }).await, ExecutionEnd::Done);
    assert_eq!(lab.act(&name, ActionRequest::Delete { purge: false }).await, ExecutionEnd::Done);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let lab = Lab::new();
    let name = unique();
    let not_found = Error::NotFound(GuestId::new(BackendKind::Lxc, name.clone()));
    for request in
        [ActionRequest::Start, shutdown(5), ActionRequest::Stop, ActionRequest::Delete { purge: false }]
    {
        assert_eq!(lab.plan(&name, request).await, Err(not_found.clone()));
    }
}
