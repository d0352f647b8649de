//! Attempts that came to nothing, on their way into the ledger: failed log-ins, denied and refused actions.
//!
//! Each is an entry of its own, until there are so many that they would make the database grow without bound. From
//! then on they are only counted, and the count is written when its hour is over, at the next success, or when
//! Paddock ends:
//!
//! ```text
//!   attempt ─► its window: one kind, address and account, one hour ──► an entry, if the window and the kind have any left
//!                 │                                             └───► a count ──────────────► one entry {"tries": n}
//!                 └─ no room for more windows: the oldest one's count goes to the kind's rest ──► one entry an hour
//! ```
//!
//! A crash loses the counts of at most one hour, never an entry.

mod table;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::json;

use super::{AppState, Error};
use crate::{
    auth::Caller,
    backend::now_ms,
    domain::{
        action::Refusal,
        failure::FailureKind,
        guest::GuestId,
        operation::OperationId,
        secret::{MASK, Secret, Secrets},
    },
    store::{By, EntryKind, Fact, Store, user_subject},
};
use table::{Count, Key, Table};

/// How often it is looked for counts whose hour is over.
const CLOSING_PAUSE: Duration = Duration::from_secs(60);
/// Most of a refusal's sentence that is kept, characters.
const KEPT: usize = 1000;

/// What is known of recent attempts. Cheap to clone.
#[derive(Clone, Default)]
pub struct Attempts {
    table: Arc<Mutex<Table>>,
}

impl Attempts {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the attempt, or counts it. The attempt has failed whatever comes of this: what cannot be written is
    /// counted, so that the number at least is written later.
    pub async fn note(&self, store: &Store, fact: Fact<'_>) {
        let (key, at_ms) = (Key::of(&fact), fact.by.at_ms);
        let (is_single, due) = self.table().admit(&key, at_ms);
        self.write(store, due, at_ms).await;
        if is_single && let Err(error) = store.record(fact).await {
            tracing::error!(error = %error, "a failed attempt could not be recorded; it is counted");
            self.table().put_back(Count::one(key, at_ms));
        }
    }

    /// Writes what was counted of failed log-ins before this success: those of the account, and those from its address.
    pub async fn succeeded(&self, store: &Store, account: &str, address: Option<&str>, at_ms: i64) {
        let due = self.table().of_success(account, address);
        self.write(store, due, at_ms).await;
    }

    /// Writes the counts whose hour is over.
    pub async fn close_due(&self, store: &Store, at_ms: i64) {
        let due = self.table().over(at_ms);
        self.write(store, due, at_ms).await;
    }

    /// Writes all counts: for the end of this process.
    pub async fn close_all(&self, store: &Store) {
        let due = self.table().all();
        self.write(store, due, now_ms()).await;
    }

    async fn write(&self, store: &Store, due: Vec<Count>, at_ms: i64) {
        for count in due {
            if let Err(error) = store.record(count.fact(at_ms)).await {
                tracing::error!(error = %error, tries = count.tries, "a count of failed attempts could not be recorded");
                self.table().put_back(count);
            }
        }
    }
}

/// Writes each count once its hour is over, for as long as the server runs.
pub async fn keep_counted(state: AppState) {
    loop {
        tokio::time::sleep(CLOSING_PAUSE).await;
        state.attempts.close_due(&state.store, now_ms()).await;
    }
}

/// What somebody asked to have done, as the ledger names it.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// A word: `start`, `cancel`, `add-user`.
    pub action: &'static str,
    pub subject: Option<String>,
    pub operation: Option<OperationId>,
    /// They stand in no reason.
    pub secrets: Secrets,
}

impl Attempt {
    pub fn new(action: &'static str) -> Self {
        Self { action, ..Self::default() }
    }

    #[must_use]
    pub fn on(self, guest: &GuestId) -> Self {
        Self { subject: Some(guest.to_string()), ..self }
    }

    #[must_use]
    pub fn on_user(self, username: &str) -> Self {
        Self { subject: Some(user_subject(username)), ..self }
    }

    /// Hands the answer on. A denial or a refusal goes into the ledger first.
    pub async fn answered<T>(
        self,
        state: &AppState,
        caller: &Caller,
        answer: Result<T, Error>,
    ) -> Result<T, Error> {
        if let Err(error) = &answer
            && error.kind() != FailureKind::Internal
        {
            let denied = matches!(
                error,
                Error::Refused(
                    Refusal::Denied { .. } | Refusal::DeniedByToken { .. } | Refusal::NeedsSession
                )
            );
            self.failed(state, caller, denied, error.kind(), &error.to_string()).await;
        }
        answer
    }

    /// Notes why it was not done.
    pub async fn failed(self, state: &AppState, caller: &Caller, denied: bool, kind: FailureKind, why: &str) {
        let mut why = why.to_owned();
        for secret in self.secrets.values().map(Secret::expose).filter(|text| !text.is_empty()) {
            why = why.replace(secret, MASK);
        }
        let why: String = why.chars().take(KEPT).collect();
        let mut detail = json!({ "action": self.action, "kind": kind.as_str(), "why": why });
        if let Some(operation) = self.operation {
            detail["operation"] = json!(operation.0);
        }
        let address = caller.address_text();
        let by = By { actor: Some(&caller.username), address: address.as_deref(), at_ms: now_ms() };
        let entry = if denied { EntryKind::ActionDenied } else { EntryKind::ActionRefused };
        let fact = Fact { subject: self.subject, ..Fact::new(entry, by).with(detail) };
        state.attempts.note(&state.store, fact).await;
    }
}
