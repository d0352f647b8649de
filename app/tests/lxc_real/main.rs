//! The LXC driver on the real tools: each known hazard of them, and the whole life of a container.
//!
//! Needs root and `apt-get install lxc busybox-static xz-utils`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "ssr")]

mod create;
mod lab;
mod life;
mod state;

use app::{
    backend::{Error, ExecutionEnd},
    domain::action::{ActionRequest, CreateSpec},
};

/// The monitor's death would end an ordinary payload with it; some survive, as one with this setting does.
const OUTLIVES_ITS_MONITOR: &str = "lxc.monitor.signal.pdeath = SIGCONT";
const STUBBORN: &str = "trap '' USR1 PWR TERM INT; while :; do sleep 1; done";

fn by_busybox() -> ActionRequest {
    ActionRequest::Create(CreateSpec::LxcTemplate { template: "busybox".into(), arguments: vec![] })
}

fn shutdown(timeout_seconds: u32) -> ActionRequest {
    ActionRequest::Shutdown { timeout_seconds }
}

fn failed(end: ExecutionEnd) -> Error {
    match end {
        ExecutionEnd::Failed(error) => error,
        other => panic!("it did not fail: {other:?}"),
    }
}
