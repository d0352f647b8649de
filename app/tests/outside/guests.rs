//! Real LXC and crun guests in a directory of their own, changed by hand.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use app::{
    backend::{
        Backend,
        crun::{CrunConfig, CrunDriver},
        lxc::{LxcConfig, LxcDriver},
    },
    domain::{guest::GuestId, name::GuestName},
};
use tempfile::TempDir;

/// Ends and deletes its guests when dropped.
pub struct Host {
    pub dir: TempDir,
    tag: String,
}

impl Host {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = tempfile::tempdir().unwrap();
        for name in ["lxc", "crun", "run", "bundles"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("lxc.conf"), "lxc.net.0.type = empty\n").unwrap();
        // Ids under several roots share a control group, so each test has its own.
        let tag = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { dir, tag }
    }

    pub fn drivers(&self) -> Vec<Arc<dyn Backend>> {
        let dir = self.dir.path();
        let lxc = LxcConfig {
            lxcpath: dir.join("lxc"),
            create_config: Some(dir.join("lxc.conf")),
            skip_numeric: false,
            ..LxcConfig::of_host(dir.join("run"))
        };
        let crun = CrunConfig {
            root: dir.join("crun"),
            bundles: Some(dir.join("bundles")),
            images: dir.join("images"),
            log_dir: dir.join("run"),
        };
        vec![Arc::new(LxcDriver::new(lxc).unwrap()), Arc::new(CrunDriver::new(crun))]
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An LXC container of busybox, made by hand.
    pub fn lxc_create(&self, name: &str) -> GuestId {
        let conf = self.path("lxc.conf");
        self.lxc("lxc-create", name, &["-t", "busybox", "-f", conf.to_str().unwrap()]);
        GuestId::parse("lxc", name).unwrap()
    }

    /// One of LXC's tools on a container. It must succeed.
    pub fn lxc(&self, tool: &str, name: &str, more: &[&str]) {
        must(Command::new(tool).arg("-P").arg(self.path("lxc")).args(["-n", name]).args(more));
    }

    /// A name that no other test's container has.
    pub fn unique(&self, name: &str) -> GuestName {
        GuestName::found(&format!("{name}-{}", self.tag)).unwrap()
    }

    /// crun, by hand. It must succeed.
    pub fn crun(&self, words: &[&str]) {
        must(Command::new("crun").arg("--root").arg(self.path("crun")).args(words));
    }

    /// A bundle whose container runs the shell script.
    pub fn bundle(&self, name: &str, script: &str) -> PathBuf {
        let bundle = self.path("bundles").join(name);
        for directory in ["bin", "dev", "proc"] {
            std::fs::create_dir_all(bundle.join("rootfs").join(directory)).unwrap();
        }
        std::fs::copy("/bin/busybox", bundle.join("rootfs/bin/busybox")).unwrap();
        let namespaces =
            ["pid", "network", "ipc", "uts", "mount"].map(|kind| serde_json::json!({"type": kind}));
        let config = serde_json::json!({
            "ociVersion": "1.0.0",
            "process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"],
                        "args": ["/bin/busybox", "sh", "-c", script]},
            "root": {"path": "rootfs"},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
            "linux": {"namespaces": namespaces},
        });
        std::fs::write(bundle.join("config.json"), config.to_string()).unwrap();
        bundle
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let names = |path: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(path).into_iter().flatten();
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
        };
        let lxc = self.path("lxc");
        for name in names(&lxc) {
            let _ = Command::new("lxc-stop").arg("-P").arg(&lxc).args(["-n", &name, "-k"]).output();
            let _ = Command::new("lxc-destroy").arg("-P").arg(&lxc).args(["-n", &name]).output();
        }
        let crun = self.path("crun");
        for id in names(&crun) {
            let _ = Command::new("crun").arg("--root").arg(&crun).args(["delete", "-f", &id]).output();
        }
    }
}

/// What a container inherits must not be a pipe that this test waits on.
fn must(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
