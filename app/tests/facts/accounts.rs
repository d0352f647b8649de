//! Accounts, log-ins and sessions.

use app::{
    auth::Caller,
    domain::{
        access::Role,
        action::ActionRequest,
        guest::BackendKind,
        name::GuestName,
        secret::Secret,
        spec::{ContainerSpec, CreateRequest, CreateSpec},
    },
    service::{
        LogInFailure, Visit,
        accounts::{self, FirstStart},
        actions::{self, Ask, Target},
        life::SERVER,
    },
    store::EntryKind,
};
use serde_json::{Value, json};
use tower_sessions::Session;

use super::{ADDRESS, FIRST, Paddock, SECOND, WRONG, some};

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
