//! The wish that an operation ends, and who had it.

use serde_json::json;
use sqlx::SqliteConnection;

use super::{begin::subject, guest};
use crate::{
    domain::operation::OperationId,
    store::{
        Store, StoreError,
        entry_kind::EntryKind,
        ledger::{By, Fact},
        text::Text,
    },
};

/// What became of the mark that an operation's end is wanted.
enum Marked {
    Now,
    /// Somebody was first.
    Before,
    /// The operation has ended.
    TooLate,
}

impl Store {
    /// Asks whichever process owns the operation to end it, and records who asked. False if it has ended already. A
    /// second wish changes nothing, and is not recorded.
    pub async fn want_cancel(&self, id: OperationId, by: By<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        match mark(&mut transaction, id).await? {
            Marked::TooLate => Ok(false),
            Marked::Before => Ok(true),
            Marked::Now => {
                let fact = asked(&mut transaction, id, by).await?;
                self.commit_with(transaction, [fact]).await?;
                Ok(true)
            }
        }
    }

    /// The same for a part of a bulk action whose end is wanted: it was asked for by whoever asked for that.
    pub async fn want_cancel_with(
        &self,
        whole: OperationId,
        part: OperationId,
        at_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.writing().await?;
        match mark(&mut transaction, part).await? {
            Marked::TooLate => Ok(false),
            Marked::Before => Ok(true),
            Marked::Now => {
                let kind = EntryKind::CancelRequested.as_str();
                let row = sqlx::query!(
                    r#"SELECT actor AS "actor: Text", address AS "address: Text" FROM ledger
                       WHERE operation = ? AND kind = ? ORDER BY seq LIMIT 1"#,
                    whole.0,
                    kind
                )
                .fetch_optional(&mut *transaction)
                .await?;
                let (actor, address) = row.map_or((None, None), |row| (row.actor, row.address));
                let [actor, address] = [&actor, &address].map(|text| text.as_ref().map(Text::as_str));
                let fact = asked(&mut transaction, part, By { actor, address, at_ms }).await?;
                self.commit_with(transaction, [fact.with(json!({ "with": whole.0 }))]).await?;
                Ok(true)
            }
        }
    }

    pub async fn is_cancel_wanted(&self, id: OperationId) -> Result<bool, StoreError> {
        let row = sqlx::query!("SELECT cancel_wanted FROM operations WHERE id = ?", id.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some_and(|row| row.cancel_wanted != 0))
    }
}

async fn mark(connection: &mut SqliteConnection, id: OperationId) -> Result<Marked, StoreError> {
    let live = sqlx::query!(
        "SELECT cancel_wanted FROM operations WHERE id = ? AND state IN ('planned', 'running')",
        id.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    match live.map(|row| row.cancel_wanted != 0) {
        None => return Ok(Marked::TooLate),
        Some(true) => return Ok(Marked::Before),
        Some(false) => {}
    }
    sqlx::query!("UPDATE operations SET cancel_wanted = 1 WHERE id = ?", id.0).execute(connection).await?;
    Ok(Marked::Now)
}

async fn asked<'a>(
    connection: &mut SqliteConnection,
    id: OperationId,
    by: By<'a>,
) -> Result<Fact<'a>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT backend AS "backend: Text", guest AS "guest: Text", node AS "node: Text" FROM operations
           WHERE id = ?"#,
        id.0
    )
    .fetch_one(connection)
    .await?;
    let on = guest(row.backend.as_ref(), row.guest.as_ref()).ok().flatten();
    let mut fact = Fact::new(EntryKind::CancelRequested, by).of(id.0);
    fact.subject = subject(on.as_ref(), row.node.as_ref().map(Text::as_str));
    Ok(fact)
}
