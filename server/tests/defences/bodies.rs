//! Bodies that are too large, however they come.

use app::store::LedgerFilter;

use super::{
    common::Host,
    wire::{Client, WIDE, listen},
};

const HEAD: &str = "POST /api/account/log_in HTTP/1.1\r\nHost: paddock.test\r\nAccept: application/json\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n";
/// The largest that is taken.
const LARGEST: usize = 256 * 1024;

async fn entries(host: &Host) -> usize {
    host.state
        .store
        .ledger_page(&LedgerFilter { limit: 1000, ..LedgerFilter::default() })
        .await
        .unwrap()
        .len()
}

/// A log-in of so many bytes.
fn log_in(bytes: usize) -> String {
    let begin = "username=nobody&password=wrong&next=";
    format!("{begin}{}", "x".repeat(bytes - begin.len()))
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_refused_before_it_is_sent() {
    let host = Host::behind(&[], false, WIDE).await;
    let address = listen(&host).await;
    let before = entries(&host).await;
    for length in ["262145", "99999999999", "9223372036854775807"] {
        let mut client = Client::new(address).await;
        client.send(format!("{HEAD}Content-Length: {length}\r\n\r\n")).await;
        let (reply, _) = client.rest().await;
        assert!(reply.starts_with("HTTP/1.1 413 "), "{length}: {reply}");
        assert!(reply.contains("nothing was done"), "{reply}");
    }
    // Numbers that are none.
    for lengths in ["-1", "1e3", "18446744073709551615", "99999999999999999999999", "5\r\nContent-Length: 6"]
    {
        let mut client = Client::new(address).await;
        client.send(format!("{HEAD}Content-Length: {lengths}\r\n\r\nusername=a")).await;
        let (reply, _) = client.rest().await;
        assert!(reply.starts_with("HTTP/1.1 4"), "{lengths}: {reply}");
    }
    assert_eq!(entries(&host).await, before, "nothing was done");
}

#[tokio::test]
async fn a_body_in_pieces_is_refused_when_it_gets_too_large() {
    let host = Host::behind(&[], false, WIDE).await;
    let address = listen(&host).await;
    let before = entries(&host).await;
    let piece = format!("{:x}\r\n{}\r\n", 0x1000, "x".repeat(0x1000));
    let mut client = Client::new(address).await;
    client.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n")).await;
    client.send(piece.repeat(LARGEST / 0x1000)).await;
    client.send("1\r\nx\r\n").await;
    let (reply, _) = client.rest().await;
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    assert_eq!(entries(&host).await, before, "nothing was done");
}

#[tokio::test]
async fn the_largest_body_is_taken_in_one_and_in_pieces() {
    let host = Host::behind(&[], false, WIDE).await;
    let address = listen(&host).await;
    let before = entries(&host).await;
    let body = log_in(LARGEST);
    for is_chunked in [false, true] {
        let mut client = Client::new(address).await;
        let (length, body) = match is_chunked {
            false => (format!("Content-Length: {LARGEST}"), body.clone()),
            true => ("Transfer-Encoding: chunked".to_owned(), format!("{LARGEST:x}\r\n{body}\r\n0\r\n\r\n")),
        };
        client.send(format!("{HEAD}Connection: close\r\n{length}\r\n\r\n{body}")).await;
        let (reply, _) = client.rest().await;
        assert!(reply.starts_with("HTTP/1.1 401 "), "a wrong password like any other: {reply}");
    }
    assert_eq!(entries(&host).await - before, 2);
}

#[tokio::test]
async fn a_body_that_breaks_off_does_nothing() {
    let host = Host::behind(&[], false, WIDE).await;
    let address = listen(&host).await;
    let before = entries(&host).await;
    for rest in [
        "Content-Length: 99\r\n\r\nusername=admin&password=x",
        "Transfer-Encoding: chunked\r\n\r\n19\r\nusername=admin&password=x\r\n",
    ] {
        let mut client = Client::new(address).await;
        client.send(format!("{HEAD}{rest}")).await;
        tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
        let (reply, _) = client.rest().await;
        assert!(!reply.starts_with("HTTP/1.1 401"), "{reply}");
    }
    assert_eq!(entries(&host).await, before, "half a form is none");
}
