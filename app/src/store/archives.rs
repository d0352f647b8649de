//! What was moved into files: where the ledger in the database begins.

mod act;
mod cut;
pub(super) mod rows;
pub(super) mod write;

use std::{io, path::Path};

use futures::TryStreamExt as _;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

pub use act::{ArchiveError, Archived};

use super::{
    StoreError,
    verify::cells::{BadCell, cell, fixed},
};
use crate::ledger::{Damage, Hash, Record};

/// Why a part of the record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Bad {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Cell(#[from] BadCell),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("operation {operation} is not there")]
    Gone { operation: i64 },
}

impl Bad {
    /// With the file that was being written.
    pub fn at(self, path: &Path) -> ArchiveError {
        match self {
            Self::Database(error) => ArchiveError::Store(StoreError::from(error)),
            Self::Io(source) => ArchiveError::Write { path: path.to_owned(), source },
            Self::Cell(_) | Self::Gone { .. } => ArchiveError::Row(self.to_string()),
        }
    }
}

/// One row of `ledger_archives`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Archive {
    pub id: i64,
    pub first_seq: i64,
    pub last_seq: i64,
    pub last_hash: Hash,
    /// All operations up to this one are in it, or in one before it.
    pub last_operation: i64,
    pub file: String,
    /// SHA-256 of the file.
    pub digest: Hash,
    pub at_ms: i64,
}

fn archive(row: &SqliteRow) -> Result<Archive, BadCell> {
    Ok(Archive {
        id: cell(row, "id")?,
        first_seq: cell(row, "first_seq")?,
        last_seq: cell(row, "last_seq")?,
        last_hash: Hash(fixed(row, "last_hash")?),
        last_operation: cell(row, "last_operation")?,
        file: cell::<&str>(row, "file")?.to_owned(),
        digest: Hash(fixed(row, "digest")?),
        at_ms: cell(row, "at_ms")?,
    })
}

impl Archive {
    fn write(&self, record: Record) -> Record {
        record
            .int(self.id)
            .int(self.first_seq)
            .int(self.last_seq)
            .hash(self.last_hash)
            .int(self.last_operation)
            .text(&self.file)
            .hash(self.digest)
            .int(self.at_ms)
    }
}

/// All rows together.
pub(super) struct Archives {
    pub count: u64,
    /// Entries up to this one are in files; it had this hash.
    pub last_seq: i64,
    pub last_hash: Hash,
    pub last_operation: i64,
    /// A record of kind `archives`: the columns of each row, in the order of table and rows. The ledger's newest entry
    /// of an archive tells it, so that no row can be changed or removed.
    pub record: Hash,
    /// What is wrong with the rows by themselves.
    pub damages: Vec<Damage>,
}

impl Default for Archives {
    fn default() -> Self {
        Self {
            count: 0,
            last_seq: 0,
            last_hash: Hash::ZERO,
            last_operation: 0,
            record: Record::new("archives").finish(),
            damages: Vec::new(),
        }
    }
}

impl Archives {
    fn take(&mut self, row: &Archive) {
        self.count += 1;
        if self.last_seq.checked_add(1) != Some(row.first_seq)
            || row.last_seq < row.first_seq
            || row.last_operation < self.last_operation
        {
            let why = format!("{} does not continue the one before it", row.file);
            self.damages.push(Damage::ArchiveMismatch { why });
        }
        self.last_seq = row.last_seq;
        self.last_hash = row.last_hash;
        self.last_operation = row.last_operation;
    }
}

/// Reads the list, whoever wrote it.
pub(super) async fn read(db: &mut SqliteConnection) -> Result<Archives, sqlx::Error> {
    let mut archives = Archives::default();
    let mut record = Record::new("archives");
    let mut rows = sqlx::query(
        "SELECT id, first_seq, last_seq, last_hash, last_operation, file, digest, at_ms FROM ledger_archives ORDER BY id",
    )
    .fetch(db);
    while let Some(row) = rows.try_next().await? {
        match archive(&row) {
            Ok(row) => {
                record = row.write(record);
                archives.take(&row);
            }
            Err(bad) => {
                let at = "a row of the table ledger_archives".to_owned();
                archives.damages.push(Damage::Malformed { at, why: bad.to_string() });
            }
        }
    }
    archives.record = record.finish();
    Ok(archives)
}
