//! Roles, groups and grants. Each change is recorded in its own transaction, and none leaves the host without somebody who
//! may do everything.

mod facts;
mod grants;
mod groups;
mod past;
mod roles;

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{Changed, Store, StoreError, UserId, ledger::Fact};
use crate::domain::access::{GrantId, Right, Rights, RoleName, Scope};

pub use grants::NewGrant;
pub(super) use grants::{forget_guest, insert_grant};
pub use past::AccessRecord;
pub(super) use past::at_cut;

/// Whether somebody who can log in for good is administrator of everything for good, by a grant of their own or of a group.
/// To be asked after a change and before its commit.
pub(super) async fn has_administrator(transaction: &mut SqliteConnection) -> Result<bool, StoreError> {
    let row = sqlx::query!(
        r#"SELECT EXISTS (
               SELECT 1 FROM users AS u, grants AS g
               WHERE u.is_disabled = 0 AND u.expires_ms IS NULL
                 AND g.role = 'administrator' AND g.scope = 'everything' AND g.expires_ms IS NULL
                 AND (g.user_id = u.id OR g.group_id IN (SELECT group_id FROM members WHERE user_id = u.id))
           ) AS "any!: i64""#
    )
    .fetch_one(transaction)
    .await?;
    Ok(row.any != 0)
}

struct RightRow {
    id: i64,
    role: String,
    scope: String,
    expires_ms: Option<i64>,
    privileges: Option<String>,
    group: Option<String>,
}

impl RightRow {
    /// A grant that cannot be read gives nothing.
    fn read(self) -> Option<Right> {
        let unreadable = |why: &dyn std::fmt::Display| {
            tracing::error!(grant = self.id, error = %why, "a grant cannot be read; it gives nothing");
        };
        let role = self.role.parse::<RoleName>().inspect_err(|error| unreadable(error)).ok()?;
        let scope = self.scope.parse::<Scope>().inspect_err(|error| unreadable(error)).ok()?;
        let privileges = match (role.built_in(), &self.privileges) {
            (Some(built_in), _) => built_in.privileges(),
            (None, text) => roles::read_privileges(role.as_str(), text.as_deref()?)?,
        };
        let grant = Some(GrantId(self.id));
        Some(Right { grant, role, privileges, scope, group: self.group, expires_ms: self.expires_ms })
    }
}

impl Store {
    /// All that the user may do, by their own grants and those of their groups, also grants that are over.
    pub async fn rights_of(&self, user: UserId) -> Result<Rights, StoreError> {
        let rows = sqlx::query_as!(
            RightRow,
            r#"SELECT g.id AS "id!", g.role, g.scope, g.expires_ms, r.privileges AS "privileges?", p.name AS "group?"
               FROM grants AS g
               LEFT JOIN groups AS p ON p.id = g.group_id
               LEFT JOIN roles AS r ON r.name = g.role
               WHERE g.user_id = ?1 OR g.group_id IN (SELECT group_id FROM members WHERE user_id = ?1)
               ORDER BY g.id"#,
            user.0
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Rights { list: rows.into_iter().filter_map(RightRow::read).collect(), limit: None })
    }

    /// Commits, unless nobody would be left who may do everything.
    async fn finish(
        &self,
        mut transaction: Transaction<'static, Sqlite>,
        fact: Fact<'_>,
    ) -> Result<Changed, StoreError> {
        if !has_administrator(&mut transaction).await? {
            return Ok(Changed::LastAdministrator);
        }
        self.commit_with(transaction, [fact]).await?;
        Ok(Changed::Done)
    }
}
