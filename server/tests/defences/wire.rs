//! The server on a socket, and a client that sends it whatever it likes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::Router;
use server::{
    listen,
    router::{Limits, Site},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::common::Host;

/// An answer that takes longer has failed; the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// A limit that a test waits for.
pub const SHORT: Duration = Duration::from_millis(400);

/// Limits that no test reaches but for those it sets.
pub const WIDE: Limits = Limits {
    head: Duration::from_secs(60),
    body: Duration::from_secs(60),
    unread: Duration::from_secs(60),
    connections: 100,
    of_one_address: 100,
};

pub async fn listen(host: &Host) -> SocketAddr {
    listen_with(host.router.clone(), host.site.clone()).await
}

pub async fn listen_with(router: Router, site: Site) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::serve(listener, router, site));
    address
}

pub struct Client {
    pub stream: TcpStream,
    pub begun: Instant,
}

impl Client {
    pub async fn new(address: SocketAddr) -> Self {
        let begun = Instant::now();
        Self { stream: TcpStream::connect(address).await.unwrap(), begun }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// A byte every 20 ms until the server answers or hangs up, or all of it is sent.
    pub async fn drip(&mut self, bytes: impl AsRef<[u8]>) {
        for byte in bytes.as_ref() {
            let mut seen = [0];
            let pause = Duration::from_millis(20);
            let is_over = tokio::time::timeout(pause, self.stream.peek(&mut seen)).await.is_ok();
            if is_over || self.stream.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    }

    /// All that comes until the server hangs up, and how long that took from the beginning.
    pub async fn rest(&mut self) -> (String, Duration) {
        let mut bytes = Vec::new();
        // One that hangs up with something unread resets the connection; what came before counts.
        let read = tokio::time::timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await;
        assert!(read.is_ok(), "it does not hang up; it said {}", String::from_utf8_lossy(&bytes));
        (String::from_utf8_lossy(&bytes).into_owned(), self.begun.elapsed())
    }

    /// What comes up to and with these words.
    pub async fn until(&mut self, words: &str) -> String {
        let mut text = String::new();
        while !text.contains(words) {
            let mut bytes = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut bytes)).await;
            let count = read.unwrap_or_else(|_| panic!("{words:?} does not come: {text}")).unwrap();
            assert_ne!(count, 0, "it ended without {words:?}: {text}");
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        text
    }
}
