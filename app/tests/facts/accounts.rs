//! Accounts, log-ins and sessions.

use app::{
    auth::Caller,
    domain::{
        access::{BuiltIn, Privileges, Rights},
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
        sessions,
        tokens::{self, TokenForm},
        users,
    },
    store::EntryKind,
};
use serde_json::{Value, json};
use tower_sessions::Session;

use super::{ADDRESS, FIRST, Paddock, SECOND, WRONG, session, some};

#[tokio::test]
async fn the_first_administrator_is_recorded_once() {
    let paddock = Paddock::with_admin().await;
    assert_eq!(accounts::first_start(&paddock.state.store, None).await.unwrap(), FirstStart::NotFirst);
    let added = (some(SERVER), None, some("user:admin"), json!({ "first": true }));
    assert_eq!(paddock.only(EntryKind::UserAdded).await, added);
    let granted = json!({ "grant": 1, "role": "administrator", "scope": "everything", "expires_ms": null });
    assert_eq!(paddock.only(EntryKind::GrantAdded).await, (some(SERVER), None, some("user:admin"), granted));
}

#[tokio::test]
async fn users_of_the_command_line_are_recorded_with_its_actor_and_refusals_without_unknown_names() {
    let paddock = Paddock::new().await;
    let root = Caller::command_line("root");
    users::add(&paddock.state, &root, "Anna", Some(BuiltIn::Operator)).await.unwrap();
    users::reset_password(&paddock.state, &root, "anna").await.unwrap();
    let actor = some("root (cli)");
    let added = (actor.clone(), None, some("user:Anna"), json!({}));
    assert_eq!(paddock.only(EntryKind::UserAdded).await, added);
    let granted = json!({ "grant": 1, "role": "operator", "scope": "everything", "expires_ms": null });
    let granted = (actor.clone(), None, some("user:Anna"), granted);
    assert_eq!(paddock.only(EntryKind::GrantAdded).await, granted);
    let reset = (actor.clone(), None, some("user:Anna"), json!({}));
    assert_eq!(paddock.only(EntryKind::PasswordReset).await, reset);
    let ended = json!({ "why": "password-reset", "sessions": "all" });
    assert_eq!(paddock.only(EntryKind::SessionEnded).await, (actor.clone(), None, some("user:Anna"), ended));

    users::add(&paddock.state, &root, "anna", Some(BuiltIn::Viewer)).await.unwrap_err();
    users::add(&paddock.state, &root, "pass word", Some(BuiltIn::Viewer)).await.unwrap_err();
    users::reset_password(&paddock.state, &root, WRONG).await.unwrap_err();
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
    for (column, why, limit) in
        [("begun_ms", "age", sessions::ABSOLUTE_LIMIT_MS), ("seen_ms", "idle", sessions::IDLE_LIMIT_MS)]
    {
        let paddock = Paddock::with_admin().await;
        let (visit, _) = paddock.logged_in().await;
        let id = session(&visit).id();
        age(&paddock, column, limit + 1000).await;
        // Another request that has read the session before it ended.
        let other = paddock.visit_of(Session::new(id, paddock.sessions.clone(), None));
        session(&other).load().await.unwrap();
        assert_eq!(accounts::caller(&visit).await.unwrap(), None);
        assert_eq!(accounts::caller(&other).await.unwrap(), None);
        let detail = json!({ "why": why, "sessions": 1 });
        let ended = (some("admin"), some(ADDRESS), some("user:admin"), detail);
        assert_eq!(paddock.only(EntryKind::SessionEnded).await, ended);
        let again = paddock.visit_of(Session::new(id, paddock.sessions.clone(), None));
        assert_eq!(accounts::caller(&again).await.unwrap(), None, "it is gone from the table");
    }
}

/// As if that had been so long ago.
async fn age(paddock: &Paddock, column: &str, by_ms: i64) {
    let sql = format!("UPDATE sessions SET {column} = {column} - ?");
    let done = sqlx::query(&sql).bind(by_ms).execute(paddock.state.store.pool()).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
}

#[tokio::test]
async fn sessions_that_nobody_uses_any_more_are_ended_by_themselves_and_forgotten_later() {
    for (column, why, limit) in
        [("begun_ms", "age", sessions::ABSOLUTE_LIMIT_MS), ("seen_ms", "idle", sessions::IDLE_LIMIT_MS)]
    {
        let paddock = Paddock::with_admin().await;
        let (_, admin) = paddock.logged_in().await;
        let count = async || {
            let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM sessions")
                .fetch_one(paddock.state.store.pool())
                .await
                .unwrap();
            count
        };
        let now = app::backend::now_ms();
        sessions::sweep(&paddock.state, now).await.unwrap();
        assert_eq!(sessions::own(&paddock.state, &admin).await.unwrap().len(), 1);
        age(&paddock, column, limit + 1000).await;
        sessions::sweep(&paddock.state, now).await.unwrap();
        sessions::sweep(&paddock.state, now).await.unwrap();
        let detail = json!({ "why": why, "sessions": 1 });
        assert_eq!(
            paddock.only(EntryKind::SessionEnded).await,
            (some(SERVER), None, some("user:admin"), detail)
        );
        assert_eq!(sessions::own(&paddock.state, &admin).await.unwrap(), []);
        assert_eq!(count().await, 1, "its address is known for a while");
        sessions::sweep(&paddock.state, now + 100 * 24 * 3600 * 1000).await.unwrap();
        assert_eq!(count().await, 0);
    }
}

#[tokio::test]
async fn whoever_ends_sessions_is_recorded_with_it_and_only_those_who_may_end_anothers() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    let (_, admin) = paddock.logged_in().await;
    let (second, _) = paddock.logged_in().await;
    let (third, _) = paddock.logged_in().await;
    assert_eq!(sessions::own(state, &admin).await.unwrap().iter().filter(|it| it.is_this).count(), 1);
    let (_, second_id) = accounts::caller(&second).await.unwrap().unwrap().session().unwrap();
    sessions::end(state, &admin, second_id).await.unwrap();
    sessions::end(state, &admin, second_id).await.unwrap_err();
    assert_eq!(accounts::caller(&second).await.unwrap(), None);
    assert_eq!(sessions::end_others(state, &admin).await.unwrap(), 1);
    assert_eq!(sessions::end_others(state, &admin).await.unwrap(), 0);
    assert_eq!(accounts::caller(&third).await.unwrap(), None);

    let vera = Caller { rights: Rights::whole(BuiltIn::Viewer).into(), ..admin.clone() };
    sessions::of_user(state, &vera, "admin").await.unwrap_err();
    sessions::end_all_of_user(state, &vera, "admin").await.unwrap_err();
    let auditor = Caller { rights: Rights::whole(BuiltIn::Auditor).into(), ..admin.clone() };
    assert_eq!(sessions::of_user(state, &auditor, " ADMIN ").await.unwrap().len(), 1);
    sessions::end_all_of_user(state, &auditor, "admin").await.unwrap_err();
    let root = Caller::command_line("root");
    assert_eq!(sessions::end_all_of_user(state, &root, "admin").await.unwrap(), 1);
    let ends: Vec<(Option<String>, Value)> = paddock
        .of(EntryKind::SessionEnded)
        .await
        .into_iter()
        .map(|entry| (entry.actor, serde_json::from_str(&entry.detail).unwrap()))
        .collect();
    let own = (some("admin"), json!({ "why": "ended", "sessions": 1 }));
    let anothers = (some("root (cli)"), json!({ "why": "ended-by-administrator", "sessions": 1 }));
    assert_eq!(ends, [own.clone(), own, anothers]);
    let denied: Vec<Value> = paddock
        .of(EntryKind::ActionDenied)
        .await
        .iter()
        .map(|entry| serde_json::from_str::<Value>(&entry.detail).unwrap()["action"].clone())
        .collect();
    assert_eq!(denied, ["end-sessions", "end-sessions"]);
}

#[tokio::test]
async fn a_token_is_recorded_without_its_secret_and_does_nothing_to_the_account() {
    let paddock = Paddock::with_admin().await;
    let state = &paddock.state;
    let (_, admin) = paddock.logged_in().await;
    let privileges = "see,history".parse().unwrap();
    let form = TokenForm { name: "backup", privileges, scope: "tag:lab", days: "" };
    let token = tokens::add(state, &admin, &form).await.unwrap();
    let (actor, address, subject, detail) = paddock.only(EntryKind::TokenAdded).await;
    assert_eq!((actor, address, subject), (some("admin"), some(ADDRESS), some("user:admin")));
    assert_eq!((&detail["name"], &detail["scope"]), (&json!("backup"), &json!("tag:lab")));
    let days = (token.info.expires_ms - token.info.created_ms) / (24 * 3600 * 1000);
    assert_eq!(days, i64::from(tokens::USUAL_DAYS));
    for (wrong, why) in [
        (TokenForm { name: "backup", ..form.clone() }, "already"),
        (TokenForm { name: " ", ..form.clone() }, "The name of a token"),
        (TokenForm { name: "b", privileges: Privileges::NONE, ..form.clone() }, "at least one privilege"),
        (TokenForm { name: "b", scope: "tag:", ..form.clone() }, "A grant holds on"),
        (TokenForm { name: "b", days: "366", ..form.clone() }, "1 to 365 days"),
        (TokenForm { name: "b", days: "0", ..form.clone() }, "1 to 365 days"),
    ] {
        let error = tokens::add(state, &admin, &wrong).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }

    let visit = Visit { session: None, ..paddock.visit() };
    let by_token = tokens::caller(&visit, &token.bearer).await.unwrap();
    let refused = |error: app::service::Error| {
        assert!(error.to_string().contains("not with an API token"), "{error}");
    };
    refused(sessions::own(state, &by_token).await.unwrap_err());
    refused(sessions::end_others(state, &by_token).await.unwrap_err());
    refused(tokens::own(state, &by_token).await.unwrap_err());
    refused(tokens::add(state, &by_token, &TokenForm { name: "c", ..form.clone() }).await.unwrap_err());
    refused(tokens::remove(state, &by_token, token.info.id).await.unwrap_err());
    refused(accounts::log_out(&visit).await.unwrap_err());
    accounts::change_password(&visit, &by_token, FIRST, SECOND, SECOND).await.unwrap_err();
    accounts::log_in(&visit, "admin", FIRST, "").await.unwrap_err();
    assert!(paddock.of(EntryKind::PasswordChanged).await.is_empty());

    tokens::remove(state, &admin, token.info.id).await.unwrap();
    tokens::remove(state, &admin, token.info.id).await.unwrap_err();
    paddock.only(EntryKind::TokenRemoved).await;
    tokens::caller(&visit, &token.bearer).await.unwrap_err();
    let secret = token.bearer.rsplit('_').next().unwrap();
    for entry in paddock.entries().await {
        assert!(!serde_json::to_string(&entry).unwrap().contains(secret), "{entry:?}");
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
    let one_time = users::add(state, &root, "anna", Some(BuiltIn::Viewer)).await.unwrap();
    let another = users::reset_password(state, &root, "anna").await.unwrap();
    users::reset_password(state, &root, WRONG).await.unwrap_err();
    users::add(state, &root, &format!("{FIRST}!"), Some(BuiltIn::Viewer)).await.unwrap_err();
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
        for secret in [
            FIRST,
            SECOND,
            WRONG,
            &one_time,
            &another,
            "guest-password",
            admin.password_hash.as_deref().unwrap(),
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
