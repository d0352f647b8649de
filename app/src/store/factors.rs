//! Second factors of Paddock's own accounts, and their recovery codes.

use serde_json::json;
use sqlx::SqliteConnection;

use super::{
    EntryKind, Store, StoreError, UserId,
    ledger::{By, Fact},
    passwords::own_epoch,
    user_subject,
};
use crate::domain::account::{SecretHash, SessionId};

/// A second factor as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Sealed: the database alone tells nothing.
    pub secret: Vec<u8>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Recovery codes that are not used up.
    pub codes_left: u32,
}

/// One to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewFactor<'a> {
    pub secret: &'a [u8],
    /// Of the code that showed that the authenticator has it.
    pub step: i64,
    pub codes: &'a [SecretHash],
    /// The session that goes on; all others end.
    pub session: SessionId,
}

impl Store {
    pub async fn factor(&self, user: UserId) -> Result<Option<Factor>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT secret, created_ms,
                      (SELECT count(*) FROM recovery_codes AS c WHERE c.user_id = f.user_id AND used_ms IS NULL)
                      AS "codes_left!: u32"
               FROM second_factors AS f WHERE user_id = ?"#,
            user.0
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Factor {
            secret: row.secret,
            created_ms: row.created_ms,
            codes_left: row.codes_left,
        }))
    }

    /// Adds the factor; false, and nothing is done, where the account has one or is gone. Sessions that were begun without it end.
    pub async fn add_factor(
        &self,
        user: UserId,
        factor: NewFactor<'_>,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let done = sqlx::query!(
            "INSERT INTO second_factors (user_id, secret, last_step, created_ms)
             SELECT id, ?, ?, ? FROM users WHERE id = ? AND realm = 'local' ON CONFLICT DO NOTHING",
            factor.secret,
            factor.step,
            by.at_ms,
            user.0
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_codes(&mut transaction, user, factor.codes).await?;
        let username = own_epoch(&mut transaction, user, factor.session).await?;
        let who = user_subject(&username);
        let ended = json!({ "why": "factor-added", "sessions": "all-others" });
        let facts = [
            Fact::new(EntryKind::FactorAdded, by).on(who.clone()),
            Fact::new(EntryKind::SessionEnded, by).on(who).with(ended),
        ];
        self.commit_with(transaction, facts).await?;
        Ok(true)
    }

    /// Takes the code of that step; false where it or a later one was taken before, which is somebody's who has looked on.
    pub async fn take_step(&self, user: UserId, step: i64) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "UPDATE second_factors SET last_step = ?1 WHERE user_id = ?2 AND last_step < ?1",
            step,
            user.0
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a recovery code; false where it is none of the user's, or was taken before.
    pub async fn take_recovery_code(
        &self,
        user: UserId,
        hash: &SecretHash,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let hash = hash.as_slice();
        let mut transaction = self.writing().await?;
        let done = sqlx::query!(
            "UPDATE recovery_codes SET used_ms = ? WHERE user_id = ? AND hash = ? AND used_ms IS NULL",
            by.at_ms,
            user.0,
            hash
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let row = sqlx::query!(
            r#"SELECT username, (SELECT count(*) FROM recovery_codes WHERE user_id = users.id AND used_ms IS NULL)
                      AS "left!: i64"
               FROM users WHERE id = ?"#,
            user.0
        )
        .fetch_one(&mut *transaction)
        .await?;
        let fact = Fact::new(EntryKind::RecoveryCodeUsed, by).on(user_subject(&row.username));
        self.commit_with(transaction, [fact.with(json!({ "left": row.left }))]).await?;
        Ok(true)
    }

    /// Puts new recovery codes in the place of all there were; false where there is no factor.
    pub async fn renew_recovery_codes(
        &self,
        user: UserId,
        codes: &[SecretHash],
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(
            "SELECT username FROM users JOIN second_factors ON user_id = users.id WHERE users.id = ?",
            user.0
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        sqlx::query!("DELETE FROM recovery_codes WHERE user_id = ?", user.0)
            .execute(&mut *transaction)
            .await?;
        insert_codes(&mut transaction, user, codes).await?;
        let fact = Fact::new(EntryKind::RecoveryCodesRenewed, by).on(user_subject(&row.username));
        self.commit_with(transaction, [fact]).await?;
        Ok(true)
    }

    /// Removes the factor with its recovery codes; false where there is none.
    pub async fn remove_factor(&self, user: UserId, by: By<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(
            "DELETE FROM second_factors WHERE user_id = ?1
             RETURNING (SELECT username FROM users WHERE id = ?1) AS username",
            user.0
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(username) = row.and_then(|row| row.username) else { return Ok(false) };
        let fact = Fact::new(EntryKind::FactorRemoved, by).on(user_subject(&username));
        self.commit_with(transaction, [fact]).await?;
        Ok(true)
    }
}

async fn insert_codes(
    transaction: &mut SqliteConnection,
    user: UserId,
    codes: &[SecretHash],
) -> Result<(), StoreError> {
    for code in codes {
        let hash = code.as_slice();
        sqlx::query!("INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)", user.0, hash)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
