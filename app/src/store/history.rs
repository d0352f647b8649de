//! Reading the history.

mod record;
mod search;
mod words;

use std::collections::HashMap;

pub use record::HistoryRecord;
use search::{count, ids_of};

use super::{
    Store, StoreError,
    operations::{OperationRow, readable},
};
use crate::domain::{
    guest::GuestId,
    history::{Cursor, HistoryFilter},
    operation::OperationSummary,
};

fn summaries(rows: Vec<OperationRow>) -> Result<Vec<OperationSummary>, StoreError> {
    rows.into_iter().map(OperationSummary::try_from).collect()
}

impl Store {
    /// Newest first, at most so many.
    pub async fn history(
        &self,
        filter: &HistoryFilter,
        limit: usize,
    ) -> Result<Vec<OperationSummary>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids = ids_of(&search::find(&mut transaction, filter, limit).await?);
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", origin, parent_id, children, backend, guest, node, title, action, actor, address,
                      state, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
               FROM operations WHERE id IN (SELECT value FROM json_each(?)) ORDER BY started_ms DESC, id DESC"#,
            ids
        )
        .fetch_all(&mut *transaction)
        .await?;
        summaries(rows)
    }

    /// Of one guest, newest first, at most so many; those that come after that place.
    pub async fn operations_of(
        &self,
        guest: &GuestId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<OperationSummary>, StoreError> {
        let (backend, name, limit) = (guest.backend.as_str(), guest.name.as_str(), count(limit));
        let after = after.unwrap_or(Cursor { started_ms: i64::MAX, id: i64::MAX });
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", origin, parent_id, children, backend, guest, node, title, action, actor, address,
                      state, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
               FROM operations WHERE backend = ? AND guest = ? AND (started_ms, id) < (?, ?)
               ORDER BY started_ms DESC, id DESC LIMIT ?"#,
            backend,
            name,
            after.started_ms,
            after.id,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        summaries(rows)
    }

    /// Those that have no end, oldest first, at most so many.
    pub async fn running_operations(&self, limit: u32) -> Result<Vec<OperationSummary>, StoreError> {
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", origin, parent_id, children, backend, guest, node, title, action, actor, address,
                      state, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
               FROM operations WHERE state IN ('planned', 'running') ORDER BY id LIMIT ?"#,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(readable(rows.into_iter().map(OperationSummary::try_from)))
    }

    /// The newest operation of every guest that ever had one.
    pub async fn last_operations(&self) -> Result<HashMap<GuestId, OperationSummary>, StoreError> {
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", origin, parent_id, children, backend, guest, node, title, action, actor, address,
                      state, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
               FROM operations WHERE id IN (SELECT operation_id FROM last_operations)"#
        )
        .fetch_all(&self.pool)
        .await?;
        let of_guest = |summary: OperationSummary| Some((summary.guest.clone()?, summary));
        let summaries = readable(rows.into_iter().map(OperationSummary::try_from));
        Ok(summaries.into_iter().filter_map(of_guest).collect())
    }
}
