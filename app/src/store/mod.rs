//! STORE: what outlives a restart, in SQLite.
//!
//! Rows are private structs that convert into domain types; no SQL stands anywhere else. Every query is checked
//! against `migrations/` when Paddock is compiled, but for those of the proof (`verify`), which believes no type.

mod access;
mod archives;
mod entries;
mod entry_kind;
mod error;
mod export;
mod factors;
mod history;
mod ledger;
mod mend;
mod open;
mod operations;
mod outside;
mod passwords;
mod saved_views;
mod sessions;
mod text;
mod tokens;
mod users;
mod verify;

use std::sync::Arc;

use sqlx::SqlitePool;

use crate::ledger::Signer;

pub use access::{AccessRecord, NewGrant};
pub use archives::{ArchiveError, Archived};
pub use entries::{LedgerFilter, ReadEntry};
pub use entry_kind::{EntryKind, UnknownKind};
pub use error::StoreError;
pub use factors::{Factor, NewFactor};
pub use history::{HistoryRecord, Newer, Part};
pub use ledger::{By, CHECKPOINT_TARGET, Fact};
pub use open::{OpenError, public_key_file};
pub use operations::{Begun, End, LiveOperation, NewOperation, Progress, plan_hash};
pub use outside::{Beginner, Ended, Import, KnownGuest, LastDone, Noted, Observed, Source};
pub use sessions::{Known, NewSession, Session, Watch};
pub use tokens::{NewToken, Token};
pub use users::{Changed, LOCAL, NewUser, User, UserChange, UserId, user_subject};
pub use verify::{After, Pace, Proof, ProveError, Trust, prove, prove_export};

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    signer: Arc<Signer>,
}

impl Store {
    /// For the session layer, which brings its own table.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// A key for a purpose, that is not in the database: as long as the ledger's key is the same, it is.
    pub fn key_for(&self, purpose: &str) -> [u8; 32] {
        self.signer.derived(purpose)
    }

    /// Closes all connections, which also folds the write-ahead log into the database file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
