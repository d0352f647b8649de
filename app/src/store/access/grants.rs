//! Grants: given, taken back, and lost with the guest that they are on.

use std::collections::HashSet;

use serde_json::json;
use sqlx::SqliteConnection;

use super::{
    super::{
        Changed, Store, StoreError,
        entry_kind::EntryKind,
        ledger::{By, Fact},
    },
    roles,
};
use crate::domain::{
    access::{Grant, GrantId, Holder, RoleName, Scope},
    guest::GuestId,
};

/// A grant to be given.
#[derive(Debug, Clone, Copy)]
pub struct NewGrant<'a> {
    pub holder: &'a Holder,
    pub role: &'a RoleName,
    pub scope: &'a Scope,
    pub expires_ms: Option<i64>,
}

/// The fact that the grant was given; or [`Changed::Missing`] where there is no such holder or role, and
/// [`Changed::Taken`] where it is given already.
pub async fn insert_grant<'a>(
    transaction: &mut SqliteConnection,
    grant: NewGrant<'_>,
    by: By<'a>,
) -> Result<Result<Fact<'a>, Changed>, StoreError> {
    let Some((holder, user, group)) = known_holder(transaction, grant.holder).await? else {
        return Ok(Err(Changed::Missing));
    };
    if roles::privileges_of(transaction, grant.role).await?.is_none() {
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
    Ok(Ok(Fact::new(EntryKind::GrantAdded, by).on(holder.to_string()).with(detail)))
}

/// Takes back the grants on a guest that is gone: the next one of that name, or with that VMID, is another. The facts of it.
pub async fn forget_guest<'a>(
    transaction: &mut SqliteConnection,
    guest: &GuestId,
    by: By<'a>,
) -> Result<Vec<Fact<'a>>, StoreError> {
    let scope = Scope::Guest(guest.clone()).to_string();
    let rows = rows(transaction, Which { scope: Some(&scope), ..Which::default() }).await?;
    sqlx::query!("DELETE FROM grants WHERE scope = ?", scope).execute(transaction).await?;
    let fact = |row: Row| {
        let mut detail = row.detail();
        detail["why"] = json!("guest-deleted");
        Fact::new(EntryKind::GrantRemoved, by).on(row.subject()).with(detail)
    };
    Ok(rows.into_iter().map(fact).collect())
}

/// The holder by its own spelling, with its key as a grant's columns take it: of a user, or of a group. `None` where there is
/// no such user or group.
async fn known_holder(
    transaction: &mut SqliteConnection,
    holder: &Holder,
) -> Result<Option<(Holder, Option<i64>, Option<i64>)>, StoreError> {
    Ok(match holder {
        Holder::User(name) => {
            sqlx::query!(r#"SELECT id AS "id!", username FROM users WHERE username = ?"#, name)
                .fetch_optional(transaction)
                .await?
                .map(|row| (Holder::User(row.username), Some(row.id), None))
        }
        Holder::Group(name) => sqlx::query!(r#"SELECT id AS "id!", name FROM groups WHERE name = ?"#, name)
            .fetch_optional(transaction)
            .await?
            .map(|row| (Holder::Group(row.name), None, Some(row.id))),
    })
}

/// Which grants: all, but for what is asked.
#[derive(Default)]
struct Which<'a> {
    id: Option<i64>,
    scope: Option<&'a str>,
}

/// Oldest first.
async fn rows(connection: &mut SqliteConnection, which: Which<'_>) -> Result<Vec<Row>, StoreError> {
    Ok(sqlx::query_as!(
        Row,
        r#"SELECT g.id AS "id!", u.username AS "user?", p.name AS "group?", g.role, g.scope, g.expires_ms,
                  g.created_ms, g.created_by
           FROM grants AS g
           LEFT JOIN users AS u ON u.id = g.user_id
           LEFT JOIN groups AS p ON p.id = g.group_id
           WHERE (?1 IS NULL OR g.id = ?1) AND (?2 IS NULL OR g.scope = ?2)
           ORDER BY g.id"#,
        which.id,
        which.scope
    )
    .fetch_all(connection)
    .await?)
}

/// Every grant, oldest first.
pub async fn all(connection: &mut SqliteConnection) -> Result<Vec<Grant>, StoreError> {
    rows(connection, Which::default()).await?.into_iter().map(Grant::try_from).collect()
}

struct Row {
    id: i64,
    user: Option<String>,
    group: Option<String>,
    role: String,
    scope: String,
    expires_ms: Option<i64>,
    created_ms: i64,
    created_by: Option<String>,
}

impl Row {
    /// As the ledger names the holder.
    fn subject(&self) -> String {
        match (&self.user, &self.group) {
            (Some(name), _) => Holder::User(name.clone()).to_string(),
            (None, group) => Holder::Group(group.clone().unwrap_or_default()).to_string(),
        }
    }

    fn detail(&self) -> serde_json::Value {
        json!({ "grant": self.id, "role": self.role, "scope": self.scope, "expires_ms": self.expires_ms })
    }
}

impl TryFrom<Row> for Grant {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
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
    /// Every grant, oldest first.
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        all(&mut *self.pool.acquire().await?).await
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
        let which = Which { id: Some(id.0), ..Which::default() };
        let Some(row) = rows(&mut transaction, which).await?.pop() else { return Ok(Changed::Missing) };
        sqlx::query!("DELETE FROM grants WHERE id = ?", id.0).execute(&mut *transaction).await?;
        let fact = Fact::new(EntryKind::GrantRemoved, by).on(row.subject()).with(row.detail());
        self.finish(transaction, fact).await
    }
}
