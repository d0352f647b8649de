//! Connections: taken, held to their limits, and let go. What is asked on them is the router's.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::ConnectInfo, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::{limits::Limits, router::Site};

/// How often it is told that all connections are in use.
const TOLD_PAUSE: Duration = Duration::from_secs(60);

/// Answers what comes in until the site closes, then lets what is being answered end. HTTP/1.1 alone: it is what proxies speak
/// to what is behind them, and browsers to whatever has no TLS.
pub async fn serve(mut listener: TcpListener, router: Router, site: Site) {
    let limits = site.limits;
    let slots = Slots::new(limits.connections);
    let counts = Counts::default();
    let graceful = GracefulShutdown::new();
    loop {
        let taken = async {
            let slot = slots.free().await;
            (slot, Listener::accept(&mut listener).await)
        };
        let (slot, (stream, peer)) = tokio::select! {
            taken = taken => taken,
            () = site.closing.cancelled() => break,
        };
        let is_ours = peer.ip().to_canonical().is_loopback() || site.front.trusts(peer.ip());
        let most = if is_ours { usize::MAX } else { limits.of_one_address };
        let Some(counted) = counts.enter(peer.ip(), most) else { continue };
        let connection = connection(stream, peer, &limits, router.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _held = (slot, counted);
            // Clients hang up, and are cut off: none of it is a failure of ours.
            if let Err(error) = connection.await {
                tracing::debug!(%peer, error = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// One connection, as a future that answers what is asked on it.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    limits: &Limits,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + 'static {
    let mut stream = TimeoutStream::new(stream);
    // Nothing is written between two events, and nothing waits to be: only a client that takes nothing is cut off.
    stream.set_write_timeout(Some(limits.unread));
    let service = service_fn(move |request: http::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
}

/// The connections that there may be at once.
struct Slots {
    free: Arc<Semaphore>,
    all: usize,
    told: Mutex<Option<Instant>>,
}

impl Slots {
    fn new(all: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(all)), all, told: Mutex::default() }
    }

    /// Waits for a free one. `None` would mean that there are none any more, which does not come to pass.
    async fn free(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = self.free.clone().try_acquire_owned() {
            return Some(slot);
        }
        self.tell();
        self.free.clone().acquire_owned().await.ok()
    }

    fn tell(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TOLD_PAUSE) {
            *told = Some(Instant::now());
            tracing::warn!(connections = self.all, "all connections are in use; further ones wait");
        }
    }
}

/// How many connections each address has. Cheap to clone.
#[derive(Debug, Clone, Default)]
struct Counts(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, for as long as this lives.
#[derive(Debug)]
struct Counted {
    counts: Counts,
    address: IpAddr,
}

impl Counts {
    /// One more of this address, unless it has as many already.
    fn enter(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let address = network(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            tracing::debug!(%address, most, "a connection refused: its address has enough");
            return None;
        }
        *count += 1;
        Some(Counted { counts: self.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// Whole networks for IPv6, where one person has 2^64 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_no_more_and_is_forgotten_after_the_last() {
        let counts = Counts::default();
        let enter = |text: &str| counts.enter(text.parse().unwrap(), 2);
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        let other = enter("192.0.2.2").unwrap();
        drop(first);
        let third = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        let _six = (enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap());
        assert!(enter("2001:db8::3").is_none(), "an IPv6 network is one address");
        assert!(enter("2001:db8:0:1::1").is_some());
        drop((other, third));
        assert_eq!(counts.0.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_connection_waits_while_all_are_in_use() {
        let slots = Slots::new(1);
        let held = slots.free().await;
        let mut waiting = Box::pin(slots.free());
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(held);
        assert!(waiting.await.is_some());
    }
}
