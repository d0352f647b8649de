//! Ten thousand guesses.

use std::time::Instant;

use app::{
    domain::access::BuiltIn,
    service::users,
    store::{EntryKind, LedgerFilter},
};
use http::{StatusCode, header};

use super::common::{Browser, Host, PASSWORD};

const TRIES: usize = 10_000;
/// Passwords that may be looked at of one account in the few minutes of this test: the free ones, and one after each delay.
const CHECKED: usize = 40;

/// Guesses from as many addresses, and says how many of the guesses were checked.
async fn guess(host: &Host, addresses: usize) -> usize {
    let mut checked = 0;
    let begun = Instant::now();
    for nth in 0..TRIES {
        let from = nth % addresses;
        let browser =
            Browser { address: format!("127.0.{}.{}", 100 + from / 250, 1 + from % 250), ..host.browser() };
        let reply = browser.wasm().log_in("admin", &format!("guess {nth}")).await;
        match reply.status {
            StatusCode::UNAUTHORIZED => checked += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                let wait: u64 = reply.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
                assert!((1..=901).contains(&wait), "{wait}");
            }
            status => panic!("{status}: {}", reply.body),
        }
        assert!(!reply.headers.contains_key(header::SET_COOKIE));
    }
    println!("{TRIES} guesses from {addresses}: {checked} checked, {:?}", begun.elapsed());
    checked
}

async fn failures(host: &Host) -> usize {
    let filter =
        LedgerFilter { kind: Some(EntryKind::LogInFailed), limit: 100_000, ..LedgerFilter::default() };
    host.state.store.ledger_page(&filter).await.unwrap().len()
}

async fn guessed(addresses: usize) {
    let host = Host::start().await;
    // The administrator has been here before, from two places, and with a browser that kept its mark.
    let mut known = Browser { address: "127.0.9.9".to_owned(), ..host.browser() };
    known.log_in("admin", PASSWORD).await;
    assert!(known.device.is_some());
    let checked = guess(&host, addresses).await;
    assert!(checked <= CHECKED, "{checked}");

    let mut home = Browser { address: "127.0.9.9".to_owned(), ..host.browser() };
    assert_eq!(home.log_in("admin", PASSWORD).await.location.as_deref(), Some("/"), "from a known address");
    // Also where all the guesses come from.
    let mut roaming =
        Browser { address: "127.0.100.1".to_owned(), device: known.device.clone(), ..host.browser() };
    assert_eq!(
        roaming.log_in("admin", PASSWORD).await.location.as_deref(),
        Some("/"),
        "with a known browser"
    );
    // An account that nobody guesses at, from an address that nobody uses.
    let mut vera = host.person("vera", BuiltIn::Viewer).await;
    assert_eq!(vera.get("/guests").await.status, StatusCode::OK);

    host.state.attempts.close_all(&host.state.store).await;
    let recorded = failures(&host).await;
    assert!(recorded <= 1100, "{recorded} entries for {TRIES} guesses");
    let (sessions,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM sessions").fetch_one(host.state.store.pool()).await.unwrap();
    let (rows,): (i64,) = sqlx::query_as("SELECT count(*) FROM tower_sessions")
        .fetch_one(host.state.store.pool())
        .await
        .unwrap();
    assert_eq!((sessions, rows), (4, 4), "a guess leaves no row");
}

#[tokio::test]
async fn ten_thousand_guesses_from_one_address_get_nobody_in_and_keep_nobody_out() {
    guessed(1).await;
}

#[tokio::test]
async fn ten_thousand_guesses_from_five_hundred_addresses_get_nobody_in_and_keep_nobody_out() {
    guessed(500).await;
}

/// Wrong passwords until one is not checked any more.
async fn exhaust(browser: &mut Browser, username: &str) -> Vec<StatusCode> {
    let mut statuses = Vec::new();
    while statuses.last() != Some(&StatusCode::TOO_MANY_REQUESTS) {
        assert!(statuses.len() < 100, "{statuses:?}");
        statuses.push(browser.wasm().log_in(username, "wrong").await.status);
    }
    statuses
}

#[tokio::test]
async fn a_name_that_is_no_accounts_is_answered_as_one_that_is() {
    let host = Host::start().await;
    let at = |address: &str| Browser { address: address.to_owned(), ..host.browser() };
    let known = exhaust(&mut at("127.0.1.1"), "admin").await;
    let unknown = exhaust(&mut at("127.0.1.2"), "nobody-at-all").await;
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn whoever_types_it_wrong_too_often_is_told_how_long_to_wait_also_without_javascript() {
    let host = Host::start().await;
    let mut browser = host.browser();
    exhaust(&mut browser, "admin").await;
    // The right one is not looked at either.
    let reply = browser.log_in("admin", PASSWORD).await;
    let page = browser.get(&reply.location.unwrap()).await;
    assert!(page.body.contains("so this one was not tried"), "{}", page.body);
    assert!(page.body.contains("second"), "{}", page.body);
    assert_eq!(browser.get("/guests").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_new_password_from_the_host_begins_the_accounts_count_anew() {
    let host = Host::start().await;
    for nth in 1..=60 {
        let browser = Browser { address: format!("127.0.2.{nth}"), ..host.browser() };
        browser.wasm().log_in("admin", "wrong").await;
    }
    let mut elsewhere = Browser { address: "127.0.3.1".to_owned(), ..host.browser() };
    assert_eq!(elsewhere.wasm().log_in("admin", "wrong").await.status, StatusCode::TOO_MANY_REQUESTS);
    let root = app::auth::Caller::command_line("root");
    let password = users::reset_password(&host.state, &root, "admin").await.unwrap();
    let reply = elsewhere.log_in("admin", &password).await;
    assert_eq!(reply.location.as_deref(), Some("/account/password"));
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_by_whoever_found_an_open_session() {
    let host = Host::start().await;
    let browser = host.admin().await;
    let mut statuses = Vec::new();
    for nth in 0..20 {
        let guess = format!("guess {nth}");
        let fields =
            [("current", guess.as_str()), ("new", "another password"), ("repeat", "another password")];
        statuses
            .push(browser.wasm().post("/account/password", "/api/account/password", &fields).await.status);
    }
    let checked = statuses.iter().filter(|status| **status == StatusCode::UNPROCESSABLE_ENTITY).count();
    assert!(checked <= 12, "{statuses:?}");
    assert!(statuses.contains(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
}
