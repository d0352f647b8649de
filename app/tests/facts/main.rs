//! What is recorded besides operations: once each, with the right actor, address and subject, and no secret.
#![cfg_attr(feature = "ssr", expect(clippy::unwrap_used, reason = "what cannot be set up has failed"))]
#![cfg(feature = "ssr")]

mod access;
mod accounts;
mod attempts;
mod life;
mod past;

use std::{net::IpAddr, sync::Arc};

use app::{
    auth::Caller,
    backend::{HostRunner, Registry},
    ledger::Entry,
    service::{
        AppState, Visit,
        accounts::{FirstStart, caller, first_start, log_in},
    },
    store::{EntryKind, LedgerFilter, Store},
};
use serde_json::Value;
use tower_sessions::{MemoryStore, Session};

const FIRST: &str = "the-first-password";
const SECOND: &str = "the-second-password";
const WRONG: &str = "a-wrong-password";
const ADDRESS: &str = "192.0.2.7";

struct Paddock {
    _dir: tempfile::TempDir,
    state: AppState,
    sessions: Arc<MemoryStore>,
}

impl Paddock {
    /// Without any backend.
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("paddock.db")).await.unwrap();
        let state = AppState::new(store, Registry::new(Vec::new()), Arc::new(HostRunner), "testhost");
        Self { _dir: dir, state, sessions: Arc::default() }
    }

    /// With the administrator `admin`, whose password is [`FIRST`].
    async fn with_admin() -> Self {
        let paddock = Self::new().await;
        let first = first_start(&paddock.state.store, Some(FIRST.to_owned())).await.unwrap();
        assert_eq!(first, FirstStart::Given);
        paddock
    }

    fn visit(&self) -> Visit {
        self.visit_of(Session::new(None, self.sessions.clone(), None))
    }

    fn visit_of(&self, session: Session) -> Visit {
        Visit {
            state: self.state.clone(),
            session: Some(session),
            address: Some(address()),
            device: "Firefox on Linux".to_owned(),
            device_key: None,
        }
    }

    async fn logged_in(&self) -> (Visit, Caller) {
        let visit = self.visit();
        log_in(&visit, "admin", FIRST, "").await.unwrap();
        session(&visit).save().await.unwrap();
        let caller = caller(&visit).await.unwrap().unwrap();
        (visit, caller)
    }

    /// Oldest first.
    async fn entries(&self) -> Vec<Entry> {
        let filter = LedgerFilter { limit: 100_000, ..LedgerFilter::default() };
        let newest_first = self.state.store.ledger_page(&filter).await.unwrap();
        newest_first.into_iter().rev().map(|read| read.entry).collect()
    }

    async fn of(&self, kind: EntryKind) -> Vec<Entry> {
        let mut entries = self.entries().await;
        entries.retain(|entry| entry.kind == kind.as_str());
        entries
    }

    /// The only entry of its kind: actor, address, subject and detail.
    async fn only(&self, kind: EntryKind) -> (Option<String>, Option<String>, Option<String>, Value) {
        let mut entries = self.of(kind).await;
        assert_eq!(entries.len(), 1, "{entries:#?}");
        let Entry { actor, address, subject, detail, .. } = entries.remove(0);
        (actor, address, subject, serde_json::from_str(&detail).unwrap())
    }

    async fn kinds(&self) -> Vec<String> {
        self.entries().await.into_iter().map(|entry| entry.kind).collect()
    }

    /// From here on nothing can be recorded.
    async fn break_ledger(&self) {
        let sql = "CREATE TRIGGER broken BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'broken'); END";
        sqlx::query(sql).execute(self.state.store.pool()).await.unwrap();
    }
}

fn session(visit: &Visit) -> &Session {
    visit.session.as_ref().unwrap()
}

fn address() -> IpAddr {
    ADDRESS.parse().unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
