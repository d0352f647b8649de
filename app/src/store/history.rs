//! Reading the history.

use std::collections::HashMap;

use super::{Store, StoreError, operations::OperationRow};
use crate::domain::{
    guest::GuestId,
    operation::{OperationId, OperationState, OperationSummary},
};

/// Which operations to read. The default is all.
#[derive(Debug, Clone, Default)]
pub struct HistoryFilter {
    /// Part of the guest's name or of the actor.
    pub text: String,
    pub state: Option<OperationState>,
    /// Only older ones.
    pub before: Option<OperationId>,
    /// At most so many.
    pub limit: u32,
}

fn summaries(rows: Vec<OperationRow>) -> Result<Vec<OperationSummary>, StoreError> {
    rows.into_iter().map(OperationSummary::try_from).collect()
}

impl Store {
    /// Newest first.
    pub async fn history(&self, filter: &HistoryFilter) -> Result<Vec<OperationSummary>, StoreError> {
        let before = filter.before.map_or(i64::MAX, |id| id.0);
        let state = filter.state.map(OperationState::as_str);
        let rows = sqlx::query_as!(
            OperationRow,
            "SELECT id, backend, guest, action, actor, address, state, started_ms, finished_ms, failure, guest_after,
                    failure_kind, title
             FROM operations
             WHERE id < ?1 AND (?2 IS NULL OR state = ?2)
               AND (?3 = '' OR instr(lower(guest), lower(?3)) > 0 OR instr(lower(actor), lower(?3)) > 0)
             ORDER BY id DESC LIMIT ?4",
            before,
            state,
            filter.text,
            filter.limit
        )
        .fetch_all(&self.pool)
        .await?;
        summaries(rows)
    }

    /// Of one guest, newest first.
    pub async fn operations_of(
        &self,
        guest: &GuestId,
        limit: u32,
    ) -> Result<Vec<OperationSummary>, StoreError> {
        let (backend, name) = (guest.backend.as_str(), guest.name.as_str());
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", backend, guest, action, actor, address, state, started_ms, finished_ms, failure,
                      guest_after, failure_kind, title
               FROM operations WHERE backend = ? AND guest = ? ORDER BY id DESC LIMIT ?"#,
            backend,
            name,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        summaries(rows)
    }

    /// The newest operation of every guest that ever had one.
    pub async fn last_operations(&self) -> Result<HashMap<GuestId, OperationSummary>, StoreError> {
        let rows = sqlx::query_as!(
            OperationRow,
            r#"SELECT id AS "id!", backend, guest, action, actor, address, state, started_ms, finished_ms, failure,
                      guest_after, failure_kind, title
               FROM operations WHERE id IN (SELECT max(id) FROM operations GROUP BY backend, guest)"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(summaries(rows)?.into_iter().map(|summary| (summary.guest.clone(), summary)).collect())
    }
}
