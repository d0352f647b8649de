//! The old part of the record moved into files: nothing is lost, and all of it is proven with what is left.

use std::{
    fs,
    path::{Path, PathBuf},
};

use app::{
    ledger::Damage,
    store::{Archived, By, EntryKind, Fact, Pace, Proof, Store, prove_export},
};

use super::{
    attacker::{Attacker, Place},
    sample::{ENDED, OPERATIONS, Sample, operation},
};

const BY: By<'static> = By { actor: Some("root (cli)"), address: None, at_ms: 1_000_000 };

/// A sample whose operations have been archived as far as that goes, and its files.
async fn archived(sample: &Sample, entries: i64) -> Vec<Archived> {
    let store = sample.open().await;
    let into = sample.path.with_file_name("archive");
    let files = store.archive_in_parts(i64::MAX, &into, BY, Pace::Full, entries).await.unwrap();
    whole(&store).await;
    files
}

async fn whole(store: &Store) {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(store.pool()).await.unwrap();
    store.close().await;
}

/// That files and database follow on each other, and how many entries and operations they are together.
async fn proven(sample: &Sample, files: &[Archived]) -> (u64, u64) {
    let (mut before, mut entries, mut operations) = (None, 0, 0);
    let mut take = |proof: &Proof| {
        assert_eq!(proof.report.damages, []);
        entries += proof.report.entries;
        operations += proof.operations;
    };
    for archived in files {
        let proof = prove_export(&archived.file, &sample.trust(), before).unwrap();
        take(&proof);
        assert_eq!(proof.operations, archived.operations);
        before = proof.report.end;
    }
    let proof = sample.proof().await;
    take(&proof);
    assert_eq!(proof.report.after, before, "nothing is between files and database");
    assert_eq!(proof.archives, files.len() as u64);
    (entries, operations)
}

#[tokio::test]
async fn what_is_moved_into_files_is_proven_with_what_stays() {
    let sample = Sample::make().await;
    let all = sample.proof().await;
    for part in [i64::MAX, 20, 1] {
        let sample = if part == i64::MAX { &sample } else { &Sample::make().await };
        let files = archived(sample, part).await;
        assert_eq!(files.len() == 1, part == i64::MAX);
        assert!(files.iter().any(|file| file.operations > 0));
        let (entries, operations) = proven(sample, &files).await;
        assert_eq!(operations, OPERATIONS.unsigned_abs());
        // One more of each file.
        assert_eq!(entries, all.report.entries + files.len() as u64);
        let store = sample.open().await;
        let left: Vec<i64> = sqlx::query_scalar("SELECT id FROM operations ORDER BY id")
            .fetch_all(store.pool())
            .await
            .unwrap();
        assert_eq!(left, [ENDED + 1, OPERATIONS], "those under way stay");
        for table in ["operation_steps", "operation_output", "last_operations"] {
            let query = format!("SELECT count(*) FROM {table} WHERE operation_id <= {ENDED}");
            let count: i64 = sqlx::query_scalar(&query).fetch_one(store.pool()).await.unwrap();
            assert_eq!(count, 0, "{table}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn it_goes_on_after_an_archive_and_can_be_archived_again() {
    let sample = Sample::make().await;
    let mut files = archived(&sample, i64::MAX).await;
    let store = sample.open().await;
    for id in [ENDED + 1, OPERATIONS] {
        super::sample::finish(&store, id).await;
    }
    for n in OPERATIONS + 1..OPERATIONS + 4 {
        operation(&store, n).await;
        super::sample::finish(&store, n).await;
    }
    store.record(Fact::new(EntryKind::LoggedIn, BY)).await.unwrap();
    whole(&store).await;
    files.extend(archived(&sample, i64::MAX).await);
    let (_, operations) = proven(&sample, &files).await;
    assert_eq!((files.len(), operations), (2, OPERATIONS.unsigned_abs() + 3));
    // Even when not an operation is left.
    let store = sample.open().await;
    operation(&store, OPERATIONS + 4).await;
    whole(&store).await;
    assert_eq!(sample.proof().await.report.damages, []);
}

#[tokio::test]
async fn only_what_is_older_is_moved() {
    let sample = Sample::make().await;
    let store = sample.open().await;
    let into = sample.path.with_file_name("archive");
    // Operation n began at 1000 * n.
    assert_eq!(store.archive(0, &into, BY, Pace::Full).await.unwrap(), []);
    assert!(!into.exists(), "nothing was made");
    // The ledger's own first entry is of today, and nothing before it may go alone.
    assert_eq!(store.archive(20_000, &into, BY, Pace::Full).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn a_record_that_was_changed_is_not_archived() {
    let attacker = Attacker::new().await;
    let path = attacker.changed_by(&["UPDATE ledger SET actor = 'bert' WHERE seq = 9"]).await;
    let store = Store::open(&path).await.unwrap();
    let into = path.with_file_name("archive");
    let refused = store.archive(i64::MAX, &into, BY, Pace::Full).await.unwrap_err().to_string();
    assert!(
        refused.contains("Entry 9 has been changed") && refused.contains("Nothing was archived"),
        "{refused}"
    );
    assert!(!into.exists());
    store.close().await;
}

#[tokio::test]
async fn what_is_left_of_a_try_is_in_no_way() {
    let sample = Sample::make().await;
    let into = sample.path.with_file_name("archive");
    fs::create_dir(&into).unwrap();
    // A file whose name is taken by a directory cannot be written: all stays where it is.
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    let other = Sample::make().await;
    let file = archived(&other, i64::MAX).await.remove(0).file;
    let taken = into.join(name(&file));
    fs::create_dir(&taken).unwrap();
    let store = sample.open().await;
    let failed = store.archive(i64::MAX, &into, BY, Pace::Full).await.unwrap_err().to_string();
    assert!(failed.contains("cannot be written") && failed.contains("left in the database"), "{failed}");
    assert_eq!(fs::read_dir(&into).unwrap().count(), 1, "no half file is left");
    fs::remove_dir(&taken).unwrap();
    // One that was killed left a half file, another a whole one that nothing tells of.
    fs::write(into.join(format!(".{}.new", name(&file))), "half").unwrap();
    fs::write(&taken, "of a try that was killed before the database knew").unwrap();
    whole(&store).await;
    let files = archived(&sample, i64::MAX).await;
    assert_eq!(files[0].file, taken);
    assert_eq!(proven(&sample, &files).await.1, OPERATIONS.unsigned_abs());
}

#[tokio::test]
async fn each_line_of_an_archive_is_bound() {
    let sample = Sample::make().await;
    let file = archived(&sample, i64::MAX).await.remove(0).file;
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let attacked = file.with_extension("attacked");
    let found = |lines: &[&str]| {
        fs::write(&attacked, lines.concat()).unwrap();
        prove_export(&attacked, &sample.trust(), None).unwrap().report.first().cloned()
    };
    assert_eq!(found(&lines), None);
    for at in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        assert!(found(&without).is_some(), "without line {}", at + 1);
        let mut swapped = lines.clone();
        if at > 0 && lines[at] != lines[at - 1] {
            swapped.swap(at, at - 1);
            assert!(found(&swapped).is_some(), "line {} before its neighbour", at + 1);
        }
        // A letter in the middle.
        let middle = lines[at].char_indices().nth(lines[at].chars().count() / 2).unwrap().0;
        let letter = lines[at][middle..].chars().next().unwrap();
        let other = if letter == '1' { "2" } else { "1" };
        let changed = format!("{}{other}{}", &lines[at][..middle], &lines[at][middle + letter.len_utf8()..]);
        let mut with = lines.clone();
        with[at] = &changed;
        assert!(found(&with).is_some(), "line {} changed", at + 1);
    }
    // Even by one with the key, operations do not go without their entries telling.
    let line = lines.iter().position(|line| line.contains("operation-output")).unwrap();
    let mut without = lines.clone();
    without.remove(line);
    assert_eq!(found(&without), Some(Damage::RecordChanged { operation: 1, which: "end" }));
}

#[tokio::test]
async fn the_list_of_archives_is_bound() {
    let sample = Sample::make().await;
    archived(&sample, 30).await;
    let attacker = Attacker::of(sample).await;
    // Whatever else does not fit any more: that it is the list is always told.
    let is_told = async |change: &str| {
        let damages = attacker.after(&[change]).await.report.damages;
        let told = damages.iter().any(|damage| matches!(damage, Damage::ArchiveMismatch { .. }));
        assert!(told, "{change}: {damages:?}");
    };
    let rows = attacker.numbers("SELECT id FROM ledger_archives ORDER BY id").await;
    assert!(rows.len() > 2);
    for column in attacker.columns("ledger_archives").await {
        for id in &rows {
            let row = format!("id = {id}");
            let change = match column.as_str() {
                // The next number is another row's.
                "id" => format!("UPDATE ledger_archives SET id = id + 1000 WHERE {row}"),
                _ => {
                    let place = Place { table: "ledger_archives", column: column.clone(), row };
                    attacker.change_of(&place).await
                }
            };
            is_told(&change).await;
        }
    }
    for id in &rows {
        is_told(&format!("DELETE FROM ledger_archives WHERE id = {id}")).await;
    }
    is_told("DELETE FROM ledger_archives").await;
}

#[tokio::test]
async fn an_export_is_proven_as_the_ledger_that_it_is_of() {
    let sample = Sample::make().await;
    let file: PathBuf = sample.path.with_file_name("export.jsonl");
    let export = async || {
        let store = sample.open().await;
        let count = store.export_ledger(fs::File::create(&file).unwrap(), &file).await.unwrap();
        whole(&store).await;
        count
    };
    let count = export().await;
    let proof = prove_export(&file, &sample.trust(), None).unwrap();
    assert_eq!((proof.report.damages, proof.report.entries), (vec![], count));
    assert_eq!(proof.report.end, sample.proof().await.report.end);
    let files = archived(&sample, i64::MAX).await;
    export().await;
    let end = prove_export(&files[0].file, &sample.trust(), None).unwrap().report.end;
    let rest = prove_export(&file, &sample.trust(), end).unwrap();
    assert_eq!((rest.report.damages, rest.report.after), (vec![], end));
    // A ledger whose end was cut off is exported as that.
    let attacker = Attacker::of(sample).await;
    let path = attacker.changed_by(&["DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)"]).await;
    let store = Store::open(&path).await.unwrap();
    store.export_ledger(fs::File::create(&file).unwrap(), &file).await.unwrap();
    store.close().await;
    let cut = prove_export(&file, &attacker.sample.trust(), None).unwrap();
    assert!(matches!(cut.report.first(), Some(Damage::CutOff { .. })), "{:?}", cut.report);
}
