//! Roles that are not built in, and what a role allows.

use serde_json::json;
use sqlx::SqliteConnection;

use super::super::{
    Changed, Store, StoreError,
    entry_kind::EntryKind,
    ledger::{By, Fact},
};
use crate::domain::access::{BadRoleName, Privileges, Role, RoleName, UnknownPrivilege};

fn subject(name: &RoleName) -> String {
    format!("role:{name}")
}

/// `None` where there is no such role.
pub async fn privileges_of(
    transaction: &mut SqliteConnection,
    role: &RoleName,
) -> Result<Option<Privileges>, StoreError> {
    if let Some(built_in) = role.built_in() {
        return Ok(Some(built_in.privileges()));
    }
    let name = role.as_str();
    let row =
        sqlx::query!("SELECT privileges FROM roles WHERE name = ?", name).fetch_optional(transaction).await?;
    Ok(row.and_then(|row| read_privileges(name, &row.privileges)))
}

/// What cannot be read allows nothing, and locks nobody else out.
pub fn read_privileges(role: &str, text: &str) -> Option<Privileges> {
    text.parse()
        .inspect_err(|error| tracing::error!(role, %error, "a role cannot be read; it allows nothing"))
        .ok()
}

/// Those that are not built in, by name.
pub async fn own(connection: &mut SqliteConnection) -> Result<Vec<Role>, StoreError> {
    let rows = sqlx::query!("SELECT name, privileges FROM roles ORDER BY name").fetch_all(connection).await?;
    // A role's name is its key.
    let damaged = |what: String| StoreError::Damaged { table: "roles", id: 0, what };
    rows.into_iter()
        .map(|row| {
            let privileges =
                row.privileges.parse().map_err(|error: UnknownPrivilege| damaged(error.to_string()));
            let name = row.name.parse().map_err(|error: BadRoleName| damaged(error.to_string()));
            Ok(Role { name: name?, privileges: privileges? })
        })
        .collect()
}

impl Store {
    /// The roles that are not built in, by name.
    pub async fn own_roles(&self) -> Result<Vec<Role>, StoreError> {
        own(&mut *self.pool.acquire().await?).await
    }

    pub async fn add_role(&self, role: &Role, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let (name, privileges) = (role.name.as_str(), role.privileges.to_string());
        let done = sqlx::query!(
            "INSERT INTO roles (name, privileges, created_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            name,
            privileges,
            by.at_ms
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(Changed::Taken);
        }
        let fact = Fact::new(EntryKind::RoleAdded, by).on(subject(&role.name));
        self.commit_with(transaction, [fact.with(json!({ "privileges": privileges }))]).await?;
        Ok(Changed::Done)
    }

    /// Gives the role other privileges, at once for everybody who has it.
    pub async fn change_role(&self, role: &Role, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let (name, privileges) = (role.name.as_str(), role.privileges.to_string());
        let before = sqlx::query!("SELECT privileges FROM roles WHERE name = ?", name)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(before) = before else { return Ok(Changed::Missing) };
        sqlx::query!("UPDATE roles SET privileges = ? WHERE name = ?", privileges, name)
            .execute(&mut *transaction)
            .await?;
        let detail = json!({ "privileges": privileges, "before": before.privileges });
        let fact = Fact::new(EntryKind::RoleChanged, by).on(subject(&role.name)).with(detail);
        self.commit_with(transaction, [fact]).await?;
        Ok(Changed::Done)
    }

    /// Removes a role that nobody has.
    pub async fn remove_role(&self, name: &RoleName, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let text = name.as_str();
        let used =
            sqlx::query!(r#"SELECT EXISTS (SELECT 1 FROM grants WHERE role = ?) AS "any!: i64""#, text)
                .fetch_one(&mut *transaction)
                .await?;
        if used.any != 0 {
            return Ok(Changed::InUse);
        }
        let done = sqlx::query!("DELETE FROM roles WHERE name = ?", text).execute(&mut *transaction).await?;
        if done.rows_affected() == 0 {
            return Ok(Changed::Missing);
        }
        self.commit_with(transaction, [Fact::new(EntryKind::RoleRemoved, by).on(subject(name))]).await?;
        Ok(Changed::Done)
    }
}
