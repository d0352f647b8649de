//! Users: who may log in.

use super::{Store, StoreError};
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
    pub async fn add_first_user(&self, user: &NewUser) -> Result<bool, StoreError> {
        let role = user.role.as_str();
        let done = sqlx::query!(
            "INSERT INTO users (username, password_hash, role, must_change_password, created_ms)
             SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM users)",
            user.username,
            user.password_hash,
            role,
            user.must_change_password,
            user.created_ms
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Adds the user unless the name is taken; says whether it was added.
    pub async fn add_user(&self, user: &NewUser) -> Result<bool, StoreError> {
        let role = user.role.as_str();
        let done = sqlx::query!(
            "INSERT INTO users (username, password_hash, role, must_change_password, created_ms)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT (username) DO NOTHING",
            user.username,
            user.password_hash,
            role,
            user.must_change_password,
            user.created_ms
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
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
    pub async fn reset_password(&self, username: &str, password_hash: &str) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "UPDATE users SET password_hash = ?, must_change_password = 1, session_epoch = session_epoch + 1
             WHERE username = ?",
            password_hash,
            username
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Replaces the password and begins a new session epoch, which it returns: all older sessions are over.
    pub async fn set_password(&self, id: UserId, password_hash: &str) -> Result<i64, StoreError> {
        let row = sqlx::query!(
            "UPDATE users SET password_hash = ?, must_change_password = 0, session_epoch = session_epoch + 1
             WHERE id = ? RETURNING session_epoch",
            password_hash,
            id.0
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(row.session_epoch)
    }
}
