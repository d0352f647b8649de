//! The server: what turns the rooms of `app` into a running program. HTTP, configuration and the command line are
//! here; no use case is.

pub mod cli;
mod config;
mod data_dir;
mod events;
mod guard;
mod headers;
pub mod router;
mod telemetry;
