//! A container's life as crun tells it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::GuestStatus::{Created, Paused, Running, Stopped},
        host::Availability,
        plan::StepResult,
    },
};
use serde_json::json;

use super::{OBEDIENT, SHUTDOWN, STUBBORN, crun::World, is_alive, kill};

#[tokio::test]
async fn crun_is_available_by_its_version() {
    let world = World::new();
    assert!(
        matches!(world.driver.probe().await, Availability::Available { version } if version.starts_with("1."))
    );
    fs::create_dir(world.root().join("bad")).unwrap();
    fs::write(world.root().join("bad/status"), "{ nope").unwrap();
    assert!(world.driver.probe().await.is_available(), "one bad state file takes nothing away");
}

#[tokio::test]
async fn a_container_lives_its_whole_life_as_crun_tells_it() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", OBEDIENT));
    assert_eq!(world.status(&name).await, None);

    world.create(&name, &bundle).await;
    assert_eq!(world.agreed(&name).await, Created);

    world.act_ok(&name, ActionRequest::Start).await;
    assert_eq!(world.agreed(&name).await, Running);
    world.written(&bundle, "ready").await;

    world.crun_ok(&["pause", name.as_str()]);
    assert_eq!(world.agreed(&name).await, Paused);
    world.crun_ok(&["resume", name.as_str()]);
    assert_eq!(world.agreed(&name).await, Running);

    world.act_ok(&name, SHUTDOWN).await;
    assert_eq!(world.agreed(&name).await, Stopped);

    fs::remove_file(Path::new(&bundle).join("rootfs/ready")).unwrap();
    let before = world.pid(&name);
    world.act_ok(&name, ActionRequest::Start).await;
    assert_eq!(world.agreed(&name).await, Running);
    assert_ne!(world.pid(&name), before);
    world.written(&bundle, "ready").await;

    world.act_ok(&name, ActionRequest::Stop).await;
    assert_eq!(world.agreed(&name).await, Stopped);

    world.act_ok(&name, ActionRequest::Delete { purge: false }).await;
    assert_eq!(world.status(&name).await, None);
    assert!(Path::new(&bundle).join("rootfs/ready").exists(), "the bundle stays as the container left it");
}

#[tokio::test]
async fn a_running_container_shows_what_it_is_and_uses() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", OBEDIENT));
    let limit = 32 * 1024 * 1024;
    let config = Path::new(&bundle).join("config.json");
    let mut text: serde_json::Value = serde_json::from_str(&fs::read_to_string(&config).unwrap()).unwrap();
    text["linux"]["resources"]["memory"] = json!({ "limit": limit });
    fs::write(&config, text.to_string()).unwrap();
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;

    let detail = world.driver.inspect(&name).await.unwrap().unwrap();
    assert_eq!(detail.guest.pid, Some(world.pid(&name)));
    assert!(detail.guest.started_ms.is_some());
    assert_eq!(detail.guest.addresses, Vec::<String>::new(), "its own network has loopback only");
    assert!(detail.memory.is_some_and(|used| used > 0));
    assert_eq!(detail.memory_limit, Some(limit));
    assert!(detail.cpu_ns.is_some_and(|used| used > 0));
    assert!(detail.tasks.is_some_and(|tasks| tasks > 0));
    let fact = |label: &str| detail.facts.iter().find(|(l, _)| l == label).map(|(_, value)| value.clone());
    assert_eq!(fact("Bundle"), Some(bundle.clone()));
    assert_eq!(fact("Root file system").as_deref(), Some("rootfs"));
    assert_eq!(fact("Command"), Some(format!("sh -c {OBEDIENT}")));
    assert_eq!(fact("Owner").as_deref(), Some("root"));
    assert!(fact("Created").is_some());
    assert_eq!(detail.config.unwrap().text, text.to_string());

    world.act_ok(&name, ActionRequest::Stop).await;
    let detail = world.driver.inspect(&name).await.unwrap().unwrap();
    assert_eq!((detail.guest.pid, detail.memory, detail.cpu_ns), (None, None, None));
}

#[tokio::test]
async fn one_that_ignores_sigterm_is_still_running_after_the_time_is_up() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    let (end, told) = world.act(&name, ActionRequest::Shutdown { timeout_seconds: 1 }).await;
    assert_eq!(end, ExecutionEnd::Failed(Error::NotReached { wanted: Stopped, found: Some(Running) }));
    assert_eq!(told.outcomes[1].result, StepResult::NotReached(Some(Running)));
    assert_eq!(world.agreed(&name).await, Running);
    world.act_ok(&name, ActionRequest::Stop).await;
    assert_eq!(world.agreed(&name).await, Stopped);
}

#[tokio::test]
async fn a_paused_container_can_be_stopped() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    world.crun_ok(&["pause", name.as_str()]);
    world.act_ok(&name, ActionRequest::Stop).await;
    assert_eq!(world.agreed(&name).await, Stopped);
}

#[tokio::test]
async fn one_killed_from_outside_is_stopped_running_or_not() {
    let world = World::new();
    let bundle = world.bundle("b", STUBBORN);
    let (runs, waits) = (world.name("runs"), world.name("waits"));
    world.create_and_start(&runs, &bundle).await;
    world.create(&waits, &bundle).await;
    for name in [&runs, &waits] {
        kill(world.pid(name));
        world.reached(name, Stopped).await;
        assert_eq!(world.agreed(name).await, Stopped);
    }
    let (end, _) = world.act(&runs, ActionRequest::Stop).await;
    assert!(
        matches!(&end, ExecutionEnd::Failed(Error::WrongState { words }) if words.contains("No such process")),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_short_process_may_have_ended_when_its_start_is_done() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", "exit 3"));
    world.create_and_start(&name, &bundle).await;
    world.reached(&name, Stopped).await;
    world.act_ok(&name, ActionRequest::Start).await;
}

#[tokio::test]
async fn a_waiting_container_can_be_deleted_and_nothing_of_it_is_left() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create(&name, &bundle).await;
    let pid = world.pid(&name);
    world.act_ok(&name, ActionRequest::Delete { purge: false }).await;
    assert!(!is_alive(pid));
    assert_eq!(world.driver.list().await.unwrap(), []);
}

#[tokio::test]
async fn listing_starts_no_process_and_is_quick() {
    const CONTAINERS: usize = 20;
    let world = World::new();
    let bundle = world.bundle("b", "sleep 600");
    for number in 0..CONTAINERS {
        let name = world.name(&format!("n{number}"));
        world.crun_ok(&["create", "--bundle", &bundle, name.as_str()]);
        world.crun_ok(&["start", name.as_str()]);
    }
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let guests = world.driver.list().await.unwrap();
        times.push(begun.elapsed());
        assert_eq!(guests.iter().filter(|guest| guest.status == Running).count(), CONTAINERS);
    }
    times.sort_unstable();
    println!("list of {CONTAINERS} running containers: median {:?}, slowest {:?}", times[10], times[19]);
    // Far above what it takes, and far below what a process for each would.
    assert!(times[10] < Duration::from_millis(100), "{times:?}");
}
