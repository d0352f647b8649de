//! The server: what turns the rooms of `app` into a running program. HTTP, configuration and the command line are
//! here; no use case is.
// A page's view is one deeply nested type, and the compiler looks all the way down.
#![recursion_limit = "512"]

pub mod cli;
mod config;
mod data_dir;
mod events;
mod guard;
mod headers;
pub mod router;
mod settings;
mod telemetry;

/// The host's name, for titles and the log.
pub(crate) fn host_name() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if read.trim().is_empty() { "host".to_owned() } else { read.trim().to_owned() }
}
