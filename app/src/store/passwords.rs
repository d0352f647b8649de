//! Passwords of accounts, and the sessions that end with an old one.

use serde_json::json;
use sqlx::SqliteConnection;

use super::{
    EntryKind, Store, StoreError, UserId,
    ledger::{By, Fact},
    user_subject,
};
use crate::domain::account::SessionId;

impl Store {
    /// Gives the account a password that must be replaced at the next log-in, and ends all its sessions. False where
    /// there is no such account, or its password is not Paddock's.
    pub async fn reset_password(
        &self,
        username: &str,
        password_hash: &str,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(
            "UPDATE users SET password_hash = ?, must_change_password = 1, session_epoch = session_epoch + 1
             WHERE username = ? AND realm = 'local' RETURNING username",
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

    /// Replaces the password and begins a new session epoch: all sessions are over but the one it is done in.
    pub async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        session: SessionId,
        by: By<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        sqlx::query!(
            "UPDATE users SET password_hash = ?, must_change_password = 0 WHERE id = ?",
            password_hash,
            id.0
        )
        .execute(&mut *transaction)
        .await?;
        let username = own_epoch(&mut transaction, id, session).await?;
        let who = user_subject(&username);
        let changed = Fact::new(EntryKind::PasswordChanged, by).on(who.clone());
        let ended = json!({ "why": "password-changed", "sessions": "all-others" });
        let ended = Fact::new(EntryKind::SessionEnded, by).on(who).with(ended);
        self.commit_with(transaction, [changed, ended]).await
    }

    /// The same password, hashed with the parameters of today. No session ends by it.
    pub async fn renew_hash(&self, id: UserId, before: &str, password_hash: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
            password_hash,
            id.0,
            before
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Begins a new session epoch of the account: all its sessions are over but that one. Answers whose account it is.
pub(super) async fn own_epoch(
    transaction: &mut SqliteConnection,
    id: UserId,
    session: SessionId,
) -> Result<String, StoreError> {
    let row = sqlx::query!(
        "UPDATE users SET session_epoch = session_epoch + 1 WHERE id = ? RETURNING username, session_epoch",
        id.0
    )
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query!(
        "UPDATE sessions SET epoch = ? WHERE id = ? AND user_id = ? AND epoch = ? - 1 AND ended_ms IS NULL",
        row.session_epoch,
        session.0,
        id.0,
        row.session_epoch
    )
    .execute(&mut *transaction)
    .await?;
    Ok(row.username)
}
