//! The proof of the record: the ledger held against its signatures, and every operation against the ledger.
//!
//! ```text
//!   prove(file) ──► open      read-only, beside whoever writes; nothing is migrated or changed
//!                    │ one snapshot
//!                    ├─ shape       are the tables those that Paddock makes?
//!                    ├─ chain       archives, head, entries and checkpoints in their order ──► ledger::Verifier
//!                    └─ operations  the digests of each against those that its entries tell, and the lists
//!                                by which the history finds it
//! ```
//!
//! Everything is read page by page, so that memory does not grow with the record. A row that Paddock could not have
//! written is a damage like any other; only what keeps the file from being read at all is an error.

pub(super) mod cells;
mod chain;
mod exported;
mod file;
mod lists;
mod operations;
mod shape;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, SqliteConnection};

pub use exported::{After, prove_export};

use self::{chain::Chain, operations::Operations};
use super::{
    Store,
    archives::{self, Archives},
    error::{code, primary_code},
};
use crate::ledger::{Checkpoint, Damage, PublicKey, Report};

/// How many rows are in memory at once.
const PAGE: i64 = 512;

/// What the record is held against.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Whose signatures count. Without any, those of whoever signed the newest entry.
    pub keys: Vec<PublicKey>,
    /// Checkpoints that were kept elsewhere.
    pub witnesses: Vec<Checkpoint>,
}

/// How much of a core it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All of it: somebody waits.
    Full,
    /// A quarter.
    Gentle,
}

impl Pace {
    /// Rests after the work that was begun then.
    async fn rest(self, since: Instant) {
        if self == Self::Gentle {
            tokio::time::sleep(since.elapsed().saturating_mul(3).min(Duration::from_secs(1))).await;
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The ledger by itself, and what of the operations does not agree with it.
    pub report: Report,
    /// Operations that are as they were recorded.
    pub operations: u64,
    /// Those that began before there was a ledger, so that nothing binds them.
    pub unbound: u64,
    /// Files that older entries and operations were moved into.
    pub archives: u64,
    /// When the last entry was written, milliseconds since 1970; `None` if there is none.
    pub last_ms: Option<i64>,
}

/// Why nothing can be said of a file. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error("Cannot read {path}: {detail}. Nothing was proven. See that it is there and may be read.")]
    Unreadable { path: PathBuf, detail: String },
    #[error("{path} is locked by another process. Nothing was proven. Try again once that has ended.")]
    Locked { path: PathBuf },
    #[error("{path} is no database: {detail}. Nothing was proven.")]
    NoDatabase { path: PathBuf, detail: String },
    #[error("{path} is no database of Paddock's: it has no schema of its. Nothing was proven.")]
    NotPaddocks { path: PathBuf },
    #[error(
        "{path} was written by an older Paddock (schema version {version}). Nothing was proven or changed. Verify it with the Paddock that wrote it, or open it with this one first, as `paddock serve` does."
    )]
    Older { path: PathBuf, version: i64 },
    #[error(
        "{path} was written by a newer Paddock (schema version {version}). Nothing was proven. Verify it with that one."
    )]
    Newer { path: PathBuf, version: i64 },
    #[error(
        "{path}: migration {version} is not the one this Paddock knows. Nothing was proven. Verify it with the Paddock that made it."
    )]
    Foreign { path: PathBuf, version: i64 },
    #[error("{path} was changed by another process while it was read. Nothing was proven. Try again.")]
    Changing { path: PathBuf },
}

/// Proves a database file that anybody may be using meanwhile: what it held at one moment.
pub async fn prove(path: &Path, trust: &Trust, pace: Pace) -> Result<Proof, ProveError> {
    let first = prove_once(path, trust, pace).await;
    // A server that started meanwhile: now its log is there, and is read along with the file.
    if matches!(first, Err(ProveError::Changing { .. })) {
        return prove_once(path, trust, pace).await;
    }
    first
}

async fn prove_once(path: &Path, trust: &Trust, pace: Pace) -> Result<Proof, ProveError> {
    let (mut db, access) = file::open(path).await?;
    let proof = snapshot(&mut db, trust, pace).await;
    let still = access.still_holds(path);
    // Only read: there is nothing that closing could lose.
    let _ = db.close().await;
    if !still {
        return Err(ProveError::Changing { path: path.to_owned() });
    }
    proof.map_err(|error| file::classify(path, &error))
}

impl Store {
    /// Proves the database that this Paddock itself writes, with its own key.
    pub async fn prove(&self, pace: Pace) -> Result<Proof, ProveError> {
        let trust = Trust { keys: vec![self.public_key()], witnesses: Vec::new() };
        prove(self.pool.connect_options().get_filename(), &trust, pace).await
    }
}

/// All that is read is of one moment.
async fn snapshot(db: &mut SqliteConnection, trust: &Trust, pace: Pace) -> Result<Proof, sqlx::Error> {
    let mut db = db.begin().await?;
    let mut early = Report::default();
    let shape = shape::look(&mut db).await;
    // Of tables with other columns, or with rows that cannot be told apart, nothing more can be said.
    shape.or_else(damage)?.into_iter().for_each(|found| early.add(found));
    if !early.is_sound() {
        return Ok(Proof { report: early, operations: 0, unbound: 0, archives: 0, last_ms: None });
    }
    let archives = match archives::read(&mut db).await {
        Ok(archives) => archives,
        Err(error) => Archives { damages: damage(error)?, ..Archives::default() },
    };
    let (count, archived_up_to) = (archives.count, archives.last_operation);
    let chain = Chain::look(&mut db, trust, pace, archives).await?;
    let mut held = Operations::new(chain.report, pace, chain.unbound_up_to, archived_up_to);
    if let Err(error) = held.look(&mut db).await {
        damage(error)?.into_iter().for_each(|found| held.report.add(found));
    }
    Ok(Proof {
        report: held.report,
        operations: held.sound,
        unbound: held.unbound,
        archives: count,
        last_ms: chain.last_ms,
    })
}

/// What SQLite itself finds wrong with what is in the file is a damage; that it cannot read the file is none.
fn damage(error: sqlx::Error) -> Result<Vec<Damage>, sqlx::Error> {
    if !matches!(primary_code(&error), Some(code::CORRUPT | code::ERROR)) {
        return Err(error);
    }
    let why = error.as_database_error().map_or_else(String::new, |e| e.message().to_owned());
    Ok(vec![Damage::Malformed { at: "the database".to_owned(), why }])
}
