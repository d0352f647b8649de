//! Exports: all that a filter asks for, newest first, as CSV or JSON Lines, piece by piece.
//!
//! One piece is in memory at a time, and between two of them nothing is held: neither a connection nor a snapshot of the
//! database, which would keep its log from being folded in for as long as a client reads slowly. A piece goes on behind the
//! last row of the one before it, so each operation comes once at most, and what begins meanwhile does not come.

mod cells;

use std::{fmt, str::FromStr};

use super::Error;
use crate::{
    auth::{Caller, policy},
    backend,
    domain::{
        access::Privilege,
        history::{FilterError, HistoryFilter, HistoryQuery},
    },
    store::{HistoryRecord, Store},
};

/// Operations of one piece.
const PIECE: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header, except that lines end with a line feed. A cell that a spreadsheet would take for a formula
    /// has an apostrophe in front.
    Csv,
    /// One JSON object a line, exactly as recorded.
    JsonLines,
}

impl Format {
    /// Also the ending of a file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There is no such format. Take csv or jsonl.")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        [Self::Csv, Self::JsonLines].into_iter().find(|format| format.as_str() == text).ok_or(UnknownFormat)
    }
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailure {
    #[error("the filter makes no sense")]
    Filter(Vec<FilterError>),
    #[error(transparent)]
    Other(#[from] Error),
}

/// An export on its way.
#[derive(Debug)]
pub struct Export {
    rows: Rows,
    format: Format,
    has_begun: bool,
}

impl Export {
    /// Nothing is read yet.
    pub fn new(
        store: &Store,
        caller: &Caller,
        query: &HistoryQuery,
        format: Format,
    ) -> Result<Self, ExportFailure> {
        Ok(Self { rows: Rows::new(store, caller, query, None)?, format, has_begun: false })
    }

    /// At most so many operations.
    #[must_use]
    pub fn at_most(mut self, count: Option<usize>) -> Self {
        self.rows.left = count;
        self
    }

    /// The next piece of the file; `None` behind its last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let records = self.rows.next().await?;
        if records.is_empty() && !is_first {
            return Ok(None);
        }
        let piece = match self.format {
            Format::Csv => cells::csv(&records, is_first)?,
            Format::JsonLines => cells::json_lines(&records)?,
        };
        // An empty piece of a stream is none; the file is empty then.
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

/// The operations of an export, a few at a time.
#[derive(Debug)]
pub struct Rows {
    store: Store,
    filter: HistoryFilter,
    /// How many may still come; `None` for all.
    left: Option<usize>,
}

impl Rows {
    pub fn new(
        store: &Store,
        caller: &Caller,
        query: &HistoryQuery,
        at_most: Option<usize>,
    ) -> Result<Self, ExportFailure> {
        policy::decide(caller, Privilege::See, None).map_err(Error::from)?;
        let filter = query.read(backend::now_ms()).map_err(ExportFailure::Filter)?;
        Ok(Self { store: store.clone(), filter, left: at_most })
    }

    /// The next ones; none behind the last.
    pub async fn next(&mut self) -> Result<Vec<HistoryRecord>, Error> {
        let wanted = self.left.map_or(PIECE, |left| left.min(PIECE));
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let records = self.store.history_records(&self.filter, wanted).await?;
        // Fewer than wanted are the last.
        self.left = match self.left {
            _ if records.len() < wanted => Some(0),
            left => left.map(|left| left - records.len()),
        };
        self.filter.after = records.last().map(HistoryRecord::place).or(self.filter.after);
        Ok(records)
    }
}
