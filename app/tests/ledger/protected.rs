//! What the database itself refuses, and Paddock on one that was changed all the same.

use std::path::Path;

use app::{
    ledger::Damage,
    store::{By, EntryKind, Fact, Pace, Store},
};

use super::{
    attacker::{Attacker, connect},
    sample::{ENDED, OPERATIONS, Sample, finish, operation},
};

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_what_was_recorded() {
    let sample = Sample::make().await;
    let store = sample.open().await;
    for statement in [
        "UPDATE ledger SET actor = 'bert' WHERE seq = 5",
        "UPDATE ledger SET at_ms = at_ms + 1",
        "DELETE FROM ledger WHERE seq = 5",
        "DELETE FROM ledger",
        "UPDATE ledger_checkpoints SET at_ms = 1",
        "DELETE FROM ledger_checkpoints",
        "UPDATE ledger_head SET seq = 3",
        "DELETE FROM ledger_head",
        "UPDATE operations SET actor = 'bert' WHERE id = 5",
        "UPDATE operations SET state = 'running', finished_ms = NULL WHERE id = 5",
        "DELETE FROM operations WHERE id = 5",
        "DELETE FROM operations",
        "UPDATE operation_steps SET outcome = '{}' WHERE operation_id = 5",
        "DELETE FROM operation_steps WHERE operation_id = 5",
        "INSERT INTO operation_steps VALUES (5, 9, '{}')",
        "UPDATE operation_output SET text = 'well' WHERE operation_id = 5",
        "DELETE FROM operation_output WHERE operation_id = 5",
        "INSERT INTO operation_output (operation_id, step, stream, at_ms, text) VALUES (5, 0, 'log', 1, 'x')",
    ] {
        let refused = sqlx::query(statement).execute(store.pool()).await;
        assert!(refused.is_err(), "{statement}");
    }
    store.close().await;
    assert_eq!(sample.proof().await.report.damages, []);
}

#[tokio::test]
async fn it_starts_and_goes_on_recording_on_a_database_changed_by_hand_and_what_is_new_is_sound() {
    let attacker = Attacker::new().await;
    let end = attacker.numbers("SELECT max(seq) FROM ledger").await[0];
    let should = parts(&attacker.sample.path).await;
    assert!(should.iter().any(|sql| sql.contains("ledger_is_not_changed")));
    for (change, first) in [
        ("UPDATE ledger SET detail = '{}' WHERE seq = 9".to_owned(), Some(Damage::EntryChanged { seq: 9 })),
        ("DELETE FROM ledger WHERE seq = 9".to_owned(), Some(Damage::Missing { first: 9, last: 9 })),
        // Its numbers are not given anew.
        (
            format!("DELETE FROM ledger WHERE seq > {end} - 2"),
            Some(Damage::Missing { first: end - 1, last: end }),
        ),
        (format!("UPDATE ledger SET hash = X'00' WHERE seq = {end}"), None),
        (
            format!("UPDATE ledger SET hash = zeroblob(32) WHERE seq = {end}"),
            Some(Damage::EntryChanged { seq: end }),
        ),
        // The signed end is written anew with the next entry.
        ("DELETE FROM ledger_head".to_owned(), None),
        ("UPDATE operations SET backend = 'xen' WHERE backend IS NOT NULL".to_owned(), None),
        ("UPDATE operations SET state = 'exploded' WHERE id = 5".to_owned(), None),
        (format!("UPDATE operations SET origin = 'nowhere', guest_after = 'x' WHERE id >= {ENDED}"), None),
    ] {
        // Nothing that protected the record is left, either.
        let path = attacker.changed_by(&[&change]).await;
        let damages = attacker.sample.proof_of(&path).await.report;
        let store = Store::open(&path).await.unwrap_or_else(|e| panic!("{change}: {e}"));
        store.live_operations().await.unwrap();
        store.last_operations().await.unwrap();
        store.running_operations(100).await.unwrap();
        operation(&store, OPERATIONS + 1).await;
        finish(&store, OPERATIONS + 1).await;
        store.record(Fact::new(EntryKind::LoggedIn, By::default())).await.unwrap();
        store.checkpoint().await.unwrap();
        let proof = store.prove(Pace::Full).await.unwrap();
        store.close().await;
        if let Some(first) = first {
            assert_eq!(proof.report.first(), Some(&first), "{change}");
        }
        // All that was found is of before.
        for damage in &proof.report.damages {
            let known = damages.damages.contains(damage) || matches!(damage, Damage::Missing { .. });
            assert!(known, "{change}: {damage}");
        }
        assert_eq!(parts(&path).await, should, "{change}");
    }
}

/// What protects the record and finds it.
async fn parts(path: &Path) -> Vec<String> {
    let mut db = connect(path).await;
    let query =
        "SELECT sql FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY sql";
    sqlx::query_scalar(query).fetch_all(&mut db).await.unwrap()
}
