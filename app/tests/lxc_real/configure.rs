//! Changes: in the file, in the running container, and after the next start.

use std::{fs, process::Command};

use app::{
    backend::{Backend, Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::GuestDetail,
        name::GuestName,
        plan::StepResult,
        spec::{Changes, Cpus},
    },
};

use super::{failed, lab::Lab};

const MIB: u64 = 1 << 20;

fn limits() -> Changes {
    Changes { cpu: Some(Cpus(500)), memory: Some(64 * MIB), pids: Some(77), ..Changes::default() }
}

fn tags(tags: &[&str]) -> Changes {
    Changes { tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()), ..Changes::default() }
}

async fn inspect(lab: &Lab, name: &GuestName) -> GuestDetail {
    lab.driver.inspect(name).await.unwrap().unwrap()
}

/// Memory, processors and processes, as a page shows them.
async fn shown(lab: &Lab, name: &GuestName) -> (Option<u64>, Option<Cpus>, Option<String>) {
    let detail = inspect(lab, name).await;
    let pids = detail.facts.into_iter().find(|(label, _)| label == "Process limit").map(|(_, value)| value);
    (detail.memory_limit, detail.cpu_limit, pids)
}

/// As an administrator would look: whichever version of control groups the host has.
fn told(lab: &Lab, name: &GuestName, v1: &str, v2: &str) -> String {
    let ask = |file| lab.tool("lxc-cgroup", name, &[file]);
    let output = Some(ask(v1)).filter(|output| output.status.success()).unwrap_or_else(|| ask(v2));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn limits_hold_at_once_and_after_the_next_start() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    assert_eq!(shown(&lab, &name).await, (None, None, None));
    lab.done(&name, ActionRequest::Configure(limits())).await;
    let all = (Some(64 * MIB), Some(Cpus(500)), Some("77".to_owned()));
    assert_eq!(shown(&lab, &name).await, all, "while it runs");
    let memory = || told(&lab, &name, "memory.limit_in_bytes", "memory.max");
    assert_eq!(memory(), (64 * MIB).to_string(), "the kernel agrees");
    lab.done(&name, ActionRequest::Stop).await;
    assert_eq!(shown(&lab, &name).await, all, "while it is stopped");
    lab.start(&name).await;
    assert_eq!(shown(&lab, &name).await, all, "after the next start");
    assert_eq!(memory(), (64 * MIB).to_string());
    assert_eq!(told(&lab, &name, "pids.max", "pids.max"), "77");
}

#[tokio::test]
async fn a_stopped_container_is_changed_in_its_file_and_nothing_else_of_it() {
    let lab = Lab::new();
    let name = lab.made("# a comment\n\nlxc.start.auto = 0");
    let before = lab.config(&name);
    let at_boot = Changes { start_at_boot: Some(true), ..limits() };
    lab.done(&name, ActionRequest::Configure(at_boot)).await;
    let after = lab.config(&name);
    for line in before.lines().filter(|line| !line.starts_with("lxc.start.auto")) {
        assert!(after.lines().any(|found| found == line), "{line:?} is gone from {after}");
    }
    assert!(after.contains("\nlxc.start.auto = 1\n") && !after.contains("lxc.start.auto = 0"), "{after}");
    lab.done(&name, ActionRequest::Configure(limits())).await;
    assert_eq!(lab.config(&name), after, "the same change again changes nothing");
}

#[tokio::test]
async fn the_smallest_share_of_a_core_is_taken_by_the_kernel() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    for cpu in [Cpus(1), Cpus(1500), Cpus(9)] {
        lab.done(&name, ActionRequest::Configure(Changes { cpu: Some(cpu), ..Changes::default() })).await;
        assert_eq!(inspect(&lab, &name).await.cpu_limit, Some(cpu));
    }
}

#[tokio::test]
async fn what_the_kernel_refuses_is_told_and_the_file_stays() {
    let lab = Lab::new();
    let name = lab.made("lxc.mount.entry = none tmp tmpfs size=64m 0 0");
    lab.start(&name).await;
    // In a tmpfs, so that the kernel cannot give it back.
    let fill = ["--clear-env", "--", "/bin/busybox", "dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=32"];
    assert!(lab.tool("lxc-attach", &name, &fill).status.success());
    let before = lab.config(&name);
    let less = Changes { memory: Some(4 * MIB), ..Changes::default() };
    let plan = lab.plan(&name, ActionRequest::Configure(less)).await.unwrap();
    let ran = lab.run(&name, &plan).await;
    if plan.loses.is_empty() {
        // Version 1 of control groups.
        let error = failed(ran.end).to_string();
        assert!(error.contains("memory.limit_in_bytes") && error.contains("below what is in use"), "{error}");
        assert_eq!(ran.outcomes[1].result, StepResult::Skipped);
        assert_eq!(lab.config(&name), before);
        assert_eq!(inspect(&lab, &name).await.memory_limit, None);
    } else {
        assert!(plan.loses[0].contains("may end processes"), "{:?}", plan.loses);
        assert_eq!(ran.end, ExecutionEnd::Done);
    }
}

#[tokio::test]
async fn a_file_that_was_changed_since_is_left_alone() {
    let lab = Lab::new();
    let name = lab.made("");
    let plan = lab.plan(&name, ActionRequest::Configure(tags(&["web"]))).await.unwrap();
    let theirs = lab.config(&name) + "lxc.environment = A=1\n";
    fs::write(lab.lxcpath.join(name.as_str()).join("config"), &theirs).unwrap();
    let error = failed(lab.run(&name, &plan).await.end);
    assert!(matches!(&error, Error::NotEdited { detail, .. } if detail.contains("since")), "{error}");
    assert_eq!(lab.config(&name), theirs);
}

#[tokio::test]
async fn tags_are_lxcs_groups_and_a_tagged_container_still_starts_at_boot() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.done(&name, ActionRequest::Configure(tags(&["web", "db"]))).await;
    assert_eq!(lab.guest(&name).await.unwrap().tags, ["db", "web"]);
    assert_eq!(lab.driver.list().await.unwrap()[0].tags, ["db", "web"], "in a list, too");
    let at_boot = Changes { start_at_boot: Some(true), ..Changes::default() };
    lab.done(&name, ActionRequest::Configure(at_boot)).await;
    assert_eq!(lab.guest(&name).await.unwrap().tags, ["db", "web"]);
    // As LXC's own service does it at boot, with Debian's groups.
    let boot = || {
        let output = Command::new("lxc-autostart")
            .arg("-P")
            .arg(&lab.lxcpath)
            .args(["-L", "-g", "onboot,"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains(name.as_str())
    };
    assert!(boot());
    lab.done(&name, ActionRequest::Configure(tags(&[]))).await;
    assert!(lab.guest(&name).await.unwrap().tags.is_empty() && boot());
    let not_at_boot = Changes { start_at_boot: Some(false), ..tags(&["web"]) };
    lab.done(&name, ActionRequest::Configure(not_at_boot)).await;
    assert!(!boot());
    // LXC reads its own file.
    assert!(lab.tool("lxc-info", &name, &["-s"]).status.success());
}

#[tokio::test]
async fn a_paused_container_is_changed_too() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    lab.done(&name, ActionRequest::Pause).await;
    lab.done(&name, ActionRequest::Configure(limits())).await;
    assert_eq!(inspect(&lab, &name).await.memory_limit, Some(64 * MIB));
    lab.done(&name, ActionRequest::Resume).await;
}
