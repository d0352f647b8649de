//! Reboot, pause, resume.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::GuestStatus::{Created, Paused, Running, Stopped},
    },
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{OBEDIENT, STUBBORN, crun::World, is_alive, not_ready};

const REBOOT: ActionRequest = ActionRequest::Reboot { timeout_seconds: 20 };

#[tokio::test]
async fn a_reboot_ends_the_container_and_starts_it_again() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    fs::remove_file(Path::new(&bundle).join("rootfs/ready")).unwrap();
    let before = world.pid(&name);
    let begun = Instant::now();
    world.act_ok(&name, REBOOT).await;
    println!("reboot: {:?}", begun.elapsed());
    assert_eq!(world.agreed(&name).await, Running);
    assert!(!is_alive(before) && world.pid(&name) != before);
    world.written(&bundle, "ready").await;
}

#[tokio::test]
async fn a_reboot_with_processes_of_its_own_is_none_of_another_containers() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    // A command in the container, whose parent is outside of it, and a child of that.
    let outside = std::process::Command::new("crun")
        .arg("--root")
        .arg(world.root())
        .args(["exec", "--", name.as_str(), "sh", "-c", "sleep 600 & echo in > /entered; wait"])
        .spawn();
    let mut outside = outside.unwrap();
    world.written(&bundle, "entered").await;
    world.act_ok(&name, REBOOT).await;
    assert_eq!(world.agreed(&name).await, Running);
    outside.wait().unwrap();
}

#[tokio::test]
async fn one_that_does_not_end_is_not_rebooted_and_goes_on() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    let before = world.pid(&name);
    let (end, _) = world.act(&name, ActionRequest::Reboot { timeout_seconds: 1 }).await;
    assert_eq!(
        end,
        ExecutionEnd::Failed(Error::NotReached { wanted: Stopped, found: Some(Running) }),
        "nobody is told that it was rebooted"
    );
    assert_eq!((world.agreed(&name).await, world.pid(&name)), (Running, before));
}

#[tokio::test]
async fn nothing_is_asked_to_end_that_could_not_be_started_again() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    let rootfs = Path::new(&bundle).join("rootfs");
    fs::rename(&rootfs, rootfs.with_extension("away")).unwrap();
    let why = not_ready(world.plan(&name, &REBOOT).await);
    assert!(why.contains("root file system"), "{why}");
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn a_cancelled_reboot_leaves_a_container_that_is_known() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    let cancel = CancellationToken::new();
    let (end, ()) = tokio::join!(world.act_until(&name, REBOOT, cancel.clone()), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    });
    assert_eq!(end.0, ExecutionEnd::Cancelled);
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn a_paused_container_stands_still_until_it_is_resumed() {
    let world = World::new();
    let bundle = world.bundle("b", "while :; do echo tick >> /count; sleep 0.02; done");
    let name = world.name("web1");
    world.create_and_start(&name, &bundle).await;
    let count = || fs::metadata(Path::new(&bundle).join("rootfs/count")).map_or(0, |file| file.len());
    world.written(&bundle, "count").await;
    let begun = Instant::now();
    world.act_ok(&name, ActionRequest::Pause).await;
    println!("pause: {:?}", begun.elapsed());
    assert_eq!(world.agreed(&name).await, Paused);
    let stood = count();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(count(), stood);

    let again = world.plan(&name, &ActionRequest::Pause).await;
    assert_eq!(again, Err(Error::WrongState { words: "it is paused.".into() }));
    let begun = Instant::now();
    world.act_ok(&name, ActionRequest::Resume).await;
    println!("resume: {:?}", begun.elapsed());
    assert_eq!(world.agreed(&name).await, Running);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_ne!(count(), stood);
    let again = world.plan(&name, &ActionRequest::Resume).await;
    assert_eq!(again, Err(Error::WrongState { words: "it is running.".into() }));
}

#[tokio::test]
async fn one_that_waits_or_has_ended_is_not_frozen() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create(&name, &bundle).await;
    // crun itself freezes it, says "created" all the while, and a start would hang.
    let refused = world.plan(&name, &ActionRequest::Pause).await;
    assert_eq!(refused, Err(Error::WrongState { words: "it is created.".into() }));
    assert_eq!(world.agreed(&name).await, Created);
    world.act_ok(&name, ActionRequest::Start).await;
    let plan = world.plan(&name, &ActionRequest::Pause).await.unwrap();
    world.act_ok(&name, ActionRequest::Stop).await;
    // It ended between plan and execution: crun's own words.
    let (end, _) = world.execute(&name, &plan, CancellationToken::new()).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::WrongState { .. })), "{end:?}");
}

#[tokio::test]
async fn a_new_container_can_be_started_as_its_last_step() {
    let world = World::new();
    let bundle = world.bundle_with("b", |c| c["process"]["args"] = json!(["sleep", "600"]));
    let name = world.name("web1");
    let ActionRequest::Create(mut request) = super::crun::create(&bundle) else { panic!() };
    request.start = true;
    world.act_ok(&name, ActionRequest::Create(request)).await;
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn a_container_that_starts_processes_all_the_time_can_be_rebooted_at_any_time() {
    let world = World::new();
    let script =
        "trap 'exit 0' TERM; echo ready > /ready; while :; do sleep 0.001 & sleep 0.001 & sleep 0; done";
    let (name, bundle) = (world.name("web1"), world.bundle("b", script));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    for _ in 0..200 {
        let plan = world.plan(&name, &REBOOT).await;
        assert!(plan.is_ok(), "a process that came and went was taken for another container's: {plan:?}");
    }
}
