//! The server's own life and settings, what becomes of what cannot be recorded, and reading it all.

use app::{
    service::{
        Error, LogInFailure, accounts,
        life::{self, SERVER, Start},
    },
    store::{By, EntryKind, LedgerFilter, NewUser},
};
use serde_json::{Value, json};

use super::{FIRST, Paddock, SECOND, WRONG, some};

fn new_user(username: &str) -> NewUser {
    NewUser { must_change_password: true, ..NewUser::local(username, "x".to_owned(), None) }
}

fn start(settings: Value) -> Start {
    let Value::Object(settings) = settings else { panic!("{settings}") };
    Start { version: "1.2.3", listens: "127.0.0.1:3000".to_owned(), settings }
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
    let (_, session) = caller.session().unwrap();
    store.set_password(admin.id, "y", session, By::default()).await.unwrap_err();
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
    assert_eq!(
        read(all.clone()).await,
        ["user:cem", "user:ben", "user:anna", "user:admin", "user:admin", ""]
    );
    assert_eq!(read(LedgerFilter { limit: 1, ..all.clone() }).await, ["user:cem"]);
    assert_eq!(read(LedgerFilter { before: Some(3), ..all.clone() }).await, ["user:admin", ""]);
    assert_eq!(read(LedgerFilter { kind: Some(EntryKind::LedgerBegun), ..all.clone() }).await, [""]);
    assert_eq!(read(LedgerFilter { actor: some("ben"), ..all }).await, ["user:ben"]);
    assert_eq!(store.newest_entry(EntryKind::UserAdded).await.unwrap().unwrap().seq, 6);
    assert_eq!(store.newest_entry(EntryKind::Archived).await.unwrap(), None);
    for kind in EntryKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}
