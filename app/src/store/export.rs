//! The ledger as a file that proves itself, without what it tells of.

use std::{io::Write, path::Path};

use super::{
    ArchiveError, Store, StoreError, archives,
    archives::{read, write},
    ledger::head,
};
use crate::ledger::Exporter;

impl Store {
    /// Writes all entries that are in the database, of one moment, in constant memory. Says how many. `name` is what the
    /// output is called in an error.
    ///
    /// What was signed last is its end: a ledger that was cut off is exported as one.
    pub async fn export_ledger(&self, out: impl Write, name: &Path) -> Result<u64, ArchiveError> {
        let mut snapshot = self.pool.begin().await.map_err(StoreError::from)?;
        let archives = read(&mut snapshot).await.map_err(StoreError::from)?;
        let head = head(&mut snapshot).await?.ok_or_else(|| StoreError::Damaged {
            table: "ledger_head",
            id: 1,
            what: "it is not there".to_owned(),
        })?;
        let written: Result<u64, archives::Bad> = async {
            let mut to = Exporter::new(out, archives.last_seq, archives.last_hash)?;
            let count = write::ledger(&mut snapshot, &mut to, archives.last_seq, i64::MAX, false).await?;
            to.finish(&self.signer, &head)?;
            Ok(count)
        }
        .await;
        written.map_err(|bad| bad.at(name))
    }
}
