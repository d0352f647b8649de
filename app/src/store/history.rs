//! Reading the history.

mod last_failures;
mod plan;
mod record;
mod search;
mod words;

use std::collections::HashMap;

use plan::PAGE;
pub use record::HistoryRecord;
use search::count;

use super::{
    Store, StoreError,
    operations::{OperationRow, lines, readable, rows},
};
use crate::domain::{
    guest::GuestId,
    history::{Cursor, HistoryFilter},
    operation::{Line, OperationId, OperationSummary},
};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// Newest first.
    pub operations: Vec<T>,
    /// Where a search stopped that would have taken too long: nothing older was looked at, and fewer were found than
    /// wanted. It goes on after there. `None` if there are no more of them.
    pub stopped: Option<Cursor>,
}

/// What has come into the history since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    pub newest: OperationId,
    /// Older ones are in an archive; `None` for an empty history.
    pub oldest: Option<OperationId>,
    /// In the order of their numbers.
    pub operations: Vec<OperationSummary>,
}

impl Store {
    /// Newest first, at most so many.
    pub async fn history(&self, filter: &HistoryFilter, limit: usize) -> Result<Part<Line>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let found = search::find(&mut transaction, filter, limit, PAGE).await?;
        let ids: Vec<i64> = found.places.iter().map(|place| place.id).collect();
        Ok(Part { operations: lines(&mut transaction, &ids).await?, stopped: found.stopped })
    }

    /// Of one guest, newest first, at most so many; those that come after that place.
    pub async fn operations_of(
        &self,
        guest: &GuestId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Line>, StoreError> {
        let (backend, name, limit) = (guest.backend.as_str(), guest.name.as_str(), count(limit));
        let after = after.unwrap_or(Cursor { started_ms: i64::MAX, id: i64::MAX });
        let mut transaction = self.pool.begin().await?;
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM operations WHERE backend = ? AND guest = ? AND (started_ms, id) < (?, ?)
               ORDER BY started_ms DESC, id DESC LIMIT ?"#,
            backend,
            name,
            after.started_ms,
            after.id,
            limit
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(lines(&mut transaction, &ids).await?)
    }

    /// Those that have no end, oldest first, at most so many.
    pub async fn running_operations(&self, limit: u32) -> Result<Vec<OperationSummary>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM operations WHERE state IN ('planned', 'running') ORDER BY id LIMIT ?"#,
            limit
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(readable(lines(&mut transaction, &ids).await?).collect())
    }

    /// Those that began after `newest`, in this database, and how `known` are now.
    pub async fn newer_operations(
        &self,
        newest: OperationId,
        known: &[OperationId],
    ) -> Result<Newer, StoreError> {
        let known = serde_json::json!(known).to_string();
        let mut transaction = self.pool.begin().await?;
        // Each by itself is one step down the tree; both in one go are a walk through all of it.
        let ends = sqlx::query!(
            r#"SELECT (SELECT min(id) FROM operations) AS "oldest?: i64",
                      (SELECT max(id) FROM operations) AS "newest?: i64""#
        )
        .fetch_one(&mut *transaction)
        .await?;
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM operations WHERE id > ? OR id IN (SELECT value FROM json_each(?))
               ORDER BY id"#,
            newest.0,
            known
        )
        .fetch_all(&mut *transaction)
        .await?;
        let operations = readable(lines(&mut transaction, &ids).await?).collect();
        let newest = OperationId(ends.newest.unwrap_or(0));
        Ok(Newer { newest, oldest: ends.oldest.map(OperationId), operations })
    }

    /// The newest operation of every guest that ever had one.
    pub async fn last_operations(&self) -> Result<HashMap<GuestId, OperationSummary>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids = sqlx::query_scalar!(
            r#"SELECT json_group_array(operation_id) AS "ids!: String" FROM last_operations"#
        )
        .fetch_one(&mut *transaction)
        .await?;
        let summaries = readable(rows(&mut transaction, &ids).await?.into_iter().map(OperationRow::line));
        Ok(summaries.filter_map(|summary| Some((summary.guest.clone()?, summary))).collect())
    }
}
