//! Figures of real containers.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use app::domain::{
    guest::{BackendKind, GuestId},
    limits::Cpus,
    name::GuestName,
};
use serde_json::json;

use crate::{
    MACHINE,
    crun::World,
    lab::Lab,
    meter::{Meter, counts_disks, crun, memory},
};

const BURNS: &str = "while :; do :; done";
const MIB: u64 = 1 << 20;

fn of_lxc(name: &GuestName) -> GuestId {
    GuestId::new(BackendKind::Lxc, name.clone())
}

fn of_crun(name: &GuestName) -> GuestId {
    GuestId::new(BackendKind::Crun, name.clone())
}

/// As in a shell, with nothing left open in the container.
pub fn run(world: &World, name: &GuestName, bundle: &str) {
    let mut command = Command::new("crun");
    command.arg("--root").arg(world.root()).args(["run", "-d", "-b", bundle, name.as_str()]);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success(), "crun run {name}");
}

pub fn start(lab: &Lab, name: &GuestName) {
    let output = lab.tool("lxc-start", name, &["-d"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_between((cpu, least, most): (u64, u64, u64)) {
    println!("{cpu} thousandths of a core, by the kernel {least} to {most}");
    assert!(least <= cpu + 1 && cpu <= most + 1, "{cpu}, by the kernel {least} to {most}");
}

#[tokio::test]
async fn processor_use_is_as_the_kernel_counts_it() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let (busy, idle) = (lab.made_with_init(BURNS, ""), lab.made_with_init("exec sleep 600", ""));
    start(&lab, &busy);
    start(&lab, &idle);
    let mut meter = Meter::on(lab.driver.clone()).await;
    meter.sample().await;
    let first = meter.of(&of_lxc(&busy)).unwrap();
    assert_eq!((first.cpu, first.net_in), (None, None), "one reading makes no rate");
    assert!(first.memory.is_some());
    let measured = meter.cpu(&of_lxc(&busy), Duration::from_millis(300)).await;
    is_between(measured);
    assert!(measured.0 > 0);
    is_between(meter.cpu(&of_lxc(&idle), Duration::ZERO).await);
    assert_eq!(
        meter.of(&of_lxc(&idle)).unwrap().net_in,
        Some(0),
        "it has a network of its own, with nothing on it"
    );

    let world = World::new();
    let (name, bundle) = (world.name("busy"), world.bundle("busy", BURNS));
    run(&world, &name, &bundle);
    let mut meter = Meter::on(crun(&world)).await;
    is_between(meter.cpu(&of_crun(&name), Duration::from_millis(300)).await);
}

#[tokio::test]
async fn a_limit_is_what_use_is_measured_by() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let name = world.name("bound");
    let bundle = world.bundle_with("bound", |config| {
        config["process"]["args"] = json!(["sh", "-c", BURNS]);
        config["linux"]["resources"]["cpu"] = json!({"quota": 25_000, "period": 100_000});
        config["linux"]["resources"]["memory"] = json!({"limit": 64 * MIB});
    });
    run(&world, &name, &bundle);
    let mut meter = Meter::on(crun(&world)).await;
    let (cpu, least, most) = meter.cpu(&of_crun(&name), Duration::from_millis(250)).await;
    is_between((cpu, least, most));
    let sample = meter.of(&of_crun(&name)).unwrap();
    assert_eq!((sample.cpu_most, sample.memory_most), (Some(Cpus(250)), Some(64 * MIB)));
    // The kernel hands it out by the tenth of a second: two of them more may fall in.
    assert!(cpu <= 300, "{cpu} thousandths of a core with a limit of 250");
    let spark = meter.usage.spark(&of_crun(&name)).unwrap();
    assert_eq!((spark.cpu.len(), spark.cpu.starts_with('.')), (2, true), "{spark:?}");
}

#[tokio::test]
async fn memory_is_what_the_guest_has_taken() {
    let _shared = MACHINE.read().await;
    let takes = "busybox dd if=/dev/zero of=/dev/shm/x bs=1M count=32 && echo yes > /done; exec sleep 600";
    let world = World::new();
    let (name, bundle) = (world.name("takes"), world.bundle("takes", takes));
    run(&world, &name, &bundle);
    world.written(&bundle, "done").await;
    let mut meter = Meter::on(crun(&world)).await;
    meter.sample().await;
    let told = meter.of(&of_crun(&name)).and_then(|sample| sample.memory).unwrap();
    let counted = memory(meter.pid(&of_crun(&name)).await);
    println!("{told} bytes of memory, by the kernel {counted}");
    assert!(told >= 32 * MIB && told.abs_diff(counted) <= 2 * MIB, "{told} bytes, by the kernel {counted}");

    let lab = Lab::new();
    let takes = "busybox dd if=/dev/zero of=/tmp/x bs=1M count=32 && echo yes > /etc/done; exec sleep 600";
    let name = lab.made_with_init(takes, "lxc.mount.entry = tmpfs tmp tmpfs size=64m 0 0");
    start(&lab, &name);
    let begun = Instant::now();
    while !lab.rootfs(&name, "etc/done").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut meter = Meter::on(lab.driver.clone()).await;
    meter.sample().await;
    let told = meter.of(&of_lxc(&name)).and_then(|sample| sample.memory).unwrap();
    let counted = memory(meter.pid(&of_lxc(&name)).await);
    assert!(told >= 32 * MIB && told.abs_diff(counted) <= 2 * MIB, "{told} bytes, by the kernel {counted}");
}

#[tokio::test]
async fn what_is_written_to_disk_is_told_by_the_second() {
    let _shared = MACHINE.read().await;
    let writes = "busybox dd if=/dev/zero of=/data bs=1M count=1 oflag=direct; until [ -e /go ]; do sleep 0.05; done; \
                  busybox dd if=/dev/zero of=/data bs=1M count=16 oflag=direct && echo yes > /done; exec sleep 600";
    let world = World::new();
    let (name, bundle) = (world.name("writes"), world.bundle("writes", writes));
    run(&world, &name, &bundle);
    let id = of_crun(&name);
    let mut meter = Meter::on(crun(&world)).await;
    let before = Instant::now();
    meter.sample().await;
    let begun = Instant::now();
    fs::write(format!("{bundle}/rootfs/go"), "").unwrap();
    world.written(&bundle, "done").await;
    let ended = Instant::now();
    meter.sample().await;
    let after = Instant::now();
    let told = meter.of(&id).and_then(|sample| sample.disk_write);
    if !counts_disks(meter.pid(&id).await) {
        assert_eq!(told, None, "this kernel does not count it, which is not nothing");
        return;
    }
    let told = told.expect("it was counted at both moments");
    let by = |bytes: u64, time: Duration| (bytes as f64 / time.as_secs_f64()) as u64;
    let (least, most) = (by(16 * MIB, after - before), by(18 * MIB, ended - begun));
    println!("{told} bytes a second were written, of 16 MiB {least} to {most}");
    assert!((least..=most).contains(&told), "{told} bytes a second, not {least} to {most}");
}

#[tokio::test]
async fn a_restart_makes_no_rate_and_a_guest_that_is_gone_leaves_nothing() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let name = lab.made_with_init(BURNS, "");
    let id = of_lxc(&name);
    start(&lab, &name);
    let mut meter = Meter::on(lab.driver.clone()).await;
    is_between(meter.cpu(&id, Duration::from_millis(200)).await);
    assert!(lab.tool("lxc-stop", &name, &["-k"]).status.success());
    meter.refresh().await;
    meter.sample().await;
    assert_eq!(meter.of(&id), None, "it does not run");
    start(&lab, &name);
    meter.refresh().await;
    meter.sample().await;
    let sample = meter.of(&id).expect("it runs again");
    assert_eq!((sample.cpu, sample.disk_read, sample.net_in), (None, None, None));
    is_between(meter.cpu(&id, Duration::from_millis(200)).await);
    let series = meter.usage.series(&id).unwrap();
    assert!(series.len() >= 6 && series.cpu.iter().flatten().all(|cpu| *cpu <= 8_192_000));
    assert!(series.memory.iter().any(Option::is_none), "there is a gap where it was off");
    assert!(lab.tool("lxc-stop", &name, &["-k"]).status.success());
    fs::remove_dir_all(lab.lxcpath.join(name.as_str())).unwrap();
    meter.refresh().await;
    meter.sample().await;
    assert_eq!((meter.usage.series(&id), meter.usage.spark(&id)), (None, None));
}

#[tokio::test]
async fn a_restart_between_two_samples_is_none_either() {
    let _shared = MACHINE.read().await;
    let world = World::new();
    let (name, bundle) = (world.name("again"), world.bundle("again", BURNS));
    let id = of_crun(&name);
    run(&world, &name, &bundle);
    let mut meter = Meter::on(crun(&world)).await;
    is_between(meter.cpu(&id, Duration::from_millis(200)).await);
    world.crun_ok(&["delete", "-f", name.as_str()]);
    run(&world, &name, &bundle);
    meter.sample().await;
    let sample = meter.of(&id).expect("it runs again, and nobody has looked in between");
    assert_eq!((sample.cpu, sample.disk_write, sample.net_out), (None, None, None));
    is_between(meter.cpu(&id, Duration::from_millis(200)).await);
}

#[tokio::test]
async fn this_host_is_a_node_with_its_storages() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let mut meter = Meter::on(lab.driver.clone()).await;
    meter.sample().await;
    // A clock tick of the machine is a hundredth of a second.
    tokio::time::sleep(Duration::from_millis(50)).await;
    meter.sample().await;
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let tick = meter.usage.latest();
    let node = &tick.nodes[name.trim()];
    assert!(node.state.is_online() && node.uptime_seconds.is_some_and(|s| s > 0) && node.load.len() == 3);
    let sample = node.sample;
    assert!(
        sample.cpu.unwrap() <= sample.cpu_most.unwrap()
            && sample.memory.unwrap() < sample.memory_most.unwrap()
    );
    assert!(sample.disk_read.is_some() && sample.net_in.is_some());
    let [storage] = node.storages.as_slice() else { panic!("{:?}", node.storages) };
    assert!(storage.name == "LXC" && storage.permille().is_some());
    assert_eq!(meter.usage.node_series(name.trim()).unwrap().len(), 2);
    assert_eq!(meter.usage.node_series("no-such"), None);
}
