//! Saved views of the guests' list: one's own and nobody else's, so no entry of the ledger tells of them.

use super::{Changed, Store, StoreError, UserId};
use crate::domain::list::{
    ListQuery,
    saved::{NewView, SavedView, ViewId},
};

impl Store {
    /// A user's views, oldest first.
    pub async fn views_of(&self, user: UserId) -> Result<Vec<SavedView>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id AS "id!", name, filter, sort, grouping FROM saved_views WHERE user_id = ? ORDER BY id"#,
            user.0
        )
        .fetch_all(&self.pool)
        .await?;
        let views = rows.into_iter().map(|row| SavedView {
            id: ViewId(row.id),
            name: row.name,
            query: ListQuery::of(&row.filter, &row.sort, &row.grouping),
        });
        Ok(views.collect())
    }

    /// Adds a view, or changes the one of that name. [`Changed::InUse`] where the user has `most` others already.
    pub async fn save_view(&self, user: UserId, view: &NewView, most: usize) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let others = sqlx::query!(
            r#"SELECT count(*) AS "count!: i64" FROM saved_views WHERE user_id = ? AND name != ?"#,
            user.0,
            view.name
        )
        .fetch_one(&mut *transaction)
        .await?;
        if usize::try_from(others.count).is_ok_and(|count| count >= most) {
            return Ok(Changed::InUse);
        }
        let (sort, group) = (view.query.sort.word(), view.query.group.as_str());
        sqlx::query!(
            r#"INSERT INTO saved_views (user_id, name, filter, sort, grouping) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (user_id, name)
               DO UPDATE SET filter = excluded.filter, sort = excluded.sort, grouping = excluded.grouping"#,
            user.0,
            view.name,
            view.query.q,
            sort,
            group
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Changed::Done)
    }

    /// Gives a user's view another name and perhaps another query. [`Changed::Taken`] where another has that name,
    /// [`Changed::Missing`] where there is no such view.
    pub async fn change_view(&self, user: UserId, id: ViewId, view: &NewView) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let taken = sqlx::query!(
            r#"SELECT id AS "id!" FROM saved_views WHERE user_id = ? AND name = ? AND id != ?"#,
            user.0,
            view.name,
            id.0
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if taken.is_some() {
            return Ok(Changed::Taken);
        }
        let (sort, group) = (view.query.sort.word(), view.query.group.as_str());
        let changed = sqlx::query!(
            "UPDATE saved_views SET name = ?, filter = ?, sort = ?, grouping = ? WHERE id = ? AND user_id = ?",
            view.name,
            view.query.q,
            sort,
            group,
            id.0,
            user.0
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(if changed.rows_affected() == 0 { Changed::Missing } else { Changed::Done })
    }

    /// Removes a user's view; false where there is none.
    pub async fn remove_view(&self, user: UserId, id: ViewId) -> Result<bool, StoreError> {
        let done = sqlx::query!("DELETE FROM saved_views WHERE id = ? AND user_id = ?", id.0, user.0)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
