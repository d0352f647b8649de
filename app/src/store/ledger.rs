//! The ledger in the database: entries appended inside the transaction of what they record.

use serde_json::json;
use sqlx::SqliteConnection;

use super::{EntryKind, Store, StoreError};
use crate::ledger::{Checkpoint, Entry, Hash, NewEntry, PublicKey, Signature};

/// A signed checkpoint stays for good after so many entries.
pub(super) const CHECKPOINT_EVERY: i64 = 100;
/// The log target of checkpoints: whoever keeps these lines can prove later that nothing was cut off.
pub const CHECKPOINT_TARGET: &str = "paddock::checkpoint";

/// Who did something, as far as is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct By<'a> {
    pub actor: Option<&'a str>,
    pub address: Option<&'a str>,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// An entry about to be written.
#[derive(Debug, Clone)]
pub struct Fact<'a> {
    pub kind: EntryKind,
    pub by: By<'a>,
    /// `lxc/web1`, `user:anna`.
    pub subject: Option<String>,
    pub operation: Option<i64>,
    /// A JSON object; no secrets.
    pub detail: serde_json::Value,
}

impl<'a> Fact<'a> {
    pub fn new(kind: EntryKind, by: By<'a>) -> Self {
        Self { kind, by, subject: None, operation: None, detail: json!({}) }
    }

    #[must_use]
    pub fn on(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    #[must_use]
    pub fn of(mut self, operation: i64) -> Self {
        self.operation = Some(operation);
        self
    }

    #[must_use]
    pub fn with(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}

impl Store {
    /// A transaction that is going to write: it waits for its turn at its beginning, where nothing can be lost yet.
    pub(super) async fn writing(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        // By a task of its own, which is not given up with whoever waits for it: sqlx 0.8 begins, then looks whether it has,
        // and dropped in between it would leave the connection to others in a transaction that nobody ends.
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with("BEGIN IMMEDIATE").await }).await;
        Ok(begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))?)
    }

    /// Records what has no row of its own: a refusal, a log-in.
    pub async fn record(&self, fact: Fact<'_>) -> Result<(), StoreError> {
        self.commit_with(self.writing().await?, [fact]).await
    }

    /// Commits a transaction of [`writing`](Self::writing) together with the facts that it brings about.
    pub(super) async fn commit_with<'a>(
        &self,
        mut transaction: sqlx::Transaction<'static, sqlx::Sqlite>,
        facts: impl IntoIterator<Item = Fact<'a>>,
    ) -> Result<(), StoreError> {
        let mut checkpoints = Vec::new();
        for fact in facts {
            checkpoints.extend(self.append(&mut transaction, fact).await?);
        }
        transaction.commit().await?;
        for checkpoint in &checkpoints {
            announce(Some(checkpoint));
        }
        Ok(())
    }

    /// Appends an entry in the caller's transaction, which must be one of [`writing`](Self::writing). [`announce`]
    /// what is returned once that is committed.
    pub(super) async fn append(
        &self,
        transaction: &mut SqliteConnection,
        fact: Fact<'_>,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let (last, previous) = end_of_chain(transaction).await?;
        let next = last.checked_add(1).ok_or_else(|| StoreError::Damaged {
            table: "ledger",
            id: last,
            what: "no number is left after it".to_owned(),
        })?;
        let detail = fact.detail.to_string();
        let entry = NewEntry {
            at_ms: fact.by.at_ms,
            kind: fact.kind.as_str(),
            actor: fact.by.actor,
            address: fact.by.address,
            subject: fact.subject.as_deref(),
            operation: fact.operation,
            detail: &detail,
        }
        .seal(next, previous);
        insert(transaction, &entry).await?;
        let checkpoint = self.signer.checkpoint(entry.seq, entry.hash, entry.at_ms);
        set_head(transaction, &checkpoint).await?;
        if entry.seq % CHECKPOINT_EVERY != 0 {
            return Ok(None);
        }
        keep(transaction, &checkpoint).await?;
        Ok(Some(checkpoint))
    }

    /// Writes the first entry of a ledger that has none: what was recorded before it is not bound by it.
    pub(super) async fn begin_ledger(&self) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        if end_of_chain(&mut transaction).await?.0 > 0 {
            return Ok(());
        }
        let older = sqlx::query!(r#"SELECT coalesce(max(id), 0) AS "id!: i64" FROM operations"#)
            .fetch_one(&mut *transaction)
            .await?;
        let accounts = sqlx::query!(r#"SELECT count(*) AS "count!: i64" FROM users"#)
            .fetch_one(&mut *transaction)
            .await?;
        let key = self.signer.public_key().to_string();
        let by = By { at_ms: crate::backend::now_ms(), ..By::default() };
        let detail = json!({ "key": key, "operations_before": older.id, "accounts_before": accounts.count });
        self.append(&mut transaction, Fact::new(EntryKind::LedgerBegun, by).with(detail)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Signs the newest entry for good: for the end of a server's life.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        let Some(head) = head(&mut transaction).await? else { return Ok(()) };
        keep(&mut transaction, &head).await?;
        transaction.commit().await?;
        announce(Some(&head));
        Ok(())
    }

    /// The key that its checkpoints are signed with.
    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }
}

/// To the log, and so to the host's journal, beyond the reach of whoever changes the database.
pub(super) fn announce(checkpoint: Option<&Checkpoint>) {
    if let Some(checkpoint) = checkpoint {
        tracing::info!(target: CHECKPOINT_TARGET, "{checkpoint}");
    }
}

/// The number and the hash that the next entry follows. A tail that was cut off leaves a gap, so that the loss stays
/// to be seen; its numbers are not given anew.
async fn end_of_chain(connection: &mut SqliteConnection) -> Result<(i64, Hash), StoreError> {
    let last = sqlx::query!(r#"SELECT seq AS "seq!", hash FROM ledger ORDER BY seq DESC LIMIT 1"#)
        .fetch_optional(&mut *connection)
        .await?;
    let archived =
        sqlx::query!("SELECT last_seq, last_hash FROM ledger_archives ORDER BY last_seq DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let head = sqlx::query!("SELECT seq FROM ledger_head").fetch_optional(&mut *connection).await?;
    let (seq, hash) = match (last, archived) {
        (Some(last), _) => (last.seq, last.hash),
        (None, Some(archived)) => (archived.last_seq, archived.last_hash),
        (None, None) => (0, Hash::ZERO.0.to_vec()),
    };
    // A hash that is none was put there by hand, which is found; what comes after it must be recorded all the same.
    let hash = fixed("ledger", seq, hash).map_or(Hash::ZERO, Hash);
    Ok((seq.max(head.map_or(0, |head| head.seq)), hash))
}

async fn insert(connection: &mut SqliteConnection, entry: &Entry) -> Result<(), StoreError> {
    let (previous, hash) = (entry.previous.0.as_slice(), entry.hash.0.as_slice());
    sqlx::query!(
        "INSERT INTO ledger (seq, at_ms, kind, actor, address, subject, operation, detail, previous, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        entry.seq,
        entry.at_ms,
        entry.kind,
        entry.actor,
        entry.address,
        entry.subject,
        entry.operation,
        entry.detail,
        previous,
        hash
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn set_head(connection: &mut SqliteConnection, head: &Checkpoint) -> Result<(), StoreError> {
    let (hash, key, signature) = (head.hash.0.as_slice(), head.key.0.as_slice(), head.signature.0.as_slice());
    sqlx::query!(
        "INSERT INTO ledger_head (only_one, seq, hash, at_ms, key, signature) VALUES (1, ?, ?, ?, ?, ?)
         ON CONFLICT (only_one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at_ms = excluded.at_ms,
                                              key = excluded.key, signature = excluded.signature",
        head.seq,
        hash,
        head.at_ms,
        key,
        signature
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn keep(connection: &mut SqliteConnection, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let (hash, key, signature) =
        (checkpoint.hash.0.as_slice(), checkpoint.key.0.as_slice(), checkpoint.signature.0.as_slice());
    sqlx::query!(
        "INSERT INTO ledger_checkpoints (seq, hash, at_ms, key, signature) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (seq) DO NOTHING",
        checkpoint.seq,
        hash,
        checkpoint.at_ms,
        key,
        signature
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Option<Checkpoint>, StoreError> {
    let row = sqlx::query!("SELECT seq, hash, at_ms, key, signature FROM ledger_head")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Checkpoint {
            seq: row.seq,
            hash: Hash(fixed("ledger_head", row.seq, row.hash)?),
            at_ms: row.at_ms,
            key: PublicKey(fixed("ledger_head", row.seq, row.key)?),
            signature: Signature(fixed("ledger_head", row.seq, row.signature)?),
        })
    })
    .transpose()
}

/// A blob of the length that the schema demands.
pub(super) fn fixed<const N: usize>(
    table: &'static str,
    id: i64,
    bytes: Vec<u8>,
) -> Result<[u8; N], StoreError> {
    let length = bytes.len();
    let damaged = |_| StoreError::Damaged { table, id, what: format!("{length} bytes where {N} belong") };
    bytes.try_into().map_err(damaged)
}
