//! The guests that were left in the lurch: those whose newest operation did not do its work.

use super::count;
use crate::{
    domain::operation::OperationSummary,
    store::{
        Store, StoreError,
        operations::{lines, readable},
    },
};

impl Store {
    /// Operations begun since then that failed, ran out of time or were interrupted, and that nothing on the same guest has
    /// followed; newest first, at most so many. Costs as much as there were such ends, however many guests there are.
    pub async fn last_failures(
        &self,
        since_ms: i64,
        limit: usize,
    ) -> Result<Vec<OperationSummary>, StoreError> {
        let limit = count(limit);
        let mut transaction = self.pool.begin().await?;
        let ids = sqlx::query_scalar!(
            r#"SELECT h.id AS "id!" FROM history_kinds AS k
               CROSS JOIN history AS h INDEXED BY history_by_kind ON h.kind = k.id AND h.started_ms >= ?
               CROSS JOIN history_subjects AS s ON s.id = h.subject
               CROSS JOIN last_operations AS l ON (l.backend, l.guest) = (s.backend, s.guest) AND l.operation_id = h.id
               WHERE k.state IN ('failed', 'timed-out', 'interrupted')
               ORDER BY h.started_ms DESC, h.id DESC LIMIT ?"#,
            since_ms,
            limit
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(readable(lines(&mut transaction, &ids).await?).collect())
    }
}
