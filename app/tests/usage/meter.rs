//! A sampler that takes a sample when it is told, and the kernel's counters beside it.

use std::{fs, sync::Arc, time::Duration, time::Instant};

use app::{
    backend::{
        Backend, Registry,
        crun::{CrunConfig, CrunDriver},
    },
    domain::{guest::GuestId, usage::Sample},
    service::{Inventory, Usage, usage::Sampler},
};
use tokio::time::sleep;

use crate::crun::World;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Meter {
    pub usage: Usage,
    pub inventory: Inventory,
    backend: Arc<dyn Backend>,
    sampler: Sampler,
}

/// Counters at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    cpu_ns: u64,
    at: Instant,
}

impl Meter {
    pub async fn on(backend: impl Backend + 'static) -> Self {
        let backend: Arc<dyn Backend> = Arc::new(backend);
        let registry = Registry::new([Arc::clone(&backend)]);
        let inventory = Inventory::new(registry.clone());
        inventory.start().await;
        let usage = Usage::default();
        let sampler = usage.sampler(registry, inventory.clone());
        Self { usage, inventory, backend, sampler }
    }

    pub async fn refresh(&self) {
        assert!(self.inventory.refresh(self.backend.as_ref()).await);
    }

    pub async fn sample(&mut self) -> Duration {
        self.sampler.sample().await
    }

    /// Of the newest moment; `None` where there was none of this guest.
    pub fn of(&self, id: &GuestId) -> Option<Sample> {
        self.usage.latest().guests.get(id).copied()
    }

    pub async fn pid(&self, id: &GuestId) -> u32 {
        self.backend.guest(&id.name).await.unwrap().and_then(|guest| guest.pid).expect("it runs")
    }

    /// The use of processors between two samples, in thousandths of a core, with the least and the most that it can be by
    /// the kernel's own counter. `used`: until the guest has used so much.
    pub async fn cpu(&mut self, id: &GuestId, used: Duration) -> (u64, u64, u64) {
        let pid = self.pid(id).await;
        let before = moment(pid);
        self.sample().await;
        let begun = moment(pid);
        let wanted = begun.cpu_ns + u64::try_from(used.as_nanos()).unwrap();
        let mut ended = moment(pid);
        while ended.cpu_ns < wanted {
            assert!(begun.at.elapsed() < PATIENCE, "{id} uses nothing");
            sleep(Duration::from_millis(5)).await;
            ended = moment(pid);
        }
        self.sample().await;
        let after = moment(pid);
        let share = |least: u64, most: u64, time: Duration| {
            u64::try_from(u128::from(most - least) * 1000 / time.as_nanos().max(1)).unwrap()
        };
        let least = share(begun.cpu_ns, ended.cpu_ns, after.at - before.at);
        let most = share(before.cpu_ns, after.cpu_ns, ended.at - begun.at);
        let cpu = self.of(id).and_then(|sample| sample.cpu).expect("two samples make a rate");
        (u64::from(cpu.0), least, most)
    }
}

fn moment(pid: u32) -> Moment {
    let v1 = group(pid, "cpuacct").and_then(|dir| fs::read_to_string(dir + "/cpuacct.usage").ok());
    let v2 = || {
        let stat = fs::read_to_string(group(pid, "")? + "/cpu.stat").ok()?;
        let line = stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?.to_owned();
        Some(line + "000")
    };
    let cpu_ns = v1.or_else(v2).expect("the kernel counts processor time").trim().parse().unwrap();
    Moment { cpu_ns, at: Instant::now() }
}

/// Bytes that the kernel counts for the process's group.
pub fn memory(pid: u32) -> u64 {
    let v1 = group(pid, "memory").and_then(|dir| fs::read_to_string(dir + "/memory.usage_in_bytes").ok());
    let v2 = || fs::read_to_string(group(pid, "")? + "/memory.current").ok();
    v1.or_else(v2).expect("the kernel counts memory").trim().parse().unwrap()
}

/// Whether the kernel counts what the process's group reads and writes.
pub fn counts_disks(pid: u32) -> bool {
    let v1 = "/blkio.throttle.io_service_bytes_recursive";
    let v1 = group(pid, "blkio").and_then(|dir| fs::read_to_string(dir + v1).ok());
    let v2 = || fs::read_to_string(group(pid, "")? + "/io.stat").ok();
    v1.or_else(v2).is_some_and(|text| text.lines().any(|line| line.contains(':')))
}

/// The process's control group in the hierarchy of this controller, of version 2 for none.
fn group(pid: u32, controller: &str) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let of = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let found = controllers.split(',').any(|one| one == controller) && path != "/";
        found.then(|| format!("/sys/fs/cgroup/{controller}{path}"))
    };
    groups.lines().find_map(of)
}

pub fn crun(world: &World) -> CrunDriver {
    CrunDriver::new(CrunConfig {
        root: world.root(),
        bundles: Some(world.path("bundles")),
        images: world.path("images"),
        log_dir: world.path("log"),
    })
}
