//! The LXC driver on the real tools: each known hazard of them, and the whole life of a container.
//!
//! Needs root and `apt-get install lxc busybox-static xz-utils rsync skopeo umoci jq iproute2`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "backend")]

mod configure;
mod copy;
mod create;
mod exec;
mod lab;
mod life;
mod options;
mod power;
mod snapshot;
mod state;

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        spec::{CreateRequest, CreateSpec, Limits},
    },
};

/// The monitor's death would end an ordinary payload with it; some survive, as one with this setting does.
const OUTLIVES_ITS_MONITOR: &str = "lxc.monitor.signal.pdeath = SIGCONT";
const STUBBORN: &str = "trap '' USR1 PWR TERM INT; while :; do sleep 1; done";

fn by_busybox() -> ActionRequest {
    by_template("busybox", vec![])
}

/// The driver makes it under the id that is planned with.
fn create(spec: CreateSpec) -> ActionRequest {
    ActionRequest::Create(CreateRequest::of("any".parse().unwrap(), spec))
}

fn by_template(template: &str, arguments: Vec<String>) -> ActionRequest {
    let template = template.to_owned();
    create(CreateSpec::LxcTemplate { template, arguments, limits: Limits::default(), network: None })
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
