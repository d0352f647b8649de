//! Moving the old part of the record into files.
//!
//! ```text
//!   prove ──► cut ──► write ──► prove the file ──► its name, on disk ──► one transaction: list, entry, removal
//!                                                     │                      │
//!                     all is in the database ◄────────┴──────────────────────┴──► all is in the file
//! ```
//!
//! What is moved cannot change any more, so that nobody waits but for the last step.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde_json::json;
use sqlx::SqliteConnection;

use super::{
    Archive, Bad,
    cut::{self, Cut},
    read, write,
};
use crate::{
    backend::now_ms,
    ledger::Hash,
    store::{
        By, EntryKind, Fact, Store, StoreError, access,
        verify::{Pace, Proof, ProveError, Trust, prove_export},
    },
};

/// Entries of one file, more or less: as many rows as can be removed while others wait.
const ENTRIES: i64 = 20_000;

/// Part of the record that was moved into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub file: PathBuf,
    pub first_seq: i64,
    pub last_seq: i64,
    pub operations: u64,
}

/// Why nothing more was archived. What is told to be archived is; all else is in the database as it was.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(
        "The history is not as it was recorded: {first} Nothing was archived, so that it can be looked into where it is. See paddock verify."
    )]
    Unsound { first: String },
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("A row of the history cannot be read: {0}. It was left in the database.")]
    Row(String),
    #[error(
        "{path} cannot be written: {source}. That part of the history was left in the database. See that the directory exists, is writable and has room."
    )]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} does not prove what was written to it: {first} That part was left in the database.")]
    Unproven { path: PathBuf, first: String },
    #[error("Another Paddock is archiving at the same time. Its archive stands; try again.")]
    Taken,
}

impl Store {
    /// Moves all entries that were written before that time, with the operations they tell of, into files of this
    /// directory, which is made if it is not there. What is still under way then stays, and all after it.
    pub async fn archive(
        &self,
        before_ms: i64,
        into: &Path,
        by: By<'_>,
        pace: Pace,
    ) -> Result<Vec<Archived>, ArchiveError> {
        self.archive_in_parts(before_ms, into, by, pace, ENTRIES).await
    }

    /// The same with another number of entries in each file.
    pub async fn archive_in_parts(
        &self,
        before_ms: i64,
        into: &Path,
        by: By<'_>,
        pace: Pace,
        entries: i64,
    ) -> Result<Vec<Archived>, ArchiveError> {
        let mut done = Vec::new();
        // Each archive is recorded by an entry of its own, which is left for another day.
        let Some(end) = self.last_entry().await? else { return Ok(done) };
        while let Some(cut) = self.next_cut(before_ms, end, entries).await? {
            if done.is_empty() {
                // A signed file must not make good what was changed.
                sound(&self.prove(pace).await?).map_err(|first| ArchiveError::Unsound { first })?;
            }
            done.push(self.archive_part(&cut, into, by).await?);
        }
        Ok(done)
    }

    async fn last_entry(&self) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query!(r#"SELECT max(seq) AS "seq: i64" FROM ledger"#).fetch_one(&self.pool).await?;
        Ok(row.seq)
    }

    async fn next_cut(&self, before_ms: i64, end: i64, entries: i64) -> Result<Option<Cut>, ArchiveError> {
        let mut snapshot = self.pool.begin().await.map_err(StoreError::from)?;
        let archives = read(&mut snapshot).await.map_err(StoreError::from)?;
        let cut = cut::find(&mut snapshot, &archives, before_ms, end, entries).await;
        cut.map_err(|bad| bad.at(Path::new("the database")))
    }

    async fn archive_part(&self, cut: &Cut, into: &Path, by: By<'_>) -> Result<Archived, ArchiveError> {
        let name = format!("paddock-{:012}-{:012}.jsonl", cut.after.0 + 1, cut.last_seq);
        let (file, new) = (into.join(&name), into.join(format!(".{name}.new")));
        let failed = |source| ArchiveError::Write { path: file.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(into).map_err(failed)?;
        let written = self.write_part(cut, &new).await.map_err(|bad| bad.at(&file));
        let placed = written.and_then(|digest| {
            self.prove_part(cut, &new)?;
            fs::rename(&new, &file).and_then(|()| fs::File::open(into)?.sync_all()).map_err(failed)?;
            Ok(digest)
        });
        if placed.is_err() {
            // What is left of it would only be in the way of the next try.
            let _ = fs::remove_file(&new);
        }
        let operations = self.remove_part(cut, &file, placed?, by).await?;
        Ok(Archived { file, first_seq: cut.after.0 + 1, last_seq: cut.last_seq, operations })
    }

    /// On disk when it returns.
    async fn write_part(&self, cut: &Cut, new: &Path) -> Result<Hash, Bad> {
        if let Err(error) = fs::remove_file(new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
        let out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
        let out = write::Digested::new(io::BufWriter::new(out));
        let mut snapshot = self.pool.begin().await?;
        let out = write::archive(&mut snapshot, out, cut, &self.signer, now_ms()).await?;
        let (out, digest) = out.finish();
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(digest)
    }

    fn prove_part(&self, cut: &Cut, new: &Path) -> Result<(), ArchiveError> {
        let trust = Trust { keys: vec![self.public_key()], witnesses: Vec::new() };
        let proof = prove_export(new, &trust, Some(cut.after))?;
        let whole = sound(&proof).and_then(|()| match proof.report.end {
            Some(end) if end == (cut.last_seq, cut.last_hash) => Ok(()),
            _ => Err("it does not end where it should.".to_owned()),
        });
        whole.map_err(|first| ArchiveError::Unproven { path: new.to_owned(), first })
    }

    /// The file stands: now it is the place of what is in it. Says how many operations there were.
    async fn remove_part(
        &self,
        cut: &Cut,
        file: &Path,
        digest: Hash,
        by: By<'_>,
    ) -> Result<u64, ArchiveError> {
        let mut transaction = self.writing().await?;
        let before = read(&mut transaction).await.map_err(StoreError::from)?;
        if (before.last_seq, before.last_hash) != cut.after {
            return Err(ArchiveError::Taken);
        }
        // While the list of archives still says that they are in the database.
        let access = access::at_cut(&mut transaction, cut.last_seq).await?;
        let row = Archive {
            id: i64::try_from(before.count).unwrap_or(i64::MAX).saturating_add(1),
            first_seq: cut.after.0 + 1,
            last_seq: cut.last_seq,
            last_hash: cut.last_hash,
            last_operation: cut.last_operation,
            file: file.display().to_string(),
            digest,
            at_ms: by.at_ms,
        };
        insert(&mut transaction, &row).await.map_err(StoreError::from)?;
        let list = read(&mut transaction).await.map_err(StoreError::from)?.record;
        let operations = remove(&mut transaction, cut).await.map_err(StoreError::from)?;
        let mut detail = json!({
            "file": row.file,
            "first_seq": row.first_seq,
            "last_seq": row.last_seq,
            "last_operation": row.last_operation,
            "operations": operations,
            "digest": digest.to_string(),
            "archives": list.to_string(),
        });
        // What the entries about users and rights came to, which are in the file from now on.
        if let Some((access, at_ms)) = access {
            detail["access"] = json!(access);
            detail["access_ms"] = json!(at_ms);
        }
        self.commit_with(transaction, [Fact::new(EntryKind::Archived, by).with(detail)]).await?;
        Ok(operations)
    }
}

async fn insert(db: &mut SqliteConnection, row: &Archive) -> Result<(), sqlx::Error> {
    let (last_hash, digest) = (row.last_hash.0.as_slice(), row.digest.0.as_slice());
    sqlx::query!(
        "INSERT INTO ledger_archives (id, first_seq, last_seq, last_hash, last_operation, file, digest, at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row.id,
        row.first_seq,
        row.last_seq,
        last_hash,
        row.last_operation,
        row.file,
        digest,
        row.at_ms
    )
    .execute(db)
    .await?;
    Ok(())
}

/// That a Proxmox task is known stays in the table of tasks.
async fn remove(db: &mut SqliteConnection, cut: &Cut) -> Result<u64, sqlx::Error> {
    let (operation, seq) = (cut.last_operation, cut.last_seq);
    sqlx::query!("DELETE FROM operation_output WHERE operation_id <= ?", operation).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM operation_steps WHERE operation_id <= ?", operation).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM last_operations WHERE operation_id <= ?", operation).execute(&mut *db).await?;
    let gone = sqlx::query!("DELETE FROM operations WHERE id <= ?", operation).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM ledger WHERE seq <= ?", seq).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM ledger_checkpoints WHERE seq <= ?", seq).execute(db).await?;
    Ok(gone.rows_affected())
}

fn sound(proof: &Proof) -> Result<(), String> {
    proof.report.first().map_or(Ok(()), |first| Err(first.to_string()))
}
