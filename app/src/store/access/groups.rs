//! Groups and who is in them.

use serde_json::json;
use sqlx::SqliteConnection;

use super::super::{
    Changed, Store, StoreError,
    entry_kind::EntryKind,
    ledger::{By, Fact},
};
use crate::domain::access::{Group, Holder};

fn subject(name: &str) -> String {
    Holder::Group(name.to_owned()).to_string()
}

/// All groups with their members, by name.
pub async fn all(connection: &mut SqliteConnection) -> Result<Vec<Group>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT p.name, u.username AS "member?" FROM groups AS p
           LEFT JOIN members AS m ON m.group_id = p.id
           LEFT JOIN users AS u ON u.id = m.user_id
           ORDER BY p.name, u.username"#
    )
    .fetch_all(connection)
    .await?;
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        if groups.last().is_none_or(|group| group.name != row.name) {
            groups.push(Group { name: row.name, members: Vec::new() });
        }
        if let (Some(group), Some(member)) = (groups.last_mut(), row.member) {
            group.members.push(member);
        }
    }
    Ok(groups)
}

impl Store {
    /// All groups with their members, by name.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        all(&mut *self.pool.acquire().await?).await
    }

    pub async fn add_group(&self, name: &str, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let done = sqlx::query!(
            "INSERT INTO groups (name, created_ms) VALUES (?, ?) ON CONFLICT DO NOTHING",
            name,
            by.at_ms
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(Changed::Taken);
        }
        self.commit_with(transaction, [Fact::new(EntryKind::GroupAdded, by).on(subject(name))]).await?;
        Ok(Changed::Done)
    }

    /// Removes the group with its grants; its members stay.
    pub async fn remove_group(&self, name: &str, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!("DELETE FROM groups WHERE name = ? RETURNING name", name)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        let fact = Fact::new(EntryKind::GroupRemoved, by).on(subject(&row.name));
        self.finish(transaction, fact).await
    }

    /// Puts the user into the group, or out of it.
    pub async fn set_member(
        &self,
        group: &str,
        username: &str,
        is_member: bool,
        by: By<'_>,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let ids = sqlx::query!(
            r#"SELECT p.id AS "group!", p.name, u.id AS "user!", u.username FROM groups AS p, users AS u
               WHERE p.name = ? AND u.username = ?"#,
            group,
            username
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(ids) = ids else { return Ok(Changed::Missing) };
        let done = if is_member {
            sqlx::query!(
                "INSERT INTO members (group_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                ids.group,
                ids.user
            )
            .execute(&mut *transaction)
            .await?
        } else {
            sqlx::query!("DELETE FROM members WHERE group_id = ? AND user_id = ?", ids.group, ids.user)
                .execute(&mut *transaction)
                .await?
        };
        if done.rows_affected() == 0 {
            return Ok(if is_member { Changed::Taken } else { Changed::Missing });
        }
        let detail = json!({ "user": ids.username, "member": is_member });
        let fact = Fact::new(EntryKind::GroupChanged, by).on(subject(&ids.name)).with(detail);
        self.finish(transaction, fact).await
    }
}
