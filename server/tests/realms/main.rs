//! Accounts of Proxmox: who gets in, with which right, as whom they act there, and that no password or ticket stays anywhere.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;
mod factor;
#[path = "../../../app/tests/common/fakepve.rs"]
#[expect(dead_code, reason = "the drivers' tests use the rest")]
mod fakepve;
mod secrets;
mod world;

use std::time::Duration;

use app::{
    auth::Caller,
    domain::{
        access::BuiltIn,
        history::HistoryFilter,
        operation::{OperationState, Origin},
        plan::StepResult,
    },
    service::{Outside, realms, users},
    store::{By, NewUser, UserChange},
};
use common::Browser;
use http::StatusCode;
use serde_json::json;
use world::{ANNA, PASSWORD, World, assert_in, drivers, is_sent_to_log_in, said};

#[tokio::test]
async fn whoever_proxmox_lets_in_has_an_account_here_without_any_right() {
    let world = World::new().await;
    let mut browser = world.anna().await;
    let user = world.host.state.store.user_named(ANNA).await.unwrap().unwrap();
    assert_eq!((user.realm.as_str(), user.password_hash), ("pve", None));
    let page = browser.get("/guests").await.body;
    assert!(page.contains("You may do nothing here yet") && page.contains("paddock grant add anna@pve"));
    assert!(!page.contains("web1"), "nor is anything seen");
    let reply = browser.try_act("proxmox-lxc/101", "start").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{}", reply.body);
    let ledger = world.ledger().await;
    assert!(ledger.contains(&r#"user-added user:anna@pve {"realm":"pve"}"#.to_owned()), "{ledger:#?}");
    world.anna().await;
    let added = world.ledger().await.iter().filter(|line| line.starts_with("user-added user:anna")).count();
    assert_eq!(added, 1, "once");
}

#[tokio::test]
async fn an_account_of_a_realm_is_added_on_the_page_and_given_a_role_before_its_first_log_in() {
    let world = World::new().await;
    let mut admin = world.host.admin().await;
    assert!(!admin.get("/access").await.body.contains("name=\"realm\""), "not known yet");
    realms::read_realms(&world.host.state).await;
    let page = admin.get("/access").await.body;
    assert!(page.contains("name=\"realm\"") && page.contains(">pve<"), "{page}");
    for (name, realm, account) in [
        ("anna", "pve", ANNA),
        ("bert@pve", "", "bert@pve"),
        ("carl", "Paddock only", "carl"),
        ("dora", "no-such-realm", "dora"),
    ] {
        let fields = [("name", name), ("realm", realm), ("role", "")];
        let reply = admin.post("/access", "/api/access/add-user", &fields).await;
        assert_eq!(reply.location, Some(format!("/access/users/{account}")), "{}", reply.body);
        let page = admin.get(&reply.location.unwrap()).await.body;
        let is_local = !account.contains('@');
        assert_eq!(page.contains("One-time password"), is_local, "{page}");
        assert_eq!(page.contains("New one-time password"), is_local, "{page}");
    }
    let fields = [("holder", "user:anna@pve"), ("role", "operator"), ("scope", "guest:proxmox-lxc/101")];
    admin.post("/access/grants", "/api/access/add-grant", &fields).await;
    world.anna().await.succeed("proxmox-lxc/101", "start").await;
    let fields = [("name", "anna"), ("realm", "pve"), ("role", "")];
    let reply = admin.post("/access", "/api/access/add-user", &fields).await;
    assert!(said(&mut admin, &reply).await.contains("There is a user anna@pve already."));
}

#[tokio::test]
async fn a_wrong_password_is_answered_as_one_of_our_own_and_the_realm_may_be_chosen() {
    let world = World::new().await;
    let wrong = |name: &'static str, password: &'static str| {
        let mut browser = world.host.browser().wasm();
        async move {
            let reply = browser.log_in(name, password).await;
            (reply.status, reply.body)
        }
    };
    let ours = wrong("admin", "wrong").await;
    for (name, password) in
        [(ANNA, "wrong"), (ANNA, ""), ("nobody@pve", PASSWORD), ("anna@nowhere", PASSWORD)]
    {
        assert_eq!(wrong(name, password).await, ours, "{name} {password}");
    }
    assert!(world.host.state.store.user_named(ANNA).await.unwrap().is_none());

    let mut browser = world.host.browser();
    assert!(!browser.get("/login").await.body.contains("name=\"realm\""), "not known yet");
    realms::read_realms(&world.host.state).await;
    let page = browser.get("/login").await.body;
    assert!(page.contains("name=\"realm\"") && page.contains(">pve<") && page.contains(">pam<"));
    let fields = |realm| [("username", "anna"), ("password", PASSWORD), ("realm", realm)];
    let reply = browser.post("/login", "/api/account/log_in", &fields("pam")).await;
    assert!(said(&mut browser, &reply).await.contains("User name or password is wrong"));
    assert_in(&browser.post("/login", "/api/account/log_in", &fields("pve")).await);
    let fields = [("username", "admin"), ("password", common::PASSWORD), ("realm", "Paddock only")];
    assert_in(&world.host.browser().post("/login", "/api/account/log_in", &fields).await);
}

#[tokio::test]
async fn what_a_person_does_is_theirs_at_proxmox_and_is_brought_in_by_nobody_else() {
    let world = World::with_anna(BuiltIn::Operator).await;
    let mut browser = world.anna().await;
    let page = browser.succeed("proxmox-lxc/101", "start").await;
    assert_eq!(page.operation.summary.actor.as_deref(), Some(ANNA));
    let upids: Vec<&String> = page
        .operation
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.result {
            StepResult::Answered { upid, .. } => upid.as_ref(),
            _ => None,
        })
        .collect();
    assert!(!upids.is_empty() && upids.iter().all(|upid| upid.ends_with(":anna@pve:")), "{upids:?}");

    // Paddock's own administrator acts with Paddock's own account, as before.
    let mut admin = world.host.admin().await;
    admin.succeed("proxmox-lxc/101", "stop").await;
    let log = world.fake.get("tasklog");
    assert_eq!(log.as_array().unwrap().last().unwrap()["user"], fakepve::TOKEN);

    let outside = Outside::begin(&world.host.state).await.unwrap().polling(Duration::from_millis(20));
    let keeper = tokio::spawn(outside.keep());
    assert!(world.fake.sees("GET", "/cluster/tasks", 4).await);
    keeper.abort();
    let all = world.host.state.store.history(&HistoryFilter::default(), 100).await.unwrap().operations;
    assert!(all.iter().flatten().all(|operation| operation.origin == Origin::Paddock), "{all:#?}");
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn the_role_here_and_the_permissions_there_must_both_allow_it() {
    let world = World::with_anna(BuiltIn::Administrator).await;
    let mut browser = world.anna().await;
    let fields = [("backend", "proxmox-lxc"), ("name", "101"), ("action", "delete"), ("confirm", "web1")];
    let reply = browser.wasm().post("/guests", "/api/guests/act", &fields).await;
    let page = browser.ended(reply.body.parse().unwrap_or_else(|_| panic!("{}", reply.body))).await;
    assert_eq!(page.operation.summary.state, OperationState::Failed);
    let failure = page.operation.summary.failure.clone().unwrap_or_default();
    assert!(failure.contains("denies this to anna@pve: VM.Allocate"), "{page:#?}");
    assert_eq!(world.fake.get_guest(101, "status"), "stopped", "it is still there");
    let here = World::with_anna(BuiltIn::Viewer).await;
    let reply = here.anna().await.try_act("proxmox-lxc/101", "start").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.body);
    assert_eq!(here.fake.get_guest(101, "status"), "stopped");
}

#[tokio::test]
async fn a_session_goes_on_with_a_renewed_ticket_and_ends_with_its_last() {
    let world = World::with_anna(BuiltIn::Operator).await;
    let mut browser = world.anna().await;
    realms::renew(&world.host.state, Duration::from_secs(3600)).await;
    assert_eq!(world.fake.count("POST", "/access/ticket"), 1, "it is new");
    realms::renew(&world.host.state, Duration::ZERO).await;
    assert_eq!(world.fake.count("POST", "/access/ticket"), 2);
    browser.succeed("proxmox-lxc/101", "start").await;
    world.fake.call("expire_tickets", json!([]));
    realms::renew(&world.host.state, Duration::ZERO).await;
    assert!(is_sent_to_log_in(&browser.get("/guests").await));
    let ledger = world.ledger().await;
    assert!(
        ledger
            .iter()
            .any(|line| line.starts_with("session-ended user:anna@pve") && line.contains("no-ticket"))
    );
}

#[tokio::test]
async fn a_ticket_that_proxmox_takes_no_more_fails_what_is_asked_and_ends_the_session() {
    let world = World::with_anna(BuiltIn::Operator).await;
    let mut browser = world.anna().await;
    world.fake.call("expire_tickets", json!([]));
    let id = browser.act("proxmox-lxc/101", "start").await;
    let page = world.host.admin().await.ended(id).await;
    let failure = page.operation.summary.failure.clone().unwrap_or_default();
    assert!(failure.contains("The log-in of anna@pve at Proxmox is over"), "{failure}");
    assert!(is_sent_to_log_in(&browser.get("/guests").await));
}

#[tokio::test]
async fn after_a_restart_an_account_of_proxmox_logs_in_again_and_one_of_ours_need_not() {
    let mut world = World::with_anna(BuiltIn::Operator).await;
    let (anna, admin) = (world.anna().await, world.host.admin().await);
    world.host.restart(drivers(&world.fake)).await;
    let again = |before: Browser| {
        let mut browser = world.host.browser();
        browser.cookie = before.cookie;
        browser
    };
    assert!(is_sent_to_log_in(&again(anna).get("/guests").await));
    assert_eq!(again(admin).get("/guests").await.status, StatusCode::OK);
    world.anna().await.succeed("proxmox-lxc/101", "start").await;
}

#[tokio::test]
async fn a_logged_out_ticket_is_used_no_more_and_one_session_has_not_the_ticket_of_another() {
    let world = World::with_anna(BuiltIn::Operator).await;
    let mut first = world.anna().await;
    let mut second = world.anna().await;
    let stolen = first.clone();
    first.post("/guests", "/api/account/log_out", &[]).await;
    assert!(is_sent_to_log_in(&stolen.clone().get("/guests").await));
    assert_eq!(second.get("/guests").await.status, StatusCode::OK);
    realms::renew(&world.host.state, Duration::ZERO).await;
    assert_eq!(world.fake.count("POST", "/access/ticket"), 3, "one is left to be renewed");
}

#[tokio::test]
async fn an_account_that_is_disabled_or_has_the_name_of_another_does_not_get_in() {
    let world = World::with_anna(BuiltIn::Operator).await;
    let mut before = world.anna().await;
    let root = Caller::command_line("root");
    let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
    users::change(&world.host.state, &root, ANNA, change).await.unwrap();
    assert!(is_sent_to_log_in(&before.get("/guests").await));
    let mut browser = world.host.browser();
    let reply = browser.log_in(ANNA, PASSWORD).await;
    assert!(said(&mut browser, &reply).await.contains("This account is disabled"));
    let reply = browser.log_in(ANNA, "wrong").await;
    assert!(said(&mut browser, &reply).await.contains("User name or password is wrong"), "it is not told");

    // Of an older Paddock, in which names could have an `@`, and of other letters than Proxmox's.
    let hash = app::auth::password::hash(common::PASSWORD).unwrap();
    for name in ["bert@pve", "BERT@pve"] {
        let world = World::new().await;
        let user = NewUser::local(name, hash.clone(), Some(BuiltIn::Administrator));
        assert!(world.host.state.store.add_user(&user, By::default()).await.unwrap());
        let mut browser = world.host.browser();
        let reply = browser.log_in("bert@pve", "bert's password").await;
        let page = said(&mut browser, &reply).await;
        assert!(page.contains("has the name of your account at Proxmox"), "{page}");
        assert_in(&browser.log_in(name, common::PASSWORD).await);
    }
    let world = World::new().await;
    let root = Caller::command_line("root");
    users::add_of_realm(&world.host.state, &root, "Anna@pve", Some(BuiltIn::Administrator)).await.unwrap();
    let mut browser = world.host.browser();
    let reply = browser.log_in(ANNA, PASSWORD).await;
    assert!(said(&mut browser, &reply).await.contains("has the name of your account at Proxmox"));
    let taken = users::add_of_realm(&world.host.state, &root, ANNA, None).await.unwrap_err();
    assert!(taken.to_string().contains("There is a user anna@pve already"), "{taken}");
    for name in ["anna", "anna@", "an na@pve", "anna@pve!token"] {
        users::add_of_realm(&world.host.state, &root, name, None).await.unwrap_err();
    }
}

#[tokio::test]
async fn without_proxmox_the_password_is_not_checked_and_ours_still_get_in() {
    let world = World::with_anna(BuiltIn::Operator).await;
    world.fake.shut(world.fake.port);
    let mut browser = world.host.browser();
    let reply = browser.log_in(ANNA, PASSWORD).await;
    let page = said(&mut browser, &reply).await;
    assert!(page.contains("Proxmox does not answer"), "{reply:?}\n{page}");
    world.host.admin().await;
}
