//! Writing the ledger, or a part of it with its operations, as a file that proves itself.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{
    Bad,
    cut::{Cut, entries},
    rows::{OPERATION, OUTPUT, OperationRow, PieceRow, STEP, StepRow},
};
use crate::{
    ledger::{Checkpoint, Exporter, Hash, Signer},
    store::{
        entry_kind::EntryKind,
        verify::cells::{self, cell},
    },
};

/// Counts the bytes that go by into a SHA-256.
pub(super) struct Digested<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Digested<W> {
    pub fn new(out: W) -> Self {
        Self { out, digest: Sha256::new() }
    }

    pub fn finish(self) -> (W, Hash) {
        (self.out, Hash(self.digest.finalize().into()))
    }
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// All entries after one up to another, each with its checkpoint. Says how many.
pub(in crate::store) async fn ledger<W: Write>(
    db: &mut SqliteConnection,
    to: &mut Exporter<W>,
    after: i64,
    last: i64,
    operations: bool,
) -> Result<u64, Bad> {
    let (mut from, mut count) = (after, 0);
    loop {
        let page = entries(db, from, last).await?;
        let Some(end) = page.last() else { return Ok(count) };
        let signed = checkpoints(db, from, end.seq).await?;
        from = end.seq;
        for entry in &page {
            count += 1;
            to.entry(entry)?;
            if let Some(checkpoint) = signed.get(&entry.seq) {
                to.checkpoint(checkpoint)?;
            }
            if operations
                && entry.kind == EntryKind::OperationEnded.as_str()
                && let Some(id) = entry.operation
            {
                operation(db, to, id).await?;
            }
        }
    }
}

/// What an archive holds. Says how many operations.
pub(super) async fn archive<W: Write>(
    db: &mut SqliteConnection,
    out: W,
    cut: &Cut,
    signer: &Signer,
    now_ms: i64,
) -> Result<W, Bad> {
    let (seq, hash) = cut.after;
    let mut to = Exporter::new(out, seq, hash)?;
    // Those that had ended before there was a ledger stand before its entries.
    let unbound: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM operations WHERE id <= ?1
         AND id NOT IN (SELECT operation FROM ledger WHERE operation <= ?1 AND kind = ?2) ORDER BY id",
    )
    .bind(cut.unbound_up_to)
    .bind(EntryKind::OperationEnded.as_str())
    .fetch_all(&mut *db)
    .await?;
    for id in unbound {
        operation(db, &mut to, id).await?;
    }
    ledger(db, &mut to, seq, cut.last_seq, true).await?;
    Ok(to.finish(signer, &signer.checkpoint(cut.last_seq, cut.last_hash, now_ms))?)
}

async fn checkpoints(
    db: &mut SqliteConnection,
    after: i64,
    last: i64,
) -> Result<BTreeMap<i64, Checkpoint>, Bad> {
    let rows = sqlx::query(
        "SELECT seq, hash, at_ms, key, signature FROM ledger_checkpoints WHERE seq > ? AND seq <= ?",
    )
    .bind(after)
    .bind(last)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| cells::checkpoint(row).map(|signed| (signed.seq, signed)).map_err(Bad::from))
        .collect()
}

async fn operation<W: Write>(db: &mut SqliteConnection, to: &mut Exporter<W>, id: i64) -> Result<(), Bad> {
    let row = sqlx::query(
        "SELECT origin, parent_id, children, backend, guest, node, title, action, actor, address, request, plan,
                started_ms, state, running_ms, finished_ms, failure, failure_kind, guest_after,
                (SELECT count(*) FROM operation_steps WHERE operation_id = o.id) AS steps
         FROM operations AS o WHERE id = ?",
    )
    .bind(id)
    .fetch_optional(&mut *db)
    .await?;
    let row = row.ok_or(Bad::Gone { operation: id })?;
    let tasks = sqlx::query_scalar("SELECT upid FROM tasks WHERE operation_id = ? ORDER BY upid")
        .bind(id)
        .fetch_all(&mut *db)
        .await?;
    record(to, OPERATION, id, &operation_row(&row, tasks)?)?;
    let mut steps =
        sqlx::query("SELECT step, outcome FROM operation_steps WHERE operation_id = ? ORDER BY step")
            .bind(id)
            .fetch(&mut *db);
    while let Some(row) = steps.try_next().await? {
        let step = StepRow { step: cell(&row, "step")?, outcome: text(&row, "outcome")? };
        record(to, STEP, id, &step)?;
    }
    drop(steps);
    let mut output = sqlx::query(
        "SELECT step, stream, at_ms, text FROM operation_output WHERE operation_id = ? ORDER BY id",
    )
    .bind(id)
    .fetch(&mut *db);
    while let Some(row) = output.try_next().await? {
        let (step, at_ms) = (cell(&row, "step")?, cell(&row, "at_ms")?);
        let piece = PieceRow { step, stream: text(&row, "stream")?, at_ms, text: text(&row, "text")? };
        record(to, OUTPUT, id, &piece)?;
    }
    Ok(())
}

fn record<W: Write>(
    to: &mut Exporter<W>,
    kind: &str,
    id: i64,
    row: &impl serde::Serialize,
) -> Result<(), Bad> {
    let json = serde_json::to_string(row).map_err(io::Error::other)?;
    Ok(to.record(kind, id, &json)?)
}

fn text<'r>(row: &'r SqliteRow, column: &'static str) -> Result<std::borrow::Cow<'r, str>, Bad> {
    Ok(cell::<&str>(row, column)?.into())
}

fn optional<'r>(row: &'r SqliteRow, column: &'static str) -> Result<Option<std::borrow::Cow<'r, str>>, Bad> {
    Ok(cell::<Option<&str>>(row, column)?.map(Into::into))
}

fn operation_row(row: &SqliteRow, tasks: Vec<String>) -> Result<OperationRow<'_>, Bad> {
    Ok(OperationRow {
        origin: text(row, "origin")?,
        parent_id: cell(row, "parent_id")?,
        children: cell(row, "children")?,
        backend: optional(row, "backend")?,
        guest: optional(row, "guest")?,
        node: optional(row, "node")?,
        title: optional(row, "title")?,
        action: text(row, "action")?,
        actor: optional(row, "actor")?,
        address: optional(row, "address")?,
        request: optional(row, "request")?,
        plan: text(row, "plan")?,
        started_ms: cell(row, "started_ms")?,
        state: text(row, "state")?,
        running_ms: cell(row, "running_ms")?,
        finished_ms: cell(row, "finished_ms")?,
        failure: optional(row, "failure")?,
        failure_kind: optional(row, "failure_kind")?,
        guest_after: optional(row, "guest_after")?,
        steps: cell(row, "steps")?,
        tasks,
    })
}
