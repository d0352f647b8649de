//! The server: what turns the rooms of `app` into a running program. HTTP, settings and the command line are
//! here; no use case is.
// A page's view is one deeply nested type, and the compiler looks all the way down.
#![recursion_limit = "512"]

mod body;
pub mod cli;
mod data_dir;
mod events;
mod export;
mod guard;
mod headers;
mod limits;
pub mod listen;
mod proxies;
pub mod router;
mod settings;
mod telemetry;
