//! How soon it is seen, what it costs while nothing happens, and what is left behind.

use std::{
    fs,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use app::{
    backend::Backend,
    domain::{
        guest::GuestStatus::{Running, Stopped},
        name::GuestName,
    },
};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use crate::{
    MACHINE,
    counted::Counted,
    crun::World,
    crun_seen,
    eye::{Eye, percentiles},
    lab::Lab,
    lxc_seen,
};

/// A number of the environment, for one who wants to know better.
fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Processor time of this process.
fn used() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}

#[derive(Default)]
struct Times {
    since_begun: Vec<Duration>,
    since_returned: Vec<Duration>,
}

impl Times {
    async fn of(&mut self, work: impl FnOnce(), seen: impl Future<Output = Duration>) {
        let begun = Instant::now();
        work();
        self.since_returned.push(seen.await);
        self.since_begun.push(begun.elapsed());
    }

    fn tell(&mut self, what: &str) {
        let [begun_50, _, begun_99] = percentiles(&mut self.since_begun);
        let [p50, p90, p99] = percentiles(&mut self.since_returned);
        println!(
            "{what}, {} tries: after its return p50 {p50:?} p99 {p99:?}; after its begin p50 {begun_50:?} p99 {begun_99:?}",
            self.since_begun.len()
        );
        assert!(p50 < Duration::from_millis(200) && p90 < Duration::from_millis(500), "{p50:?} {p90:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_and_stops_by_hand_are_seen_in_milliseconds() {
    let _alone = MACHINE.write().await;
    let tries = number("PADDOCK_TRIES", 10);
    let lab = Lab::new();
    let eye = Eye::on(lab.driver.clone()).await;
    let name = lab.made("");
    let (mut starts, mut stops) = (Times::default(), Times::default());
    for i in 0..tries {
        // At another moment of the readings each time.
        sleep(Duration::from_millis(30 + (i as u64 * 37) % 400)).await;
        starts.of(|| lxc_seen::tool(&lab, "lxc-start", &name, &["-d"]), eye.is(&name, Some(Running))).await;
        sleep(Duration::from_millis(30 + (i as u64 * 53) % 400)).await;
        stops.of(|| lxc_seen::tool(&lab, "lxc-stop", &name, &["-k"]), eye.is(&name, Some(Stopped))).await;
    }
    starts.tell("lxc-start");
    stops.tell("lxc-stop -k");
    drop((eye, lab));

    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", "exec sleep 600"));
    let eye = Eye::on(crun_seen::driver(&world)).await;
    let (mut starts, mut stops, mut deletes) = (Times::default(), Times::default(), Times::default());
    for i in 0..tries {
        sleep(Duration::from_millis(30 + (i as u64 * 37) % 400)).await;
        starts.of(|| crun_seen::run(&world, &name, &bundle), eye.is(&name, Some(Running))).await;
        sleep(Duration::from_millis(30 + (i as u64 * 53) % 400)).await;
        stops
            .of(|| drop(world.crun_ok(&["kill", name.as_str(), "KILL"])), eye.is(&name, Some(Stopped)))
            .await;
        deletes.of(|| drop(world.crun_ok(&["delete", name.as_str()])), eye.is(&name, None)).await;
    }
    starts.tell("crun run");
    stops.tell("crun kill");
    deletes.tell("crun delete");
}

/// Readings of so many running containers while nothing happens, in so many seconds.
async fn idle(what: &str, backend: Arc<dyn Backend>, seconds: u64) {
    let eye = Eye::comparing(Counted::new(backend), Duration::from_secs(5)).await;
    // Until the readings after the beginning have become rare.
    sleep(Duration::from_secs(12)).await;
    let before = eye.backend.lists.load(Ordering::Relaxed);
    sleep(Duration::from_secs(seconds)).await;
    let lists = eye.backend.lists.load(Ordering::Relaxed) - before;
    assert!(lists as u64 <= seconds / 5 + 2, "{what}: {lists} readings in {seconds} s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_containers_that_do_nothing_are_hardly_ever_read() {
    let _alone = MACHINE.write().await;
    let (lab, world) = (Lab::new(), World::new());
    let first = lab.made("");
    let names: Vec<GuestName> = (1..50).map(|_| lab.made_on(&first)).chain([first.clone()]).collect();
    names.iter().for_each(|name| lxc_seen::tool(&lab, "lxc-start", name, &["-d"]));
    let bundle = world.bundle("web", "exec sleep 600");
    (0..50).for_each(|i| crun_seen::run(&world, &world.name(&format!("web{i}")), &bundle));
    let (seconds, before) = (number("PADDOCK_IDLE_SECONDS", 10) as u64, used());
    let lxc = Arc::new(lab.driver.clone());
    tokio::join!(
        idle("50 of LXC", lxc, seconds),
        idle("50 of crun", Arc::new(crun_seen::driver(&world)), seconds)
    );
    println!("{:?} of the processor in {} s, the beginning included", used() - before, seconds + 12);
}

/// Watches of all inotify instances of this process, those instances, and watched processes.
fn held() -> (usize, usize, usize) {
    let of_kind = |kind: &str| {
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
        descriptors
            .filter(|path| fs::read_link(path).is_ok_and(|to| to.to_string_lossy().contains(kind)))
            .count()
    };
    let infos = fs::read_dir("/proc/self/fdinfo").unwrap();
    let watches = infos
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok())
        .map(|info| info.lines().filter(|line| line.starts_with("inotify wd")).count())
        .sum();
    (watches, of_kind("inotify"), of_kind("pidfd"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containers_that_come_and_go_leave_no_watch_and_no_descriptor() {
    let _alone = MACHINE.write().await;
    let (lab, world) = (Lab::new(), World::new());
    let bundle = world.bundle("web", "exec sleep 600");
    let lxc = Eye::on(lab.driver.clone()).await;
    let crun = Eye::on(crun_seen::driver(&world)).await;
    crun.calm().await;
    lxc.calm().await;
    let before = held();
    assert!(before.0 >= 2 && before.1 >= 2, "two directories are watched: {before:?}");
    let first = lab.made("");
    let each = number("PADDOCK_TRIES", 25);
    for i in 0..each {
        let name = lab.made_on(&first);
        lxc_seen::tool(&lab, "lxc-start", &name, &["-d"]);
        lxc_seen::tool(&lab, "lxc-stop", &name, &["-k"]);
        fs::remove_dir_all(lab.lxcpath.join(name.as_str())).unwrap();
        let name = world.name(&format!("web{i}"));
        crun_seen::run(&world, &name, &bundle);
        world.crun_ok(&["delete", "-f", name.as_str()]);
    }
    fs::remove_dir_all(lab.lxcpath.join(first.as_str())).unwrap();
    lxc.shows("none of LXC", <[_]>::is_empty).await;
    crun.shows("none of crun", <[_]>::is_empty).await;
    crun.calm().await;
    lxc.calm().await;
    let after = held();
    println!("watches, watchers and processes before {before:?}, after {} containers {after:?}", 2 * each);
    assert_eq!(after, before);
    assert!(fs::read_dir(&lab.lxcpath).unwrap().next().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_cannot_be_read_is_pressed_less_and_heard_again_once_it_can() {
    let _alone = MACHINE.write().await;
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("web1", "exec sleep 600"));
    let eye = Eye::on(crun_seen::driver(&world)).await;
    eye.calm().await;
    eye.backend.fails.store(true, Ordering::Relaxed);
    // A sound, so that it is read.
    fs::create_dir(world.root().join("sound")).unwrap();
    let lists = eye.backend.lists.load(Ordering::Relaxed);
    sleep(Duration::from_secs(4)).await;
    let failed = eye.backend.lists.load(Ordering::Relaxed) - lists;
    assert!(
        (2..=4).contains(&failed),
        "{failed} readings in 4 s: after 0.5 to 1 s, after 1 to 2 s more, and so on"
    );
    let stale = |eye: &Eye| eye.inventory.snapshot().backends.values().any(|health| health.stale.is_some());
    assert!(stale(&eye));
    eye.backend.fails.store(false, Ordering::Relaxed);
    let begun = Instant::now();
    while stale(&eye) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(10)).await;
    }
    eye.calm().await;
    crun_seen::run(&world, &name, &bundle);
    eye.is(&name, Some(Running)).await;
}
