//! What is recorded besides operations: once each, with the right actor, address and subject, and no secret.
#![cfg_attr(feature = "ssr", expect(clippy::unwrap_used, reason = "what cannot be set up has failed"))]
#![cfg(feature = "ssr")]

use std::{net::IpAddr, sync::Arc};

use app::{
    auth::Caller,
    backend::{HostRunner, Registry},
    domain::{
        access::Role,
        action::{ActionRequest, GuestAction},
        guest::{BackendKind, GuestId},
        name::GuestName,
        operation::OperationId,
        secret::Secret,
        spec::{ContainerSpec, CreateRequest, CreateSpec},
        view::CreateForm,
    },
    ledger::Entry,
    service::{
        AppState, Error, LogInFailure, Visit,
        accounts::{self, FirstStart},
        actions::{self, Ask, Target},
        again,
        bulk::{self, BulkAsk},
        guests::{self, ActForm},
        life::{self, SERVER, Start},
        operations,
    },
    store::{By, EntryKind, LedgerFilter, NewUser, Store},
};
use serde_json::{Value, json};
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
        let first = accounts::first_start(&paddock.state.store, Some(FIRST.to_owned())).await.unwrap();
        assert_eq!(first, FirstStart::Given);
        paddock
    }

    fn visit(&self) -> Visit {
        let session = Session::new(None, self.sessions.clone(), None);
        Visit { state: self.state.clone(), session, address: Some(address()) }
    }

    async fn logged_in(&self) -> (Visit, Caller) {
        let visit = self.visit();
        accounts::log_in(&visit, "admin", FIRST, "").await.unwrap();
        visit.session.save().await.unwrap();
        let caller = accounts::caller(&visit).await.unwrap().unwrap();
        (visit, caller)
    }

    /// Oldest first.
    async fn entries(&self) -> Vec<Entry> {
        let filter = LedgerFilter { limit: 100_000, ..LedgerFilter::default() };
        let mut entries = self.state.store.ledger_page(&filter).await.unwrap();
        entries.reverse();
        entries
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

fn address() -> IpAddr {
    ADDRESS.parse().unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn person(role: Role) -> Caller {
    Caller {
        user: None,
        username: "vera".to_owned(),
        role,
        must_change_password: false,
        address: Some(address()),
    }
}

fn web1() -> GuestId {
    GuestId::parse("lxc", "web1").unwrap()
}

fn new_user(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        password_hash: "x".to_owned(),
        role: Role::Viewer,
        must_change_password: true,
        created_ms: 0,
    }
}

#[tokio::test]
async fn the_first_administrator_is_recorded_once() {
    let paddock = Paddock::with_admin().await;
    assert_eq!(accounts::first_start(&paddock.state.store, None).await.unwrap(), FirstStart::NotFirst);
    let detail = json!({ "role": "administrator", "first": true });
    assert_eq!(paddock.only(EntryKind::UserAdded).await, (some(SERVER), None, some("user:admin"), detail));
}

#[tokio::test]
async fn users_of_the_command_line_are_recorded_with_its_actor_and_refusals_without_unknown_names() {
    let paddock = Paddock::new().await;
    let root = Caller::command_line("root");
    accounts::add_user(&paddock.state, &root, "Anna", Role::Operator).await.unwrap();
    accounts::reset_password(&paddock.state, &root, "anna").await.unwrap();
    let actor = some("root (cli)");
    let added = (actor.clone(), None, some("user:Anna"), json!({ "role": "operator" }));
    assert_eq!(paddock.only(EntryKind::UserAdded).await, added);
    let reset = (actor.clone(), None, some("user:Anna"), json!({}));
    assert_eq!(paddock.only(EntryKind::PasswordReset).await, reset);
    let ended = json!({ "why": "password-reset", "sessions": "all" });
    assert_eq!(paddock.only(EntryKind::SessionEnded).await, (actor.clone(), None, some("user:Anna"), ended));

    accounts::add_user(&paddock.state, &root, "anna", Role::Viewer).await.unwrap_err();
    accounts::add_user(&paddock.state, &root, "pass word", Role::Viewer).await.unwrap_err();
    accounts::reset_password(&paddock.state, &root, WRONG).await.unwrap_err();
    let refused = paddock.of(EntryKind::ActionRefused).await;
    let subjects: Vec<_> = refused.iter().map(|entry| entry.subject.as_deref()).collect();
    assert_eq!(subjects, [Some("user:anna"), None, None]);
    let detail: Value = serde_json::from_str(&refused[2].detail).unwrap();
    assert_eq!((&detail["action"], &detail["kind"]), (&json!("reset-password"), &json!("invalid")));
    assert!(refused.iter().all(|entry| entry.actor == actor));
}

#[tokio::test]
async fn a_log_in_its_failures_and_its_end_are_each_recorded_once() {
    let paddock = Paddock::with_admin().await;
    let failed = accounts::log_in(&paddock.visit(), " ADMIN ", WRONG, "").await;
    assert!(matches!(failed, Err(LogInFailure::Wrong)));
    let known = (None, some(ADDRESS), some("user:admin"), json!({ "known": true }));
    assert_eq!(paddock.only(EntryKind::LogInFailed).await, known);
    // Somebody's password, typed as the name.
    accounts::log_in(&paddock.visit(), FIRST, "", "").await.unwrap_err();
    let failures = paddock.of(EntryKind::LogInFailed).await;
    assert_eq!(failures.len(), 2);
    assert_eq!((failures[1].subject.as_deref(), failures[1].detail.as_str()), (None, r#"{"known":false}"#));

    let (visit, _) = paddock.logged_in().await;
    let by_admin = |detail| (some("admin"), some(ADDRESS), some("user:admin"), detail);
    assert_eq!(paddock.only(EntryKind::LoggedIn).await, by_admin(json!({})));
    accounts::log_out(&visit).await.unwrap();
    accounts::log_out(&visit).await.unwrap();
    let ended = by_admin(json!({ "why": "log-out", "sessions": 1 }));
    assert_eq!(paddock.only(EntryKind::SessionEnded).await, ended);
    assert_eq!(accounts::caller(&visit).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_in_in_the_place_of_another_ends_that_one() {
    let paddock = Paddock::with_admin().await;
    let (visit, _) = paddock.logged_in().await;
    accounts::log_in(&visit, "admin", FIRST, "").await.unwrap();
    let detail = json!({ "why": "log-in", "sessions": 1 });
    assert_eq!(
        paddock.only(EntryKind::SessionEnded).await,
        (some("admin"), some(ADDRESS), some("user:admin"), detail)
    );
    assert_eq!(paddock.of(EntryKind::LoggedIn).await.len(), 2);
}

#[tokio::test]
async fn sessions_that_grow_too_old_or_idle_end_once_and_say_why() {
    for (key, why, limit) in
        [("begun", "age", accounts::ABSOLUTE_LIMIT_MS), ("seen", "idle", accounts::IDLE_LIMIT_MS)]
    {
        let paddock = Paddock::with_admin().await;
        let (visit, _) = paddock.logged_in().await;
        let id = visit.session.id();
        let long_ago = app::backend::now_ms() - limit - 1000;
        visit.session.insert(key, long_ago).await.unwrap();
        visit.session.save().await.unwrap();
        // Another request that has read the session before it ended.
        let other = Visit { session: Session::new(id, paddock.sessions.clone(), None), ..paddock.visit() };
        other.session.load().await.unwrap();
        assert_eq!(accounts::caller(&visit).await.unwrap(), None);
        assert_eq!(accounts::caller(&other).await.unwrap(), None);
        let detail = json!({ "why": why, "sessions": 1 });
        let ended = (some("admin"), some(ADDRESS), some("user:admin"), detail);
        assert_eq!(paddock.only(EntryKind::SessionEnded).await, ended);
        let again = Visit { session: Session::new(id, paddock.sessions.clone(), None), ..paddock.visit() };
        assert_eq!(accounts::caller(&again).await.unwrap(), None, "it is gone from the table");
    }
}

#[tokio::test]
async fn a_changed_password_is_recorded_with_the_sessions_that_it_ends_and_a_refused_one_too() {
    let paddock = Paddock::with_admin().await;
    let (visit, caller) = paddock.logged_in().await;
    let (other, _) = paddock.logged_in().await;
    accounts::change_password(&visit, &caller, WRONG, SECOND, SECOND).await.unwrap_err();
    accounts::change_password(&visit, &caller, FIRST, SECOND, WRONG).await.unwrap_err();
    let by_admin = |detail| (some("admin"), some(ADDRESS), some("user:admin"), detail);
    let why = "the current password is wrong";
    let denied = json!({ "action": "change-password", "kind": "denied", "why": why });
    assert_eq!(paddock.only(EntryKind::ActionDenied).await, by_admin(denied));
    let why = "the new passwords differ";
    let refused = json!({ "action": "change-password", "kind": "invalid", "why": why });
    assert_eq!(paddock.only(EntryKind::ActionRefused).await, by_admin(refused));
    assert!(paddock.of(EntryKind::PasswordChanged).await.is_empty());

    accounts::change_password(&visit, &caller, FIRST, SECOND, SECOND).await.unwrap();
    assert_eq!(paddock.only(EntryKind::PasswordChanged).await, by_admin(json!({})));
    assert_eq!(accounts::caller(&other).await.unwrap(), None);
    let ended = json!({ "why": "password-changed", "sessions": "all-others" });
    assert_eq!(paddock.only(EntryKind::SessionEnded).await, by_admin(ended));
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let paddock = Paddock::with_admin().await;
    let (visit, caller) = paddock.logged_in().await;
    let before = paddock.entries().await;
    paddock.break_ledger().await;
    let store = &paddock.state.store;

    let refused = accounts::log_in(&paddock.visit(), "admin", FIRST, "").await;
    assert!(matches!(refused, Err(LogInFailure::Other(Error::Store(_)))), "{refused:?}");
    let stranger = paddock.visit();
    accounts::log_in(&stranger, "admin", FIRST, "").await.unwrap_err();
    assert_eq!(accounts::caller(&stranger).await.unwrap(), None);
    // A failure stays a failure.
    let wrong = accounts::log_in(&paddock.visit(), "admin", WRONG, "").await;
    assert!(matches!(wrong, Err(LogInFailure::Wrong)));

    store.add_user(&new_user("ben"), By::default()).await.unwrap_err();
    assert!(store.user_named("ben").await.unwrap().is_none());
    let admin = store.user_named("admin").await.unwrap().unwrap();
    store.reset_password("admin", "y", By::default()).await.unwrap_err();
    store.set_password(admin.id, "y", By::default()).await.unwrap_err();
    accounts::change_password(&visit, &caller, FIRST, SECOND, SECOND).await.unwrap_err();
    assert_eq!(store.user_named("admin").await.unwrap().unwrap(), admin);
    life::started(store, start(json!({}))).await.unwrap_err();
    assert_eq!(paddock.entries().await, before);
    // A session can always be ended.
    accounts::log_out(&visit).await.unwrap();
    assert_eq!(accounts::caller(&visit).await.unwrap(), None);
}

#[tokio::test]
async fn a_change_that_is_rolled_back_leaves_no_entry() {
    let paddock = Paddock::with_admin().await;
    let store = &paddock.state.store;
    let before = paddock.kinds().await;
    assert!(!store.add_user(&new_user("ADMIN"), By::default()).await.unwrap());
    assert!(!store.add_first_user(&new_user("eve"), By::default()).await.unwrap());
    assert!(!store.reset_password("nobody", "y", By::default()).await.unwrap());
    let sql = "CREATE TRIGGER full BEFORE INSERT ON ledger WHEN NEW.kind = 'session-ended'
               BEGIN SELECT RAISE(ABORT, 'the second of two'); END";
    sqlx::query(sql).execute(store.pool()).await.unwrap();
    store.reset_password("admin", "y", By::default()).await.unwrap_err();
    assert_eq!(paddock.kinds().await, before);
    sqlx::query("DROP TRIGGER full").execute(store.pool()).await.unwrap();
    assert!(store.reset_password("admin", "y", By::default()).await.unwrap());
    assert_eq!(paddock.kinds().await.len(), before.len() + 2);
}

#[tokio::test]
async fn every_way_to_ask_for_something_records_its_denial_once() {
    let paddock = Paddock::new().await;
    let (state, vera) = (&paddock.state, person(Role::Viewer));
    let guest = Target::Guest(web1());
    actions::begin(state, &vera, Ask::new(guest.clone(), ActionRequest::Start)).await.unwrap_err();
    let form = ActForm {
        backend: "lxc",
        name: "web1",
        action: GuestAction::Delete,
        timeout: "",
        confirm: "",
        plan: "",
    };
    guests::act(state, &vera, form).await.unwrap_err();
    let create = CreateForm { backend: "lxc".into(), name: "new1".into(), ..CreateForm::default() };
    guests::create(state, &vera, &create).await.unwrap_err();
    let ask = BulkAsk { guests: vec![web1()], request: ActionRequest::Stop, agreed: None };
    bulk::begin(state, &vera, ask).await.unwrap_err();
    let seen: Vec<_> = paddock
        .of(EntryKind::ActionDenied)
        .await
        .into_iter()
        .map(|entry| {
            assert_eq!((entry.actor, entry.address), (some("vera"), some(ADDRESS)));
            let detail: Value = serde_json::from_str(&entry.detail).unwrap();
            assert_eq!(detail["kind"], "denied");
            assert!(detail["why"].as_str().unwrap().contains("You lack the privilege"), "{detail}");
            (detail["action"].as_str().unwrap().to_owned(), entry.subject)
        })
        .collect();
    let expected = [
        ("start", Some("lxc/web1")),
        ("delete", Some("lxc/web1")),
        ("create", None),
        ("stop", Some("lxc/web1")),
    ];
    assert_eq!(seen, expected.map(|(action, subject)| (action.to_owned(), subject.map(str::to_owned))));

    // To look at what would be done is no attempt.
    let _ = actions::plan(state, &vera, &Ask::new(guest, ActionRequest::Start)).await;
    let _ = guests::preview(state, &vera, "lxc", "web1", GuestAction::Start).await;
    let _ = guests::list(state, &vera).await;
    assert_eq!(paddock.of(EntryKind::ActionDenied).await.len(), 4);
    assert!(paddock.of(EntryKind::ActionRefused).await.is_empty());
}

#[tokio::test]
async fn every_way_to_ask_for_something_records_its_refusal_once() {
    let paddock = Paddock::new().await;
    let (state, vera) = (&paddock.state, person(Role::Administrator));
    actions::begin(state, &vera, Ask::new(Target::Guest(web1()), ActionRequest::Start)).await.unwrap_err();
    let form = ActForm {
        backend: "lxc",
        name: "web1",
        action: GuestAction::Shutdown,
        timeout: "never",
        confirm: "",
        plan: "",
    };
    guests::act(state, &vera, form).await.unwrap_err();
    operations::cancel(state, &vera, OperationId(99)).await.unwrap_err();
    again::begin(state, &vera, OperationId(98), "", "").await.unwrap_err();
    let create = CreateForm { backend: "lxc".into(), name: "new1".into(), ..CreateForm::default() };
    guests::create(state, &vera, &create).await.unwrap_err();
    let ask = BulkAsk { guests: Vec::new(), request: ActionRequest::Stop, agreed: None };
    bulk::begin(state, &vera, ask).await.unwrap_err();
    let seen: Vec<(Value, Value, Value, Option<String>)> = paddock
        .of(EntryKind::ActionRefused)
        .await
        .into_iter()
        .map(|entry| {
            let detail: Value = serde_json::from_str(&entry.detail).unwrap();
            let of = |key: &str| detail.get(key).cloned().unwrap_or_default();
            (of("action"), of("kind"), of("operation"), entry.subject)
        })
        .collect();
    let expected = [
        ("start", "unavailable", Value::Null, some("lxc/web1")),
        ("shutdown", "invalid", Value::Null, some("lxc/web1")),
        ("cancel", "not-found", json!(99), None),
        ("again", "not-found", json!(98), None),
        ("create", "unavailable", Value::Null, some("lxc/new1")),
        ("stop", "invalid", Value::Null, some("0 guests")),
    ];
    assert_eq!(seen, expected.map(|(action, kind, of, on)| (json!(action), json!(kind), of, on)));
    assert!(paddock.of(EntryKind::ActionDenied).await.is_empty());
}

#[tokio::test]
async fn a_flood_of_denials_is_counted() {
    let paddock = Paddock::new().await;
    let vera = person(Role::Viewer);
    for _ in 0..2000 {
        let ask = Ask::new(Target::Guest(web1()), ActionRequest::Start);
        actions::begin(&paddock.state, &vera, ask).await.unwrap_err();
    }
    paddock.state.attempts.close_all(&paddock.state.store).await;
    let denied = paddock.of(EntryKind::ActionDenied).await;
    assert_eq!(denied.len(), 101);
    let count = denied.last().unwrap();
    let detail: Value = serde_json::from_str(&count.detail).unwrap();
    assert_eq!((count.actor.as_deref(), &detail["tries"]), (Some("vera"), &json!(1900)));
}

fn start(settings: Value) -> Start {
    let Value::Object(settings) = settings else { panic!("{settings}") };
    Start { version: "1.2.3", listens: "127.0.0.1:3000".to_owned(), settings }
}

#[tokio::test]
async fn settings_are_recorded_when_they_differ_from_those_recorded_last() {
    let paddock = Paddock::new().await;
    let store = &paddock.state.store;
    let first = json!({ "server.https": false, "lxc.path": "/var/lib/lxc", "server.site": null });
    life::started(store, start(first.clone())).await.unwrap();
    let detail = json!({ "version": "1.2.3", "listens": "127.0.0.1:3000" });
    assert_eq!(paddock.only(EntryKind::ServerStarted).await, (some(SERVER), None, None, detail));
    let detail = json!({ "first": true, "settings": first });
    assert_eq!(paddock.only(EntryKind::SettingsChanged).await, (some(SERVER), None, None, detail));
    life::started(store, start(first)).await.unwrap();
    assert_eq!(paddock.of(EntryKind::ServerStarted).await.len(), 2);
    assert_eq!(paddock.of(EntryKind::SettingsChanged).await.len(), 1, "nothing has changed");

    let second = json!({ "server.https": true, "lxc.path": "/var/lib/lxc", "server.site": null });
    life::started(store, start(second)).await.unwrap();
    let changes = paddock.of(EntryKind::SettingsChanged).await;
    let detail: Value = serde_json::from_str(&changes[1].detail).unwrap();
    assert_eq!(detail["changed"], json!({ "server.https": { "old": false, "new": true } }));

    life::stopped(store).await.unwrap();
    assert_eq!(paddock.only(EntryKind::ServerStopped).await, (some(SERVER), None, None, json!({})));
    let newest = paddock.entries().await.last().unwrap().seq;
    let kept: (i64,) =
        sqlx::query_as("SELECT max(seq) FROM ledger_checkpoints").fetch_one(store.pool()).await.unwrap();
    assert_eq!(kept.0, newest, "the end is signed");
}

#[tokio::test]
async fn the_ledger_is_read_newest_first_and_can_be_narrowed() {
    let paddock = Paddock::with_admin().await;
    let store = &paddock.state.store;
    for name in ["anna", "ben", "cem"] {
        let by = By { actor: Some(name), address: None, at_ms: 1 };
        assert!(store.add_user(&new_user(name), by).await.unwrap());
    }
    let read = async |filter: LedgerFilter| {
        let page = store.ledger_page(&filter).await.unwrap();
        page.into_iter().map(|entry| entry.subject.unwrap_or_default()).collect::<Vec<_>>()
    };
    let all = LedgerFilter { limit: 10, ..LedgerFilter::default() };
    assert_eq!(read(all.clone()).await, ["user:cem", "user:ben", "user:anna", "user:admin", ""]);
    assert_eq!(read(LedgerFilter { limit: 1, ..all.clone() }).await, ["user:cem"]);
    assert_eq!(read(LedgerFilter { before: Some(3), ..all.clone() }).await, ["user:admin", ""]);
    assert_eq!(read(LedgerFilter { kind: Some(EntryKind::LedgerBegun), ..all.clone() }).await, [""]);
    assert_eq!(read(LedgerFilter { actor: some("ben"), ..all }).await, ["user:ben"]);
    assert_eq!(store.newest_entry(EntryKind::UserAdded).await.unwrap().unwrap().seq, 5);
    assert_eq!(store.newest_entry(EntryKind::Archived).await.unwrap(), None);
    for kind in EntryKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}

#[tokio::test]
async fn no_entry_holds_a_password() {
    let paddock = Paddock::with_admin().await;
    let (state, root) = (&paddock.state, Caller::command_line("root"));
    let (visit, caller) = paddock.logged_in().await;
    for (name, password) in [("admin", WRONG), (FIRST, WRONG), (WRONG, "admin"), (" admin ", SECOND)] {
        accounts::log_in(&paddock.visit(), name, password, "").await.unwrap_err();
    }
    let changes =
        [(WRONG, SECOND, SECOND), (FIRST, SECOND, WRONG), (FIRST, FIRST, FIRST), (FIRST, "short", "short")];
    for (current, new, repeat) in changes {
        accounts::change_password(&visit, &caller, current, new, repeat).await.unwrap_err();
    }
    accounts::change_password(&visit, &caller, FIRST, SECOND, SECOND).await.unwrap();
    let one_time = accounts::add_user(state, &root, "anna", Role::Viewer).await.unwrap();
    let another = accounts::reset_password(state, &root, "anna").await.unwrap();
    accounts::reset_password(state, &root, WRONG).await.unwrap_err();
    accounts::add_user(state, &root, &format!("{FIRST}!"), Role::Viewer).await.unwrap_err();
    let spec = ContainerSpec { password: Some(Secret::new("guest-password")), ..ContainerSpec::of("debian") };
    let create = CreateRequest::of(GuestName::new("new1").unwrap(), CreateSpec::ProxmoxLxc(spec));
    let ask = Ask::new(Target::New(BackendKind::ProxmoxLxc), ActionRequest::Create(create));
    actions::begin(state, &root, ask).await.unwrap_err();
    accounts::log_out(&visit).await.unwrap();
    state.attempts.close_all(&state.store).await;

    let admin = state.store.user_named("admin").await.unwrap().unwrap();
    let entries = paddock.entries().await;
    assert!(entries.len() > 15, "{entries:#?}");
    for entry in entries {
        let text = serde_json::to_string(&entry).unwrap();
        for secret in [FIRST, SECOND, WRONG, &one_time, &another, "guest-password", &admin.password_hash] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
