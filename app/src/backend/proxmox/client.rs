//! Proxmox's REST API: requests out, data or typed errors back.

use std::sync::Arc;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use crate::domain::{guest::BackendKind, plan::ApiCall, secret::Secrets};

use super::{
    super::{Api, ApiOutput, Error, RunContext},
    ProxmoxConfig,
};

/// What needs no escape inside one segment of a path (RFC 3986's unreserved characters).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path, encoded for a URL: a UPID's `:`, `@` and `!`, a volume's `/`.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// One cluster's API. Cheap to clone; clones share connections, ticket and limits.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// Whose errors these are, where the path does not tell.
    kind: BackendKind,
}

struct Shared {
    config: ProxmoxConfig,
}

impl Client {
    /// Makes no connection yet. Fails on what can be seen to be wrong before: a host that is none, a CA file that
    /// cannot be read, credentials of the wrong shape.
    pub fn new(config: &ProxmoxConfig) -> Result<Self, Error> {
        Ok(Self { shared: Arc::new(Shared { config: config.clone() }), kind: BackendKind::ProxmoxLxc })
    }

    /// The same client, whose errors are this backend's where the path does not tell (`/cluster/resources`).
    #[must_use]
    pub fn speaking_for(&self, kind: BackendKind) -> Self {
        Self { shared: Arc::clone(&self.shared), kind }
    }

    /// The `data` of what is at this path below `/api2/json`; each segment is already encoded (see [`segment`]), the
    /// query is not. Repeated when no answer came, a few times.
    #[expect(clippy::unused_async, reason = "the first version of the surface; the transport comes next")]
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Error> {
        let _ = (path, query);
        Err(self.unreached())
    }

    fn unreached(&self) -> Error {
        Error::Unavailable {
            backend: self.kind,
            reason: format!("{} endpoints are not asked yet.", self.shared.config.endpoints.len()),
            cure: String::new(),
        }
    }
}

#[async_trait]
impl Api for Client {
    async fn call(&self, _call: &ApiCall, _secrets: &Secrets, _context: &RunContext) -> ApiOutput {
        ApiOutput { status: None, upid: None, end: None, result: Err(self.unreached()) }
    }
}
