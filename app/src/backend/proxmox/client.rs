//! Proxmox's REST API: requests out, data or typed errors back.
//!
//! ```text
//!   get, call ─► exchange ─► key (token or ticket) ─► deliver ─► once ─► each endpoint in turn ─► Reply
//!                   ▲ 401: one new ticket  │            ▲  │ no answer, and it is safe: a few times again
//!                   └──────────────────────┘            └──┘
//! ```

mod call;
mod guest_process;
mod log;
mod node;
mod output;
mod person;
mod reply;
mod route;
mod session;
mod task;
mod tls;

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use crate::domain::{guest::BackendKind, plan::Method};

use super::{
    super::Error,
    ProxmoxConfig,
    refuse::{self, Scene},
};
use node::{Fault, Node};
pub use person::{Entry, Factor, Person, Realms};
pub use reply::{Reply, Words, readable};
use route::Route;
use session::{Key, Session};
pub use session::{RENEW_AFTER, is_user};
pub use task::Status;

/// What needs no escape inside one segment of a path (RFC 3986's unreserved characters).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How often a request that may be repeated is sent again.
const REPEATS: usize = 2;
/// The pause before that, doubled each time, and up to as much again by chance.
const PAUSE: Duration = Duration::from_millis(100);

/// The configured time is taken to be within these.
const TIMES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));
/// Nothing is waited for longer; what is asked for may be more than a clock can hold.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// One segment of a path, encoded for a URL: a UPID's `:`, `@` and `!`, a volume's `/`.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// One cluster's API. Cheap to clone; clones share connections, ticket and limits. One for a person shares all but the
/// ticket.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    /// As whom.
    session: Arc<Session>,
    /// Whose errors these are, where the path does not tell.
    backend: BackendKind,
}

struct Shared {
    nodes: Vec<Node>,
    route: Route,
    turns: Semaphore,
    /// Until an answer is there, where nobody says otherwise.
    patience: Duration,
    /// Until a connection stands.
    connect: Duration,
}

/// One request, on whichever endpoint.
#[derive(Clone, Copy)]
struct Request<'a> {
    method: Method,
    /// Below `/api2/json`, its segments encoded.
    path: &'a str,
    params: &'a [(&'a str, &'a str)],
    /// It does no harm if Proxmox gets it twice.
    repeatable: bool,
    /// Until one try's answer.
    patience: Duration,
    /// Until all is over, repeats and log-in included.
    deadline: Instant,
}

impl Client {
    /// Makes no connection yet. Fails on what can be seen to be wrong before: a host that is none, a CA file that
    /// cannot be read, credentials of the wrong shape.
    pub fn new(config: &ProxmoxConfig) -> Result<Self, Error> {
        let backend = BackendKind::ProxmoxLxc;
        let unusable = |reason: String| Error::Unavailable {
            backend,
            reason: format!("Proxmox cannot be asked: {reason}."),
            cure: "Correct the settings for Proxmox, then start Paddock again.".to_owned(),
        };
        let config = &ProxmoxConfig { timeout: config.timeout.clamp(TIMES.0, TIMES.1), ..config.clone() };
        let nodes = config.endpoints.iter().map(|endpoint| Node::new(endpoint, config));
        let nodes = nodes.collect::<Result<Vec<_>, _>>().map_err(unusable)?;
        if nodes.is_empty() {
            return Err(unusable("no endpoint is given".to_owned()));
        }
        let session = Arc::new(Session::new(&config.credentials).map_err(unusable)?);
        let shared = Shared {
            route: Route::new(nodes.len()),
            nodes,
            turns: Semaphore::new(config.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            patience: config.timeout,
            connect: node::connect_timeout(config),
        };
        Ok(Self { shared: Arc::new(shared), session, backend })
    }

    /// The same client, whose errors are this backend's where the path does not tell (`/cluster/resources`).
    #[must_use]
    pub fn speaking_for(&self, backend: BackendKind) -> Self {
        Self { backend, ..self.clone() }
    }

    /// The `data` of what is at this path below `/api2/json`; each segment is already encoded (see [`segment`]), the
    /// query is not. Repeated a few times where no answer came; over after twice the configured time at most.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Error> {
        let request = self.reading(path, query);
        let reply = self.exchange(&request).await?;
        self.data(&request, &reply)
    }

    /// A GET with the usual times.
    fn reading<'a>(&self, path: &'a str, params: &'a [(&'a str, &'a str)]) -> Request<'a> {
        let patience = self.shared.patience;
        let deadline = after(2 * patience);
        Request { method: Method::Get, path, params, repeatable: true, patience, deadline }
    }

    fn scene(&self, request: &Request<'_>) -> Scene {
        Scene::of(self.backend, request.method, request.path).acting_as(self.session.person())
    }

    /// The data of an answer, or what its refusal means.
    fn data<T: DeserializeOwned>(&self, request: &Request<'_>, reply: &Reply) -> Result<T, Error> {
        let scene = self.scene(request);
        if !reply.is_success() {
            return Err(refuse::refused(&scene, reply.status, &reply.words()));
        }
        reply.data().map_err(|detail| scene.garbled(detail))
    }

    /// Signs and delivers a request. A ticket that is no longer taken is fetched anew, once.
    async fn exchange(&self, request: &Request<'_>) -> Result<Reply, Error> {
        if let Err(detail) = check(request.path) {
            return Err(Error::Garbled { source_name: "The plan".to_owned(), detail });
        }
        let key = self.key_until(request).await?;
        let reply = self.deliver(request, &key.headers).await?;
        // A request refused so has not been looked at, whatever its method.
        if reply.status != 401 || !self.session.forget(&key).await {
            return Ok(reply);
        }
        let key = self.key_until(request).await?;
        self.deliver(request, &key.headers).await
    }

    async fn key_until(&self, request: &Request<'_>) -> Result<Key, Error> {
        match timeout_at(request.deadline, self.key()).await {
            Ok(key) => key,
            Err(_) => Err(Error::TimedOut { words: "Paddock waited for its log-in at Proxmox".to_owned() }),
        }
    }

    /// Delivers a request, again and again as far as that is safe.
    async fn deliver(&self, request: &Request<'_>, headers: &HeaderMap) -> Result<Reply, Error> {
        let mut pauses =
            ExponentialBuilder::new().with_min_delay(PAUSE).with_max_times(REPEATS).with_jitter().build();
        loop {
            let begun = Instant::now();
            let outcome = self.once(request, headers).await;
            let (method, path) = (request.method.as_str(), request.path);
            let elapsed_ms = begun.elapsed().as_millis();
            let again = match &outcome {
                Ok(reply) => {
                    tracing::debug!(method, path, status = reply.status, elapsed_ms, "asked Proxmox");
                    request.repeatable && (502..=504).contains(&reply.status)
                }
                Err(faults) => {
                    let is_unsent = faults.iter().all(|(_, fault)| fault.is_unsent());
                    let is_hopeless = faults
                        .iter()
                        .all(|(_, fault)| matches!(fault, Fault::Distrusted(_) | Fault::TooLong));
                    tracing::debug!(
                        method,
                        path,
                        faults = told(faults),
                        elapsed_ms,
                        "no answer from Proxmox"
                    );
                    (request.repeatable || is_unsent) && !is_hopeless
                }
            };
            let pause = if again { pauses.next() } else { None };
            match pause.filter(|pause| Instant::now() + *pause + self.shared.connect <= request.deadline) {
                Some(pause) => sleep(pause).await,
                None => return outcome.map_err(|faults| self.unanswered(request, &faults)),
            }
        }
    }

    /// Tries each endpoint until one can be connected to.
    async fn once(&self, request: &Request<'_>, headers: &HeaderMap) -> Result<Reply, Vec<(&str, Fault)>> {
        let shared = &*self.shared;
        let mut faults = Vec::new();
        let Ok(Ok(_turn)) = timeout_at(request.deadline, shared.turns.acquire()).await else {
            return Err(vec![("Paddock itself", Fault::Busy)]);
        };
        for index in shared.route.order() {
            let Some(node) = shared.nodes.get(index) else { continue };
            let left = request.deadline.saturating_duration_since(Instant::now());
            // Cut short while it connects, it could not be said whether the request was sent.
            if !faults.is_empty() && left < shared.connect {
                break;
            }
            let within = request.patience.min(left);
            let sent = node.send(request.method, request.path, request.params, headers.clone(), within);
            match sent.await {
                Ok(reply) => {
                    shared.route.worked(index);
                    return Ok(reply);
                }
                Err(fault) => {
                    shared.route.failed(index);
                    let is_unsent = fault.is_unsent();
                    faults.push((node.label.as_str(), fault));
                    if !is_unsent {
                        break;
                    }
                }
            }
        }
        Err(faults)
    }

    /// Why nothing came of a request, and whether it may have been carried out all the same.
    fn unanswered(&self, request: &Request<'_>, faults: &[(&str, Fault)]) -> Error {
        let scene = self.scene(request);
        let told = told(faults);
        if !request.repeatable && !faults.iter().all(|(_, fault)| fault.is_unsent()) {
            let words = format!("{told}. Whether {} was carried out is not known", scene.what());
            return match faults.last() {
                Some((_, Fault::Unanswered(_))) => Error::TimedOut { words },
                _ => scene.unavailable(
                    format!("{words}."),
                    "Look at the guest and at the tasks in Proxmox before trying again.",
                ),
            };
        }
        let cure = if faults.iter().any(|(_, fault)| matches!(fault, Fault::Distrusted(_))) {
            "Compare the fingerprint with what `pvenode cert info` shows on that node, and pin the right one; or \
             give the CA that signed it."
        } else {
            "Check that the node is up, that its pveproxy runs, and that nothing between blocks the port."
        };
        scene.unavailable(format!("{told}."), cure)
    }
}

fn told(faults: &[(&str, Fault)]) -> String {
    faults.iter().map(|(label, fault)| format!("{label} {fault}")).collect::<Vec<_>>().join("; ")
}

/// So long from now.
fn after(time: Duration) -> Instant {
    Instant::now() + time.min(LONGEST)
}

/// Whether a path stays below the API's root once a URL is made of it; if not, why.
fn check(path: &str) -> Result<(), String> {
    let bad = |why| Err(format!("the path “{path}” {why}"));
    let Some(rest) = path.strip_prefix('/') else { return bad("does not begin with a slash") };
    for segment in rest.split('/') {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%');
        let decoded = percent_decode_str(segment).collect::<Vec<u8>>();
        if decoded.is_empty() || matches!(decoded.as_slice(), b"." | b"..") {
            return bad("has an empty segment, or one that leads elsewhere");
        }
        if !segment.bytes().all(is_plain) {
            return bad("has a character that is not encoded");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
