//! One endpoint: its kept-alive connections, and what can go wrong before an answer is there.

use std::{error::Error as StdError, time::Duration};

use http::{HeaderMap, StatusCode};
use hyper::ext::ReasonPhrase;
use reqwest::redirect::Policy;
use rustls::pki_types::ServerName;

use crate::domain::plan::Method;

use super::{
    super::{Endpoint, ProxmoxConfig},
    reply::{CAP, Reply},
    tls,
};

/// How long an idle connection is kept. Proxmox closes one after 5 s; a request on it at that very moment would be
/// lost.
const KEEP_IDLE: Duration = Duration::from_secs(4);
/// A connection on a network that carries guests stands within this or not at all.
const SHORTEST_CONNECT: Duration = Duration::from_secs(1);

/// One endpoint of the cluster.
pub struct Node {
    /// `host:port`, for people.
    pub label: String,
    root: String,
    http: reqwest::Client,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No connection: nothing was sent.
    Unconnected(String),
    /// Its certificate is not trusted: nothing was sent.
    Distrusted(String),
    /// The connection broke: the request may have been received.
    Broken(String),
    /// Not within this time: the request may have been received.
    Unanswered(Duration),
    /// The answer is longer than [`CAP`].
    TooLong,
    /// As many requests as allowed were under way all the time: nothing was sent.
    Busy,
}

impl Fault {
    /// Whether it is certain that Proxmox has not seen the request.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Unconnected(_) | Self::Distrusted(_) | Self::Busy)
    }
}

/// A part of a sentence that begins with the endpoint.
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unconnected(why) => write!(f, "cannot be reached ({why})"),
            Self::Distrusted(why) => write!(f, "is not trusted: {why}"),
            Self::Broken(why) => write!(f, "broke the connection before its answer was complete ({why})"),
            Self::Unanswered(after) => write!(f, "did not answer within {:.1} s", after.as_secs_f32()),
            Self::Busy => f.write_str("had no turn to send it, as other requests took all the time"),
            Self::TooLong => write!(f, "answered with more than {CAP} bytes"),
        }
    }
}

impl Node {
    /// Makes no connection yet. The reason where the endpoint cannot be one, one clause.
    pub fn new(endpoint: &Endpoint, config: &ProxmoxConfig) -> Result<Self, String> {
        let host = match ServerName::try_from(endpoint.host.as_str()) {
            Ok(ServerName::IpAddress(rustls::pki_types::IpAddr::V6(_))) => format!("[{}]", endpoint.host),
            Ok(_) => endpoint.host.clone(),
            Err(_) => return Err(format!("“{}” is no host name and no address", endpoint.host)),
        };
        let label = format!("{host}:{}", endpoint.port);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&endpoint.trust)?)
            .https_only(true)
            .http1_only()
            // A proxy of the environment is meant for the world outside.
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("Paddock/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect_timeout(config))
            .pool_idle_timeout(KEEP_IDLE)
            .pool_max_idle_per_host(config.concurrency)
            .build()
            .map_err(|e| innermost(&e))?;
        Ok(Self { root: format!("https://{label}/api2/json"), label, http })
    }

    /// One request and its whole answer, within this time. Parameters go into the query of a GET and a DELETE, and
    /// into a form otherwise.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        params: &[(&str, &str)],
        headers: HeaderMap,
        within: Duration,
    ) -> Result<Reply, Fault> {
        let url = format!("{}{path}", self.root);
        let request = match method {
            Method::Get => self.http.get(url).query(params),
            Method::Delete => self.http.delete(url).query(params),
            Method::Post => self.http.post(url).form(params),
            Method::Put => self.http.put(url).form(params),
        };
        let fault = |e: reqwest::Error| fault(&e, within);
        let mut response = request.headers(headers).timeout(within).send().await.map_err(fault)?;
        let status = response.status();
        let reason = reason(&response, status);
        if response.content_length().is_some_and(|length| length > CAP as u64) {
            return Err(Fault::TooLong);
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(fault)? {
            if body.len() + piece.len() > CAP {
                return Err(Fault::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        Ok(Reply { status: status.as_u16(), reason, body })
    }
}

/// How long a connection may take to stand: all endpoints in turn fit into half of the configured time.
pub fn connect_timeout(config: &ProxmoxConfig) -> Duration {
    let endpoints = u32::try_from(config.endpoints.len()).unwrap_or(u32::MAX).max(1);
    let half = config.timeout / 2;
    (half / endpoints).max(SHORTEST_CONNECT).min(half)
}

/// The reason phrase as it was sent. hyper tells it only where it is not the usual one.
fn reason(response: &reqwest::Response, status: StatusCode) -> String {
    match response.extensions().get::<ReasonPhrase>() {
        Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    }
}

fn fault(error: &reqwest::Error, within: Duration) -> Fault {
    if error.is_connect() {
        return match tls::distrust(error) {
            Some(why) => Fault::Distrusted(why),
            None if error.is_timeout() => Fault::Unconnected("no connection in time".to_owned()),
            None => Fault::Unconnected(innermost(error)),
        };
    }
    if error.is_timeout() { Fault::Unanswered(within) } else { Fault::Broken(innermost(error)) }
}

/// What the system said: the wrappers around it say only which library it passed through, and an outer one holds the
/// URL.
fn innermost(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use crate::{
        backend::proxmox::{Credentials, Trust},
        domain::secret::Secret,
    };

    use super::*;

    fn node(host: &str) -> Result<Node, String> {
        let endpoint = Endpoint { host: host.to_owned(), port: 8006, trust: Trust::Fingerprint([0; 32]) };
        let credentials = Credentials::Token { id: "a@pve!b".to_owned(), secret: Secret::new("c") };
        Node::new(&endpoint, &ProxmoxConfig::of(endpoint.clone(), credentials))
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_else() {
        for (host, label) in [
            ("pve1.example.org", "pve1.example.org:8006"),
            ("192.0.2.7", "192.0.2.7:8006"),
            ("2001:db8::7", "[2001:db8::7]:8006"),
        ] {
            assert_eq!(node(host).unwrap().label, label);
        }
        for host in ["", "a b", "https://pve1", "pve1/../x", "user@pve1", "pve1:8006", "[::1]", "pve1?x", "-"]
        {
            assert!(node(host).is_err_and(|why| why.contains("is no host name")), "{host:?}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_was_sent() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let endpoint =
            Endpoint { host: "127.0.0.1".to_owned(), port: free, trust: Trust::Fingerprint([0; 32]) };
        let credentials = Credentials::Token { id: "a@pve!b".to_owned(), secret: Secret::new("c") };
        let node = Node::new(&endpoint, &ProxmoxConfig::of(endpoint.clone(), credentials)).unwrap();
        let sent = node.send(Method::Post, "/version", &[], HeaderMap::new(), Duration::from_secs(5)).await;
        let fault = sent.unwrap_err();
        assert!(fault.is_unsent(), "{fault:?}");
        assert!(fault.to_string().contains("refused"), "{fault}");
    }
}
