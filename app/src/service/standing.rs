//! Whether somebody still is who they were when they began something that goes on: a stream, an export, a command.
//!
//! ```text
//!   a change in this process ───────────────────────┐
//!   a commit of anybody (PRAGMA data_version) ──────┼──► read session or token, account and rights anew ──► over, or
//!   every so often, as grants and sessions run out ─┘                                                     other rights
//! ```

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::AbortHandle};
use tokio_util::sync::CancellationToken;

use super::{AppState, accounts};
use crate::{auth::Caller, domain::access::Rights};

/// How often it is asked whether another process has written to the database: what it ended is over within a second.
const POLL: Duration = Duration::from_millis(250);
/// How often it is looked without any sign: what runs out by itself is over then at the latest.
const TICK: Duration = Duration::from_secs(10);
/// Until the next try, while the database does not answer.
const RETRY: Duration = Duration::from_millis(500);

/// Announces what other processes change, for as long as the server runs.
pub async fn keep_watched(state: AppState) {
    loop {
        if let Err(error) = watch_others(&state).await {
            tracing::error!(error = %error, "the database cannot be watched; what other processes end is noticed later");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn watch_others(state: &AppState) -> Result<(), super::Error> {
    let mut watch = state.store.watch().await?;
    let mut last = None;
    loop {
        let version = Some(watch.version().await?);
        if std::mem::replace(&mut last, version) != version {
            state.access_changes.ring();
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A caller who is watched until this is dropped.
#[derive(Debug)]
pub struct Standing {
    /// Cancelled once the session or token is over.
    pub over: CancellationToken,
    /// What they may do, as of the last look that found it changed.
    pub rights: watch::Receiver<Arc<Rights>>,
    watcher: AbortHandle,
}

impl Standing {
    /// Looks at once, too: the caller may be as of a moment ago.
    pub fn of(state: &AppState, caller: &Caller) -> Self {
        let over = CancellationToken::new();
        let (sender, rights) = watch::channel(caller.rights.clone());
        let watching = watch_one(state.clone(), caller.clone(), sender, over.clone());
        Self { over, rights, watcher: tokio::spawn(watching).abort_handle() }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

async fn watch_one(
    state: AppState,
    caller: Caller,
    rights: watch::Sender<Arc<Rights>>,
    over: CancellationToken,
) {
    let mut changes = state.access_changes.hear();
    loop {
        match accounts::still(&state, &caller).await {
            Ok(Some(now)) => {
                rights.send_if_modified(|before| {
                    let differs = **before != *now.rights;
                    if differs {
                        *before = now.rights;
                    }
                    differs
                });
            }
            Ok(None) => return over.cancel(),
            Err(error) => {
                tracing::error!(error = %error, user = caller.username, "it cannot be read whether a session goes on");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        }
        // Either way it is time to look.
        let _ = tokio::time::timeout(TICK, changes.changed()).await;
    }
}
