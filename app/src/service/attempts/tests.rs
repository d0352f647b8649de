use super::{
    table::{SINGLES_IN_ALL, WINDOW_MS, WINDOWS, singles},
    *,
};
use crate::{ledger::Entry, store::LedgerFilter};

const SINGLES: usize = singles(EntryKind::LogInFailed) as usize;
const BEGIN: i64 = 1_700_000_000_000;

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("paddock.db")).await.unwrap();
    (dir, store)
}

/// Oldest first.
async fn failures(store: &Store) -> Vec<Entry> {
    let filter = LedgerFilter { kind: Some(EntryKind::LogInFailed), limit: 100_000, ..Default::default() };
    let mut entries = store.ledger_page(&filter).await.unwrap();
    entries.reverse();
    entries
}

fn tries(entry: &Entry) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(&entry.detail).unwrap()["tries"].as_u64()
}

fn failure<'a>(account: Option<&str>, address: &'a str, at_ms: i64) -> Fact<'a> {
    let by = By { actor: None, address: Some(address), at_ms };
    let fact = Fact::new(EntryKind::LogInFailed, by);
    Fact { subject: account.map(str::to_owned), ..fact }
}

#[tokio::test]
async fn beyond_the_first_ones_attempts_are_counted_until_their_hour_is_over() {
    let (_dir, store) = store().await;
    let attempts = Attempts::default();
    for nth in 0..2000 {
        attempts.note(&store, failure(Some("user:anna"), "192.0.2.1", BEGIN + nth)).await;
    }
    assert_eq!(failures(&store).await.len(), SINGLES);
    attempts.close_due(&store, BEGIN + WINDOW_MS - 1).await;
    assert_eq!(failures(&store).await.len(), SINGLES, "the hour is not over");
    attempts.close_due(&store, BEGIN + WINDOW_MS).await;
    attempts.close_due(&store, BEGIN + 2 * WINDOW_MS).await;
    let entries = failures(&store).await;
    assert_eq!(entries.len(), SINGLES + 1);
    let count = entries.last().unwrap();
    assert_eq!(tries(count), Some(2000 - SINGLES as u64));
    assert_eq!(count.subject.as_deref(), Some("user:anna"));
    assert_eq!(count.address.as_deref(), Some("192.0.2.1"));
    assert_eq!(count.actor, None);
    let detail: serde_json::Value = serde_json::from_str(&count.detail).unwrap();
    assert_eq!(detail["first_ms"], BEGIN + SINGLES as i64);
    assert_eq!(detail["last_ms"], BEGIN + 1999);
}

#[tokio::test]
async fn the_next_attempt_after_the_hour_writes_the_count_and_is_an_entry_again() {
    let (_dir, store) = store().await;
    let attempts = Attempts::default();
    for _ in 0..SINGLES + 7 {
        attempts.note(&store, failure(None, "192.0.2.1", BEGIN)).await;
    }
    attempts.note(&store, failure(None, "192.0.2.1", BEGIN + WINDOW_MS)).await;
    let entries = failures(&store).await;
    assert_eq!(entries.len(), SINGLES + 2);
    assert_eq!((tries(&entries[SINGLES]), tries(&entries[SINGLES + 1])), (Some(7), None));
}

#[tokio::test]
async fn a_success_writes_the_counts_of_its_account_and_of_its_address_and_no_others() {
    let (_dir, store) = store().await;
    let attempts = Attempts::default();
    let windows = [
        (Some("user:anna"), "192.0.2.1"),
        (Some("user:anna"), "192.0.2.2"),
        (None, "192.0.2.1"),
        (None, "192.0.2.2"),
        (Some("user:ben"), "192.0.2.1"),
    ];
    for (account, address) in windows {
        for _ in 0..=SINGLES {
            attempts.note(&store, failure(account, address, BEGIN)).await;
        }
    }
    attempts.succeeded(&store, "user:anna", Some("192.0.2.1"), BEGIN).await;
    let entries = failures(&store).await;
    let counts: Vec<_> = entries.iter().filter(|entry| tries(entry).is_some()).collect();
    let mut of: Vec<_> =
        counts.iter().map(|entry| (entry.subject.as_deref(), entry.address.as_deref().unwrap())).collect();
    of.sort_unstable();
    assert_eq!(of, [(None, "192.0.2.1"), (Some("user:anna"), "192.0.2.1"), (Some("user:anna"), "192.0.2.2")]);
    // The window goes on: a success does not buy more entries.
    let before = entries.len();
    attempts.note(&store, failure(Some("user:anna"), "192.0.2.1", BEGIN)).await;
    assert_eq!(failures(&store).await.len(), before);
}

#[tokio::test]
async fn however_many_addresses_there_are_memory_and_database_stay_small_and_no_try_is_lost() {
    let (_dir, store) = store().await;
    let attempts = Attempts::default();
    let total = 20_000;
    for nth in 0..total {
        let address = format!("10.{}.{}.{}", nth >> 16, (nth >> 8) & 255, nth & 255);
        attempts.note(&store, failure(None, &address, BEGIN)).await;
    }
    assert_eq!(attempts.table().len(), WINDOWS);
    assert_eq!(failures(&store).await.len(), SINGLES_IN_ALL as usize);
    attempts.close_all(&store).await;
    let entries = failures(&store).await;
    assert!(entries.len() <= SINGLES_IN_ALL as usize + WINDOWS + 1, "{}", entries.len());
    let sum: u64 = entries.iter().map(|entry| tries(entry).unwrap_or(1)).sum();
    assert_eq!(sum, total);
    attempts.close_all(&store).await;
    assert_eq!(failures(&store).await.len(), entries.len(), "all is written");
}

#[tokio::test]
async fn an_ipv6_network_is_one_address_and_a_mapped_address_is_its_own() {
    let (_dir, store) = store().await;
    let attempts = Attempts::default();
    for nth in 1..=100 {
        attempts.note(&store, failure(None, &format!("2001:db8:1:2:{nth:x}::1"), BEGIN)).await;
    }
    for _ in 0..SINGLES + 5 {
        attempts.note(&store, failure(None, "::ffff:192.0.2.1", BEGIN)).await;
    }
    attempts.close_all(&store).await;
    let entries = failures(&store).await;
    assert_eq!(entries[0].address.as_deref(), Some("2001:db8:1:2:1::1"), "an entry of its own has it whole");
    let mut counts: Vec<_> = entries.iter().filter(|entry| tries(entry).is_some()).collect();
    counts.sort_by_key(|entry| tries(entry));
    assert_eq!(counts[0].address.as_deref(), Some("192.0.2.1"));
    assert_eq!(counts[1].address.as_deref(), Some("2001:db8:1:2::/64"));
    assert_eq!(tries(counts[1]), Some(100 - SINGLES as u64));
}

#[tokio::test]
async fn what_cannot_be_written_now_is_counted_and_written_later() {
    let (_dir, store) = store().await;
    let attempts = Attempts::default();
    sqlx::query("ALTER TABLE ledger_head RENAME TO away").execute(store.pool()).await.unwrap();
    for _ in 0..3 {
        attempts.note(&store, failure(None, "192.0.2.1", BEGIN)).await;
    }
    attempts.close_due(&store, BEGIN + WINDOW_MS).await;
    sqlx::query("ALTER TABLE away RENAME TO ledger_head").execute(store.pool()).await.unwrap();
    assert_eq!(failures(&store).await.len(), 0);
    attempts.close_due(&store, BEGIN + 2 * WINDOW_MS).await;
    let entries = failures(&store).await;
    assert_eq!(entries.iter().map(tries).collect::<Vec<_>>(), [Some(3)]);
}

#[tokio::test]
async fn a_reason_is_kept_short_and_without_the_secrets_of_what_was_asked() {
    use crate::backend::{HostRunner, Registry};
    let (_dir, store) = store().await;
    let state = AppState::new(store, Registry::new(Vec::new()), Arc::new(HostRunner), "testhost");
    let secrets = [("password".to_owned(), Secret::new("hunter2")), ("none".to_owned(), Secret::new(""))];
    let attempt = Attempt { secrets: secrets.into_iter().collect(), ..Attempt::new("create") };
    let why = format!("The tool said: password=hunter2{}", "x".repeat(5000));
    attempt.failed(&state, &Caller::command_line("root"), false, FailureKind::ToolFailed, &why).await;
    let filter = LedgerFilter { kind: Some(EntryKind::ActionRefused), limit: 2, ..Default::default() };
    let entries = state.store.ledger_page(&filter).await.unwrap();
    assert_eq!(entries.len(), 1);
    let detail: serde_json::Value = serde_json::from_str(&entries[0].detail).unwrap();
    let why = detail["why"].as_str().unwrap();
    assert!(why.starts_with(&format!("The tool said: password={MASK}xxx")), "{why}");
    assert_eq!(why.chars().count(), KEPT);
}
