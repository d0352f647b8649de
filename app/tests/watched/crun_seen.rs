use std::{
    fs,
    process::{Command, Stdio},
    sync::atomic::Ordering,
    time::Duration,
};

use app::{
    backend::crun::{CrunConfig, CrunDriver},
    domain::{
        guest::GuestStatus::{Created, Paused, Running, Stopped},
        name::GuestName,
    },
};
use tokio::time::sleep;

use crate::{MACHINE, crun::World, eye::Eye};

const SLEEPS: &str = "exec sleep 600";

pub fn driver(world: &World) -> CrunDriver {
    CrunDriver::new(CrunConfig {
        root: world.root(),
        bundles: Some(world.path("bundles")),
        images: world.path("images"),
        log_dir: world.path("log"),
    })
}

fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

/// As `crun run` in a shell, with nothing left open in the container.
pub fn run(world: &World, name: &GuestName, bundle: &str) {
    let mut command = Command::new("crun");
    command.arg("--root").arg(world.root()).args(["run", "-d", "-b", bundle, name.as_str()]);
    let said = world.path("run.log");
    let log = fs::File::create(&said).unwrap();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).status().unwrap();
    assert!(status.success(), "{name}: {}", fs::read_to_string(said).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_of_a_crun_containers_life_is_seen_at_once() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", SLEEPS));
    let eye = Eye::on(driver(&world)).await;
    let id = name.as_str();
    eye.calm().await;
    world.crun_ok(&["create", "-b", &bundle, id]);
    eye.is(&name, Some(Created)).await;
    for (words, status) in [
        (vec!["start", id], Some(Running)),
        (vec!["pause", id], Some(Paused)),
        (vec!["resume", id], Some(Running)),
        (vec!["kill", id, "KILL"], Some(Stopped)),
        (vec!["delete", id], None),
    ] {
        eye.calm().await;
        world.crun_ok(&words);
        println!("crun {words:?}: seen {:?} after it returned", eye.is(&name, status).await);
    }
    eye.calm().await;
    run(&world, &name, &bundle);
    eye.is(&name, Some(Running)).await;
    eye.calm().await;
    kill(world.pid(&name));
    println!("its own end: seen after {:?}", eye.is(&name, Some(Stopped)).await);
    eye.calm().await;
    fs::rename(world.root().join(id), world.root().join("other")).unwrap();
    eye.is(&name, None).await;
    fs::rename(world.root().join("other"), world.root().join(id)).unwrap();
    eye.is(&name, Some(Stopped)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_crun_containers_that_come_and_go_together_are_all_seen() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let bundle = world.bundle("web", SLEEPS);
    let eye = Eye::on(driver(&world)).await;
    let names: Vec<GuestName> = (0..20).map(|i| world.name(&format!("web{i}"))).collect();
    eye.calm().await;
    // One after the other as fast as crun does it: of twenty at once one may fail, whoever looks on.
    names.iter().for_each(|name| run(&world, name, &bundle));
    eye.shows("all run", |guests| guests.len() == 20 && guests.iter().all(|guest| guest.status == Running))
        .await;
    eye.calm().await;
    names.iter().for_each(|name| kill(world.pid(name)));
    eye.shows("all have ended", |guests| guests.iter().all(|guest| guest.status == Stopped)).await;
    eye.calm().await;
    names.iter().for_each(|name| drop(world.crun_ok(&["delete", name.as_str()])));
    eye.shows("all are gone", <[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_directory_that_goes_and_comes_is_listened_to_again() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", SLEEPS));
    let eye = Eye::on(driver(&world)).await;
    for _ in 0..3 {
        // Readings become rare only where changes are heard.
        eye.calm().await;
        run(&world, &name, &bundle);
        eye.is(&name, Some(Running)).await;
        eye.calm().await;
        world.crun_ok(&["delete", "-f", name.as_str()]);
        fs::remove_dir_all(world.root()).unwrap();
        eye.is(&name, None).await;
        let lists = eye.backend.lists.load(Ordering::Relaxed);
        sleep(Duration::from_secs(4)).await;
        let lists = eye.backend.lists.load(Ordering::Relaxed) - lists;
        assert!((5..=9).contains(&lists), "{lists} readings in 4 s: it is read at the interval");
        fs::create_dir(world.root()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_names_in_the_state_directory_hide_nothing_and_keep_nobody_busy() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", SLEEPS));
    let eye = Eye::on(driver(&world)).await;
    for hostile in ["-f", "a b", "new\nline", "..x", "\u{202e}txt", &"n".repeat(255)] {
        fs::create_dir(world.root().join(hostile)).unwrap();
        fs::write(world.root().join(hostile).join("status"), "{").unwrap();
    }
    fs::write(world.root().join("file"), "no directory").unwrap();
    std::os::unix::fs::symlink("/", world.root().join("everything")).unwrap();
    std::os::unix::fs::symlink("loop", world.root().join("loop")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.root().join("pipe"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    eye.calm().await;
    run(&world, &name, &bundle);
    eye.is(&name, Some(Running)).await;
    eye.calm().await;
    kill(world.pid(&name));
    eye.is(&name, Some(Stopped)).await;
    for left in ["file", "everything", "loop", "pipe"] {
        fs::remove_file(world.root().join(left)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_sources_fail_it_is_read_at_the_interval_until_they_can_be_told_again() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", SLEEPS));
    let eye = Eye::on(driver(&world)).await;
    eye.calm().await;
    eye.backend.sources_fail.store(true, Ordering::Relaxed);
    run(&world, &name, &bundle);
    // The interval and a reading.
    sleep(Duration::from_millis(600)).await;
    eye.is(&name, Some(Running)).await;
    let lists = eye.backend.lists.load(Ordering::Relaxed);
    sleep(Duration::from_secs(3)).await;
    let lists = eye.backend.lists.load(Ordering::Relaxed) - lists;
    assert!((4..=7).contains(&lists), "{lists} readings in 3 s: it is read at the interval");
    eye.backend.sources_fail.store(false, Ordering::Relaxed);
    // Readings become rare only where changes are heard.
    eye.calm().await;
    kill(world.pid(&name));
    eye.is(&name, Some(Stopped)).await;
}
