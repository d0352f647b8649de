//! Changes of guests that were only seen.

use sqlx::SqliteConnection;

use super::Source;
use crate::{
    domain::{
        guest::{BackendKind, GuestId, GuestStatus},
        name::GuestName,
        operation::{Deed, EndState, GuestAfter, OperationId, Origin, Seen},
        plan::Plan,
    },
    ledger::Checkpoint,
    store::{End, NewOperation, Store, StoreError, ledger::announce, operations::set_running, text::Text},
};

/// A change that was seen and that Paddock did not make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub seen: Seen,
    /// When it was seen, milliseconds since 1970.
    pub at_ms: i64,
    /// What a reader must know: between which times it happened.
    pub notes: Vec<String>,
}

/// How a guest was seen, and the record of that, where Paddock did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub guest: GuestId,
    /// `None` where it is gone.
    pub status: Option<GuestStatus>,
    /// Since when it is so, milliseconds since 1970.
    pub since_ms: i64,
    pub observed: Option<Observed>,
}

/// A guest as it was last seen at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGuest {
    pub name: GuestName,
    pub status: GuestStatus,
    /// When it was first seen so.
    pub since_ms: i64,
}

/// The newest operation of Paddock on a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDone {
    /// `None` while it is live.
    pub finished_ms: Option<i64>,
    /// `None` while it is live, and for an operation on another guest that this one is the copy of.
    pub guest_after: Option<GuestAfter>,
}

impl Store {
    /// How each guest of the backend was last seen at rest.
    pub async fn known_guests(&self, kind: BackendKind) -> Result<Vec<KnownGuest>, StoreError> {
        let backend = kind.as_str();
        let rows =
            sqlx::query!(
                r#"SELECT guest AS "guest: Text", status AS "status: Text", since_ms FROM known_guests WHERE backend = ?"#,
                backend
            )
            .fetch_all(&self.pool)
            .await?;
        // What cannot be read is as good as not known, and is written anew with the next reading.
        let known = |(guest, status, since_ms): (Text, Text, i64)| {
            let (name, status) = (GuestName::found(guest.as_str()).ok()?, status.as_str().parse().ok()?);
            Some(KnownGuest { name, status, since_ms })
        };
        Ok(rows.into_iter().filter_map(|row| known((row.guest, row.status, row.since_ms))).collect())
    }

    /// The first reading of a backend: how its guests are, and when that was.
    pub async fn note_guests(
        &self,
        kind: BackendKind,
        guests: &[(GuestName, GuestStatus)],
        read_ms: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writing().await?;
        for (name, status) in guests {
            let guest = GuestId::new(kind, name.clone());
            note_guest(&mut transaction, &guest, Some(*status), read_ms).await?;
        }
        let source = Source::Guests(kind).as_str();
        sqlx::query!(
            "INSERT INTO outside_read (source, until_ms) VALUES (?, ?) ON CONFLICT (source) DO NOTHING",
            source,
            read_ms
        )
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// How guests are now, all in one transaction, and in their order which operations that made. What a host does at once,
    /// a restart of all its guests, would else wait for the disk as often as there are guests.
    pub async fn note_changes(&self, changes: &[Noted]) -> Result<Vec<Option<OperationId>>, StoreError> {
        let mut transaction = self.writing().await?;
        let (mut ids, mut checkpoints) = (Vec::with_capacity(changes.len()), Vec::new());
        for change in changes {
            note_guest(&mut transaction, &change.guest, change.status, change.since_ms).await?;
            ids.push(match &change.observed {
                Some(observed) => {
                    Some(self.observe(&mut transaction, change, observed, &mut checkpoints).await?)
                }
                None => None,
            });
        }
        transaction.commit().await?;
        for checkpoint in &checkpoints {
            announce(Some(checkpoint));
        }
        Ok(ids)
    }

    async fn observe(
        &self,
        transaction: &mut SqliteConnection,
        change: &Noted,
        observed: &Observed,
        checkpoints: &mut Vec<Checkpoint>,
    ) -> Result<OperationId, StoreError> {
        let plan = Plan { notes: observed.notes.clone(), ..Plan::default() };
        let new = NewOperation {
            origin: Origin::Observed,
            parent: None,
            children: None,
            guest: Some(&change.guest),
            node: None,
            title: None,
            action: Deed::Observed(observed.seen),
            actor: None,
            address: None,
            request: None,
            plan: &plan,
            started_ms: observed.at_ms,
            owner: None,
        };
        let (id, begun) = self.write_begin(transaction, &new, observed.at_ms).await?;
        set_running(transaction, id, observed.at_ms).await?;
        let end = End {
            state: EndState::Succeeded,
            failure: None,
            failure_kind: None,
            guest_after: change.status.map_or(GuestAfter::Gone, GuestAfter::Status),
            finished_ms: observed.at_ms,
        };
        let finished = self.write_end(transaction, id, &end, observed.at_ms).await?.flatten();
        checkpoints.extend(begun.into_iter().chain(finished));
        Ok(id)
    }

    /// The newest operation of Paddock, of this process or another, that began by `until_ms` and was live at `from_ms`
    /// or later, on this guest or making it as the copy of another.
    pub async fn last_done(
        &self,
        guest: &GuestId,
        from_ms: i64,
        until_ms: i64,
    ) -> Result<Option<LastDone>, StoreError> {
        let (backend, name) = (guest.backend.as_str(), guest.name.as_str());
        // A guest has one live operation at most, so the newest to begin is the last to end.
        let own = sqlx::query!(
            r#"SELECT id AS "id!", finished_ms, guest_after AS "guest_after: Text" FROM operations
               WHERE backend = ? AND guest = ? AND origin = 'paddock' AND started_ms <= ?
               ORDER BY started_ms DESC, id DESC LIMIT 1"#,
            backend,
            name,
            until_ms
        )
        .fetch_optional(&self.pool)
        .await?;
        if let Some(row) = own.filter(|row| row.finished_ms.is_none_or(|finished_ms| finished_ms >= from_ms))
        {
            // As good as not read, where somebody wrote to it.
            let read = |json: Text| serde_json::from_str(json.as_str()).unwrap_or(GuestAfter::NotRead);
            let guest_after = row.guest_after.map(read);
            return Ok(Some(LastDone { finished_ms: row.finished_ms, guest_after }));
        }
        let copy = sqlx::query!(
            r#"SELECT finished_ms FROM operations
               WHERE backend = ?1 AND action = 'clone' AND origin = 'paddock' AND started_ms <= ?2
                 AND (finished_ms IS NULL OR finished_ms >= ?3)
                 AND json_extract(plan, '$.expect."other-exists"') = ?4
               ORDER BY id DESC LIMIT 1"#,
            backend,
            until_ms,
            from_ms,
            name
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(copy.map(|row| LastDone { finished_ms: row.finished_ms, guest_after: None }))
    }
}

async fn note_guest(
    connection: &mut SqliteConnection,
    guest: &GuestId,
    status: Option<GuestStatus>,
    since_ms: i64,
) -> Result<(), sqlx::Error> {
    let (backend, name) = (guest.backend.as_str(), guest.name.as_str());
    let Some(status) = status.map(GuestStatus::as_str) else {
        sqlx::query!("DELETE FROM known_guests WHERE backend = ? AND guest = ?", backend, name)
            .execute(connection)
            .await?;
        return Ok(());
    };
    sqlx::query!(
        "INSERT INTO known_guests (backend, guest, status, since_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (backend, guest) DO UPDATE SET status = excluded.status, since_ms = excluded.since_ms",
        backend,
        name,
        status,
        since_ms
    )
    .execute(connection)
    .await?;
    Ok(())
}
