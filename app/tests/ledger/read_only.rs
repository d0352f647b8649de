//! A proof reads and nothing else, whoever uses the file meanwhile.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use app::store::{Pace, ProveError, Trust, prove};

use super::sample::{OPERATIONS, Sample, operation};

async fn refused(path: &Path) -> ProveError {
    prove(path, &Trust::default(), Pace::Full).await.unwrap_err()
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_database_in_use_is_proven_with_what_is_not_in_its_file_yet() {
    let sample = Sample::make().await;
    let store = sample.open().await;
    operation(&store, OPERATIONS + 1).await;
    let proof = sample.proof().await;
    assert_eq!((proof.report.count, proof.operations), (0, OPERATIONS.unsigned_abs() + 1));
    // It is no hindrance to who writes, either.
    operation(&store, OPERATIONS + 2).await;
    assert_eq!(store.prove(Pace::Gentle).await.unwrap().operations, OPERATIONS.unsigned_abs() + 2);
    store.close().await;
}

#[tokio::test]
async fn a_copy_without_its_log_is_proven_as_far_as_it_goes_and_nothing_is_left_beside_it() {
    let sample = Sample::make().await;
    let store = sample.open().await;
    operation(&store, OPERATIONS + 1).await;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    fs::copy(&sample.path, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o400)).unwrap();
    let before = fs::read(&copy).unwrap();
    let proof = sample.proof_of(&copy).await;
    assert_eq!((proof.report.count, proof.operations), (0, OPERATIONS.unsigned_abs()));
    assert_eq!((files(dir.path()), fs::read(&copy).unwrap()), (vec!["copy.db".to_owned()], before));
    store.close().await;
}

#[tokio::test]
async fn of_what_is_no_database_of_this_schema_nothing_is_said() {
    let sample = Sample::make().await;
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&dir.path().join("none.db")).await, ProveError::Unreadable { .. }));
    let list = dir.path().join("list.db");
    fs::write(&list, "my shopping list, not a database at all ".repeat(200)).unwrap();
    assert!(matches!(refused(&list).await, ProveError::NoDatabase { .. }));
    fs::write(&list, "").unwrap();
    assert!(matches!(refused(&list).await, ProveError::NotPaddocks { .. }));

    let store = sample.open().await;
    let newest: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(store.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 1")
        .execute(store.pool())
        .await
        .unwrap();
    assert!(matches!(refused(&sample.path).await, ProveError::Foreign { version: 1, .. }));
    let other = Sample::make().await;
    store.close().await;
    let store = other.open().await;
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'later', 1, x'00', 0)";
    sqlx::query(later).execute(store.pool()).await.unwrap();
    assert!(matches!(refused(&other.path).await, ProveError::Newer { version: 9999, .. }));
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version >= ?")
        .bind(newest)
        .execute(store.pool())
        .await
        .unwrap();
    assert!(matches!(refused(&other.path).await, ProveError::Older { version, .. } if version < newest));
    store.close().await;
}
