//! What real containers use is measured right, whatever else the machine is doing: each figure is compared to the
//! kernel's own counters, read just before and just after.
//!
//! Needs root, LXC and crun, and on a host with hybrid control groups the wrapper that a failing test names.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]
#![cfg(feature = "ssr")]

mod cost;
mod meter;
mod real;

#[path = "../common/crun.rs"]
#[expect(dead_code, reason = "the driver's own tests use the rest")]
mod crun;
#[path = "../lxc_real/lab.rs"]
#[expect(dead_code, reason = "the driver's own tests use the rest")]
mod lab;

use tokio::sync::RwLock;

/// Held for writing by a test that measures this process, by all others for reading.
static MACHINE: RwLock<()> = RwLock::const_new(());
