//! Reading the history.

use std::collections::HashMap;

use super::{
    Store, StoreError,
    operations::{OperationRow, readable},
};
use crate::domain::{
    guest::GuestId,
    history::{ActionFilter, Cursor, HistoryFilter, UserFilter},
    operation::{OperationSummary, Origin},
};

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

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
        let mut query = sqlx::QueryBuilder::new(
            "SELECT id, origin, parent_id, children, backend, guest, node, title, action, actor, address, state,
                    started_ms, running_ms, finished_ms, failure, failure_kind, guest_after
             FROM operations WHERE true",
        );
        if let Some(guest) = &filter.guest {
            query.push(" AND (guest = ").push_bind(guest).push(" OR title = ").push_bind(guest).push(")");
        }
        if let Some(backend) = filter.backend {
            query.push(" AND backend = ").push_bind(backend.as_str());
        }
        match &filter.user {
            Some(UserFilter::Named(name)) => {
                query.push(" AND actor = ").push_bind(name);
            }
            Some(UserFilter::Unknown) => {
                query.push(" AND actor IS NULL");
            }
            None => {}
        }
        match &filter.action {
            Some(ActionFilter::Action(action)) => {
                query.push(" AND action = ").push_bind(action.as_str());
            }
            Some(ActionFilter::Task(kind)) => {
                query.push(" AND action = ").push_bind(format!("task:{kind}"));
            }
            Some(ActionFilter::AnyTask) => {
                query.push(" AND origin = ").push_bind(Origin::Task.as_str());
            }
            Some(ActionFilter::Observed) => {
                query.push(" AND origin = ").push_bind(Origin::Observed.as_str());
            }
            None => {}
        }
        if let Some(results) = &filter.results {
            query.push(" AND state IN (");
            let mut states = query.separated(", ");
            for state in results.states() {
                states.push_bind(*state);
            }
            query.push(")");
        }
        if let Some(from) = filter.from_ms {
            query.push(" AND started_ms >= ").push_bind(from);
        }
        if let Some(to) = filter.to_ms {
            query.push(" AND started_ms < ").push_bind(to);
        }
        if let Some(text) = &filter.text {
            query.push(
                " AND instr(lower(concat_ws(char(10), guest, title, actor, failure, node, action)), lower(",
            );
            query.push_bind(text).push(")) > 0");
        }
        if let Some(after) = filter.after {
            query.push(" AND (started_ms, id) < (").push_bind(after.started_ms).push(", ");
            query.push_bind(after.id).push(")");
        }
        query.push(" ORDER BY started_ms DESC, id DESC LIMIT ").push_bind(count(limit));
        let rows: Vec<OperationRow> = query.build_query_as().fetch_all(&self.pool).await?;
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
