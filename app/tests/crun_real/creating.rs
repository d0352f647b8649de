//! What becomes of a bundle.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, Field},
        guest::GuestStatus::{Running, Stopped},
        host::CreateOptions,
    },
};
use serde_json::json;

use super::{
    OBEDIENT,
    crun::{World, create},
    not_ready,
};

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
async fn a_directory_without_a_state_file_is_no_container_but_in_the_way() {
    let world = World::new();
    let name = world.name("web1");
    fs::create_dir(world.root().join(name.as_str())).unwrap();
    assert_eq!(world.crun_ok(&["list", "-q"]).trim(), "");
    assert_eq!(world.driver.list().await.unwrap(), []);
    let why = not_ready(world.plan(&name, &create(&world.bundle("b", OBEDIENT))).await);
    assert!(why.contains("is in the way"), "{why}");
}
