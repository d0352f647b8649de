//! Reading rows that may hold anything: SQLite keeps what a hand wrote, whatever the column is said to be.

use sqlx::{Decode, Row as _, Sqlite, Type, TypeInfo as _, ValueRef as _, sqlite::SqliteRow};

use crate::ledger::{Checkpoint, Entry, Hash, PublicKey, Signature};

/// A value is not of its column's type; the clause goes on from “cannot be read: ”.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its {column} is no {expected}")]
pub(in crate::store) struct BadCell {
    column: &'static str,
    expected: &'static str,
}

/// What a column can be.
pub(in crate::store) trait Cell<'r>: Decode<'r, Sqlite> + Type<Sqlite> {
    const EXPECTED: &'static str;
}

impl Cell<'_> for i64 {
    const EXPECTED: &'static str = "number";
}

impl<'r> Cell<'r> for &'r str {
    const EXPECTED: &'static str = "text";
}

impl<'r, T: Cell<'r>> Cell<'r> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
}

pub(in crate::store) fn cell<'r, T: Cell<'r>>(
    row: &'r SqliteRow,
    column: &'static str,
) -> Result<T, BadCell> {
    row.try_get(column).map_err(|_| BadCell { column, expected: T::EXPECTED })
}

/// Bytes of a known length.
pub(in crate::store) fn fixed<const N: usize>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<[u8; N], BadCell> {
    let bad = BadCell { column, expected: "hash, key or signature" };
    let is_blob = row.try_get_raw(column).is_ok_and(|value| value.type_info().name() == "BLOB");
    let bytes: &[u8] = row.try_get(column).map_err(|_| bad)?;
    bytes.try_into().ok().filter(|_| is_blob).ok_or(bad)
}

fn text(row: &SqliteRow, column: &'static str) -> Result<String, BadCell> {
    cell::<&str>(row, column).map(str::to_owned)
}

fn optional_text(row: &SqliteRow, column: &'static str) -> Result<Option<String>, BadCell> {
    Ok(cell::<Option<&str>>(row, column)?.map(str::to_owned))
}

pub(in crate::store) fn entry(row: &SqliteRow) -> Result<Entry, BadCell> {
    Ok(Entry {
        seq: cell(row, "seq")?,
        at_ms: cell(row, "at_ms")?,
        kind: text(row, "kind")?,
        actor: optional_text(row, "actor")?,
        address: optional_text(row, "address")?,
        subject: optional_text(row, "subject")?,
        operation: cell(row, "operation")?,
        detail: text(row, "detail")?,
        previous: Hash(fixed(row, "previous")?),
        hash: Hash(fixed(row, "hash")?),
    })
}

pub(in crate::store) fn checkpoint(row: &SqliteRow) -> Result<Checkpoint, BadCell> {
    Ok(Checkpoint {
        seq: cell(row, "seq")?,
        hash: Hash(fixed(row, "hash")?),
        at_ms: cell(row, "at_ms")?,
        key: PublicKey(fixed(row, "key")?),
        signature: Signature(fixed(row, "signature")?),
    })
}
