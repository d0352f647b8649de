//! Reading the ledger, newest entries first.

use super::{Store, StoreError, ledger::EntryKind, ledger::fixed};
use crate::ledger::{Entry, Hash};

/// Which entries to read. The default is all, but none at a time.
#[derive(Debug, Clone, Default)]
pub struct LedgerFilter {
    /// Only older ones.
    pub before: Option<i64>,
    pub kind: Option<EntryKind>,
    /// Exactly this one.
    pub actor: Option<String>,
    /// At most so many.
    pub limit: u32,
}

struct EntryRow {
    seq: i64,
    at_ms: i64,
    kind: String,
    actor: Option<String>,
    address: Option<String>,
    subject: Option<String>,
    operation: Option<i64>,
    detail: String,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

impl TryFrom<EntryRow> for Entry {
    type Error = StoreError;
    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        Ok(Self {
            previous: Hash(fixed("ledger", row.seq, row.previous)?),
            hash: Hash(fixed("ledger", row.seq, row.hash)?),
            seq: row.seq,
            at_ms: row.at_ms,
            kind: row.kind,
            actor: row.actor,
            address: row.address,
            subject: row.subject,
            operation: row.operation,
            detail: row.detail,
        })
    }
}

impl Store {
    /// Newest first. Reads past what does not fit, so a kind that is rare takes longer the longer the ledger is.
    pub async fn ledger_page(&self, filter: &LedgerFilter) -> Result<Vec<Entry>, StoreError> {
        let before = filter.before.unwrap_or(i64::MAX);
        let kind = filter.kind.map(EntryKind::as_str);
        let rows = sqlx::query_as!(
            EntryRow,
            r#"SELECT seq AS "seq!", at_ms, kind, actor, address, subject, operation, detail, previous, hash
               FROM ledger
               WHERE seq < ?1 AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR actor = ?3)
               ORDER BY seq DESC LIMIT ?4"#,
            before,
            kind,
            filter.actor,
            filter.limit
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    /// The newest entry of this kind among those that belong to no operation. At once, however long the ledger is.
    pub async fn newest_entry(&self, kind: EntryKind) -> Result<Option<Entry>, StoreError> {
        let kind = kind.as_str();
        let row = sqlx::query_as!(
            EntryRow,
            r#"SELECT seq AS "seq!", at_ms, kind, actor, address, subject, operation, detail, previous, hash
               FROM ledger WHERE kind = ? AND operation IS NULL ORDER BY seq DESC LIMIT 1"#,
            kind
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(Entry::try_from).transpose()
    }
}
