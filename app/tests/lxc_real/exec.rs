//! Commands in a container: their words, their exits, their end.

use std::{
    fs,
    time::{Duration, Instant},
};

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::GuestStatus,
        name::GuestName,
        plan::{Exit, Stream},
    },
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{failed, lab::Lab};

fn exec_for(seconds: u32, words: &[&str]) -> ActionRequest {
    let command = words.iter().map(|&word| word.to_owned()).collect();
    ActionRequest::Exec { command, timeout_seconds: seconds }
}

fn exec(words: &[&str]) -> ActionRequest {
    exec_for(20, words)
}

/// A running container and its name.
async fn running(lab: &Lab, extra: &str) -> GuestName {
    let name = lab.made(extra);
    lab.start(&name).await;
    lab.until(&name, GuestStatus::Running).await;
    name
}

/// How many processes of the container have this word in their command line, as the host sees them.
async fn processes(lab: &Lab, name: &GuestName, word: &str) -> usize {
    let init = lab.guest(name).await.unwrap().pid.unwrap();
    let namespace = fs::read_link(format!("/proc/{init}/ns/pid")).unwrap();
    let pids = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    pids.filter(|path| fs::read_link(path.join("ns/pid")).is_ok_and(|found| found == namespace))
        .filter(|path| fs::read_to_string(path.join("cmdline")).unwrap_or_default().contains(word))
        .count()
}

async fn until_gone(lab: &Lab, name: &GuestName, word: &str) {
    let begun = Instant::now();
    while processes(lab, name, word).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{word} goes on inside");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn output_error_output_and_exit_are_kept_apart() {
    let lab = Lab::new();
    let name = running(&lab, "").await;
    let script = "echo out; echo err >&2; exit 37";
    let plan = lab.plan(&name, exec(&["sh", "-c", script])).await.unwrap();
    let ran = lab.run(&name, &plan).await;
    assert_eq!((ran.said(Stream::Stdout), ran.said(Stream::Stderr)), ("out".into(), "err".into()));
    assert_eq!(failed(ran.end), Error::CommandFailed { exit: Exit::Code(37) });
    let ran = lab.done(&name, exec(&["/bin/busybox", "echo", "a  b", "$HOME", "-n", "ü\n"])).await;
    assert_eq!(ran.said(Stream::Stdout), "a  b $HOME -n ü", "no shell has read it");
}

#[tokio::test]
async fn a_command_that_cannot_be_run_is_told_by_its_exit() {
    let lab = Lab::new();
    let name = running(&lab, "").await;
    for (words, code) in [
        (&["/no/such/command"][..], 127),
        (&["-n"], 127),
        (&["/etc/inittab"], 126),
        (&["sh", "-c", "kill -9 $$"], 137),
        (&["sh", "-c", "exit 255"], 255),
        (&["sh", "-c", "echo 'lxc-attach: Failed to get init pid' >&2; exit 1"], 1),
    ] {
        let error = failed(lab.act(&name, exec(words)).await);
        assert_eq!(error, Error::CommandFailed { exit: Exit::Code(code) }, "{words:?}");
    }
}

#[tokio::test]
async fn nothing_of_the_hosts_environment_is_seen_inside() {
    let lab = Lab::new();
    let name = running(&lab, "lxc.environment = HOME=/srv\nlxc.environment = OWN=1").await;
    let ran = lab.done(&name, exec(&["/bin/busybox", "env"])).await;
    let text = ran.said(Stream::Stdout);
    let mut names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.retain(|name| *name != "SHLVL" && *name != "PWD");
    assert_eq!(names, ["HOME", "OWN", "PATH", "TERM", "container"], "{text}");
    assert!(text.contains("HOME=/srv"), "the container's own variables count: {text}");
}

#[tokio::test]
async fn a_command_is_ended_inside_when_its_time_is_up() {
    let lab = Lab::new();
    let name = running(&lab, "").await;
    let begun = Instant::now();
    let error = failed(lab.act(&name, exec_for(1, &["sleep", "4711"])).await);
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    until_gone(&lab, &name, "4711").await;
    // One that does not listen to requests is killed, and so is what it has started.
    let stubborn = "trap '' TERM; sleep 4712 & while :; do sleep 0.1; done";
    let error = failed(lab.act(&name, exec_for(1, &["sh", "-c", stubborn])).await);
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    until_gone(&lab, &name, "4712").await;
    assert_eq!(lab.status(&name).await, Some(GuestStatus::Running));
}

#[tokio::test]
async fn a_cancelled_command_is_ended_inside() {
    let lab = Lab::new();
    let name = running(&lab, "").await;
    let plan = lab.plan(&name, exec(&["sleep", "4713"])).await.unwrap();
    let cancel = CancellationToken::new();
    let press = async {
        while processes(&lab, &name, "4713").await == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    };
    let (ran, ()) = tokio::join!(lab.run_until(&name, &plan, cancel.clone()), press);
    assert_eq!(ran.end, ExecutionEnd::Cancelled);
    until_gone(&lab, &name, "4713").await;
}

#[tokio::test]
async fn what_a_command_puts_into_a_session_of_its_own_goes_on() {
    let lab = Lab::new();
    let name = running(&lab, "").await;
    lab.done(&name, exec(&["/bin/busybox", "setsid", "sh", "-c", "sleep 4714 >/dev/null 2>&1 &"])).await;
    assert_eq!(processes(&lab, &name, "4714").await, 1, "as any daemon does");
    lab.done(&name, ActionRequest::Stop).await;
}

#[tokio::test]
async fn a_command_that_ends_the_guest_is_no_failure() {
    let lab = Lab::new();
    let name = lab.made_with_init("trap 'exit 0' USR1; while :; do sleep 0.05; done", "");
    lab.start(&name).await;
    lab.done(&name, exec(&["sh", "-c", "kill -USR1 1"])).await;
    lab.until(&name, GuestStatus::Stopped).await;
    // And one for a guest that is not there any more says so.
    let plan = lab.plan(&name, exec(&["true"])).await.unwrap();
    let error = failed(lab.run(&name, &plan).await.end);
    assert!(matches!(error, Error::WrongState { .. }), "{error}");
}
