//! Users: who may log in.

use serde_json::json;

use super::{
    Store, StoreError,
    ledger::{By, EntryKind, Fact},
};
use crate::domain::access::Role;

/// The key of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(pub i64);

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    /// Argon2id, PHC string format.
    pub password_hash: String,
    pub role: Role,
    pub must_change_password: bool,
    /// A session that was begun in an earlier epoch is over.
    pub session_epoch: i64,
}

/// A user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub username: String,
    pub password_hash: String,
    pub role: Role,
    pub must_change_password: bool,
    pub created_ms: i64,
}

struct UserRow {
    id: i64,
    username: String,
    password_hash: String,
    role: String,
    must_change_password: i64,
    session_epoch: i64,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;
    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let damaged = |what: String| StoreError::Damaged { table: "users", id: row.id, what };
        Ok(Self {
            id: UserId(row.id),
            role: row.role.parse().map_err(|e: crate::domain::access::UnknownRole| damaged(e.to_string()))?,
            username: row.username,
            password_hash: row.password_hash,
            must_change_password: row.must_change_password != 0,
            session_epoch: row.session_epoch,
        })
    }
}

impl Store {
    /// Adds the user unless there is any user already; says whether it was added.
    pub async fn add_first_user(&self, user: &NewUser, by: By<'_>) -> Result<bool, StoreError> {
        let role = user.role.as_str();
        let mut transaction = self.writing().await?;
        let done = sqlx::query!(
            "INSERT INTO users (username, password_hash, role, must_change_password, created_ms)
             SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM users)",
            user.username,
            user.password_hash,
            role,
            user.must_change_password,
            user.created_ms
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "role": role, "first": true });
        let fact = Fact::new(EntryKind::UserAdded, by).on(user_subject(&user.username)).with(detail);
        self.commit_with(transaction, [fact]).await?;
        Ok(true)
    }

    /// Adds the user unless the name is taken; says whether it was added.
    pub async fn add_user(&self, user: &NewUser, by: By<'_>) -> Result<bool, StoreError> {
        let role = user.role.as_str();
        let mut transaction = self.writing().await?;
        let done = sqlx::query!(
            "INSERT INTO users (username, password_hash, role, must_change_password, created_ms)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT (username) DO NOTHING",
            user.username,
            user.password_hash,
            role,
            user.must_change_password,
            user.created_ms
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let fact = Fact::new(EntryKind::UserAdded, by).on(user_subject(&user.username));
        self.commit_with(transaction, [fact.with(json!({ "role": role }))]).await?;
        Ok(true)
    }

    pub async fn has_users(&self) -> Result<bool, StoreError> {
        let row = sqlx::query!(r#"SELECT EXISTS (SELECT 1 FROM users) AS "any!: i64""#)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.any != 0)
    }

    /// Upper and lower case of the name do not matter.
    pub async fn user_named(&self, username: &str) -> Result<Option<User>, StoreError> {
        sqlx::query_as!(
            UserRow,
            r#"SELECT id AS "id!", username, password_hash, role, must_change_password, session_epoch
               FROM users WHERE username = ?"#,
            username
        )
        .fetch_optional(&self.pool)
        .await?
        .map(User::try_from)
        .transpose()
    }

    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        sqlx::query_as!(
            UserRow,
            "SELECT id, username, password_hash, role, must_change_password, session_epoch FROM users WHERE id = ?",
            id.0
        )
        .fetch_optional(&self.pool)
        .await?
        .map(User::try_from)
        .transpose()
    }

    /// All of them, by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        sqlx::query_as!(
            UserRow,
            r#"SELECT id AS "id!", username, password_hash, role, must_change_password, session_epoch
               FROM users ORDER BY username"#
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .map(User::try_from)
        .collect()
    }

    /// Gives the account a password that must be replaced at the next log-in, and ends all its sessions. False where
    /// there is no such account.
    pub async fn reset_password(
        &self,
        username: &str,
        password_hash: &str,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(
            "UPDATE users SET password_hash = ?, must_change_password = 1, session_epoch = session_epoch + 1
             WHERE username = ? RETURNING username",
            password_hash,
            username
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let who = user_subject(&row.username);
        let reset = Fact::new(EntryKind::PasswordReset, by).on(who.clone());
        let ended = json!({ "why": "password-reset", "sessions": "all" });
        let ended = Fact::new(EntryKind::SessionEnded, by).on(who).with(ended);
        self.commit_with(transaction, [reset, ended]).await?;
        Ok(true)
    }

    /// Replaces the password and begins a new session epoch, which it returns: all older sessions are over.
    pub async fn set_password(&self, id: UserId, password_hash: &str, by: By<'_>) -> Result<i64, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(
            "UPDATE users SET password_hash = ?, must_change_password = 0, session_epoch = session_epoch + 1
             WHERE id = ? RETURNING username, session_epoch",
            password_hash,
            id.0
        )
        .fetch_one(&mut *transaction)
        .await?;
        let who = user_subject(&row.username);
        let changed = Fact::new(EntryKind::PasswordChanged, by).on(who.clone());
        let ended = json!({ "why": "password-changed", "sessions": "all-others" });
        let ended = Fact::new(EntryKind::SessionEnded, by).on(who).with(ended);
        self.commit_with(transaction, [changed, ended]).await?;
        Ok(row.session_epoch)
    }
}

/// What stands for an account in the ledger.
pub fn user_subject(username: &str) -> String {
    format!("user:{username}")
}
