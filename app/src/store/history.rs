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
            "SELECT id, origin, parent_id, children, backend, guest, node, title, action, actor, address, state,
                    started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
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
            r#"SELECT id AS "id!", origin, parent_id, children, backend, guest, node, title, action, actor, address,
                      state, started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
               FROM operations WHERE backend = ? AND guest = ? ORDER BY started_ms DESC, id DESC LIMIT ?"#,
            backend,
            name,
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
        summaries(rows)
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
        Ok(summaries(rows)?.into_iter().filter_map(of_guest).collect())
    }
}
