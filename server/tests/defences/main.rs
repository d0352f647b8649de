//! What other sites, strangers and clients that mean harm come up against: each kind of attack has its file. Those on sessions,
//! passwords and tokens are in `sessions`, those on rights in `contract`.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod forged;
mod https;
mod other_sites;
mod paths;
mod slow;
mod wire;
