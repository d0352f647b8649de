//! The ledger by itself: its end, its entries and its checkpoints, handed to the [`Verifier`](crate::ledger::Verifier) in
//! their order.

use std::{collections::VecDeque, time::Instant};

use serde::Deserialize;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{PAGE, Pace, Trust, cells};
use crate::{
    ledger::{Checkpoint, Damage, Entry, Hash, Report, Verifier},
    store::{archives::Archives, entry_kind::EntryKind, ledger::CHECKPOINT_EVERY},
};

/// What the proof needs of an entry's detail, beyond that its text is unchanged.
#[derive(Deserialize)]
struct Told {
    operations_before: Option<i64>,
    archives: Option<Hash>,
}

/// The look through the ledger by itself.
pub(super) struct Chain {
    pub report: Report,
    /// Operations up to this one began before there was a ledger.
    pub unbound_up_to: i64,
    pub last_ms: Option<i64>,
}

struct Looker {
    verifier: Verifier,
    unbound_up_to: i64,
    last_ms: Option<i64>,
    /// The digest of the list of archives, as the newest entry of one tells.
    archives_told: Option<Hash>,
}

impl Chain {
    pub async fn look(
        db: &mut SqliteConnection,
        trust: &Trust,
        pace: Pace,
        archives: Archives,
    ) -> Result<Self, sqlx::Error> {
        let after = Verifier::after(archives.last_seq, archives.last_hash);
        let verifier = trust.keys.iter().fold(after, |verifier, key| verifier.trust(*key));
        let mut looker = Looker { verifier, unbound_up_to: 0, last_ms: None, archives_told: None };
        archives.damages.iter().for_each(|damage| looker.verifier.damage(damage.clone()));
        if let Err(error) = looker.look(db, &trust.witnesses, pace).await {
            super::damage(error)?.into_iter().for_each(|damage| looker.verifier.damage(damage));
        }
        looker.check_archives(&archives);
        let Looker { verifier, unbound_up_to, last_ms, .. } = looker;
        Ok(Self { report: verifier.finish(), unbound_up_to, last_ms })
    }
}

impl Looker {
    async fn look(
        &mut self,
        db: &mut SqliteConnection,
        witnesses: &[Checkpoint],
        pace: Pace,
    ) -> Result<(), sqlx::Error> {
        self.head(db).await?;
        for witness in witnesses {
            self.verifier.witness(witness);
        }
        let mut signed = Signed { rows: VecDeque::new(), from: Some(i64::MIN) };
        let mut from = Some(i64::MIN);
        while let Some(first) = from {
            let since = Instant::now();
            let rows = entries(db, first).await?;
            for row in &rows {
                let (seq, mut is_signed) = (self.entry(row), false);
                while let Some(row) = signed.next_up_to(db, seq).await? {
                    is_signed |= place(&row) == seq;
                    self.checkpoint(&row);
                }
                if seq % CHECKPOINT_EVERY == 0 && !is_signed {
                    self.verifier.damage(Damage::CheckpointMissing { seq });
                }
            }
            from = rows.last().and_then(|row| place(row).checked_add(1));
            pace.rest(since).await;
        }
        // Of entries that are not there.
        while let Some(row) = signed.next_up_to(db, i64::MAX).await? {
            self.checkpoint(&row);
        }
        Ok(())
    }

    async fn head(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        // The one with the number 1 is what Paddock reads and writes.
        let rows = sqlx::query(
            "SELECT seq, hash, at_ms, key, signature FROM ledger_head ORDER BY only_one <> 1 LIMIT 2",
        )
        .fetch_all(db)
        .await?;
        match rows.first().map(cells::checkpoint) {
            // Told at the end.
            None => {}
            Some(Ok(head)) => self.verifier.head(&head),
            Some(Err(bad)) => {
                self.verifier.head_unreadable();
                self.malformed("the signed end in the table ledger_head".to_owned(), bad);
            }
        }
        if rows.len() > 1 {
            let at = "the table ledger_head".to_owned();
            self.verifier.damage(Damage::Malformed { at, why: "it has more than one row".to_owned() });
        }
        Ok(())
    }

    /// Its number.
    fn entry(&mut self, row: &SqliteRow) -> i64 {
        match cells::entry(row) {
            Ok(entry) => {
                self.verifier.entry(&entry);
                self.told(&entry);
                entry.seq
            }
            Err(bad) => {
                let seq = place(row);
                self.verifier.malformed(format!("row {seq} of the table ledger"), bad.to_string());
                seq
            }
        }
    }

    fn told(&mut self, entry: &Entry) {
        self.last_ms = Some(entry.at_ms);
        let [begun, archived] = [EntryKind::LedgerBegun, EntryKind::Archived].map(EntryKind::as_str);
        if entry.kind != begun && entry.kind != archived {
            return;
        }
        // A text that Paddock did not write has been told of as a changed entry.
        let Ok(told) = serde_json::from_str::<Told>(&entry.detail) else { return };
        if entry.kind == archived {
            self.archives_told = told.archives;
        } else if let Some(before) = told.operations_before {
            self.unbound_up_to = before;
        }
    }

    fn checkpoint(&mut self, row: &SqliteRow) {
        match cells::checkpoint(row) {
            Ok(checkpoint) => self.verifier.checkpoint(&checkpoint),
            Err(bad) => self.malformed(format!("row {} of the table ledger_checkpoints", place(row)), bad),
        }
    }

    /// The list of archives is bound by the newest entry that tells of one.
    fn check_archives(&mut self, archives: &Archives) {
        let why = match (archives.count, self.archives_told) {
            (0, None) => return,
            (_, Some(told)) if told == archives.record => return,
            (_, Some(_)) => "the list of archives is not the one that the ledger tells of",
            (_, None) => "the ledger tells of none",
        };
        self.verifier.damage(Damage::ArchiveMismatch { why: why.to_owned() });
    }

    fn malformed(&mut self, at: String, bad: cells::BadCell) {
        self.verifier.damage(Damage::Malformed { at, why: bad.to_string() });
    }
}

/// The key of a row, which is a number whoever wrote it.
fn place(row: &SqliteRow) -> i64 {
    row.try_get("seq").unwrap_or(i64::MAX)
}

async fn entries(db: &mut SqliteConnection, from: i64) -> Result<Vec<SqliteRow>, sqlx::Error> {
    sqlx::query(
        "SELECT seq, at_ms, kind, actor, address, subject, operation, detail, previous, hash
         FROM ledger WHERE seq >= ? ORDER BY seq LIMIT ?",
    )
    .bind(from)
    .bind(PAGE)
    .fetch_all(db)
    .await
}

/// The checkpoints in their order.
struct Signed {
    rows: VecDeque<SqliteRow>,
    /// Where the next page begins, if there may be one.
    from: Option<i64>,
}

impl Signed {
    /// The next one, if it is of this entry or of one before it.
    async fn next_up_to(
        &mut self,
        db: &mut SqliteConnection,
        seq: i64,
    ) -> Result<Option<SqliteRow>, sqlx::Error> {
        if self.rows.is_empty()
            && let Some(from) = self.from
        {
            let page = sqlx::query(
                "SELECT seq, hash, at_ms, key, signature FROM ledger_checkpoints WHERE seq >= ? ORDER BY seq LIMIT ?",
            )
            .bind(from)
            .bind(PAGE)
            .fetch_all(db)
            .await?;
            self.from = page.last().and_then(|row| place(row).checked_add(1));
            self.rows = page.into();
        }
        Ok(self.rows.pop_front_if(|row| place(row) <= seq))
    }
}
