//! A database that was changed by hand, under a server that runs.

mod common;

use app::{
    ledger::Damage,
    service::soundness::{Soundness, look},
    store::{EntryKind, Pace},
};
use common::Host;
use tokio_util::sync::CancellationToken;

const BANNER: &str = "The history has been changed outside Paddock";

async fn looked(host: &Host) -> Soundness {
    look(&host.state, &CancellationToken::new()).await.unwrap().unwrap()
}

async fn found(host: &Host) -> Option<i64> {
    let entry = host.state.store.newest_entry(EntryKind::DamageFound).await.unwrap();
    entry.map(|entry| entry.seq)
}

async fn by_hand(host: &Host, statements: &[&str]) {
    for statement in statements {
        sqlx::query(statement).execute(host.state.store.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_by_hand_is_told_on_every_page_recorded_once_and_all_goes_on() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    assert_eq!(host.state.soundness.now(), Soundness::Unknown);
    assert!(matches!(looked(&host).await, Soundness::Sound { entries: 2.., .. }));
    assert!(!admin.get("/guests").await.body.contains(BANNER));
    assert_eq!(found(&host).await, None);

    let mut heard = host.state.soundness.subscribe();
    let change = "UPDATE ledger SET actor = 'bert' WHERE seq = 2";
    by_hand(&host, &["DROP TRIGGER ledger_is_not_changed", change]).await;
    let first = Damage::EntryChanged { seq: 2 };
    let damaged = looked(&host).await;
    assert!(
        matches!(&damaged, Soundness::Damaged { first: told, count: 1, .. } if *told == first.to_string())
    );
    assert!(heard.has_changed().unwrap() && *heard.borrow_and_update() == damaged);
    for page in ["/guests", "/history"] {
        let body = admin.get(page).await.body;
        assert!(body.contains(BANNER) && body.contains("Entry 2 has been changed"), "{page}");
        assert!(body.contains("paddock verify"), "{page}");
    }
    let once = found(&host).await;
    assert!(once.is_some());
    looked(&host).await;
    assert_eq!(found(&host).await, once, "the same is no news");
    by_hand(&host, &["UPDATE ledger SET actor = 'bert' WHERE seq = 1"]).await;
    looked(&host).await;
    assert!(found(&host).await > once, "another is");

    // What is done now is recorded, and as sound as ever.
    let before = host.state.store.prove(Pace::Full).await.unwrap().report;
    host.admin().await;
    let after = host.state.store.prove(Pace::Full).await.unwrap().report;
    assert!(after.entries > before.entries);
    assert_eq!(after.damages, [Damage::EntryChanged { seq: 1 }, first]);
}
