//! The Proxmox drivers against a fake Proxmox VE: every cell of what they can do, for both kinds of guests, executed
//! and read back from the fake.
#![cfg(feature = "backend")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod copy;
mod create;
mod exec;
mod faults;
mod hostile;
mod hostile_requests;
mod hostile_wire;
mod lab;
mod life;
mod load;
mod meters;
mod person;
mod read;
mod settings;
mod snapshot;
mod tasks;

#[path = "../common/another.rs"]
mod another;
#[path = "../common/fakepve.rs"]
#[expect(dead_code, reason = "the client's tests use the rest")]
mod fakepve;
