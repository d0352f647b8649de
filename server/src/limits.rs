//! How long, how large and how many: what one client may ask of the server.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Open files that are kept for everything but connections: the database, tools and their pipes, Proxmox.
const OTHER_FILES: u64 = 256;

/// Limits of connections and requests. None of them ends an answer that goes on for as long as somebody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the head of a request to come whole, counted from when the connection is there or the answer before it is done. So
    /// a connection on which nothing is asked is closed after the same time.
    pub head: Duration,
    /// For the body to come whole after the head.
    pub body: Duration,
    /// Without one byte of an answer being taken.
    pub unread: Duration,
    /// Connections at once. Further ones wait.
    pub connections: usize,
    /// Connections at once of one address, for IPv6 of one network. Further ones are closed at once. Not for the host itself
    /// and the proxies in front of it.
    pub of_one_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // Where it is not told it is what most systems begin with.
        let files = getrlimit(Resource::Nofile).current.unwrap_or(1024);
        let connections = usize::try_from(files.saturating_sub(OTHER_FILES).clamp(64, 4096)).unwrap_or(64);
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            unread: Duration::from_secs(120),
            connections,
            of_one_address: connections / 4,
        }
    }
}
