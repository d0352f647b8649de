//! What it costs to know.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use crate::{
    MACHINE,
    crun::World,
    lab::Lab,
    meter::{Meter, crun},
    real::{run, start},
};

const GUESTS: usize = 50;
const SAMPLES: u32 = 20;

/// Processor time of this process.
fn used() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}

/// How often this process has read from anything.
fn reads() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
}

async fn told(what: &str, mut meter: Meter) {
    // The first looks for the inits and reads limits.
    meter.sample().await;
    assert_eq!(meter.usage.latest().guests.len(), GUESTS);
    let (before, read_before) = (used(), reads());
    for _ in 0..SAMPLES {
        meter.sample().await;
    }
    let (each, calls) = ((used() - before) / SAMPLES, (reads() - read_before) / u64::from(SAMPLES));
    println!(
        "{GUESTS} of {what}: a sample takes {each:?} of a processor and {calls} reads, {} for each container; \
         every 10 s that is {:.3} % of one core",
        calls / GUESTS as u64,
        each.as_secs_f64() * 10.0
    );
    // Five files, each read to its end, which takes three calls or four.
    assert!(calls <= GUESTS as u64 * 20 + 100, "{calls} reads");
    assert!(each < Duration::from_millis(100), "{each:?}");
}

#[tokio::test]
async fn fifty_running_containers_cost_next_to_nothing() {
    let _alone = MACHINE.write().await;
    let lab = Lab::new();
    let first = lab.made_with_init("exec sleep 600", "");
    let names: Vec<_> = (1..GUESTS).map(|_| lab.made_on(&first)).chain([first.clone()]).collect();
    names.iter().for_each(|name| start(&lab, name));
    told("LXC", Meter::on(lab.driver.clone()).await).await;
    drop(lab);
    let world = World::new();
    let bundle = world.bundle("sleeps", "exec sleep 600");
    (0..GUESTS).for_each(|i| run(&world, &world.name(&format!("sleeps{i}")), &bundle));
    told("crun", Meter::on(crun(&world)).await).await;
}
