//! The crun driver on the real crun. Needs root, `crun` and `busybox-static`, and on a host with hybrid control
//! groups the wrapper that a failing test names.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "backend")]

#[path = "../common/crun.rs"]
mod crun;

mod acting;
mod attempts;
mod configuring;
mod creating;
mod exec;
mod hazards;
mod images;
mod life;
mod registry;

use std::{fs, process::Command};

use app::{
    backend::Error,
    domain::{action::ActionRequest, plan::Plan},
};

/// Ends at SIGTERM, and says when it is ready for it.
const OBEDIENT: &str = "trap 'exit 0' TERM; echo ready > /ready; while :; do sleep 0.05; done";
/// Runs on whatever it is asked.
const STUBBORN: &str = "trap '' TERM; echo ready > /ready; while :; do sleep 0.05; done";

const SHUTDOWN: ActionRequest = ActionRequest::Shutdown { timeout_seconds: 20 };

fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn not_ready(plan: Result<Plan, Error>) -> String {
    match plan {
        Err(Error::NotReady { reason, cure }) => format!("{reason} {cure}"),
        other => panic!("not refused as it should be: {other:?}"),
    }
}
