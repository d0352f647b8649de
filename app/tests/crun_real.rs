//! The crun driver on the real crun. Needs root, `crun` and `busybox-static`, and on a host with hybrid control
//! groups the wrapper that a failing test names.
#![cfg(feature = "ssr")]

#[path = "common/crun.rs"]
mod crun;

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::GuestStatus::{Created, Paused, Running, Stopped, Unknown},
        host::{Availability, CreateOptions},
        name::GuestName,
        plan::StepResult,
    },
};
use crun::{World, create};
use serde_json::json;

/// Ends at SIGTERM, and says when it is ready for it.
const OBEDIENT: &str = "trap 'exit 0' TERM; echo ready > /ready; while :; do sleep 0.05; done";
/// Runs on whatever it is asked.
const STUBBORN: &str = "trap '' TERM; echo ready > /ready; while :; do sleep 0.05; done";

const SHUTDOWN: ActionRequest = ActionRequest::Shutdown { timeout_seconds: 20 };

fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn not_ready(plan: Result<app::domain::plan::Plan, Error>) -> String {
    match plan {
        Err(Error::NotReady { reason, cure }) => format!("{reason} {cure}"),
        other => panic!("not refused as it should be: {other:?}"),
    }
}

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

    world.act_ok(&name, ActionRequest::Delete).await;
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
async fn bundles_are_offered_and_faulty_ones_refused_before_crun_runs() {
    let world = World::new();
    let good = world.bundle("b-good", OBEDIENT);
    fs::create_dir(world.path("bundles/a-empty")).unwrap();
    let mut options = CreateOptions::default();
    world.driver.create_options(&mut options).await;
    assert_eq!(options.crun_bundles, std::slice::from_ref(&good));

    let terminal = world.bundle_with("terminal", |c| c["process"]["terminal"] = json!(true));
    let no_rootfs = world.bundle_with("no-rootfs", |c| c["root"]["path"] = json!("gone"));
    let no_program = world.bundle_with("no-program", |c| c["process"]["args"] = json!(["/no/such"]));
    let garbled = world.bundle("garbled", OBEDIENT);
    fs::write(Path::new(&garbled).join("config.json"), "{ nope").unwrap();
    let through_parent = format!("{good}/../b-good");
    for (path, words) in [
        (terminal.as_str(), "process.terminal to false"),
        (&no_rootfs, "gone is not there"),
        (&no_program, "no program /no/such"),
        (&garbled, "cannot be understood"),
        (world.path("bundles/a-empty").to_str().unwrap(), "no config.json"),
        (&through_parent, "“..”"),
        ("relative", "absolute"),
    ] {
        let refused = world.plan(&world.name("x"), &create(path)).await;
        assert!(
            matches!(&refused, Err(Error::Invalid { field: Field::Bundle, message }) if message.contains(words)),
            "{path}: {refused:?}"
        );
    }
    assert_eq!(fs::read_dir(world.root()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_crun_says_of_a_failed_create_arrives_by_its_log() {
    let world = World::new();
    // Nothing of this can be seen from outside: the mount fails only when it is made.
    let bundle = world.bundle_with("b", |config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        mounts.push(json!({"destination": "/x", "type": "bind", "source": "/no/such", "options": ["bind"]}));
    });
    let name = world.name("web1");
    let (end, mut told) = world.act(&name, create(&bundle)).await;
    assert!(
        matches!(&end, ExecutionEnd::Failed(Error::ToolFailed { words, .. }) if words.contains("/no/such")),
        "{end:?}"
    );
    assert!(told.words().contains("/no/such"));
    assert_eq!(world.status(&name).await, None);
    assert_eq!(fs::read_dir(world.path("log")).unwrap().count(), 0, "the log is cleaned up");
}

#[tokio::test]
async fn a_taken_name_is_refused_and_crun_itself_agrees() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    let plan = world.plan(&name, &create(&bundle)).await.unwrap();
    world.create(&name, &bundle).await;
    let refused = world.plan(&name, &create(&bundle)).await;
    assert!(matches!(refused, Err(Error::AlreadyExists(_))), "{refused:?}");
    // Somebody may take the name between plan and execution.
    let app::domain::plan::Work::Command(command) = &plan.steps[0].work else { panic!() };
    let (output, started) =
        (tokio::sync::mpsc::unbounded_channel().0, tokio::sync::mpsc::unbounded_channel().0);
    let context = app::backend::RunContext { output, started, cancel: Default::default() };
    let output = app::backend::Runner::run(&app::backend::HostRunner, command, &context).await;
    assert!(matches!(world.driver.parse(command, &output), Err(Error::AlreadyExists(_))), "{output:?}");
}

#[tokio::test]
async fn a_container_that_holds_its_output_open_blocks_nobody() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", "echo loud; sleep 600"));
    let begun = Instant::now();
    world.create_and_start(&name, &bundle).await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    for file in ["0", "1", "2"] {
        let target = fs::read_link(format!("/proc/{}/fd/{file}", world.pid(&name))).unwrap();
        assert!(target.ends_with("null"), "{file} is {target:?}");
    }
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
    world.act_ok(&name, ActionRequest::Delete).await;
    assert!(!is_alive(pid));
    assert_eq!(world.driver.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_stopped_container_whose_bundle_is_spoilt_is_not_deleted_for_a_start() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", OBEDIENT));
    world.create_and_start(&name, &bundle).await;
    world.act_ok(&name, ActionRequest::Stop).await;
    let rootfs = Path::new(&bundle).join("rootfs");
    fs::rename(&rootfs, rootfs.with_extension("away")).unwrap();
    let why = not_ready(world.plan(&name, &ActionRequest::Start).await);
    assert!(why.contains("root file system"), "{why}");
    assert_eq!(world.agreed(&name).await, Stopped);
    fs::rename(rootfs.with_extension("away"), &rootfs).unwrap();
    world.act_ok(&name, ActionRequest::Start).await;
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn one_id_under_two_state_directories_is_refused() {
    let world = World::new();
    let other = world.other_root();
    let name = world.name("web1");
    world.create_and_start(&name, &world.bundle("b", STUBBORN)).await;
    let why = not_ready(other.plan(&name, &create(&other.bundle("b", STUBBORN))).await);
    assert!(why.contains(&format!("/{name}")) && why.contains("Choose another name"), "{why}");
}

#[tokio::test]
async fn one_control_group_for_two_containers_is_refused() {
    let world = World::new();
    let group = format!("/{}", world.name("group"));
    let own =
        |path: String| move |config: &mut serde_json::Value| config["linux"]["cgroupsPath"] = json!(path);
    let first = world.name("first");
    world.create_and_start(&first, &world.bundle_with("first", own(group.clone()))).await;
    assert_eq!(world.agreed(&first).await, Running);
    for (word, path) in [("same", group.clone()), ("inside", format!("{group}/in"))] {
        let bundle = world.bundle_with(word, own(path));
        let why = not_ready(world.plan(&world.name(word), &create(&bundle)).await);
        assert!(why.contains(first.as_str()) && why.contains("cgroupsPath"), "{why}");
    }
    let root = world.bundle_with("root", own("/".to_owned()));
    let refused = world.plan(&world.name("root"), &create(&root)).await;
    assert!(matches!(&refused, Err(Error::Invalid { field: Field::Bundle, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_delete_that_would_kill_another_container_is_refused() {
    let world = World::new();
    let other = world.other_root();
    let name = world.name("web1");
    world.create_and_start(&name, &world.bundle("b", STUBBORN)).await;
    // Made behind Paddock's back: the same id under another state directory.
    let bundle = other.bundle("b", STUBBORN);
    other.crun_ok(&["create", "--bundle", &bundle, name.as_str()]);
    other.crun_ok(&["start", name.as_str()]);
    other.crun_ok(&["kill", name.as_str(), "KILL"]);
    other.reached(&name, Stopped).await;
    for request in [ActionRequest::Delete, ActionRequest::Start] {
        let why = not_ready(other.plan(&name, &request).await);
        assert!(why.contains("crun would kill that") && why.contains(&world.pid(&name).to_string()), "{why}");
    }
    assert_eq!(world.status(&name).await, Some(Running));
    // What is refused is true: this is what crun does.
    other.crun_ok(&["delete", name.as_str()]);
    world.reached(&name, Stopped).await;
}

#[tokio::test]
async fn what_outlives_a_container_without_a_pid_namespace_goes_with_its_delete() {
    let world = World::new();
    let bundle = world.bundle_with("b", |config| {
        let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
        namespaces.retain(|namespace| namespace["type"] != "pid");
        config["process"]["args"] = json!(["sh", "-c", "sleep 600 & echo $! > /left; wait"]);
    });
    let name = world.name("web1");
    world.create_and_start(&name, &bundle).await;
    let left = world.written(&bundle, "left").await.parse().unwrap();
    world.act_ok(&name, ActionRequest::Stop).await;
    assert!(is_alive(left));
    let plan = world.plan(&name, &ActionRequest::Delete).await.unwrap();
    assert!(plan.loses.iter().any(|lost| lost.contains(&left.to_string())), "{:?}", plan.loses);
    world.act_ok(&name, ActionRequest::Delete).await;
    assert!(!is_alive(left));
}

#[tokio::test]
async fn a_garbled_state_file_hides_no_other_container_and_loses_no_running_one() {
    let world = World::new();
    let bundle = world.bundle("b", STUBBORN);
    let (good, bad) = (world.name("good"), world.name("bad"));
    world.create_and_start(&good, &bundle).await;
    world.create_and_start(&bad, &bundle).await;
    let pid = world.pid(&bad);
    let file = world.root().join(bad.as_str()).join("status");
    let real = fs::read_to_string(&file).unwrap();
    fs::write(&file, "{ nope").unwrap();
    assert!(!world.crun(&["list", "-f", "json"]).status.success(), "crun itself lists nothing any more");

    assert_eq!(world.status(&good).await, Some(Running));
    let guests = world.driver.list().await.unwrap();
    let guest = guests.iter().find(|guest| guest.id.name == bad).unwrap();
    assert_eq!((guests.len(), guest.status), (2, Unknown));
    assert!(guest.note.is_some());
    for request in [ActionRequest::Stop, ActionRequest::Delete] {
        let why = not_ready(world.plan(&bad, &request).await);
        assert!(why.contains(&format!("`kill -KILL {pid}`")), "{why}");
    }
    kill(pid);
    while is_alive(pid) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.act_ok(&bad, ActionRequest::Delete).await;
    assert_eq!(world.agreed(&good).await, Running);
    assert!(real.contains(&pid.to_string()));
}

#[tokio::test]
async fn hostile_names_of_others_are_left_out_and_reach_no_tool() {
    let world = World::new();
    let bundle = world.bundle("b", STUBBORN);
    let good = world.name("good");
    world.create_and_start(&good, &bundle).await;
    let hostile = [format!("{good} x"), format!("{good}ü"), format!("-{good}")];
    for name in &hostile {
        world.crun_ok(&["create", "--bundle", &bundle, "--", name]);
    }
    let listed = world.crun_ok(&["list", "-q"]);
    assert!(hostile.iter().all(|name| listed.lines().any(|line| line == name)), "{listed}");
    let guests = world.driver.list().await.unwrap();
    assert_eq!(guests.iter().map(|guest| &guest.id.name).collect::<Vec<_>>(), [&good]);
    assert!(hostile.iter().all(|name| GuestName::found(name).is_err()));
}

#[tokio::test]
async fn a_directory_without_a_state_file_is_no_container_but_in_the_way() {
    let world = World::new();
    let name = world.name("web1");
    fs::create_dir(world.root().join(name.as_str())).unwrap();
    assert_eq!(world.crun_ok(&["list", "-q"]).trim(), "");
    assert_eq!(world.driver.list().await.unwrap(), []);
    let why = not_ready(world.plan(&name, &create(&world.bundle("b", OBEDIENT))).await);
    assert!(why.contains("is in the way"), "{why}");
}

#[tokio::test]
async fn a_signal_that_does_not_exist_is_not_taken_for_sent() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    assert!(
        world.crun(&["kill", name.as_str(), "NOPE"]).status.success(),
        "the lie that the driver does not believe"
    );
    assert_eq!(world.agreed(&name).await, Running);
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
