//! Roles, groups and grants. Each change is recorded in its own transaction, and none leaves the host without somebody who
//! may do everything.

use std::collections::HashSet;

use serde_json::json;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{
    Changed, Store, StoreError, UserId,
    ledger::{By, EntryKind, Fact},
};
use crate::domain::access::{
    BadRoleName, Grant, GrantId, Group, Holder, Privileges, Right, Rights, Role, RoleName, Scope,
    UnknownPrivilege,
};

/// A grant to be given.
#[derive(Debug, Clone, Copy)]
pub struct NewGrant<'a> {
    pub holder: &'a Holder,
    pub role: &'a RoleName,
    pub scope: &'a Scope,
    pub expires_ms: Option<i64>,
}

fn role_subject(name: &RoleName) -> String {
    format!("role:{name}")
}

fn group_subject(name: &str) -> String {
    format!("group:{name}")
}

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

/// The fact that the grant was given; or [`Changed::Missing`] where there is no such holder or role, and
/// [`Changed::Taken`] where it is given already.
pub(super) async fn insert_grant<'a>(
    transaction: &mut SqliteConnection,
    grant: NewGrant<'_>,
    by: By<'a>,
) -> Result<Result<Fact<'a>, Changed>, StoreError> {
    let Some((user, group)) = holder_ids(transaction, grant.holder).await? else {
        return Ok(Err(Changed::Missing));
    };
    if privileges_of(transaction, grant.role).await?.is_none() {
        return Ok(Err(Changed::Missing));
    }
    let (role, scope) = (grant.role.as_str(), grant.scope.to_string());
    let row = sqlx::query!(
        r#"INSERT INTO grants (user_id, group_id, role, scope, expires_ms, created_ms, created_by)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id AS "id!""#,
        user,
        group,
        role,
        scope,
        grant.expires_ms,
        by.at_ms,
        by.actor
    )
    .fetch_optional(transaction)
    .await?;
    let Some(row) = row else { return Ok(Err(Changed::Taken)) };
    let detail = json!({ "grant": row.id, "role": role, "scope": scope, "expires_ms": grant.expires_ms });
    Ok(Ok(Fact::new(EntryKind::GrantAdded, by).on(grant.holder.to_string()).with(detail)))
}

/// The keys of the holder as a grant's columns take them; `None` where there is no such user or group.
async fn holder_ids(
    transaction: &mut SqliteConnection,
    holder: &Holder,
) -> Result<Option<(Option<i64>, Option<i64>)>, StoreError> {
    Ok(match holder {
        Holder::User(name) => sqlx::query!(r#"SELECT id AS "id!" FROM users WHERE username = ?"#, name)
            .fetch_optional(transaction)
            .await?
            .map(|row| (Some(row.id), None)),
        Holder::Group(name) => sqlx::query!(r#"SELECT id AS "id!" FROM groups WHERE name = ?"#, name)
            .fetch_optional(transaction)
            .await?
            .map(|row| (None, Some(row.id))),
    })
}

/// `None` where there is no such role.
async fn privileges_of(
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
fn read_privileges(role: &str, text: &str) -> Option<Privileges> {
    text.parse()
        .inspect_err(|error| tracing::error!(role, %error, "a role cannot be read; it allows nothing"))
        .ok()
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
            (None, text) => read_privileges(role.as_str(), text.as_deref()?)?,
        };
        let grant = Some(GrantId(self.id));
        Some(Right { grant, role, privileges, scope, group: self.group, expires_ms: self.expires_ms })
    }
}

struct GrantRow {
    id: i64,
    user: Option<String>,
    group: Option<String>,
    role: String,
    scope: String,
    expires_ms: Option<i64>,
    created_ms: i64,
    created_by: Option<String>,
}

impl TryFrom<GrantRow> for Grant {
    type Error = StoreError;
    fn try_from(row: GrantRow) -> Result<Self, StoreError> {
        let damaged = |what: String| StoreError::Damaged { table: "grants", id: row.id, what };
        let holder = match (row.user, row.group) {
            (Some(name), _) => Holder::User(name),
            (None, Some(name)) => Holder::Group(name),
            (None, None) => return Err(damaged("nobody holds it".to_owned())),
        };
        Ok(Self {
            id: GrantId(row.id),
            holder,
            role: row.role.parse().map_err(|_| damaged(format!("“{}” is no role", row.role)))?,
            scope: row.scope.parse().map_err(|_| damaged(format!("“{}” is no scope", row.scope)))?,
            expires_ms: row.expires_ms,
            created_ms: row.created_ms,
            created_by: row.created_by,
        })
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

    /// Every grant, oldest first.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let rows = sqlx::query_as!(
            GrantRow,
            r#"SELECT g.id AS "id!", u.username AS "user?", p.name AS "group?", g.role, g.scope, g.expires_ms,
                      g.created_ms, g.created_by
               FROM grants AS g
               LEFT JOIN users AS u ON u.id = g.user_id
               LEFT JOIN groups AS p ON p.id = g.group_id
               ORDER BY g.id"#
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Grant::try_from).collect()
    }

    /// The tags that grants hold on.
    pub async fn granted_tags(&self) -> Result<HashSet<String>, StoreError> {
        let rows = sqlx::query!("SELECT DISTINCT scope FROM grants WHERE scope LIKE 'tag:%'")
            .fetch_all(&self.pool)
            .await?;
        let tag = |scope: String| scope.strip_prefix("tag:").map(str::to_owned);
        Ok(rows.into_iter().filter_map(|row| tag(row.scope)).collect())
    }

    pub async fn add_grant(&self, grant: NewGrant<'_>, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        match insert_grant(&mut transaction, grant, by).await? {
            Ok(fact) => self.commit_with(transaction, [fact]).await.map(|()| Changed::Done),
            Err(why) => Ok(why),
        }
    }

    /// Takes the grant back.
    pub async fn remove_grant(&self, id: GrantId, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query_as!(
            GrantRow,
            r#"SELECT g.id AS "id!", u.username AS "user?", p.name AS "group?", g.role, g.scope, g.expires_ms,
                      g.created_ms, g.created_by
               FROM grants AS g
               LEFT JOIN users AS u ON u.id = g.user_id
               LEFT JOIN groups AS p ON p.id = g.group_id
               WHERE g.id = ?"#,
            id.0
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        sqlx::query!("DELETE FROM grants WHERE id = ?", id.0).execute(&mut *transaction).await?;
        let subject = row.user.map_or_else(
            || group_subject(row.group.as_deref().unwrap_or_default()),
            |name| Holder::User(name).to_string(),
        );
        let detail =
            json!({ "grant": id.0, "role": row.role, "scope": row.scope, "expires_ms": row.expires_ms });
        self.finish(transaction, Fact::new(EntryKind::GrantRemoved, by).on(subject).with(detail)).await
    }

    /// The roles that are not built in, by name.
    pub async fn own_roles(&self) -> Result<Vec<Role>, StoreError> {
        let rows =
            sqlx::query!("SELECT name, privileges FROM roles ORDER BY name").fetch_all(&self.pool).await?;
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
        let fact = Fact::new(EntryKind::RoleAdded, by).on(role_subject(&role.name));
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
        let fact = Fact::new(EntryKind::RoleChanged, by).on(role_subject(&role.name)).with(detail);
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
        self.commit_with(transaction, [Fact::new(EntryKind::RoleRemoved, by).on(role_subject(name))]).await?;
        Ok(Changed::Done)
    }

    /// All groups with their members, by name.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT p.name, u.username AS "member?" FROM groups AS p
               LEFT JOIN members AS m ON m.group_id = p.id
               LEFT JOIN users AS u ON u.id = m.user_id
               ORDER BY p.name, u.username"#
        )
        .fetch_all(&self.pool)
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
        self.commit_with(transaction, [Fact::new(EntryKind::GroupAdded, by).on(group_subject(name))]).await?;
        Ok(Changed::Done)
    }

    /// Removes the group with its grants; its members stay.
    pub async fn remove_group(&self, name: &str, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!("DELETE FROM groups WHERE name = ? RETURNING name", name)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        let fact = Fact::new(EntryKind::GroupRemoved, by).on(group_subject(&row.name));
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
        let fact = Fact::new(EntryKind::GroupChanged, by).on(group_subject(&ids.name)).with(detail);
        self.finish(transaction, fact).await
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
