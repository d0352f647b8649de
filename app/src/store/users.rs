//! Users: who may log in.

use serde_json::{Map, Value, json};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{
    Store, StoreError,
    access::{self, NewGrant},
    entry_kind::EntryKind,
    ledger::{By, Fact},
};
use crate::domain::access::{Account, BuiltIn, Holder, Scope};

/// The realm of accounts whose password Paddock checks itself.
pub const LOCAL: &str = "local";

/// The key of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(pub i64);

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    /// [`LOCAL`], or the Proxmox realm that checks the password.
    pub realm: String,
    /// Argon2id, PHC string format; `None` in a realm of Proxmox.
    pub password_hash: Option<String>,
    pub must_change_password: bool,
    pub is_disabled: bool,
    /// The first millisecond since 1970 in which the account is over.
    pub expires_ms: Option<i64>,
    /// Must have a second factor of Paddock's.
    pub factor_required: bool,
    pub has_factor: bool,
    /// A session that was begun in an earlier epoch is over.
    pub session_epoch: i64,
    pub created_ms: i64,
}

impl User {
    /// Neither disabled nor over.
    pub fn may_log_in(&self, now_ms: i64) -> bool {
        !self.is_disabled && self.expires_ms.is_none_or(|end| now_ms < end)
    }
}

/// A user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub username: String,
    /// As in [`User`]; the realm is [`LOCAL`] exactly if there is one.
    pub password_hash: Option<String>,
    pub realm: String,
    /// Granted on everything; `None` for somebody who may do nothing yet.
    pub role: Option<BuiltIn>,
    pub must_change_password: bool,
    pub created_ms: i64,
}

impl NewUser {
    /// One whose password Paddock checks itself.
    pub fn local(username: &str, password_hash: String, role: Option<BuiltIn>) -> Self {
        Self {
            username: username.to_owned(),
            password_hash: Some(password_hash),
            realm: LOCAL.to_owned(),
            role,
            must_change_password: false,
            created_ms: 0,
        }
    }
}

/// What of an account is changed; `None` is left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserChange {
    pub is_disabled: Option<bool>,
    /// `Some(None)`: never again.
    pub expires_ms: Option<Option<i64>>,
    pub factor_required: Option<bool>,
}

/// What a change of users, groups, roles or grants came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Done,
    /// There is no such thing.
    Missing,
    /// There is one of that name already.
    Taken,
    /// Nobody would be left who may do everything. Nothing was changed.
    LastAdministrator,
    /// It is still granted. Nothing was changed.
    InUse,
}

struct UserRow {
    id: i64,
    username: String,
    realm: String,
    password_hash: Option<String>,
    must_change_password: i64,
    is_disabled: i64,
    expires_ms: Option<i64>,
    factor_required: i64,
    has_factor: i64,
    session_epoch: i64,
    created_ms: i64,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.id),
            username: row.username,
            realm: row.realm,
            password_hash: row.password_hash,
            must_change_password: row.must_change_password != 0,
            is_disabled: row.is_disabled != 0,
            expires_ms: row.expires_ms,
            factor_required: row.factor_required != 0,
            has_factor: row.has_factor != 0,
            session_epoch: row.session_epoch,
            created_ms: row.created_ms,
        }
    }
}

impl Store {
    /// Adds the user unless there is any user already; says whether it was added.
    pub async fn add_first_user(&self, user: &NewUser, by: By<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!(r#"SELECT EXISTS (SELECT 1 FROM users) AS "any!: i64""#)
            .fetch_one(&mut *transaction)
            .await?;
        if row.any != 0 {
            return Ok(false);
        }
        self.insert_user(transaction, user, by, json!({ "first": true })).await
    }

    /// Adds the user unless the name is taken; says whether it was added.
    pub async fn add_user(&self, user: &NewUser, by: By<'_>) -> Result<bool, StoreError> {
        self.insert_user(self.writing().await?, user, by, json!({})).await
    }

    async fn insert_user(
        &self,
        mut transaction: Transaction<'static, Sqlite>,
        user: &NewUser,
        by: By<'_>,
        mut detail: Value,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "INSERT INTO users (username, realm, password_hash, must_change_password, created_ms)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT (username) DO NOTHING",
            user.username,
            user.realm,
            user.password_hash,
            user.must_change_password,
            user.created_ms
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if user.realm != LOCAL {
            detail["realm"] = json!(user.realm);
        }
        let mut facts =
            vec![Fact::new(EntryKind::UserAdded, by).on(user_subject(&user.username)).with(detail)];
        if let Some(role) = user.role {
            let holder = Holder::User(user.username.clone());
            let grant =
                NewGrant { holder: &holder, role: &role.name(), scope: &Scope::Everything, expires_ms: None };
            facts.extend(access::insert_grant(&mut transaction, grant, by).await?.ok());
        }
        self.commit_with(transaction, facts).await?;
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
        let row = sqlx::query_as!(
            UserRow,
            r#"SELECT id AS "id!", username, realm, password_hash, must_change_password, is_disabled, expires_ms,
                      factor_required, session_epoch, created_ms,
                      EXISTS (SELECT 1 FROM second_factors WHERE user_id = users.id) AS "has_factor!: i64"
               FROM users WHERE username = ?"#,
            username
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(User::from))
    }

    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = sqlx::query_as!(
            UserRow,
            r#"SELECT id, username, realm, password_hash, must_change_password, is_disabled, expires_ms, factor_required,
                      session_epoch, created_ms,
                      EXISTS (SELECT 1 FROM second_factors WHERE user_id = users.id) AS "has_factor!: i64"
               FROM users WHERE id = ?"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(User::from))
    }

    /// All of them, by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = sqlx::query_as!(
            UserRow,
            r#"SELECT id AS "id!", username, realm, password_hash, must_change_password, is_disabled, expires_ms,
                      factor_required, session_epoch, created_ms,
                      EXISTS (SELECT 1 FROM second_factors WHERE user_id = users.id) AS "has_factor!: i64"
               FROM users ORDER BY username"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// Disables or enables the account, or sets when it is over. Whoever may no longer log in has no session left.
    pub async fn change_user(
        &self,
        username: &str,
        change: UserChange,
        by: By<'_>,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let (sets_end, end) = (change.expires_ms.is_some(), change.expires_ms.flatten());
        let is_over = change.is_disabled == Some(true) || end.is_some_and(|end| end <= by.at_ms);
        let row = sqlx::query!(
            "UPDATE users SET is_disabled = coalesce(?, is_disabled), expires_ms = iif(?, ?, expires_ms),
                              factor_required = coalesce(?, factor_required),
                              session_epoch = session_epoch + ?
             WHERE username = ? RETURNING username",
            change.is_disabled,
            sets_end,
            end,
            change.factor_required,
            is_over,
            username
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        if !access::has_administrator(&mut transaction).await? {
            return Ok(Changed::LastAdministrator);
        }
        let mut detail = Map::new();
        if let Some(is_disabled) = change.is_disabled {
            detail.insert("disabled".to_owned(), json!(is_disabled));
        }
        if let Some(end) = change.expires_ms {
            detail.insert("expires_ms".to_owned(), json!(end));
        }
        if let Some(is_required) = change.factor_required {
            detail.insert("second_factor_required".to_owned(), json!(is_required));
        }
        let who = user_subject(&row.username);
        let changed = Fact::new(EntryKind::UserChanged, by).on(who.clone()).with(Value::Object(detail));
        let mut facts = vec![changed];
        if is_over {
            let ended = json!({ "why": "account-ended", "sessions": "all" });
            facts.push(Fact::new(EntryKind::SessionEnded, by).on(who).with(ended));
        }
        self.commit_with(transaction, facts).await?;
        Ok(Changed::Done)
    }

    /// Removes the account with its grants and sessions. What it did stays in history and ledger.
    pub async fn remove_user(&self, username: &str, by: By<'_>) -> Result<Changed, StoreError> {
        let mut transaction = self.writing().await?;
        let row = sqlx::query!("DELETE FROM users WHERE username = ? RETURNING username", username)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        if !access::has_administrator(&mut transaction).await? {
            return Ok(Changed::LastAdministrator);
        }
        let fact = Fact::new(EntryKind::UserRemoved, by).on(user_subject(&row.username));
        self.commit_with(transaction, [fact]).await?;
        Ok(Changed::Done)
    }
}

/// All of them as far as rights ask, by name.
pub(super) async fn accounts(connection: &mut SqliteConnection) -> Result<Vec<Account>, StoreError> {
    let rows = sqlx::query!("SELECT username, realm, is_disabled, expires_ms FROM users ORDER BY username")
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Account {
            name: row.username,
            realm: row.realm,
            is_disabled: row.is_disabled != 0,
            expires_ms: row.expires_ms,
        })
        .collect())
}

/// What stands for an account in the ledger.
pub fn user_subject(username: &str) -> String {
    format!("user:{username}")
}
