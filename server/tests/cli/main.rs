//! The command line as a person or script uses it: arguments in, output and exit code out, on real LXC, real crun and a
//! fake Proxmox VE.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

#[path = "../../../app/tests/common/another.rs"]
mod another;
#[path = "../common/mod.rs"]
mod common;
#[path = "../../../app/tests/common/fakepve.rs"]
#[expect(dead_code, reason = "these tests use a part of it")]
mod fakepve;

mod history;
mod lab;
mod life;
mod outside;
mod proxmox;
mod usage;
mod verify;
