//! How Proxmox is reached, and as whom.

use std::{path::PathBuf, time::Duration};

use crate::domain::secret::Secret;

use super::Signs;

/// The port of Proxmox's API where nobody says otherwise.
pub const PORT: u16 = 8006;
/// How long an answer may take, its connection included, where nobody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How many requests may be under way at once where nobody says otherwise. Each costs a Proxmox daemon's worker.
pub const CONCURRENCY: usize = 8;

/// How Proxmox is reached, and as whom.
#[derive(Debug, Clone)]
pub struct ProxmoxConfig {
    /// Nodes of one cluster: any of them can be asked for all. The first that works is used until it fails.
    pub endpoints: Vec<Endpoint>,
    pub credentials: Credentials,
    /// The node for new guests where a request names none.
    pub node: Option<String>,
    /// The name of the node that Paddock itself runs on, if it runs on one.
    pub local_node: Option<String>,
    /// Where that node tells of changes by its files.
    pub signs: Option<Signs>,
    /// Until an answer is there; half of it at most may pass until a connection stands. A plan's call brings its own
    /// time for the answer. Taken as at least 100 ms and at most an hour.
    pub timeout: Duration,
    /// Most requests under way at once, at least 1.
    pub concurrency: usize,
}

impl ProxmoxConfig {
    /// One endpoint, everything else as it usually is.
    pub fn of(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoints: vec![endpoint],
            credentials,
            node: None,
            local_node: None,
            signs: None,
            timeout: TIMEOUT,
            concurrency: CONCURRENCY,
        }
    }
}

/// One node's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A DNS name, an IPv4 or a bare IPv6 address.
    pub host: String,
    pub port: u16,
    pub trust: Trust,
}

/// How the node's certificate is known to be its own. There is no way not to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The SHA-256 of the certificate itself, as `pvenode cert info` shows it. Its host name and dates are not
    /// looked at: it is this one certificate or none.
    Fingerprint([u8; 32]),
    /// A PEM file with the certificate of the authority that signed it (a cluster's own is
    /// `/etc/pve/pve-root-ca.pem`). Host name and dates must fit.
    Ca(PathBuf),
}

/// As whom Paddock acts at Proxmox.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An API token: `user@realm!name` and its secret. What Paddock should be given: it has no end and no second
    /// factor, and privileges of its own.
    Token { id: String, secret: Secret },
    /// A user with a password, `user@realm`: a ticket is fetched with it, and fetched anew before it ends.
    Password { user: String, password: Secret },
}
