//! Clients that take their time so as to keep the server busy, and those that may.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use app::store::LedgerFilter;
use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use futures::{StreamExt as _, stream};
use server::router::Limits;
use tokio::{io::AsyncReadExt as _, net::TcpSocket, sync::oneshot};

use super::{
    common::{Browser, Host, PASSWORD},
    wire::{Client, PATIENCE, SHORT, WIDE, listen, listen_with},
};

#[tokio::test]
async fn a_head_that_does_not_come_whole_in_time_is_cut_off_however_it_drips() {
    let host = Host::behind(&[], false, Limits { head: SHORT, ..WIDE }).await;
    let address = listen(&host).await;
    let whole = format!("GET /login HTTP/1.1\r\nHost: a\r\nX-A: {}", "a".repeat(2000));
    for (at_once, dripping) in [("", ""), ("GET /login HTTP/1.1\r\nHost: a\r\n", ""), ("", whole.as_str())] {
        let mut client = Client::new(address).await;
        client.send(at_once).await;
        client.drip(dripping).await;
        let (reply, took) = client.rest().await;
        assert!(!reply.contains(" 200 "), "{reply}");
        assert!(took >= SHORT, "{took:?}: it was given less than its time");
        assert!(took < whole.len() as u32 * Duration::from_millis(20), "{took:?}: it was waited for");
    }
    // As was one that comes after a request that was whole.
    let mut client = Client::new(address).await;
    client.send("GET /theme HTTP/1.1\r\nHost: a\r\n\r\nGET /theme HT").await;
    let (reply, took) = client.rest().await;
    assert_eq!(reply.matches("HTTP/1.1").count(), 1, "{reply}");
    assert!(took >= SHORT && took < PATIENCE, "{took:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_whole_in_time_is_refused_and_nothing_is_done() {
    let host = Host::behind(&[], false, Limits { body: SHORT, ..WIDE }).await;
    let address = listen(&host).await;
    let entries = async || {
        let filter = LedgerFilter { limit: 1000, ..LedgerFilter::default() };
        host.state.store.ledger_page(&filter).await.unwrap().len()
    };
    let before = entries().await;
    let body = format!("username=admin&password={}&next={}", PASSWORD.replace(' ', "+"), "x".repeat(2000));
    let chunks: String = body.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    for (length, body) in [
        (format!("Content-Length: {}", body.len()), body.as_str()),
        ("Transfer-Encoding: chunked".to_owned(), chunks.as_str()),
        ("Content-Length: 10".to_owned(), ""),
    ] {
        let mut client = Client::new(address).await;
        client
            .send(format!(
                "POST /api/account/log_in HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
            ))
            .await;
        client.drip(body).await;
        let (reply, took) = client.rest().await;
        assert!(reply.starts_with("HTTP/1.1 408 "), "{length}: {reply}");
        assert!(reply.contains("nothing was done"), "{reply}");
        assert!(took >= SHORT, "{took:?}: it was given less than its time");
        assert!(
            took < body.len().max(1000) as u32 * Duration::from_millis(20),
            "{took:?}: it was waited for"
        );
    }
    assert_eq!(entries().await, before, "nobody was let in and nothing counted");
}

async fn cookie(host: &Host) -> String {
    let mut browser: Browser = host.browser();
    browser.log_in("admin", PASSWORD).await;
    browser.cookie.unwrap()
}

#[tokio::test]
async fn an_event_stream_goes_on_beyond_every_limit() {
    let limits = Limits { head: SHORT, body: SHORT, unread: SHORT, ..WIDE };
    let host = Host::behind(&[], false, limits).await;
    let mut client = Client::new(listen(&host).await).await;
    let cookie = cookie(&host).await;
    client.send(format!("GET /events HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n")).await;
    client.until("event: reset").await;
    for _ in 0..2 {
        // Nothing is said for longer than any of them.
        tokio::time::sleep(SHORT * 2).await;
        host.state.news.ring();
        client.until("event: news").await;
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_has_its_time_anew_for_each_request() {
    let host = Host::behind(&[], false, Limits { head: SHORT, body: SHORT, ..WIDE }).await;
    let mut client = Client::new(listen(&host).await).await;
    for _ in 0..6 {
        client.send("GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.until("\r\n\r\n").await;
        tokio::time::sleep(SHORT / 4).await;
    }
    assert!(client.begun.elapsed() > SHORT, "it was not open for long enough to show anything");
}

/// A server whose every answer has no end, and what tells that one was given up.
async fn endless(host: &Host, limits: Limits) -> (SocketAddr, oneshot::Receiver<()>) {
    let (mut site, (gone, is_gone)) = (host.site.clone(), oneshot::channel::<()>());
    site.limits = limits;
    let gone = Arc::new(Mutex::new(Some(gone)));
    let router = Router::new().route(
        "/",
        get(move || {
            let held = gone.lock().unwrap().take();
            let piece = Bytes::from(vec![b'x'; 64 * 1024]);
            let body = Body::from_stream(stream::repeat(piece).map(move |piece| {
                let _held = &held;
                Ok::<_, std::io::Error>(piece)
            }));
            std::future::ready(body)
        }),
    );
    (listen_with(router, site).await, is_gone)
}

/// A client that has little room for what it has not read.
async fn narrow(address: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut client = Client { begun: Instant::now(), stream: socket.connect(address).await.unwrap() };
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client
}

#[tokio::test]
async fn whoever_takes_nothing_of_an_answer_is_cut_off() {
    let host = Host::start().await;
    let (address, mut is_gone) = endless(&host, Limits { unread: SHORT, ..WIDE }).await;
    let client = narrow(address).await;
    // It is dropped with the answer; nobody sends anything.
    let ended = tokio::time::timeout(PATIENCE, &mut is_gone).await;
    assert!(ended.is_ok(), "the answer is still held");
    assert!(client.begun.elapsed() >= SHORT, "{:?}", client.begun.elapsed());
}

#[tokio::test]
async fn whoever_takes_an_answer_slowly_gets_it() {
    let host = Host::start().await;
    let (address, mut is_gone) = endless(&host, Limits { unread: SHORT * 5, ..WIDE }).await;
    let mut client = narrow(address).await;
    while client.begun.elapsed() < SHORT * 12 {
        let mut bytes = vec![0; 256 * 1024];
        client.stream.read_exact(&mut bytes).await.unwrap();
        tokio::time::sleep(SHORT / 4).await;
    }
    assert!(is_gone.try_recv() == Err(oneshot::error::TryRecvError::Empty), "it was cut off");
}

#[tokio::test]
async fn with_all_connections_in_use_the_next_waits_and_the_idle_make_room() {
    let host = Host::behind(&[], false, Limits { head: SHORT, connections: 2, ..WIDE }).await;
    let address = listen(&host).await;
    let (idle, _other) = (Client::new(address).await, Client::new(address).await);
    let mut third = Client::new(address).await;
    third.send("GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let (reply, _) = third.rest().await;
    assert!(reply.starts_with("HTTP/1.1 "), "{reply}");
    assert!(idle.begun.elapsed() >= SHORT, "it did not wait");
}
