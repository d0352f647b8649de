//! Whether the record is as it was written: looked at after the start and once a day, told to everybody, and recorded.
//!
//! Whatever is found, Paddock goes on recording: what happens after a change by hand is as well bound as what was before.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::{sync::watch, task::JoinError};
use tokio_util::sync::CancellationToken;

use super::{AppState, life::by_server};
use crate::{
    backend::now_ms,
    store::{EntryKind, Fact, Pace, Proof, ProveError, StoreError},
};

/// The start has other work to do first.
const FIRST_AFTER: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of the record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Soundness {
    /// It has not been looked at yet, or could not be.
    #[default]
    Unknown,
    Sound {
        entries: u64,
        at_ms: i64,
    },
    /// It was changed by somebody else than Paddock.
    Damaged {
        /// A sentence.
        first: String,
        /// All that were found.
        count: u64,
        at_ms: i64,
    },
}

impl Soundness {
    fn of(proof: &Proof) -> Self {
        let at_ms = now_ms();
        match proof.report.first() {
            None => Self::Sound { entries: proof.report.entries, at_ms },
            Some(first) => Self::Damaged { first: first.to_string(), count: proof.report.count, at_ms },
        }
    }

    /// For a person, what was found and what to do.
    pub fn warning(&self) -> Option<String> {
        let Self::Damaged { first, count, .. } = self else { return None };
        let more = match count {
            0 | 1 => String::new(),
            2 => " One more change was found.".to_owned(),
            _ => format!(" {} more changes were found.", count - 1),
        };
        Some(format!(
            "{first}{more} Paddock goes on recording. Run “paddock verify” on the host to see what was changed, and find out who can write to its database."
        ))
    }
}

/// Why nothing new is known of the record.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the look ended early: {0}")]
    Crashed(#[from] JoinError),
}

/// What is known, for whoever wants to hear of changes.
#[derive(Debug, Clone)]
pub struct Known(watch::Sender<Soundness>);

impl Default for Known {
    fn default() -> Self {
        Self(watch::Sender::new(Soundness::Unknown))
    }
}

impl Known {
    pub fn now(&self) -> Soundness {
        self.0.borrow().clone()
    }

    pub fn subscribe(&self) -> watch::Receiver<Soundness> {
        self.0.subscribe()
    }
}

/// Looks now. `None` if it was to close before it came to an end.
pub async fn look(state: &AppState, closing: &CancellationToken) -> Result<Option<Soundness>, LookError> {
    let (store, closing) = (state.store.clone(), closing.clone());
    let runtime = tokio::runtime::Handle::current();
    // Hashing a long record takes seconds of a core, which requests must not wait for.
    let looked = tokio::task::spawn_blocking(move || {
        runtime.block_on(closing.run_until_cancelled(store.prove(Pace::Gentle)))
    });
    let Some(proof) = looked.await? else { return Ok(None) };
    let found = Soundness::of(&proof?);
    let known = state.soundness.0.send_replace(found.clone());
    if let Soundness::Damaged { first, count, .. } = &found {
        tracing::error!(count, first, "the record has been changed outside Paddock; see paddock verify");
        record(state, first, *count).await?;
    }
    if found.warning() != known.warning() {
        // Open pages show it now.
        state.news.ring();
    }
    Ok(Some(found))
}

/// Once for what is found first: the same look every day is no news.
async fn record(state: &AppState, first: &str, count: u64) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Detail {
        first: String,
    }
    let last = match state.store.newest_entry(EntryKind::DamageFound).await {
        Ok(last) => last.and_then(|entry| serde_json::from_str::<Detail>(&entry.detail).ok()),
        // That very entry was changed.
        Err(StoreError::Damaged { .. }) => None,
        Err(error) => return Err(error),
    };
    if last.is_some_and(|last| last.first == first) {
        return Ok(());
    }
    let detail = json!({ "first": first, "count": count });
    state.store.record(Fact::new(EntryKind::DamageFound, by_server()).with(detail)).await
}

/// Looks after the start and then once a day, until it is to close.
pub async fn keep_looking(state: AppState, closing: CancellationToken) {
    let mut wait = FIRST_AFTER;
    while closing.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
        wait = INTERVAL;
        if let Err(error) = look(&state, &closing).await {
            tracing::error!(error = %error, "whether the record is sound could not be found out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_says_what_was_found_and_what_to_do() {
        let damaged = |count| Soundness::Damaged { first: "Entry 3 is missing.".into(), count, at_ms: 0 };
        let one = damaged(1).warning().unwrap();
        assert!(
            one.starts_with("Entry 3 is missing. Paddock goes on") && one.contains("paddock verify"),
            "{one}"
        );
        assert!(damaged(2).warning().unwrap().contains(" One more change was found. "));
        assert!(damaged(7).warning().unwrap().contains(" 6 more changes were found. "));
        assert_eq!(Soundness::Sound { entries: 3, at_ms: 0 }.warning(), None);
        assert_eq!(Soundness::Unknown.warning(), None);
    }
}
