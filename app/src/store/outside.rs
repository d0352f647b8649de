//! What happens outside Paddock: Proxmox tasks of others, and changes that were only seen.
//!
//! Each record is written whole, with its entries in the ledger and with the mark that keeps it from being written a
//! second time, in one transaction.

mod guests;
mod tasks;

pub use guests::{KnownGuest, LastDone, Noted, Observed};
pub use tasks::{Beginner, Ended, Import};

use super::{Store, StoreError};
use crate::domain::guest::BackendKind;

/// Something that tells what happened outside Paddock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The tasks of the Proxmox cluster.
    Tasks,
    /// The guests of a backend.
    Guests(BackendKind),
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Guests(kind) => kind.as_str(),
        }
    }
}

impl Store {
    /// Up to when everything that the source had to tell has been recorded, milliseconds since 1970; `None` if it was
    /// never read.
    pub async fn read_until(&self, source: Source) -> Result<Option<i64>, StoreError> {
        let source = source.as_str();
        let row = sqlx::query!("SELECT until_ms FROM outside_read WHERE source = ?", source)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.until_ms))
    }

    pub async fn note_read(&self, source: Source, until_ms: i64) -> Result<(), StoreError> {
        let source = source.as_str();
        sqlx::query!(
            "INSERT INTO outside_read (source, until_ms) VALUES (?, ?)
             ON CONFLICT (source) DO UPDATE SET until_ms = excluded.until_ms",
            source,
            until_ms
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
