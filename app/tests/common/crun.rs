//! A world for one test on the real crun: its own state directory, bundles and ids, cleaned up at its end.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use app::{
    backend::{
        Backend as _, Error, Execution, ExecutionEnd, HostRunner, RunContext, Site,
        crun::{CrunConfig, CrunDriver},
        execute,
    },
    domain::{
        action::ActionRequest,
        guest::GuestStatus,
        name::GuestName,
        plan::{Plan, StepOutcome, Stream},
        spec::{CreateRequest, CreateSpec},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; no test waits for it unless it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How to run these tests on a host whose control groups are hybrid.
const WRAPPER: &str = "unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified && exec \"$@\"' sh \
                       cargo test -p app --features ssr";

pub struct World {
    dir: TempDir,
    pub driver: CrunDriver,
    /// Makes ids unique among all tests of this machine: containers of one id share a control group.
    tag: String,
}

impl World {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let has = |kind: &str| mounts.lines().any(|line| line.contains(&format!(" - {kind} ")));
        assert!(
            !(has("cgroup") && has("cgroup2")),
            "crun does not work on hybrid control groups; run these tests by: {WRAPPER}"
        );
        for tool in ["/usr/bin/crun", "/bin/busybox"] {
            assert!(Path::new(tool).exists(), "these tests need `apt-get install crun busybox-static`");
        }
        let dir = tempfile::tempdir().unwrap();
        for sub in ["root", "bundles"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let driver = CrunDriver::new(CrunConfig {
            root: dir.path().join("root"),
            bundles: Some(dir.path().join("bundles")),
            images: dir.path().join("images"),
            log_dir: dir.path().join("log"),
        });
        let tag = format!("t{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { dir, driver, tag }
    }

    /// Another state directory and driver, with the ids and the bundles of this one.
    pub fn other_root(&self) -> Self {
        let mut other = Self::new();
        other.tag.clone_from(&self.tag);
        other
    }

    pub fn name(&self, word: &str) -> GuestName {
        GuestName::new(&format!("{}-{word}", self.tag)).unwrap()
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub fn path(&self, sub: &str) -> PathBuf {
        self.dir.path().join(sub)
    }

    /// A bundle with a busybox whose shell runs this script.
    pub fn bundle(&self, word: &str, script: &str) -> String {
        self.bundle_with(word, |config| config["process"]["args"] = json!(["sh", "-c", script]))
    }

    pub fn bundle_with(&self, word: &str, change: impl FnOnce(&mut Value)) -> String {
        let dir = self.dir.path().join("bundles").join(word);
        let bin = dir.join("rootfs/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
        for tool in ["sh", "sleep"] {
            symlink("busybox", bin.join(tool)).unwrap();
        }
        // crun's own template, with pid, network, ipc, uts and mount namespaces.
        let spec = Command::new("crun").arg("spec").current_dir(&dir).status().unwrap();
        assert!(spec.success());
        let path = dir.join("config.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        config["process"]["terminal"] = json!(false);
        // Scripts tell by files how far they are.
        config["root"]["readonly"] = json!(false);
        config["process"]["args"] = json!(["sleep", "600"]);
        change(&mut config);
        fs::write(&path, config.to_string()).unwrap();
        dir.to_str().unwrap().to_owned()
    }

    /// The real crun, with this world's state directory, its words kept out of containers.
    pub fn crun(&self, words: &[&str]) -> Output {
        let log = self.path("own.log");
        let _ = fs::remove_file(&log);
        let mut command = Command::new("crun");
        command.arg("--root").arg(self.root()).arg("--log").arg(&log).args(words).stdin(Stdio::null());
        if words[0] == "create" {
            let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            let stderr = fs::read(&log).unwrap_or_default();
            return Output { status, stdout: Vec::new(), stderr };
        }
        command.output().unwrap()
    }

    pub fn crun_ok(&self, words: &[&str]) -> String {
        let output = self.crun(words);
        assert!(output.status.success(), "crun {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub async fn plan(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        self.driver.plan(name, request).await
    }

    /// Plans and executes, to whatever end.
    pub async fn act(&self, name: &GuestName, request: ActionRequest) -> (ExecutionEnd, Told) {
        self.act_until(name, request, CancellationToken::new()).await
    }

    /// As [`act`](Self::act), unless it is cancelled before.
    pub async fn act_until(
        &self,
        name: &GuestName,
        request: ActionRequest,
        cancel: CancellationToken,
    ) -> (ExecutionEnd, Told) {
        let plan = self.plan(name, &request).await.unwrap();
        self.execute(name, &plan, cancel).await
    }

    pub async fn execute(
        &self,
        name: &GuestName,
        plan: &Plan,
        cancel: CancellationToken,
    ) -> (ExecutionEnd, Told) {
        let mut told = Told::new(cancel.clone());
        let secrets = Default::default();
        let site = Site { backend: &self.driver, runner: &HostRunner, guest: name, secrets: &secrets };
        let end = execute(site, plan, &cancel, &mut told).await;
        (end, told)
    }

    pub async fn act_ok(&self, name: &GuestName, request: ActionRequest) {
        let (end, mut told) = self.act(name, request.clone()).await;
        let words = told.words();
        assert_eq!(end, ExecutionEnd::Done, "{request:?}: {:?} {words}", told.outcomes);
    }

    pub async fn create(&self, name: &GuestName, bundle: &str) {
        self.act_ok(name, create(bundle)).await;
    }

    pub async fn create_and_start(&self, name: &GuestName, bundle: &str) {
        self.create(name, bundle).await;
        self.act_ok(name, ActionRequest::Start).await;
    }

    pub async fn status(&self, name: &GuestName) -> Option<GuestStatus> {
        self.driver.guest(name).await.unwrap().map(|guest| guest.status)
    }

    /// The status, once `crun state`, `crun list` and the driver's own two answers have agreed on it: of a container
    /// that the kernel is still freezing, crun says that it runs.
    pub async fn agreed(&self, name: &GuestName) -> GuestStatus {
        let says = |crun: &Self| {
            let state: Value = serde_json::from_str(&crun.crun_ok(&["state", name.as_str()])).unwrap();
            state["status"].as_str().unwrap().to_owned()
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.status(name).await.map(|status| status.to_string()) != Some(says(self))
            && Instant::now() < deadline
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let state: Value = serde_json::from_str(&self.crun_ok(&["state", name.as_str()])).unwrap();
        let list: Vec<Value> = serde_json::from_str(&self.crun_ok(&["list", "-f", "json"])).unwrap();
        let listed = list.iter().find(|one| one["id"] == name.as_str()).expect("crun lists it");
        let guest = self.driver.guest(name).await.unwrap().expect("the driver finds it");
        let guests = self.driver.list().await.unwrap();
        assert_eq!(guests.len(), list.len());
        assert_eq!(guests.iter().find(|one| one.id.name == *name), Some(&guest));
        let status = guest.status.as_str();
        assert_eq!([&state["status"], &listed["status"]], [status, status]);
        if let Some(pid) = guest.pid {
            assert_eq!([&state["pid"], &listed["pid"]], [pid, pid]);
        }
        guest.status
    }

    pub async fn reached(&self, name: &GuestName, wanted: GuestStatus) {
        let deadline = Instant::now() + PATIENCE;
        while self.status(name).await != Some(wanted) {
            assert!(Instant::now() < deadline, "{name} does not become {wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// crun leaves the control group of a container that it forgot, and plain directories where the wrapper took
    /// a mount away.
    fn remove_empty_groups(&self) {
        let tag = format!("{}-", self.tag);
        let entries =
            |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let top = Path::new("/sys/fs/cgroup");
        for dir in entries(top).chain([top.to_owned()]) {
            for group in entries(&dir).filter(|path| path.to_string_lossy().contains(&tag)) {
                // Both fail on what is in use, and the first on every real control group.
                let _ = fs::remove_file(group.join("cgroup.procs"));
                let _ = fs::remove_dir(group);
            }
        }
    }

    pub fn pid(&self, name: &GuestName) -> u32 {
        let status = fs::read_to_string(self.root().join(name.as_str()).join("status")).unwrap();
        let status: Value = serde_json::from_str(&status).unwrap();
        u32::try_from(status["pid"].as_u64().unwrap()).unwrap()
    }

    /// Waits for a file that a container's script writes into its root file system.
    pub async fn written(&self, bundle: &str, file: &str) -> String {
        let path = Path::new(bundle).join("rootfs").join(file);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match fs::read_to_string(&path) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => assert!(Instant::now() < deadline, "{} is not written", path.display()),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let Ok(entries) = fs::read_dir(self.root()) else { return };
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let _ = self.crun(&["resume", "--", &name]);
            let _ = self.crun(&["delete", "-f", "--", &name]);
        }
        self.remove_empty_groups();
    }
}

pub fn create(bundle: &str) -> ActionRequest {
    let spec = CreateSpec::CrunBundle { bundle: bundle.to_owned() };
    ActionRequest::Create(CreateRequest::of("any".parse().unwrap(), spec))
}

/// What an execution told.
pub struct Told {
    pub outcomes: Vec<StepOutcome>,
    sink: UnboundedSender<(Stream, String)>,
    output: UnboundedReceiver<(Stream, String)>,
    cancel: CancellationToken,
}

impl Told {
    fn new(cancel: CancellationToken) -> Self {
        let (sink, output) = unbounded_channel();
        Self { outcomes: vec![], sink, output, cancel }
    }

    /// What was said by one of the streams.
    pub fn said_by(&mut self, stream: Stream) -> String {
        std::iter::from_fn(|| self.output.try_recv().ok())
            .filter(|(by, _)| *by == stream)
            .map(|(_, text)| text)
            .collect()
    }

    /// Everything that the tools said.
    pub fn words(&mut self) -> String {
        std::iter::from_fn(|| self.output.try_recv().ok()).map(|(_, text)| text).collect()
    }
}

impl Execution for Told {
    fn begin(&mut self, _step: usize) -> RunContext {
        RunContext { output: self.sink.clone(), started: unbounded_channel().0, cancel: self.cancel.clone() }
    }

    fn end(&mut self, _step: usize, outcome: StepOutcome) {
        self.outcomes.push(outcome);
    }
}
