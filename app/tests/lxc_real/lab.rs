//! A real LXC of its own for each test: an LXC path in a temporary directory, the driver on it, and the cleaning up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use app::{
    backend::{
        Backend, Error, Execution, ExecutionEnd, HostRunner, RunContext, Site, execute,
        lxc::{LxcConfig, LxcDriver},
    },
    domain::{
        action::ActionRequest,
        guest::{Guest, GuestStatus},
        name::GuestName,
        plan::{Plan, StepOutcome, Stream},
    },
};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// One LXC path with its driver. Dropping it stops and deletes whatever is in it.
pub struct Lab {
    // Dropped last: the containers in it are deleted first.
    pub driver: LxcDriver,
    pub lxcpath: PathBuf,
    pub dir: TempDir,
}

/// What came of a plan.
pub struct Ran {
    pub end: ExecutionEnd,
    pub outcomes: Vec<StepOutcome>,
    output: Vec<(Stream, String)>,
}

impl Ran {
    /// All that was said by this way, trimmed.
    pub fn said(&self, stream: Stream) -> String {
        let pieces = self.output.iter().filter(|(by, _)| *by == stream).map(|(_, text)| text.as_str());
        pieces.collect::<String>().trim().to_owned()
    }
}

impl Lab {
    pub fn new() -> Self {
        Self::below("lxc")
    }

    /// With the containers in this path below the temporary directory.
    pub fn below(path: &str) -> Self {
        must_run(
            Command::new("lxc-start").arg("--version"),
            "LXC is needed: apt-get install lxc busybox-static",
        );
        let dir = tempfile::tempdir().unwrap();
        let lxcpath = dir.path().join(path);
        fs::create_dir_all(&lxcpath).unwrap();
        let net = dir.path().join("net.conf");
        fs::write(&net, "lxc.net.0.type = empty\n").unwrap();
        let driver = LxcDriver::new(LxcConfig {
            lxcpath: lxcpath.clone(),
            create_config: Some(net),
            templates: "/usr/share/lxc/templates".into(),
            skip_numeric: false,
            log_dir: dir.path().join("log"),
        });
        Self { driver: driver.unwrap(), lxcpath, dir }
    }

    /// A container made without lxc-create, in a tenth of its time: a root file system with busybox and nothing else.
    pub fn made(&self, extra: &str) -> GuestName {
        let name = unique();
        let rootfs = self.lxcpath.join(name.as_str()).join("rootfs");
        for directory in ["bin", "sbin", "dev", "proc", "sys", "tmp", "etc"] {
            fs::create_dir_all(rootfs.join(directory)).unwrap();
        }
        fs::copy(busybox(), rootfs.join("bin/busybox")).unwrap();
        for link in ["bin/sh", "bin/sleep", "sbin/init"] {
            std::os::unix::fs::symlink("/bin/busybox", rootfs.join(link)).unwrap();
        }
        fs::write(rootfs.join("etc/inittab"), "::sysinit:/bin/true\n").unwrap();
        let config = format!(
            "lxc.net.0.type = empty\nlxc.rootfs.path = dir:{}\nlxc.uts.name = {name}\n\
             lxc.signal.halt = SIGUSR1\nlxc.mount.auto = proc:mixed\n{extra}\n",
            rootfs.display()
        );
        fs::write(self.lxcpath.join(name.as_str()).join("config"), config).unwrap();
        name
    }

    /// Another container on the root file system of this one.
    pub fn made_on(&self, first: &GuestName) -> GuestName {
        let name = unique();
        let directory = self.lxcpath.join(name.as_str());
        fs::create_dir(&directory).unwrap();
        let config = fs::read_to_string(self.lxcpath.join(first.as_str()).join("config")).unwrap();
        let config = config.replace(&format!("lxc.uts.name = {first}"), &format!("lxc.uts.name = {name}"));
        fs::write(directory.join("config"), config).unwrap();
        name
    }

    /// A container whose init runs this script with busybox's shell.
    pub fn made_with_init(&self, script: &str, extra: &str) -> GuestName {
        let name = self.made(extra);
        let init = self.lxcpath.join(name.as_str()).join("rootfs/sbin/init");
        fs::remove_file(&init).unwrap();
        fs::write(&init, format!("#!/bin/sh\n{script}\n")).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
        name
    }

    pub async fn guest(&self, name: &GuestName) -> Option<Guest> {
        self.driver.guest(name).await.unwrap()
    }

    pub async fn status(&self, name: &GuestName) -> Option<GuestStatus> {
        self.guest(name).await.map(|guest| guest.status)
    }

    pub async fn plan(&self, name: &GuestName, request: ActionRequest) -> Result<Plan, Error> {
        self.driver.plan(name, &request).await
    }

    pub async fn run(&self, name: &GuestName, plan: &Plan) -> Ran {
        self.run_until(name, plan, CancellationToken::new()).await
    }

    /// Runs until its end, or until it is cancelled.
    pub async fn run_until(&self, name: &GuestName, plan: &Plan, cancel: CancellationToken) -> Ran {
        let mut kept = Kept { outcomes: Vec::new(), receivers: Vec::new(), cancel: cancel.clone() };
        let secrets = Default::default();
        let site = Site { backend: &self.driver, runner: &HostRunner, guest: name, secrets: &secrets };
        let end = execute(site, plan, &cancel, &mut kept).await;
        let mut output = Vec::new();
        for mut receiver in kept.receivers {
            while let Ok(piece) = receiver.try_recv() {
                output.push(piece);
            }
        }
        Ran { end, outcomes: kept.outcomes, output }
    }

    /// Plans and runs.
    pub async fn act(&self, name: &GuestName, request: ActionRequest) -> ExecutionEnd {
        let plan = self.plan(name, request).await.unwrap_or_else(|e| panic!("no plan for {name}: {e}"));
        self.run(name, &plan).await.end
    }

    pub async fn start(&self, name: &GuestName) {
        assert_eq!(self.act(name, ActionRequest::Start).await, ExecutionEnd::Done, "start of {name}");
    }

    /// Runs one of LXC's tools beside Paddock, as an administrator would.
    pub fn tool(&self, program: &str, name: &GuestName, arguments: &[&str]) -> Output {
        lxc(program, &self.lxcpath, name.as_str()).args(arguments).output().unwrap()
    }

    /// As LXC itself tells it.
    pub fn told(&self, name: &GuestName, what: &str) -> String {
        let output = self.tool("lxc-info", name, &[what, "-H"]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The text of its configuration.
    pub fn config(&self, name: &GuestName) -> String {
        fs::read_to_string(self.lxcpath.join(name.as_str()).join("config")).unwrap()
    }

    /// A path in its root file system.
    pub fn rootfs(&self, name: &GuestName, path: &str) -> PathBuf {
        self.lxcpath.join(name.as_str()).join("rootfs").join(path)
    }

    /// Plans and runs, which must succeed.
    pub async fn done(&self, name: &GuestName, request: ActionRequest) -> Ran {
        let plan = self.plan(name, request).await.unwrap_or_else(|e| panic!("no plan for {name}: {e}"));
        let ran = self.run(name, &plan).await;
        assert_eq!(ran.end, ExecutionEnd::Done, "{plan:?}: {:?}", ran.output);
        ran
    }

    /// Why it is not even planned.
    pub async fn refused(&self, name: &GuestName, request: ActionRequest) -> Error {
        self.plan(name, request).await.err().unwrap_or_else(|| panic!("{name} was not refused"))
    }

    pub async fn until(&self, name: &GuestName, wanted: GuestStatus) {
        let begun = Instant::now();
        loop {
            let status = self.status(name).await;
            if status == Some(wanted) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} is {status:?} instead of {wanted}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in fs::read_dir(&self.lxcpath).into_iter().flatten().flatten().map(|entry| entry.file_name())
        {
            let name = name.to_string_lossy();
            let _ = lxc("lxc-stop", &self.lxcpath, &name).arg("-k").output();
            end_left_over(&name);
            let _ = lxc("lxc-destroy", &self.lxcpath, &name).arg("-s").output();
        }
    }
}

/// Collects a plan's outcomes and output.
struct Kept {
    outcomes: Vec<StepOutcome>,
    receivers: Vec<mpsc::UnboundedReceiver<(Stream, String)>>,
    cancel: CancellationToken,
}

impl Execution for Kept {
    fn begin(&mut self, _step: usize) -> RunContext {
        let (output, receiver) = mpsc::unbounded_channel();
        self.receivers.push(receiver);
        let (started, _) = mpsc::unbounded_channel();
        RunContext { output, started, cancel: self.cancel.clone() }
    }

    fn end(&mut self, _step: usize, outcome: StepOutcome) {
        self.outcomes.push(outcome);
    }
}

/// A name that no other container of the host has: control groups of the same name get in each other's way.
pub fn unique() -> GuestName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    GuestName::new(&format!("pt{}x{count}", std::process::id())).unwrap()
}

pub fn parent_of(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub fn kill(pid: u32) {
    must_run(Command::new("kill").args(["-KILL", &pid.to_string()]), "kill");
}

/// Lets a frozen container go on, without the monitor that lxc-unfreeze asks.
pub fn thaw(name: &GuestName) {
    left_over(name.as_str()).iter().for_each(|group| thaw_group(group));
}

/// Freezes a container without LXC, but not its monitor.
pub fn freeze(name: &GuestName) {
    let is_payload = |group: &PathBuf| {
        group.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lxc.payload."))
    };
    for group in left_over(name.as_str()).into_iter().filter(is_payload) {
        set(&group, [("freezer.state", "FROZEN"), ("cgroup.freeze", "1")]);
    }
}

fn thaw_group(group: &Path) {
    set(group, [("freezer.state", "THAWED"), ("cgroup.freeze", "0")]);
}

fn set(group: &Path, files: [(&str, &str); 2]) {
    // One of the two is there at most; writing does not create it.
    for (file, text) in files {
        let path = group.join(file);
        if path.exists() {
            let _ = fs::write(&path, text);
        }
    }
}

pub fn busybox() -> &'static Path {
    ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .map(Path::new)
        .find(|path| path.is_file())
        .expect("busybox is needed: apt-get install busybox-static")
}

pub fn must_run(command: &mut Command, need: &str) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{need} ({e})"));
    assert!(output.status.success(), "{need}: {}", String::from_utf8_lossy(&output.stderr));
}

fn lxc(program: &str, lxcpath: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("-P").arg(lxcpath).args(["-n", name]).stdin(Stdio::null());
    command
}

/// The control groups of a container, whatever hierarchy they are in.
fn left_over(name: &str) -> Vec<PathBuf> {
    let ours = |group: &Path| {
        let group = group.file_name().unwrap_or_default().to_string_lossy();
        ["lxc.payload.", "lxc.monitor."].iter().any(|kind| {
            let rest = group.strip_prefix(kind).and_then(|rest| rest.strip_prefix(name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = [root.to_owned()].into_iter().chain(below(root));
    hierarchies.flat_map(|hierarchy| below(&hierarchy)).filter(|group| ours(group)).collect()
}

/// Ends what a container leaves behind whose monitor was killed: processes, and control groups that nobody removes.
fn end_left_over(name: &str) {
    let mut groups = left_over(name);
    for group in &groups {
        for pid in fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = Command::new("kill").args(["-KILL", pid]).output();
        }
        thaw_group(group);
    }
    // A group can be removed once the kernel has taken its processes down.
    for _ in 0..50 {
        groups.retain(|group| fs::remove_dir(group).is_err() && group.exists());
        if groups.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()).collect()
}
