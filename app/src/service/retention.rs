//! How long the record stays in the database: what is older is moved into archives, once a day.

use std::{path::PathBuf, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{AppState, life::by_server};
use crate::{
    backend::now_ms,
    store::{ArchiveError, Archived, Pace},
};

/// The start, and the first look at the record, come before.
const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);
const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What is kept where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    pub keep_days: u32,
    /// The directory of archives.
    pub into: PathBuf,
}

/// Archives what is too old now. `None` if it was to close before that came to an end.
pub async fn archive(
    state: &AppState,
    retention: &Retention,
    closing: &CancellationToken,
) -> Option<Result<Vec<Archived>, ArchiveError>> {
    let (store, Retention { keep_days, into }) = (state.store.clone(), retention.clone());
    let (runtime, closing) = (tokio::runtime::Handle::current(), closing.clone());
    // Files are written and proven, which requests must not wait for.
    let archived = tokio::task::spawn_blocking(move || {
        let before_ms = now_ms().saturating_sub(i64::from(keep_days).saturating_mul(DAY_MS));
        let archive = store.archive(before_ms, &into, by_server(), Pace::Gentle);
        runtime.block_on(closing.run_until_cancelled(archive))
    });
    archived.await.ok()?
}

/// Archives once a day, until it is to close.
pub async fn keep_archived(state: AppState, retention: Retention, closing: CancellationToken) {
    let mut wait = FIRST_AFTER;
    while closing.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
        wait = INTERVAL;
        match archive(&state, &retention, &closing).await {
            Some(Ok(files)) => {
                for file in files {
                    tracing::info!(file = %file.file.display(), first = file.first_seq, last = file.last_seq, operations = file.operations, "old history was archived");
                }
            }
            Some(Err(error)) => tracing::error!(error = %error, "old history could not be archived"),
            None => {}
        }
    }
}
