//! `paddock verify`, `paddock archive` and `paddock ledger export`: the record proven without a server.

use std::{fs, path::Path, process::Stdio, time::Instant};

use app::{
    ledger::{Checkpoint, Hash, PublicKey, Signature},
    store::{By, EntryKind, Fact, Store},
};
use serde_json::Value;

use crate::lab::Lab;

/// A database with some entries, and its public key.
fn with_users(lab: &Lab) -> String {
    for name in ["anna", "bert", "carl"] {
        lab.must(&["user", "add", name, "--no-role"]);
    }
    fs::read_to_string(lab.path("data/ledger.key.pub")).unwrap().trim().to_owned()
}

/// By somebody who may write to the file.
async fn by_hand(database: &Path, statements: &[&str]) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database).foreign_keys(false);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for trigger in ["ledger_is_not_changed", "ledger_is_not_shortened"] {
        sqlx::query(&format!("DROP TRIGGER IF EXISTS {trigger}")).execute(&pool).await.unwrap();
    }
    for statement in statements {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await.unwrap();
    pool.close().await;
}

#[test]
fn a_sound_database_is_told_in_words_and_for_programs() {
    let lab = Lab::new();
    let key = with_users(&lab);
    let said = lab.must(&["verify"]);
    for words in ["is sound: 4 entries (1 to 4)", "0 operations", " UTC", &key, "ledger.key.pub"] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    let database = lab.path("data/paddock.db").display().to_string();
    assert_eq!(lab.must(&["verify", &database]), said);
    assert!(lab.must(&["verify", "--public-key", &key]).contains("the key given"));
    assert!(
        lab.must(&["verify", "--public-key", &lab.path("data/ledger.key.pub").display().to_string()])
            .contains(&key)
    );
    let json = lab.json(&["verify"]);
    assert_eq!((&json["sound"], &json["files"][0]["entries"]), (&Value::from(true), &Value::from(4)));
    assert_eq!(json["files"][0]["public_key"], key);
    // On another machine, without a settings file of this one.
    let copy = lab.path("copy.db");
    fs::copy(&database, &copy).unwrap();
    let said = lab.must(&["verify", &copy.display().to_string()]);
    assert!(said.contains("as the file itself says") && said.contains(&key), "{said}");
}

#[tokio::test]
async fn the_first_change_is_told_the_others_are_counted_and_the_code_is_12() {
    let lab = Lab::new();
    let key = with_users(&lab);
    let database = lab.path("data/paddock.db");
    by_hand(
        &database,
        &["UPDATE ledger SET actor = 'dora' WHERE seq = 2", "DELETE FROM ledger WHERE seq = 3"],
    )
    .await;
    let said = lab.call(&["verify"]);
    assert_eq!((said.code, said.err.as_str()), (12, ""), "{said:?}");
    assert!(
        said.out.contains("Entry 2 has been changed") && said.out.contains("1 more damage was found"),
        "{said:?}"
    );
    assert!(said.out.contains(&key), "{said:?}");
    let said = lab.call(&["verify", "--format", "json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &json["sound"], &json["files"][0]["damage_count"]),
        (12, &false.into(), &2.into())
    );
    assert_eq!(json["files"][0]["damages"][0]["kind"], "entry-changed");
    assert_eq!(json["files"][0]["damages"][1]["kind"], "missing");
    // It is recorded on, but not archived.
    lab.must(&["user", "add", "emil", "--no-role"]);
    let refused = lab.refused(12, &["archive", "--before", "0s"]);
    assert!(
        refused.contains("Entry 2 has been changed") && refused.contains("Nothing was archived"),
        "{refused}"
    );
    let other = "ab".repeat(32);
    let said = lab.call(&["verify", "--public-key", &other]);
    assert!(said.code == 12 && said.out.contains(&key), "{said:?}");
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    let lab = Lab::new();
    let said = lab.refused(6, &["verify"]);
    assert!(said.contains("paddock.db") && said.contains("Nothing was proven"), "{said}");
    with_users(&lab);
    let said = lab.refused(6, &["verify", "/no/such/file"]);
    assert!(said.contains("/no/such/file") && said.contains("Nothing was proven"), "{said}");
    lab.refused(2, &["verify", "--public-key", "x"]);
    lab.refused(1, &["verify", "--journal", "/no/such/journal"]);
    let list = lab.path("list.txt");
    fs::write(&list, "my shopping list\n").unwrap();
    assert_eq!(lab.call(&["verify", &list.display().to_string()]).code, 12);
}

#[tokio::test]
async fn a_database_put_back_to_an_earlier_day_is_told_by_the_journal() {
    let lab = Lab::new();
    let key = with_users(&lab);
    let (database, old) = (lab.path("data/paddock.db"), lab.path("old.db"));
    by_hand(&database, &[]).await;
    fs::copy(&database, &old).unwrap();
    let store = Store::open(&database).await.unwrap();
    store.record(Fact::new(EntryKind::LoggedIn, By::default())).await.unwrap();
    store.checkpoint().await.unwrap();
    let signed: (i64, Vec<u8>, i64, Vec<u8>, Vec<u8>) =
        sqlx::query_as("SELECT seq, hash, at_ms, key, signature FROM ledger_head")
            .fetch_one(store.pool())
            .await
            .unwrap();
    store.close().await;
    let (seq, hash, at_ms, by, signature) = signed;
    let checkpoint = Checkpoint {
        seq,
        hash: Hash(hash.try_into().unwrap()),
        at_ms,
        key: PublicKey(by.try_into().unwrap()),
        signature: Signature(signature.try_into().unwrap()),
    };
    let journal = lab.path("journal.txt");
    fs::write(&journal, format!("-- Boot --\nINFO paddock::checkpoint: {checkpoint}\n")).unwrap();
    let journal = journal.display().to_string();
    let old = old.display().to_string();
    assert_eq!(lab.call(&["verify", &old, "--public-key", &key]).code, 0, "all in it is genuine");
    let said = lab.call(&["verify", &old, "--public-key", &key, "--journal", &journal]);
    assert!(
        said.code == 12 && said.out.contains("The end is cut off: the last entry is 4, but entry 5"),
        "{said:?}"
    );
    assert!(lab.must(&["verify", "--journal", &journal]).contains("1 checkpoint of the journal agree"));
    let mut piped = lab.command(&["verify", &old, "--journal", "-"]);
    let piped = piped.stdin(fs::File::open(&journal).unwrap()).output().unwrap();
    assert_eq!(piped.status.code(), Some(12));
    let nothing = lab.path("nothing.txt");
    fs::write(&nothing, "nothing\n").unwrap();
    let said = lab.must(&["verify", "--journal", &nothing.display().to_string()]);
    assert!(said.contains("holds no checkpoint"), "{said}");
}

#[test]
fn an_export_is_proven_anywhere_and_archives_with_their_database() {
    let lab = Lab::new();
    let key = with_users(&lab);
    let export = lab.path("export.jsonl").display().to_string();
    lab.must(&["ledger", "export", "--out", &export]);
    lab.refused(1, &["ledger", "export", "--out", &export]);
    assert!(lab.must(&["ledger", "export"]).lines().eq(fs::read_to_string(&export).unwrap().lines()));
    let said = lab.must(&["verify", &export, "--public-key", &key]);
    assert!(said.contains("export.jsonl is sound: 4 entries (1 to 4), as they"), "{said}");
    let text = fs::read_to_string(&export).unwrap();
    fs::write(&export, text.replacen("anna", "bert", 1)).unwrap();
    assert_eq!(lab.call(&["verify", &export]).code, 12);

    assert_eq!(lab.json(&["archive", "--before", "2020-01-01"]), Value::Array(Vec::new()));
    let files = lab.json(&["archive", "--before", "0s"]);
    let file = files[0]["file"].as_str().unwrap();
    assert!(file.starts_with(&lab.path("data/archive").display().to_string()), "{file}");
    let database = lab.path("data/paddock.db").display().to_string();
    let said = lab.must(&["verify", file, &database]);
    assert!(said.contains("4 entries (1 to 4)") && said.contains("1 entry and"), "{said}");
    // In the wrong order, or with one left out, they do not follow on each other.
    assert_eq!(lab.call(&["verify", &database, file]).code, 12);
    lab.must(&["user", "add", "dora", "--no-role"]);
    let files = lab.json(&["archive", "--before", "0s", "--into", &lab.path("more").display().to_string()]);
    let second = files[0]["file"].as_str().unwrap();
    lab.must(&["verify", file, second, &database]);
    assert_eq!(lab.call(&["verify", file, &database]).code, 12);
    lab.must(&["verify", second, &database]);
}

/// How often an archive is killed, the last one aside.
const ROUNDS: u32 = 24;

#[tokio::test]
async fn an_archive_that_is_killed_at_any_instant_loses_nothing() {
    let lab = Lab::new();
    with_users(&lab);
    let database = lab.path("data/paddock.db");
    let mut all = 4;
    // How long one takes that nobody kills: on a machine that has other work to do, much longer.
    let begun = Instant::now();
    lab.must(&["archive", "--before", "0s"]);
    let whole = begun.elapsed();
    // From before it does anything until after it has ended.
    for round in 0..ROUNDS {
        let store = Store::open(&database).await.unwrap();
        for _ in 0..40 {
            store.record(Fact::new(EntryKind::LoggedIn, By::default())).await.unwrap();
            all += 1;
        }
        store.close().await;
        let mut archiving = lab.command(&["archive", "--before", "0s"]);
        let mut archiving = archiving.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if round + 1 < ROUNDS {
            tokio::time::sleep(whole * round * 3 / 2 / ROUNDS).await;
            let _ = archiving.kill();
        }
        let ended = archiving.wait().unwrap();
        assert!(ended.success() || round + 1 < ROUNDS, "the last one comes to its end");

        // Only files that the database tells of count: they and it are the whole record.
        let store = Store::open(&database).await.unwrap();
        let files: Vec<String> = sqlx::query_scalar("SELECT file FROM ledger_archives ORDER BY id")
            .fetch_all(store.pool())
            .await
            .unwrap();
        store.close().await;
        let names: Vec<&str> = files.iter().map(String::as_str).chain([database.to_str().unwrap()]).collect();
        let said = lab.call(&[&["verify", "--format", "json"], names.as_slice()].concat());
        assert_eq!(said.code, 0, "round {round}: {said:?}");
        let json: Value = serde_json::from_str(&said.out).unwrap();
        let proven: u64 =
            json["files"].as_array().unwrap().iter().map(|f| f["entries"].as_u64().unwrap()).sum();
        // Each archive has an entry of its own.
        assert_eq!(proven, all + files.len() as u64, "round {round}");
    }
}
