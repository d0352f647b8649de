//! API tokens. Only the hash of a token's secret is here.

use serde_json::json;

use super::{
    Changed, Store, StoreError, User, UserId,
    entry_kind::EntryKind,
    ledger::{By, Fact},
    user_subject,
};
use crate::domain::{
    access::Limit,
    account::{SecretHash, TokenId, TokenInfo},
};

/// A token to be added.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub name: &'a str,
    pub secret_hash: SecretHash,
    pub limit: &'a Limit,
    pub expires_ms: i64,
    /// How many one person may have.
    pub most: i64,
}

/// A token that was shown with its secret. Whether it is over is for whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub user: UserId,
    pub info: TokenInfo,
}

struct Row {
    id: i64,
    user_id: i64,
    name: String,
    privileges: String,
    scope: String,
    created_ms: i64,
    expires_ms: i64,
    used_ms: Option<i64>,
    used_address: Option<String>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = |what: String| StoreError::Damaged { table: "api_tokens", id: row.id, what };
        let limit = Limit {
            privileges: row
                .privileges
                .parse()
                .map_err(|_| damaged(format!("privileges “{}”", row.privileges)))?,
            scope: row.scope.parse().map_err(|_| damaged(format!("“{}” is no scope", row.scope)))?,
        };
        let info = TokenInfo {
            id: TokenId(row.id),
            name: row.name,
            limit,
            created_ms: row.created_ms,
            expires_ms: row.expires_ms,
            used_ms: row.used_ms,
            used_address: row.used_address,
        };
        Ok(Self { user: UserId(row.user_id), info })
    }
}

/// What stands for a token in the ledger's details.
fn told(info: &TokenInfo) -> serde_json::Value {
    json!({
        "token": info.id.0,
        "name": info.name,
        "privileges": info.limit.privileges.to_string(),
        "scope": info.limit.scope.to_string(),
        "expires_ms": info.expires_ms,
    })
}

impl Store {
    /// [`Changed::Taken`] where the user has one of that name, and [`Changed::InUse`] where they have as many as they may.
    pub async fn add_token(
        &self,
        user: &User,
        new: &NewToken<'_>,
        by: By<'_>,
    ) -> Result<Result<TokenInfo, Changed>, StoreError> {
        let mut transaction = self.writing().await?;
        let count =
            sqlx::query!(r#"SELECT count(*) AS "count!: i64" FROM api_tokens WHERE user_id = ?"#, user.id.0)
                .fetch_one(&mut *transaction)
                .await?;
        if count.count >= new.most {
            return Ok(Err(Changed::InUse));
        }
        let (privileges, scope) = (new.limit.privileges.to_string(), new.limit.scope.to_string());
        let secret_hash = new.secret_hash.as_slice();
        let row = sqlx::query!(
            r#"INSERT INTO api_tokens (user_id, name, secret_hash, privileges, scope, created_ms, expires_ms)
               VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id AS "id!""#,
            user.id.0,
            new.name,
            secret_hash,
            privileges,
            scope,
            by.at_ms,
            new.expires_ms
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Err(Changed::Taken)) };
        let info = TokenInfo {
            id: TokenId(row.id),
            name: new.name.to_owned(),
            limit: new.limit.clone(),
            created_ms: by.at_ms,
            expires_ms: new.expires_ms,
            used_ms: None,
            used_address: None,
        };
        let fact = Fact::new(EntryKind::TokenAdded, by).on(user_subject(&user.username));
        self.commit_with(transaction, [fact.with(told(&info))]).await?;
        Ok(Ok(info))
    }

    /// Removes a token of the user; false where there is none.
    pub async fn remove_token(&self, user: &User, id: TokenId, by: By<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(
            "DELETE FROM api_tokens WHERE id = ? AND user_id = ? RETURNING name",
            id.0,
            user.id.0
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let fact = Fact::new(EntryKind::TokenRemoved, by).on(user_subject(&user.username));
        self.commit_with(transaction, [fact.with(json!({ "token": id.0, "name": row.name }))]).await?;
        Ok(true)
    }

    /// A user's tokens, newest first, also those that are over.
    pub async fn tokens_of(&self, user: UserId) -> Result<Vec<TokenInfo>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id AS "id!", user_id, name, privileges, scope, created_ms, expires_ms, used_ms, used_address
               FROM api_tokens WHERE user_id = ? ORDER BY id DESC"#,
            user.0
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| Token::try_from(row).map(|token| token.info)).collect()
    }

    /// The token of that number, if this is the hash of its secret.
    pub async fn token(&self, id: TokenId, secret_hash: &SecretHash) -> Result<Option<Token>, StoreError> {
        let secret_hash = secret_hash.as_slice();
        // How long the comparison takes tells nobody anything: it is of hashes, which one cannot choose.
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id AS "id!", user_id, name, privileges, scope, created_ms, expires_ms, used_ms, used_address
               FROM api_tokens WHERE id = ? AND secret_hash = ?"#,
            id.0,
            secret_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(Token::try_from).transpose()
    }

    /// The token of that number, for somebody whose secret was checked before.
    pub async fn token_again(&self, id: TokenId) -> Result<Option<Token>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT id AS "id!", user_id, name, privileges, scope, created_ms, expires_ms, used_ms, used_address
               FROM api_tokens WHERE id = ?"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(Token::try_from).transpose()
    }

    pub async fn token_used(
        &self,
        id: TokenId,
        address: Option<&str>,
        used_ms: i64,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE api_tokens SET used_ms = ?, used_address = ? WHERE id = ?",
            used_ms,
            address,
            id.0
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
