//! The verbs on real LXC and real crun.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::lab::{Lab, signal, unique, wait_until};

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
    assert!(lab.path("data/paddock.db").exists());
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
    assert_eq!((&nodes[0]["state"], &nodes[0]["is_online"]), (&"online".into(), &true.into()));
    assert!(lab.must(&["nodes", "--all"]).contains("STORAGE"));
}
