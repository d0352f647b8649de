//! Reboot, pause and resume.

use std::time::Instant;

use app::{
    backend::{Error, ExecutionEnd},
    domain::{action::ActionRequest, guest::GuestStatus, plan::Plan},
};
use tokio_util::sync::CancellationToken;

use super::{
    STUBBORN, by_busybox, failed,
    lab::{Lab, freeze, unique},
};

fn reboot(timeout_seconds: u32) -> ActionRequest {
    ActionRequest::Reboot { timeout_seconds }
}

#[tokio::test]
async fn a_reboot_gives_a_new_init() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    let before = lab.guest(&name).await.unwrap().pid;
    lab.done(&name, reboot(30)).await;
    let guest = lab.guest(&name).await.unwrap();
    assert_eq!(guest.status, GuestStatus::Running);
    assert!(guest.pid.is_some() && guest.pid != before, "{before:?} {guest:?}");
    assert_eq!(guest.pid.unwrap().to_string(), lab.told(&name, "-p"), "lxc-info agrees");
}

#[tokio::test]
async fn a_reboot_right_after_the_start_is_not_lost() {
    let lab = Lab::new();
    let name = unique();
    lab.done(&name, by_busybox()).await;
    lab.start(&name).await;
    let before = lab.guest(&name).await.unwrap().pid;
    lab.done(&name, reboot(30)).await;
    assert_ne!(lab.guest(&name).await.unwrap().pid, before);
}

#[tokio::test]
async fn a_reboot_takes_a_changed_configuration_into_force() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    let config = lab.config(&name).replace(&format!("lxc.uts.name = {name}"), "lxc.uts.name = renamed");
    std::fs::write(lab.lxcpath.join(name.as_str()).join("config"), config).unwrap();
    lab.done(&name, reboot(30)).await;
    let told = lab.tool("lxc-attach", &name, &["--clear-env", "--", "/bin/busybox", "hostname"]);
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "renamed");
}

#[tokio::test]
async fn a_stubborn_guest_survives_a_reboot_as_it_was() {
    let lab = Lab::new();
    let name = lab.made_with_init(STUBBORN, "");
    lab.start(&name).await;
    let before = lab.guest(&name).await.unwrap().pid;
    let error = failed(lab.act(&name, reboot(2)).await).to_string();
    assert!(error.contains("still runs, nothing was killed"), "{error}");
    assert_eq!(lab.guest(&name).await.unwrap().pid, before);
}

#[tokio::test]
async fn a_reboot_that_could_not_start_again_is_refused_while_it_runs() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    let config = lab.config(&name) + "lxc.net.1.type = veth\nlxc.net.1.link = nosuchbr0\n";
    std::fs::write(lab.lxcpath.join(name.as_str()).join("config"), config).unwrap();
    let error = lab.refused(&name, reboot(5)).await.to_string();
    assert!(error.contains("nosuchbr0"), "{error}");
    assert_eq!(lab.status(&name).await, Some(GuestStatus::Running));
}

#[tokio::test]
async fn a_reboot_can_be_cancelled_while_the_guest_takes_its_time() {
    let lab = Lab::new();
    let name = lab.made_with_init(STUBBORN, "");
    lab.start(&name).await;
    let before = lab.guest(&name).await.unwrap().pid;
    let plan = lab.plan(&name, reboot(600)).await.unwrap();
    let cancel = CancellationToken::new();
    let begun = Instant::now();
    let press = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        cancel.cancel();
    };
    let (ran, ()) = tokio::join!(lab.run_until(&name, &plan, cancel.clone()), press);
    assert_eq!(ran.end, ExecutionEnd::Cancelled);
    assert!(begun.elapsed().as_secs() < 5);
    assert_eq!(lab.guest(&name).await.unwrap().pid, before);
}

#[tokio::test]
async fn a_pause_and_a_resume_are_seen_by_lxc_itself() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    let pid = lab.guest(&name).await.unwrap().pid;
    let pause = lab.plan(&name, ActionRequest::Pause).await.unwrap();
    assert_eq!(lab.run(&name, &pause).await.end, ExecutionEnd::Done);
    assert_eq!(lab.told(&name, "-s"), "FROZEN");
    assert_eq!(lab.run(&name, &pause).await.end, ExecutionEnd::Done, "it is so already");
    lab.done(&name, ActionRequest::Resume).await;
    assert_eq!(lab.told(&name, "-s"), "RUNNING");
    assert_eq!(lab.guest(&name).await.unwrap().pid, pid);
}

#[tokio::test]
async fn a_container_that_is_frozen_without_lxc_knowing_it_is_resumed() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    // As a freeze leaves it that was killed between the kernel's answer and LXC's.
    freeze(&name);
    lab.until(&name, GuestStatus::Paused).await;
    assert_eq!(lab.told(&name, "-s"), "RUNNING");
    assert!(lab.tool("lxc-unfreeze", &name, &[]).status.success());
    lab.until(&name, GuestStatus::Paused).await;
    lab.done(&name, ActionRequest::Resume).await;
    lab.until(&name, GuestStatus::Running).await;
    assert_eq!(lab.told(&name, "-s"), "RUNNING");
    // And it can be paused again.
    lab.done(&name, ActionRequest::Pause).await;
    lab.done(&name, ActionRequest::Resume).await;
}

#[tokio::test]
async fn an_exit_of_0_does_not_pass_for_a_resumed_guest() {
    let lab = Lab::new();
    let name = lab.made("");
    lab.start(&name).await;
    lab.done(&name, ActionRequest::Pause).await;
    let resume = lab.plan(&name, ActionRequest::Resume).await.unwrap();
    let pause = lab.plan(&name, ActionRequest::Pause).await.unwrap();
    lab.done(&name, ActionRequest::Stop).await;
    assert!(matches!(failed(lab.run(&name, &resume).await.end), Error::WrongState { .. }));
    // The tool that lets it go on says nothing of the kind.
    let unfreeze = Plan { steps: resume.steps[1..].to_vec(), ..resume };
    let error = failed(lab.run(&name, &unfreeze).await.end);
    assert!(matches!(&error, Error::NotDone { what } if what.contains("is stopped")), "{error}");
    assert!(matches!(failed(lab.run(&name, &pause).await.end), Error::WrongState { .. }));
}
