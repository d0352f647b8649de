//! Sessions: who is logged in, from where, and until when.

use serde_json::json;

use super::{
    Store, StoreError, User, UserId,
    entry_kind::EntryKind,
    ledger::{By, Fact},
    user_subject,
};
use crate::domain::account::{SecretHash, SessionId};

/// A log-in that is to become a session.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    pub user: UserId,
    /// The account's of now.
    pub epoch: i64,
    pub address: Option<&'a str>,
    /// A few words.
    pub device: &'a str,
    pub device_key: Option<SecretHash>,
    pub begun_ms: i64,
}

/// A session as stored. It has not been ended; whether its time is over is for whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub begun_ms: i64,
    pub seen_ms: i64,
    pub address: Option<String>,
    pub device: String,
}

/// From where somebody has logged in lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub address: Option<String>,
    pub device_key: Option<Vec<u8>>,
}

struct Row {
    session: i64,
    begun_ms: i64,
    seen_ms: i64,
    address: Option<String>,
    device: String,
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

impl Store {
    pub async fn begin_session(&self, new: &NewSession<'_>) -> Result<SessionId, StoreError> {
        let device_key = new.device_key.as_ref().map(<[u8; 32]>::as_slice);
        let row = sqlx::query!(
            r#"INSERT INTO sessions (user_id, epoch, begun_ms, seen_ms, address, device, device_key)
               VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6) RETURNING id AS "id!""#,
            new.user.0,
            new.epoch,
            new.begun_ms,
            new.address,
            new.device,
            device_key
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(SessionId(row.id))
    }

    /// A session with whose it is, in one read; `None` for one that has ended, also with its account's epoch or with the
    /// account itself.
    pub async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"SELECT s.id AS session, s.begun_ms, s.seen_ms, s.address, s.device, u.id AS "id!", u.username, u.realm,
                      u.password_hash, u.must_change_password, u.is_disabled, u.expires_ms,
                      u.factor_required, u.session_epoch, u.created_ms,
                      EXISTS (SELECT 1 FROM second_factors WHERE user_id = u.id) AS "has_factor!: i64"
               FROM sessions AS s JOIN users AS u ON u.id = s.user_id
               WHERE s.id = ? AND s.ended_ms IS NULL AND s.epoch = u.session_epoch"#,
            id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| {
            let session = Session {
                id: SessionId(row.session),
                begun_ms: row.begun_ms,
                seen_ms: row.seen_ms,
                address: row.address,
                device: row.device,
            };
            let user = User {
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
            };
            (session, user)
        }))
    }

    /// Those of a user that have not been ended, the one used last first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT s.id AS "id!", s.begun_ms, s.seen_ms, s.address, s.device
               FROM sessions AS s JOIN users AS u ON u.id = s.user_id
               WHERE s.user_id = ? AND s.ended_ms IS NULL AND s.epoch = u.session_epoch
               ORDER BY s.seen_ms DESC, s.id DESC"#,
            user.0
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Session {
                id: SessionId(row.id),
                begun_ms: row.begun_ms,
                seen_ms: row.seen_ms,
                address: row.address,
                device: row.device,
            })
            .collect())
    }

    /// From where the user has logged in since then, newest first.
    pub async fn known_places(&self, user: UserId, since_ms: i64) -> Result<Vec<Known>, StoreError> {
        Ok(sqlx::query_as!(
            Known,
            "SELECT address, device_key FROM sessions WHERE user_id = ? AND begun_ms >= ? ORDER BY id DESC LIMIT 200",
            user.0,
            since_ms
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Notes that the session was used.
    pub async fn session_seen(
        &self,
        id: SessionId,
        address: Option<&str>,
        seen_ms: i64,
    ) -> Result<(), StoreError> {
        sqlx::query!("UPDATE sessions SET seen_ms = ?, address = ? WHERE id = ?", seen_ms, address, id.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends a session of the user; false where there is none that goes on. It is recorded with what ended it.
    pub async fn end_session(
        &self,
        user: &User,
        id: SessionId,
        why: &str,
        by: By<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        let done = sqlx::query!(
            "UPDATE sessions SET ended_ms = ? WHERE id = ? AND user_id = ? AND epoch = ? AND ended_ms IS NULL",
            by.at_ms,
            id.0,
            user.id.0,
            user.session_epoch
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let fact = Fact::new(EntryKind::SessionEnded, by).on(user_subject(&user.username));
        self.commit_with(transaction, [fact.with(json!({ "why": why, "sessions": 1 }))]).await?;
        Ok(true)
    }

    /// Ends a session where the ledger takes no entry.
    pub async fn end_unrecorded(&self, id: SessionId, at_ms: i64) -> Result<(), StoreError> {
        sqlx::query!("UPDATE sessions SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL", at_ms, id.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends all sessions of the user but that one, and says how many there were.
    pub async fn end_sessions(
        &self,
        user: &User,
        but: Option<SessionId>,
        why: &str,
        by: By<'_>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.writing().await?;
        let but = but.map(|id| id.0);
        let done = sqlx::query!(
            "UPDATE sessions SET ended_ms = ? WHERE user_id = ? AND epoch = ? AND ended_ms IS NULL AND id IS NOT ?",
            by.at_ms,
            user.id.0,
            user.session_epoch,
            but
        )
        .execute(&mut *transaction)
        .await?;
        let count = done.rows_affected();
        if count > 0 {
            let fact = Fact::new(EntryKind::SessionEnded, by).on(user_subject(&user.username));
            self.commit_with(transaction, [fact.with(json!({ "why": why, "sessions": count }))]).await?;
        }
        Ok(count)
    }

    /// Those whose time is over and that nobody has ended yet: older than `begun_before`, or not used since
    /// `seen_before`.
    pub async fn overdue_sessions(
        &self,
        begun_before: i64,
        seen_before: i64,
    ) -> Result<Vec<(SessionId, UserId)>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT s.id AS "id!", s.user_id FROM sessions AS s JOIN users AS u ON u.id = s.user_id
               WHERE s.ended_ms IS NULL AND s.epoch = u.session_epoch AND (s.begun_ms < ? OR s.seen_ms < ?)
               ORDER BY s.id LIMIT 1000"#,
            begun_before,
            seen_before
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (SessionId(row.id), UserId(row.user_id))).collect())
    }

    /// Removes the rows of sessions that are over and were begun before that.
    pub async fn forget_sessions(&self, begun_before: i64) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "DELETE FROM sessions WHERE begun_ms < ?
             AND (ended_ms IS NOT NULL OR epoch <> (SELECT session_epoch FROM users WHERE id = user_id))",
            begun_before
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// A number that is another one after anybody else, in this process or another, has written to the database.
    pub async fn watch(&self) -> Result<Watch, StoreError> {
        use sqlx::ConnectOptions as _;
        // Not one of the pool's: it is held for as long as Paddock runs.
        let connection = (*self.pool.connect_options()).clone().connect().await?;
        Ok(Watch { connection })
    }
}

/// A connection of its own that sees when others write.
#[derive(Debug)]
pub struct Watch {
    connection: sqlx::SqliteConnection,
}

impl Watch {
    /// Costs a look into the log's shared memory, no read of the file.
    pub async fn version(&mut self) -> Result<i64, StoreError> {
        // A pragma is no query that can be checked when Paddock is compiled.
        Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.connection).await?)
    }
}
