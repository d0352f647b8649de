//! A host of its own for each test, and the program on it.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::common::{end_guests, make_bundle};

/// A host of its own: an LXC path, a crun root, a data directory.
pub struct Lab {
    pub dir: tempfile::TempDir,
}

/// What a call came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Lab {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lxc", "crun", "bundles", "site/pkg"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("lxc.conf"), "lxc.net.0.type = empty\n").unwrap();
        let text = format!(
            "[server]\ndata = \"{0}/data\"\nsite = \"{0}/site\"\n[lxc]\npath = \"{0}/lxc\"\n\
             create_config = \"{0}/lxc.conf\"\n[crun]\nroot = \"{0}/crun\"\nbundles = \"{0}/bundles\"\n\
             images = \"{0}/images\"\n[routing]\ndefault = \"lxc\"\n\
             [[routing.rules]]\npattern = \"^job\"\nbackend = \"crun\"\n",
            dir.path().display()
        );
        std::fs::write(dir.path().join("paddock.toml"), text).unwrap();
        Self { dir }
    }

    /// Adds these lines to the settings.
    pub fn set_up(&self, text: &str) {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path("paddock.toml")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paddock"));
        command.arg("--config").arg(self.path("paddock.toml")).args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PADDOCK_") {
                command.env_remove(name);
            }
        }
        command
    }

    pub fn call(&self, args: &[&str]) -> Said {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    /// Must end with 0; returns what was printed.
    pub fn must(&self, args: &[&str]) -> String {
        let said = self.call(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said.out
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--format", "json"]].concat();
        serde_json::from_str(&self.must(&args)).unwrap()
    }

    /// Must end with that code, say why on standard error and print nothing.
    pub fn refused(&self, code: i32, args: &[&str]) -> String {
        let said = self.call(args);
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        assert_eq!(said.out, "", "{args:?}");
        assert!(!said.err.is_empty(), "{args:?}");
        assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
        said.err
    }

    pub fn status(&self, guest: &str) -> String {
        self.json(&["inspect", guest])["status"].as_str().unwrap().to_owned()
    }

    /// A bundle whose container runs the shell script, and has a shell by that name, too.
    pub fn bundle(&self, name: &str, script: &str) -> String {
        let bundle = make_bundle(&self.path("bundles").join(name), script);
        std::os::unix::fs::symlink("busybox", bundle.join("rootfs/bin/sh")).unwrap();
        bundle.display().to_string()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        end_guests(self.dir.path());
    }
}

/// Ids under several roots share a control group, so each test has its own.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success()
    );
}
