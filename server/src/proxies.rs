//! Reverse proxies in front: how a request really came here.
//!
//! A proxy that the settings name is believed what it writes into `X-Forwarded-For`, `-Proto` and `-Host`; from anybody
//! else these are not even read. They are read from the right: each hop adds at the end, and what stands before the first
//! hop that is no proxy of ours is whatever the client made up.
//!
//! `Forwarded` (RFC 7239) is read from nobody. nginx, Caddy, Traefik and Apache do not write it unless told to, and hand on
//! one that the client sent, so who reads both believes the client. None of the dashboards that run behind these reads it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What stands in front of Paddock, as the settings say. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Front {
    proxies: Arc<[IpNet]>,
    /// Browsers come by HTTPS, where no proxy says otherwise.
    https: bool,
    /// Somebody has been told that a proxy is not among those trusted.
    told: Arc<AtomicBool>,
}

/// How a request came here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The client's address; `None` for a request that came by no connection.
    pub address: Option<IpAddr>,
    /// The browser came by HTTPS.
    pub by_https: bool,
    /// Cookies are for HTTPS alone.
    pub secure_cookies: bool,
    /// The host that the browser asked for, where a proxy tells it. Otherwise it is in `Host`.
    pub host: Option<String>,
}

impl Front {
    pub fn new(proxies: &[IpNet], https: bool) -> Self {
        Self { proxies: proxies.into(), https, told: Arc::default() }
    }

    /// Whether there is a proxy at this address.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// How a request with these headers came that this peer sent.
    pub fn reached(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Reached {
        let peer = peer.map(|peer| peer.to_canonical());
        let Some(proxy) = peer.filter(|peer| self.trusts(*peer)) else {
            self.hint(peer, headers);
            // Paddock has no TLS of its own: who comes past the proxies comes by plain HTTP.
            let by_https = self.https && self.proxies.is_empty();
            return Reached { address: peer, by_https, secure_cookies: self.https, host: None };
        };
        let by_https =
            last(headers, &PROTO).map_or(self.https, |scheme| scheme.eq_ignore_ascii_case("https"));
        Reached {
            address: Some(self.client(proxy, headers)),
            by_https,
            secure_cookies: by_https || self.https,
            host: last(headers, &HOST).map(str::to_owned),
        }
    }

    /// The first hop from the right that is no proxy. What cannot be read ends the search: the hop that handed it on is
    /// the last that is known.
    fn client(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = proxy;
        let values = headers.get_all(FOR).iter().rev();
        for hop in values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b',')) {
            let Some(address) = address(hop) else { break };
            known = address;
            if !self.trusts(address) {
                break;
            }
        }
        known
    }

    /// Tells once of what looks like a proxy that was forgotten in the settings: all its people have one address then.
    fn hint(&self, peer: Option<IpAddr>, headers: &HeaderMap) {
        let is_near = |peer: &IpAddr| match peer {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
        };
        if let Some(peer) = peer.filter(is_near)
            && headers.contains_key(FOR)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %peer,
                "a request came with X-Forwarded-For from an address that is not in server.trusted_proxies, so it counts as \
                 this address's own; if that is your reverse proxy, add it there"
            );
        }
    }
}

/// The last item of a header that proxies write, which is the one that the nearest of them vouches for.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().unwrap_or_default();
    Some(value.rsplit(',').next().unwrap_or_default().trim())
}

/// An address, alone or with a port, an IPv6 one perhaps in brackets.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())),
    };
    address.map(|address| address.to_canonical())
}

/// Puts into the request how it came: [`Reached`].
pub async fn look(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let reached = front.reached(peer, request.headers());
    request.extensions_mut().insert(reached);
    next.run(request).await
}

#[cfg(test)]
mod tests;
