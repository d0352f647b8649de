//! The command line as a person or script uses it: arguments in, output and exit code out, on real LXC and real crun.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod common;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use common::end_guests;
use serde_json::Value;

/// All verbs, each with arguments that are enough for the parser.
const VERBS: [(&str, &[&str]); 28] = [
    ("run", &["web1", "--template", "busybox"]),
    ("create", &["web1", "--template", "busybox"]),
    ("start", &["web1"]),
    ("shutdown", &["web1"]),
    ("stop", &["web1"]),
    ("reboot", &["web1"]),
    ("reset", &["web1"]),
    ("pause", &["web1"]),
    ("resume", &["web1"]),
    ("hibernate", &["web1"]),
    ("delete", &["web1"]),
    ("exec", &["web1", "--", "true"]),
    ("inspect", &["web1"]),
    ("list", &[]),
    ("snapshot", &["list", "web1"]),
    ("clone", &["web1", "web2"]),
    ("make-template", &["web1"]),
    ("configure", &["web1", "--memory", "64M"]),
    ("resize", &["web1", "rootfs", "1G"]),
    ("migrate", &["web1", "pve2"]),
    ("backup", &["web1"]),
    ("unlock", &["web1"]),
    ("templates", &[]),
    ("nodes", &[]),
    ("user", &["list"]),
    ("config", &["sample"]),
    ("version", &[]),
    ("help", &[]),
];

/// A host of its own: an LXC path, a crun root, a data directory.
struct Lab {
    dir: tempfile::TempDir,
}

/// What a call came to.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Lab {
    fn new() -> Self {
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

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paddock"));
        command.arg("--config").arg(self.path("paddock.toml")).args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PADDOCK_") {
                command.env_remove(name);
            }
        }
        command
    }

    fn call(&self, args: &[&str]) -> Said {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    /// Must end with 0; returns what was printed.
    fn must(&self, args: &[&str]) -> String {
        let said = self.call(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said.out
    }

    fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--format", "json"]].concat();
        serde_json::from_str(&self.must(&args)).unwrap()
    }

    /// Must end with that code, say why on standard error and print nothing.
    fn refused(&self, code: i32, args: &[&str]) -> String {
        let said = self.call(args);
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        assert_eq!(said.out, "", "{args:?}");
        assert!(!said.err.is_empty(), "{args:?}");
        assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
        said.err
    }

    fn status(&self, guest: &str) -> String {
        self.json(&["inspect", guest])["status"].as_str().unwrap().to_owned()
    }

    /// A bundle whose container runs the shell script.
    fn bundle(&self, name: &str, script: &str) -> String {
        let bundle = self.path("bundles").join(name);
        for directory in ["bin", "dev", "proc"] {
            std::fs::create_dir_all(bundle.join("rootfs").join(directory)).unwrap();
        }
        std::fs::copy("/bin/busybox", bundle.join("rootfs/bin/busybox")).unwrap();
        std::os::unix::fs::symlink("busybox", bundle.join("rootfs/bin/sh")).unwrap();
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
        bundle.display().to_string()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        end_guests(self.dir.path());
    }
}

/// Ids under several roots share a control group, so each test has its own.
fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success()
    );
}

#[test]
fn help_lists_every_verb_and_explains_each() {
    let lab = Lab::new();
    let all = lab.must(&["help"]);
    for (verb, _) in VERBS {
        assert!(all.contains(&format!("\n  {verb} ")), "{verb}");
        let one = lab.must(&["help", verb]);
        assert!(one.contains("Usage:") && one.contains(verb), "{verb}: {one}");
    }
    assert!(all.contains("Exit codes:"));
    assert!(lab.must(&["help", "snapshot", "create"]).contains("--memory"));
    lab.refused(2, &["help", "explode"]);
}

#[test]
fn version_is_one_line_and_json_on_demand() {
    let lab = Lab::new();
    assert_eq!(lab.must(&["version"]), format!("paddock {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(lab.json(&["version"])["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn bad_usage_of_each_verb_ends_with_2_and_prints_nothing() {
    let lab = Lab::new();
    for (verb, args) in VERBS {
        for wrong in [&["--no-such-option"][..], &["--format", "xml"]] {
            lab.refused(2, &[&[verb], args, wrong].concat());
        }
        // One word too many, where words are counted.
        if !["list", "help", "exec", "snapshot", "user"].contains(&verb) {
            lab.refused(2, &[&[verb], args, &["surplus", "surplus2"]].concat());
        }
    }
    for args in [
        &["explode"][..],
        &["start"],
        &["start", "../x"],
        &["start", "xen/web1"],
        &["start", "lxc/web1", "--backend", "crun"],
        &["start", "web1", "--backend", "proxmox-vm"],
        &["shutdown", "web1", "--timeout", "0"],
        &["exec", "web1"],
        &["configure", "web1"],
        &["configure", "web1", "--memory", "much"],
        &["create", "../x", "--template", "busybox"],
        &["create", "web1"],
        &["create", "web1", "--template", "nosuch"],
        &["create", "web1", "--template", "busybox", "--bundle", "/b"],
        &["create", "web1", "--template", "busybox", "--iso", "local:iso/x.iso"],
        &["create", "web1", "--metadata", "/m"],
        &["create", "job1", "--bundle", "/b", "--env", "A=1"],
        &["create", "job1", "--bundle", "relative"],
        &["clone", "web1", "a b"],
        &["run", "web1", "--template", "busybox", "--rm"],
        &["user", "add", "a b"],
        &["user", "reset-password", "nobody"],
        &["--config", "/no/such/file", "list"],
    ] {
        let said = lab.call(args);
        // Some are met only once the guest has been looked for.
        assert!(said.code == 2 || (said.code == 3 && args[0] != "create"), "{args:?}: {said:?}");
        assert_eq!(said.out, "", "{args:?}");
    }
    assert_eq!(std::fs::read_dir(lab.path("lxc")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn each_verb_on_a_guest_that_is_not_there_ends_with_3() {
    let lab = Lab::new();
    for (verb, args) in VERBS {
        if args.first().is_some_and(|arg| ["web1", "list"].contains(arg))
            && !["run", "create", "user"].contains(&verb)
        {
            let error = lab.refused(3, &[&[verb], args].concat());
            assert!(error.contains("web1"), "{verb}: {error}");
        }
    }
}

#[test]
fn an_lxc_container_from_create_to_delete() {
    let lab = Lab::new();
    let plan = lab.must(&["create", "web1", "--template", "busybox", "--plan"]);
    assert!(plan.contains("the default") && plan.contains("lxc-create -P"), "{plan}");
    assert_eq!(std::fs::read_dir(lab.path("lxc")).unwrap().count(), 0, "a plan runs nothing");
    let made = lab.json(&["create", "web1", "--template", "busybox", "--memory", "64M"]);
    assert_eq!(
        (&made["guest"], &made["state"], &made["actor"]),
        (&"lxc/web1".into(), &"succeeded".into(), &"root (cli)".into())
    );
    lab.refused(8, &["create", "web1", "--template", "busybox"]);
    assert_eq!(lab.status("web1"), "stopped");
    lab.refused(5, &["exec", "web1", "--", "true"]);

    assert!(lab.must(&["start", "web1"]).contains("start lxc/web1: succeeded"));
    lab.refused(5, &["start", "web1"]);
    assert_eq!(lab.json(&["inspect", "web1"])["memory_limit"], 64 << 20);
    let said = lab.call(&["exec", "web1", "--", "sh", "-c", "echo out; echo err >&2; exit 37"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (37, "out\n", "err\n"));
    let sheet = lab.call(&["exec", "web1", "--format", "json", "--", "echo", "a b"]);
    assert_eq!(serde_json::from_str::<Value>(&sheet.out).unwrap()["stdout"], "a b\n");
    let missing = lab.call(&["exec", "web1", "--", "no-such-command"]);
    assert_eq!((missing.code, missing.out.as_str()), (127, ""));

    lab.must(&["pause", "web1"]);
    assert_eq!(lab.status("web1"), "paused");
    lab.must(&["resume", "web1"]);
    let first = lab.json(&["inspect", "web1"])["pid"].clone();
    lab.must(&["reboot", "web1", "--timeout", "20"]);
    assert_eq!(lab.status("web1"), "running");
    assert_ne!(lab.json(&["inspect", "web1"])["pid"], first);
    lab.must(&["configure", "web1", "--memory", "96M", "--start-at-boot", "true"]);
    assert_eq!(lab.json(&["inspect", "web1"])["memory_limit"], 96 << 20);
    lab.refused(5, &["resize", "web1", "rootfs", "2G"]);
    lab.must(&["shutdown", "web1", "--timeout", "20"]);

    lab.must(&["snapshot", "create", "web1"]);
    assert_eq!(lab.json(&["snapshot", "list", "web1"])[0]["name"], "snap0");
    lab.must(&["snapshot", "rollback", "web1", "snap0"]);
    lab.must(&["clone", "web1", "web2"]);
    assert_eq!(lab.status("web2"), "stopped");
    lab.must(&["snapshot", "delete", "web1", "snap0"]);
    lab.refused(2, &["delete", "web1"]);
    lab.must(&["delete", "web1", "--yes"]);
    lab.must(&["delete", "lxc/web2", "--yes", "--purge"]);
    assert_eq!(lab.json(&["list"]), Value::Array(vec![]));
}

#[test]
fn a_crun_container_from_create_to_delete() {
    let lab = Lab::new();
    let name = unique("job");
    let bundle = lab.bundle("b", "trap 'exit 0' TERM; while :; do sleep 0.1 & wait $!; done");
    let plan = lab.must(&["create", &name, "--bundle", &bundle, "--plan"]);
    assert!(plan.contains("rule 1") && plan.contains("^job"), "the rule that chose is told: {plan}");
    lab.must(&["create", &name, "--bundle", &bundle]);
    assert_eq!(lab.status(&name), "created");
    lab.must(&["start", &name]);
    let said = lab.call(&["exec", &name, "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (3, "out\n", "err\n"));
    lab.must(&["pause", &name]);
    assert_eq!(lab.status(&name), "paused");
    lab.must(&["resume", &name]);
    lab.must(&["configure", &name, "--memory", "64M", "--pids", "50"]);
    assert_eq!(lab.json(&["inspect", &name])["memory_limit"], 64 << 20);
    lab.must(&["reboot", &name, "--timeout", "10"]);
    assert_eq!(lab.status(&name), "running");
    for args in [&["clone", &name, "other"][..], &["snapshot", "create", &name]] {
        assert!(lab.refused(5, args).contains("crun"), "{args:?}");
    }
    lab.must(&["shutdown", &name, "--timeout", "10"]);
    lab.must(&["start", &name]);
    lab.must(&["stop", &name]);
    lab.must(&["delete", &name, "--yes"]);
    lab.refused(3, &["inspect", &name]);
}

#[test]
fn run_with_a_command_passes_its_exit_code_on_and_leaves_nothing_with_rm() {
    let lab = Lab::new();
    let name = unique("job-run");
    let bundle = lab.bundle("b", "exit 0");
    let args = ["run", &name, "--bundle", &bundle, "--rm", "--", "/bin/sh", "-c", "echo hi; exit 9"];
    let said = lab.call(&args);
    assert_eq!((said.code, said.out.as_str()), (9, "hi\n"), "{}", said.err);
    lab.refused(3, &["inspect", &name]);
    let said = lab.call(&["run", "web-run", "--template", "busybox", "--", "sh", "-c", "echo hi; exit 7"]);
    assert_eq!((said.code, said.out.as_str()), (7, "hi\n"), "{}", said.err);
    assert_eq!(lab.status("web-run"), "running");
    let said = lab.call(&["run", "web-rm", "--template", "busybox", "--rm", "--", "true"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    lab.refused(3, &["inspect", "web-rm"]);
}

#[test]
fn a_name_that_two_guests_have_is_never_guessed() {
    let lab = Lab::new();
    let name = unique("twin");
    let bundle = lab.bundle("b", "exit 0");
    lab.must(&["create", &name, "--template", "busybox"]);
    lab.must(&["create", &name, "--backend", "crun", "--bundle", &bundle]);
    let error = lab.refused(2, &["start", &name]);
    assert!(error.contains(&format!("lxc/{name}")) && error.contains(&format!("crun/{name}")), "{error}");
    lab.must(&["inspect", &format!("crun/{name}")]);
    lab.must(&["inspect", &name, "--backend", "lxc"]);
}

/// A container that never hears of a shut-down, so that one takes its time.
fn deaf(lab: &Lab, name: &str) {
    lab.must(&["create", name, "--template", "busybox"]);
    let config = lab.path("lxc").join(name).join("config");
    let text = std::fs::read_to_string(&config).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("lxc.signal.halt")).collect();
    std::fs::write(&config, format!("{}\nlxc.signal.halt = SIGURG\n", lines.join("\n"))).unwrap();
    lab.must(&["start", name]);
}

fn begun(lab: &Lab, tool: &str) -> impl Fn() -> bool {
    let pattern = format!("{tool} -P {}", lab.path("lxc").display());
    move || !Command::new("pgrep").args(["-f", &pattern]).output().unwrap().stdout.is_empty()
}

#[test]
fn two_at_once_on_one_guest_and_ctrl_c() {
    let lab = Lab::new();
    deaf(&lab, "slow");
    let first = lab.command(&["shutdown", "slow", "--timeout", "60"]).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the shut-down begins", begun(&lab, "lxc-stop"));
    let error = lab.refused(9, &["stop", "slow"]);
    assert!(error.contains("at work"), "{error}");
    signal(&first, "INT");
    let ended = first.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(11), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(lab.status("slow"), "running");
    lab.must(&["stop", "slow"]);
}

#[test]
fn a_command_line_that_is_killed_leaves_a_record_that_the_next_one_settles() {
    let lab = Lab::new();
    deaf(&lab, "slow");
    let mut first = lab.command(&["shutdown", "slow", "--timeout", "60"]).spawn().unwrap();
    wait_until("the shut-down begins", begun(&lab, "lxc-stop"));
    std::thread::sleep(Duration::from_millis(300));
    first.kill().unwrap();
    first.wait().unwrap();
    lab.must(&["stop", "slow"]);
    assert!(!begun(&lab, "lxc-stop")(), "its tool was ended");
}

#[test]
fn who_is_locked_out_gets_back_in_from_the_host() {
    let lab = Lab::new();
    let added = lab.json(&["user", "add", "anna", "--role", "operator"]);
    assert!(added["one_time_password"].as_str().unwrap().len() > 15);
    lab.refused(2, &["user", "add", "Anna"]);
    let again = lab.json(&["user", "reset-password", "anna"]);
    assert_ne!(added["one_time_password"], again["one_time_password"]);
    let users = lab.json(&["user", "list"]);
    assert_eq!((&users[0]["name"], &users[0]["role"]), (&"anna".into(), &"operator".into()));
    assert!(Path::new(&lab.path("data/paddock.db")).exists());
}

#[test]
fn templates_and_nodes_are_listed() {
    let lab = Lab::new();
    let bundle = lab.bundle("b", "exit 0");
    let images = lab.json(&["templates"]);
    let has = |id: &str| images.as_array().unwrap().iter().any(|image| image["id"] == id);
    assert!(has("busybox") && has(&bundle), "{images}");
    let nodes = lab.json(&["nodes"]);
    assert_eq!(nodes.as_array().unwrap().len(), 1, "lxc and crun run on the same machine: {nodes}");
    assert!(nodes[0]["memory_total"].as_u64().unwrap() > 0);
    assert!(lab.must(&["nodes", "--all"]).contains("STORAGE"));
}
