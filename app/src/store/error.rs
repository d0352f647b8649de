//! What can go wrong with the database while Paddock runs.

/// A read or write that did not happen. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database is locked by another process")]
    Locked,
    #[error("the disk that holds the database is full")]
    DiskFull,
    /// A row that Paddock could not have written.
    #[error("the database holds a damaged record: {table} {id}: {what}")]
    Damaged { table: &'static str, id: i64, what: String },
    #[error("the database answered: {0}")]
    Other(#[source] sqlx::Error),
}

/// SQLite's primary result codes, <https://www.sqlite.org/rescode.html>.
pub(super) mod code {
    pub const ERROR: i32 = 1;
    pub const BUSY: i32 = 5;
    pub const LOCKED: i32 = 6;
    pub const READONLY: i32 = 8;
    pub const CORRUPT: i32 = 11;
    pub const FULL: i32 = 13;
    pub const CANTOPEN: i32 = 14;
    pub const NOTADB: i32 = 26;
}

/// The primary result code, where SQLite itself answered.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(code::BUSY | code::LOCKED) => Self::Locked,
            Some(code::FULL) => Self::DiskFull,
            _ => Self::Other(error),
        }
    }
}
