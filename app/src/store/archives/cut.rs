//! Where a ledger can be cut: at an entry at which no operation is under way, so that each stands with its beginning and
//! its end on one side.

use std::collections::BTreeSet;

use serde::Deserialize;
use sqlx::SqliteConnection;

use super::{Archives, Bad};
use crate::{
    ledger::{Entry, Hash},
    store::{entry_kind::EntryKind, verify::cells},
};

/// Entries that are read at once.
pub(super) const PAGE: i64 = 512;

/// What is moved: the entries after `after` up to `last_seq`, and all operations up to `last_operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub after: (i64, Hash),
    pub last_seq: i64,
    pub last_hash: Hash,
    pub last_operation: i64,
    /// Operations up to this one are older than the ledger.
    pub unbound_up_to: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    operations_before: i64,
}

/// The last such place among the entries up to `end` that were written before that time, and not much further than
/// `most` entries.
pub(super) async fn find(
    db: &mut SqliteConnection,
    archives: &Archives,
    before_ms: i64,
    end: i64,
    most: i64,
) -> Result<Option<Cut>, Bad> {
    let unbound_up_to = if archives.count == 0 { operations_before(db).await? } else { 0 };
    let mut open = open_before(db, unbound_up_to).await?;
    let mut last_operation = archives.last_operation.max(unbound_up_to);
    let (mut found, mut from) = (None, archives.last_seq);
    loop {
        let page = entries(db, from, end).await?;
        let Some(last) = page.last() else { return Ok(found) };
        from = last.seq;
        for entry in &page {
            let is_enough = entry.seq.saturating_sub(archives.last_seq) > most && found.is_some();
            if entry.at_ms >= before_ms || is_enough {
                return Ok(found);
            }
            let kind = entry.kind.parse();
            match (kind, entry.operation) {
                (Ok(EntryKind::OperationBegun), Some(id)) => {
                    open.insert(id);
                    last_operation = last_operation.max(id);
                }
                (Ok(EntryKind::OperationEnded), Some(id)) => {
                    open.remove(&id);
                    // A part that began after the whole had ended: they go together.
                    open.extend(last_part(db, id).await?.filter(|part| *part > last_operation));
                }
                _ => {}
            }
            if open.is_empty() {
                let (last_seq, last_hash) = (entry.seq, entry.hash);
                let after = (archives.last_seq, archives.last_hash);
                found = Some(Cut { after, last_seq, last_hash, last_operation, unbound_up_to });
            }
        }
    }
}

fn detail(entry: &Entry) -> Detail {
    serde_json::from_str(&entry.detail).unwrap_or_default()
}

async fn operations_before(db: &mut SqliteConnection) -> Result<i64, Bad> {
    let first = entries(db, 0, 1).await?;
    Ok(first.first().map_or(0, |entry| detail(entry).operations_before))
}

/// Operations that are older than the ledger, but end within it or have not ended yet.
async fn open_before(db: &mut SqliteConnection, unbound_up_to: i64) -> Result<BTreeSet<i64>, Bad> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM operations WHERE id <= ?1 AND state IN ('planned', 'running')
         UNION SELECT operation FROM ledger WHERE operation <= ?1 AND kind = ?2",
    )
    .bind(unbound_up_to)
    .bind(EntryKind::OperationEnded.as_str())
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

async fn last_part(db: &mut SqliteConnection, whole: i64) -> Result<Option<i64>, Bad> {
    let query = sqlx::query_scalar("SELECT max(id) FROM operations WHERE parent_id = ?");
    Ok(query.bind(whole).fetch_one(db).await?)
}

/// A page of those after one up to another.
pub(super) async fn entries(db: &mut SqliteConnection, after: i64, last: i64) -> Result<Vec<Entry>, Bad> {
    let rows = sqlx::query(
        "SELECT seq, at_ms, kind, actor, address, subject, operation, detail, previous, hash
         FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
    )
    .bind(after)
    .bind(last)
    .bind(PAGE)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| Ok(cells::entry(row)?)).collect()
}
