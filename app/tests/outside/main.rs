//! What happens outside Paddock, in its history: once each, with who it was where that is known.
#![cfg(feature = "ssr")]
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod changes;
mod cut_off;
mod guests;
mod heard;
mod lab;
mod load;
mod restart;
mod tasks;

#[path = "../common/another.rs"]
mod another;
#[path = "../common/fakepve.rs"]
#[expect(dead_code, reason = "the client's tests use the rest")]
mod fakepve;
