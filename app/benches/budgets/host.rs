//! Guests that cost next to nothing, and a few that run: LXC's directories, crun's states, a fake Proxmox.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::fakepve::FakePve;

/// The guests that are started and stopped.
pub const LIVE: &str = "bench-live";

fn run(words: &[&str]) {
    let mut command = Command::new(words[0]);
    let output = command.args(&words[1..]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Directories of stopped containers, and with `with_live` one that can be started.
pub struct Lxc {
    dir: TempDir,
    has_live: bool,
}

impl Lxc {
    pub fn new(count: usize, with_live: bool) -> Self {
        let lxc = Self { dir: tempfile::tempdir().unwrap(), has_live: with_live };
        (0..count).for_each(|number| lxc.make(&format!("web{number}")));
        if with_live {
            let config = lxc.dir.path().join("net.conf");
            fs::write(&config, "lxc.net.0.type = empty\n").unwrap();
            run(&["lxc-create", "-P", lxc.path_text(), "-n", LIVE, "-t", "busybox", "-f", text(&config)]);
            fs::remove_file(config).unwrap();
        }
        lxc
    }

    /// One that is never started.
    pub fn make(&self, name: &str) {
        let dir = self.path().join(name);
        fs::create_dir(&dir).unwrap();
        let config = format!("lxc.rootfs.path = dir:{}/rootfs\nlxc.uts.name = {name}\n", text(&dir));
        fs::write(dir.join("config"), config).unwrap();
    }

    /// As somebody who gives it more memory.
    pub fn change(&self, name: &str, number: usize) {
        let line = format!("lxc.cgroup2.memory.max = {}M\n", 64 + number % 64);
        let path = self.path().join(name).join("config");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text + &line).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_dir_all(self.path().join(name)).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn path_text(&self) -> &str {
        text(self.dir.path())
    }

    pub fn start(&self) {
        run(&["lxc-start", "-P", self.path_text(), "-n", LIVE, "-d"]);
    }

    pub fn stop(&self) {
        run(&["lxc-stop", "-P", self.path_text(), "-n", LIVE, "-k"]);
    }
}

impl Drop for Lxc {
    fn drop(&mut self) {
        if self.has_live {
            let words = ["-P", self.path_text(), "-n", LIVE, "-k"];
            let _ = Command::new("lxc-stop").args(words).stderr(Stdio::null()).status();
        }
    }
}

/// States of stopped containers, and a bundle of which one can be run.
pub struct Crun {
    dir: TempDir,
    /// Unlike any other on this host: containers of one id share a control group.
    pub live: String,
}

impl Crun {
    pub fn new(count: usize) -> Self {
        let crun = Self { dir: tempfile::tempdir().unwrap(), live: format!("{LIVE}-{}", std::process::id()) };
        let root = crun.root();
        fs::create_dir(&root).unwrap();
        crun.bundle("ends", &["true"]);
        crun.bundle("stays", &["sleep", "600"]);
        if count > 0 {
            let first = format!("bench-{}", std::process::id());
            crun.run(&first, "ends");
            let config = fs::read(root.join(&first).join("config.json")).unwrap();
            let status = fs::read(root.join(&first).join("status")).unwrap();
            for number in 1..count {
                let dir = root.join(format!("{first}-{number}"));
                fs::create_dir(&dir).unwrap();
                fs::write(dir.join("config.json"), &config).unwrap();
                fs::write(dir.join("status"), &status).unwrap();
            }
        }
        crun
    }

    fn bundle(&self, name: &str, args: &[&str]) {
        let dir = self.dir.path().join(name);
        let bin = dir.join("rootfs/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
        for tool in ["true", "sleep"] {
            std::os::unix::fs::symlink("busybox", bin.join(tool)).unwrap();
        }
        assert!(Command::new("crun").arg("spec").current_dir(&dir).status().unwrap().success());
        let path = dir.join("config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(args);
        fs::write(path, config.to_string()).unwrap();
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub fn root_text(&self) -> String {
        text(&self.root()).to_owned()
    }

    fn run(&self, id: &str, bundle: &str) {
        let status = Command::new("crun")
            .args(["--root", &self.root_text(), "run", "-d", "-b"])
            .arg(self.dir.path().join(bundle))
            .arg(id)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "crun run {id}; on hybrid control groups use .ci/in-cgroup");
    }

    pub fn run_live(&self) {
        self.run(&self.live, "stays");
    }

    pub fn delete_live(&self) {
        run(&["crun", "--root", &self.root_text(), "delete", "-f", &self.live]);
    }
}

impl Drop for Crun {
    fn drop(&mut self) {
        let words = ["--root", &self.root_text(), "delete", "-f", &self.live];
        let _ = Command::new("crun").args(words).stderr(Stdio::null()).status();
    }
}

/// A cluster with so many stopped containers from 1000 on and container 101 that is started and stopped; its list lags.
pub fn proxmox(count: usize) -> FakePve {
    let fake = FakePve::start();
    fake.add_ct(101, LIVE, "stopped");
    for number in 1..count {
        fake.add_ct(1000 + u32::try_from(number).unwrap(), &format!("ct{number}"), "stopped");
    }
    fake.set("pvestatd", json!(10));
    fake
}
