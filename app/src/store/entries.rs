//! Reading the ledger, newest entries first.

use sqlx::SqliteConnection;

use super::{EntryKind, Store, StoreError, text::Text};
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

/// An entry as it stands in the database.
#[derive(Debug, Clone)]
pub struct ReadEntry {
    /// Where it is damaged, with as much of each text as can be read, and with zeros in the place of what is no hash.
    pub entry: Entry,
    /// What is wrong with one that cannot be read as an entry, as a clause. That one can be read proves nothing.
    pub damaged: Option<String>,
}

struct EntryRow {
    seq: i64,
    at_ms: i64,
    kind: Text,
    actor: Option<Text>,
    address: Option<Text>,
    subject: Option<Text>,
    operation: Option<i64>,
    detail: Text,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

impl EntryRow {
    fn fault(&self) -> Option<String> {
        let texts = [
            ("kind", Some(&self.kind)),
            ("actor", self.actor.as_ref()),
            ("address", self.address.as_ref()),
            ("subject", self.subject.as_ref()),
            ("detail", Some(&self.detail)),
        ];
        let hashes = [("previous hash", &self.previous), ("hash", &self.hash)];
        let text = texts.into_iter().find(|(_, text)| text.is_some_and(|text| !text.is_text()));
        let hash = hashes.into_iter().find(|(_, hash)| hash.len() != Hash::ZERO.0.len());
        text.map(|(name, _)| format!("its {name} is no text"))
            .or_else(|| hash.map(|(name, _)| format!("its {name} is none")))
    }

    fn read(self) -> ReadEntry {
        let damaged = self.fault();
        let maybe = |text: Option<Text>| text.map(Text::legible);
        let hash = |bytes: Vec<u8>| bytes.try_into().map_or(Hash::ZERO, Hash);
        let entry = Entry {
            seq: self.seq,
            at_ms: self.at_ms,
            kind: self.kind.legible(),
            actor: maybe(self.actor),
            address: maybe(self.address),
            subject: maybe(self.subject),
            operation: self.operation,
            detail: self.detail.legible(),
            previous: hash(self.previous),
            hash: hash(self.hash),
        };
        ReadEntry { entry, damaged }
    }
}

/// All of that kind among those that belong to no operation, oldest first. At once, however long the ledger is.
pub(super) async fn of_kind(
    connection: &mut SqliteConnection,
    kind: EntryKind,
) -> Result<Vec<ReadEntry>, StoreError> {
    between(connection, kind, 0, i64::MAX).await
}

/// The same, after one entry and up to another; of grants also those that ended with their guest.
pub(super) async fn between(
    connection: &mut SqliteConnection,
    kind: EntryKind,
    after: i64,
    last: i64,
) -> Result<Vec<ReadEntry>, StoreError> {
    let kind = kind.as_str();
    let rows = sqlx::query_as!(
        EntryRow,
        r#"SELECT seq AS "seq!", at_ms, kind AS "kind: Text", actor AS "actor: Text", address AS "address: Text",
                  subject AS "subject: Text", operation, detail AS "detail: Text", previous, hash
           FROM ledger WHERE kind = ?1 AND operation IS NULL AND seq > ?2 AND seq <= ?3
           UNION ALL
           SELECT seq, at_ms, kind, actor, address, subject, operation, detail, previous, hash
           FROM ledger
           WHERE kind = 'grant-removed' AND kind = ?1 AND operation IS NOT NULL AND seq > ?2 AND seq <= ?3
           ORDER BY 1"#,
        kind,
        after,
        last
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(EntryRow::read).collect())
}

impl Store {
    /// Newest first. Reads past what does not fit, so a kind that is rare takes longer the longer the ledger is.
    pub async fn ledger_page(&self, filter: &LedgerFilter) -> Result<Vec<ReadEntry>, StoreError> {
        let before = filter.before.unwrap_or(i64::MAX);
        let kind = filter.kind.map(EntryKind::as_str);
        let rows = sqlx::query_as!(
            EntryRow,
            r#"SELECT seq AS "seq!", at_ms, kind AS "kind: Text", actor AS "actor: Text", address AS "address: Text",
                      subject AS "subject: Text", operation, detail AS "detail: Text", previous, hash
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
        Ok(rows.into_iter().map(EntryRow::read).collect())
    }

    /// The newest entry of this kind among those that belong to no operation. At once, however long the ledger is.
    pub async fn newest_entry(&self, kind: EntryKind) -> Result<Option<Entry>, StoreError> {
        let kind = kind.as_str();
        let row = sqlx::query_as!(
            EntryRow,
            r#"SELECT seq AS "seq!", at_ms, kind AS "kind: Text", actor AS "actor: Text", address AS "address: Text",
                      subject AS "subject: Text", operation, detail AS "detail: Text", previous, hash
               FROM ledger WHERE kind = ? AND operation IS NULL ORDER BY seq DESC LIMIT 1"#,
            kind
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(ReadEntry { entry, damaged }) = row.map(EntryRow::read) else { return Ok(None) };
        match damaged {
            None => Ok(Some(entry)),
            Some(what) => Err(StoreError::Damaged { table: "ledger", id: entry.seq, what }),
        }
    }
}
