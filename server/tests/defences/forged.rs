//! Addresses that a client makes up.

use app::store::EntryKind;
use http::StatusCode;

use super::{
    common::{Browser, Host, PASSWORD},
    wire::WIDE,
};

const PROXY: &str = "127.0.0.1";
const PROXIES: &str = "127.0.0.1/32";

/// A browser whose requests come from the proxy's address with this `X-Forwarded-For`.
fn forwarded(host: &Host, value: &str) -> Browser {
    Browser {
        address: PROXY.to_owned(),
        headers: vec![("x-forwarded-for", value.to_owned()), ("forwarded", format!("for={value}"))],
        ..host.browser()
    }
}

/// The address in the newest entry of that kind.
async fn recorded(host: &Host, kind: EntryKind) -> Option<String> {
    host.state.store.newest_entry(kind).await.unwrap().unwrap().address
}

/// How many wrong passwords are checked before one is not, each from its own browser.
async fn checked(host: &Host, username: &str, value: impl Fn(usize) -> String) -> usize {
    for nth in 0..100 {
        let browser = forwarded(host, &value(nth));
        match browser.wasm().log_in(username, "wrong").await.status {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::TOO_MANY_REQUESTS => return nth,
            status => panic!("{status}"),
        }
    }
    100
}

#[tokio::test]
async fn without_a_trusted_proxy_a_forged_address_is_in_no_record_and_gives_no_further_tries() {
    let host = Host::start().await;
    let mut browser = forwarded(&host, "203.0.113.7");
    browser.log_in("admin", PASSWORD).await;
    assert_eq!(recorded(&host, EntryKind::LoggedIn).await.as_deref(), Some(PROXY));
    let sessions = browser.wasm().get("/api/account/sessions").await.body;
    assert!(sessions.contains(PROXY) && !sessions.contains("203.0.113.7"), "{sessions}");
    forwarded(&host, "203.0.113.8").log_in("admin", "wrong").await;
    assert_eq!(recorded(&host, EntryKind::LogInFailed).await.as_deref(), Some(PROXY));
    // The same account from the same address has five, whatever it says of itself.
    assert!(checked(&host, "mallory", |nth| format!("203.0.113.{nth}")).await <= 6);
}

#[tokio::test]
async fn behind_a_trusted_proxy_records_and_delays_are_of_the_client_and_not_of_what_it_made_up() {
    let host = Host::behind(&[PROXIES, "10.0.0.0/8"], false, WIDE).await;
    let mut browser = forwarded(&host, "198.51.100.1, 203.0.113.7, 10.0.0.2");
    browser.log_in("admin", PASSWORD).await;
    assert_eq!(recorded(&host, EntryKind::LoggedIn).await.as_deref(), Some("203.0.113.7"));
    let sessions = browser.wasm().get("/api/account/sessions").await.body;
    assert!(sessions.contains("203.0.113.7") && !sessions.contains("198.51.100.1"), "{sessions}");
    forwarded(&host, "203.0.113.8").log_in("admin", "wrong").await;
    assert_eq!(recorded(&host, EntryKind::LogInFailed).await.as_deref(), Some("203.0.113.8"));

    // What it puts before its own address helps it nothing.
    let forging = checked(&host, "mallory", |nth| format!("198.51.100.{nth}, 203.0.113.9")).await;
    assert!(forging <= 6, "{forging}");
    // Nobody else at the proxy waits for that.
    let reply = forwarded(&host, "203.0.113.10").wasm().log_in("mallory", "wrong").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", reply.body);
}

#[tokio::test]
async fn whoever_comes_past_the_trusted_proxy_is_not_believed() {
    let host = Host::behind(&["127.0.0.9/32"], false, WIDE).await;
    forwarded(&host, "203.0.113.7").log_in("admin", PASSWORD).await;
    assert_eq!(recorded(&host, EntryKind::LoggedIn).await.as_deref(), Some(PROXY));
    let mut proxied = forwarded(&host, "203.0.113.7, garbage");
    proxied.address = "127.0.0.9".to_owned();
    proxied.log_in("admin", PASSWORD).await;
    assert_eq!(recorded(&host, EntryKind::LoggedIn).await.as_deref(), Some("127.0.0.9"));
}
