//! Opening the database, and refusing to touch one that Paddock should not touch.

use std::{
    fs::File,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Store,
    error::{code, primary_code},
    mend::mend,
};
use crate::ledger::{KeyError, Signer};

/// Beside the database: what its ledger is signed with.
const KEY_FILE: &str = "ledger.key";

/// All steps of the schema, in their order.
pub(super) static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long a statement waits for another process's write before it is told "locked".
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// One writer at a time is SQLite's nature; the rest are readers.
const CONNECTIONS: u32 = 8;
/// What each connection keeps of the file, in KiB as SQLite writes that: a quarter of the usual, as the kernel has the rest
/// once for all of them.
const CACHE: &str = "-512";
/// Up to this size the whole file is checked at start; a larger one would make the start slow.
const CHECKED_WHOLE_BYTES: u64 = 64 * 1024 * 1024;

/// Why the database was not opened. It is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "{path} is locked by another process. Nothing was changed. End that process, then start Paddock again."
    )]
    Locked { path: PathBuf },
    #[error(
        "The disk that holds {path} is full. Nothing was changed. Free some space, then start Paddock again."
    )]
    DiskFull { path: PathBuf },
    #[error(
        "{path} is no intact database: {detail}. Nothing was changed. Restore it from a backup, or move it away to start with an empty one."
    )]
    Corrupt { path: PathBuf, detail: String },
    #[error(
        "{path} was written by a newer Paddock (schema version {version}). Nothing was changed. Start that version, or restore the backup made before the update."
    )]
    Newer { path: PathBuf, version: i64 },
    #[error(
        "{path}: migration {version} is not the one this database was made with. Nothing was changed. Start the Paddock that made it."
    )]
    Foreign { path: PathBuf, version: i64 },
    #[error(
        "Cannot open or write {path}: {detail}. Nothing was changed. See that its directory exists and is writable."
    )]
    NotWritable { path: PathBuf, detail: String },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("Cannot bring {path} to this version's schema: {detail}. The step that failed was rolled back.")]
    Migration { path: PathBuf, detail: String },
}

/// Where the public half of the key stands that signs the ledger of a database.
pub fn public_key_file(database: &Path) -> PathBuf {
    database.with_file_name(KEY_FILE).with_added_extension("pub")
}

impl Store {
    /// Opens the database file, makes it if there is none, and brings it to this version's schema.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let _turn = turn(path).await?;
        let signer = Signer::load_or_create(&path.with_file_name(KEY_FILE))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A record that was acknowledged survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", CACHE)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(|error| classify(path, error))?;
        check(&pool, path).await?;
        MIGRATOR.run(&pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer { path: path.into(), version },
            MigrateError::VersionMismatch(version) => OpenError::Foreign { path: path.into(), version },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => classify(path, error),
            other => OpenError::Migration { path: path.into(), detail: other.to_string() },
        })?;
        mend(&pool).await.map_err(|error| classify(path, error))?;
        let store = Self { pool, signer: Arc::new(signer) };
        store
            .begin_ledger()
            .await
            .map_err(|error| OpenError::NotWritable { path: path.into(), detail: error.to_string() })?;
        Ok(store)
    }
}

/// One process at a time: two that bring a database to a new schema at once would each begin every step. Held until it
/// is dropped; the kernel lets go of it even after a kill.
async fn turn(path: &Path) -> Result<File, OpenError> {
    let lock = path.with_added_extension("opening");
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).write(true).truncate(false).mode(0o600).open(lock)?;
        file.lock()?;
        Ok(file)
    });
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull => OpenError::DiskFull { path: path.into() },
        _ => OpenError::NotWritable { path: path.into(), detail: error.to_string() },
    };
    locked.await.unwrap_or_else(|crash| Err(io::Error::other(crash))).map_err(cannot)
}

/// Reads the file's structure before anything is written to it.
async fn check(pool: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let whole = std::fs::metadata(path).map_or(0, |data| data.len()) <= CHECKED_WHOLE_BYTES;
    let question = if whole {
        "PRAGMA quick_check"
    } else {
        "SELECT CAST(schema_version AS TEXT) FROM pragma_schema_version"
    };
    let answers: Vec<String> =
        sqlx::query_scalar(question).fetch_all(pool).await.map_err(|error| classify(path, error))?;
    match answers.into_iter().find(|answer| whole && answer != "ok" && !is_of_a_value(answer)) {
        Some(detail) => Err(OpenError::Corrupt { path: path.into(), detail }),
        None => Ok(()),
    }
}

/// Whether SQLite tells of a value that the schema does not allow: somebody put it there by hand, which the proof finds.
/// The file itself can be read and written.
fn is_of_a_value(answer: &str) -> bool {
    ["CHECK constraint failed in ", "NULL value in ", "NUMERIC value in ", "TEXT value in ", "non-"]
        .iter()
        .any(|begin| answer.starts_with(begin))
}

fn classify(path: &Path, error: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    match (primary_code(&error), &error) {
        (Some(code::BUSY | code::LOCKED), _) => OpenError::Locked { path },
        (Some(code::FULL), _) => OpenError::DiskFull { path },
        (Some(code::CORRUPT | code::NOTADB), _) => OpenError::Corrupt { path, detail: error.to_string() },
        (Some(code::READONLY | code::CANTOPEN), _) => {
            OpenError::NotWritable { path, detail: error.to_string() }
        }
        _ => OpenError::Migration { path, detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn reopened(path: &Path) -> Result<Store, OpenError> {
        Store::open(path).await
    }

    #[tokio::test]
    async fn a_new_database_is_made_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        Store::open(&path).await.unwrap().close().await;
        assert!(reopened(&path).await.is_ok());
    }

    #[tokio::test]
    async fn of_many_who_open_a_new_database_at_once_all_can_use_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        let all = (0..8).map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Store::open(&path).await.map(|_| ()) })
        });
        for opened in all.collect::<Vec<_>>() {
            opened.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        let text = "my shopping list, not a database at all ".repeat(200);
        fs::write(&path, &text).unwrap();
        assert!(matches!(reopened(&path).await, Err(OpenError::Corrupt { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[tokio::test]
    async fn a_damaged_database_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        let store = Store::open(&path).await.unwrap();
        // Pages that are still in the write-ahead log would heal the file.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(store.pool()).await.unwrap();
        store.close().await;
        let mut bytes = fs::read(&path).unwrap();
        // Everything after the first page, which holds the schema.
        bytes[4096..].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let refused = reopened(&path).await;
        assert!(matches!(refused, Err(OpenError::Corrupt { .. })), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        let store = Store::open(&path).await.unwrap();
        sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
            .execute(store.pool())
            .await
            .unwrap();
        store.close().await;
        assert!(matches!(reopened(&path).await, Err(OpenError::Newer { version: 9999, .. })));
    }

    #[tokio::test]
    async fn a_directory_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = reopened(&dir.path().join("none/paddock.db")).await.unwrap_err();
        assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_database_that_another_process_writes_to_is_reported_as_locked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        // A holder that has not switched to the write-ahead log locks out everybody, as a stopped copy tool does.
        let holder = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(
                SqliteConnectOptions::new()
                    .filename(&path)
                    .create_if_missing(true)
                    .locking_mode(sqlx::sqlite::SqliteLockingMode::Exclusive),
            )
            .await
            .unwrap();
        sqlx::query("CREATE TABLE t (x)").execute(&holder).await.unwrap();
        assert!(matches!(reopened(&path).await, Err(OpenError::Locked { .. })));
    }
}
