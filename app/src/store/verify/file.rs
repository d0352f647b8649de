//! Opening a database to read it and nothing else.

use std::path::{Path, PathBuf};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::ProveError;
use crate::store::{
    error::{code, primary_code},
    open::{BUSY_TIMEOUT, MIGRATOR},
};

/// How the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// With the write-ahead log beside it, under the locks of whoever uses it.
    Shared,
    /// There is no such log, so that nobody uses it: without making one, or any other file.
    Still,
}

impl Access {
    fn to(path: &Path) -> Self {
        if log_of(path).exists() { Self::Shared } else { Self::Still }
    }

    /// Whether nobody began to use the file while it was taken for unused.
    pub fn still_holds(self, path: &Path) -> bool {
        self == Self::Shared || Self::to(path) == Self::Still
    }
}

/// The write-ahead log, which SQLite keeps beside the file for as long as somebody uses it.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

pub(super) async fn open(path: &Path) -> Result<(SqliteConnection, Access), ProveError> {
    // SQLite says no more than that it cannot. Asked without opening the file: closing it again would let go of every
    // lock that this process has on it (POSIX), and the next process to close the database would take the log away
    // under the feet of those who write to it: <https://www.sqlite.org/howtocorrupt.html>, 2.2.
    rustix::fs::access(path, rustix::fs::Access::READ_OK)
        .map_err(|error| ProveError::Unreadable { path: path.to_owned(), detail: error.to_string() })?;
    let access = Access::to(path);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(access == Access::Still)
        .busy_timeout(BUSY_TIMEOUT);
    let mut db = SqliteConnection::connect_with(&options).await.map_err(|error| classify(path, &error))?;
    check_version(path, &mut db).await?;
    Ok((db, access))
}

async fn check_version(path: &Path, db: &mut SqliteConnection) -> Result<(), ProveError> {
    let path = path.to_owned();
    let applied: Vec<(i64, Vec<u8>)> =
        match sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(db)
            .await
        {
            Ok(applied) => applied,
            Err(error) if primary_code(&error) == Some(code::ERROR) => {
                return Err(ProveError::NotPaddocks { path });
            }
            Err(error) => return Err(classify(&path, &error)),
        };
    let Some((last, _)) = applied.last() else { return Err(ProveError::NotPaddocks { path }) };
    for (version, checksum) in &applied {
        match MIGRATOR.iter().find(|migration| migration.version == *version) {
            Some(migration) if *migration.checksum == **checksum => {}
            Some(_) => return Err(ProveError::Foreign { path, version: *version }),
            None => return Err(ProveError::Newer { path, version: *version }),
        }
    }
    if applied.len() < MIGRATOR.iter().count() {
        return Err(ProveError::Older { path, version: *last });
    }
    Ok(())
}

pub(super) fn classify(path: &Path, error: &sqlx::Error) -> ProveError {
    let (path, detail) = (path.to_owned(), error.to_string());
    match primary_code(error) {
        Some(code::BUSY | code::LOCKED) => ProveError::Locked { path },
        Some(code::CORRUPT | code::NOTADB) => ProveError::NoDatabase { path, detail },
        _ => ProveError::Unreadable { path, detail },
    }
}
