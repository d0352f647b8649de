//! The engine through its functions: what was agreed to, many guests at once, the line, and again. On real LXC and crun.

#![expect(clippy::unwrap_used, reason = "what cannot be parsed has failed")]

mod common;

use app::{
    api::{
        guests::Preview,
        operations::{Again, OperationPage},
    },
    domain::{
        access::BuiltIn,
        operation::{OperationId, OperationState},
        view::BulkPreview,
    },
};
use common::{Browser, Host};
use http::StatusCode;

/// A process that ends when it is asked to.
const POLITE: &str = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done";
/// One that does not.
const DEAF: &str = "trap '' TERM; while :; do sleep 1; done";

/// As the wasm client asks.
async fn ask<T: serde::de::DeserializeOwned>(browser: &Browser, path: &str) -> T {
    let reply = browser.wasm().get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap_or_else(|e| panic!("{path}: {e}: {}", reply.body))
}

async fn post(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> common::browser::Reply {
    browser.wasm().post("/", path, fields).await
}

/// Running crun containers of the test's own names; the ids are of this process alone, as control groups are shared.
async fn running(host: &Host, admin: &mut Browser, script: &str, names: &[&str]) -> Vec<String> {
    let bundle = host.bundle("b", script).display().to_string();
    let mut guests = Vec::new();
    for name in names {
        let id = format!("{name}-{}", std::process::id());
        admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
        let guest = format!("crun/{id}");
        admin.succeed(&guest, "start").await;
        guests.push(guest);
    }
    guests
}

/// As a form with a checkbox a guest.
async fn try_on_all(
    admin: &Browser,
    action: &str,
    guests: &[String],
    timeout: &str,
) -> common::browser::Reply {
    let mut fields = vec![("action", action), ("timeout", timeout)];
    fields.extend(guests.iter().map(|guest| ("guests[]", guest.as_str())));
    post(admin, "/api/guests/act-on-all", &fields).await
}

async fn on_all(admin: &mut Browser, action: &str, guests: &[String], timeout: &str) -> OperationPage {
    let reply = try_on_all(admin, action, guests, timeout).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    admin.ended(reply.body.trim().parse().unwrap()).await
}

#[tokio::test]
async fn a_plan_that_is_not_the_one_agreed_to_is_not_run() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let id = format!("agreed-{}", std::process::id());
    let bundle = host.bundle("b", "exit 0").display().to_string();
    admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
    let preview = async || {
        let shown: Option<Preview> =
            ask(&admin, &format!("/api/guests/preview?backend=crun&name={id}&action=start")).await;
        shown.unwrap().hash.unwrap()
    };
    let start = async |plan: &str| {
        let fields = [("backend", "crun"), ("name", id.as_str()), ("action", "start"), ("plan", plan)];
        post(&admin, "/api/guests/act", &fields).await
    };
    let shown = preview().await;
    assert_eq!(preview().await, shown, "the same guest, the same plan");
    // Somebody starts it meanwhile and it ends at once, so that it must be set up anew now.
    let by_hand =
        std::process::Command::new("crun").arg("--root").arg(host.crun_root()).args(["start", &id]).status();
    assert!(by_hand.unwrap().success());
    while host.crun_state(&id)["status"] != "stopped" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let reply = start(&shown).await;
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.body);
    assert!(reply.body.contains("plan-changed"), "{}", reply.body);
    assert_eq!(host.crun_state(&id)["status"], "stopped");
    let now = preview().await;
    assert_ne!(now, shown);
    let reply = start(&now).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    admin.ended(reply.body.trim().parse().unwrap()).await;
}

#[tokio::test]
async fn a_bulk_action_goes_on_past_a_guest_that_cannot_and_reports_each() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let mut guests = running(&host, &mut admin, POLITE, &["one", "two", "three"]).await;
    admin.succeed(&guests[1], "stop").await;
    guests.push("crun/never-made".to_owned());

    let query: String = guests.iter().map(|guest| format!("&guests[]={guest}")).collect();
    let preview: BulkPreview = ask(&admin, &format!("/api/guests/preview-all?action=stop{query}")).await;
    let refused: Vec<bool> = preview.parts.iter().map(|part| part.plan.is_err()).collect();
    assert_eq!(refused, [false, true, false, true]);

    let whole = on_all(&mut admin, "stop", &guests, "").await;
    let summary = &whole.operation.summary;
    assert_eq!((summary.state, summary.children), (OperationState::Failed, Some(4)));
    let why = summary.failure.as_deref().unwrap();
    assert!(why.starts_with("2 of 4 succeeded."), "{why}");
    assert!(why.contains(&guests[1]) && why.contains("never-made"), "each is named: {why}");
    assert_eq!(whole.parts.len(), 2, "those left out have no operation of their own");
    for part in whole.parts.iter().flatten() {
        assert_eq!((part.state, part.parent), (OperationState::Succeeded, Some(summary.id)));
    }
    for guest in [&guests[0], &guests[2]] {
        let id = guest.strip_prefix("crun/").unwrap();
        assert_eq!(host.crun_state(id)["status"], "stopped");
    }
    // The same once more: nothing can be done on any, so nothing is begun.
    let reply = try_on_all(&admin, "stop", &guests, "").await;
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.body);

    let reply = try_on_all(&admin, "delete", &guests[..1], "").await;
    assert_eq!(
        reply.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "nothing is deleted that was not looked at first"
    );
    let preview: BulkPreview =
        ask(&admin, &format!("/api/guests/preview-all?action=delete&guests[]={}", guests[0])).await;
    let fields = [("action", "delete"), ("guests[]", &guests[0]), ("plan", &preview.hash)];
    let reply = post(&admin, "/api/guests/act-on-all", &fields).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let whole = admin.ended(reply.body.trim().parse().unwrap()).await;
    assert_eq!(whole.operation.summary.state, OperationState::Succeeded, "{whole:#?}");
}

#[tokio::test]
async fn at_most_eight_are_at_work_at_once_and_a_cancel_reaches_those_in_line() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let names: Vec<String> = (0..11).map(|i| format!("deaf{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let guests = running(&host, &mut admin, DEAF, &names).await;
    let mut operations = Vec::new();
    for guest in &guests {
        operations.push(admin.act(guest, "shutdown").await);
    }
    let summaries = async || {
        let mut summaries = Vec::new();
        for id in &operations {
            let page: Option<OperationPage> = ask(&admin, &format!("/api/operations/get?id={id}")).await;
            summaries.push(page.unwrap().operation.summary);
        }
        summaries
    };
    let states = async || summaries().await.iter().map(|summary| summary.state).collect::<Vec<_>>();
    let count = |states: &[OperationState], state| states.iter().filter(|s| **s == state).count();
    // The eighth has its turn within a moment of the answer.
    let mut seen = states().await;
    for _ in 0..100 {
        if count(&seen, OperationState::Running) == 8 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        seen = states().await;
    }
    assert_eq!(
        (count(&seen, OperationState::Running), count(&seen, OperationState::Planned)),
        (8, 3),
        "{seen:?}"
    );
    let places: Vec<Option<usize>> = summaries().await.iter().map(|summary| summary.place).collect();
    assert_eq!(places[..8], [None; 8], "who is at work stands in no line");
    assert_eq!(places[8..], [Some(1), Some(2), Some(3)]);
    let page = admin.get(&format!("/history/{}", operations[9])).await;
    assert!(page.body.contains("2nd in line"), "{}", page.body);
    let live = admin.get("/history?result=live").await;
    assert!(live.body.contains("3rd in line"), "{}", live.body);
    let refused = admin.try_act(&guests[10], "stop").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "one in line holds its guest, too");
    for id in operations.iter().rev() {
        let reply = post(&admin, "/api/operations/cancel", &[("id", &id.to_string())]).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }
    let mut never_ran = 0;
    for id in &operations {
        let summary = admin.ended(*id).await.operation.summary;
        assert_eq!(summary.state, OperationState::Cancelled, "{summary:#?}");
        never_ran += usize::from(summary.running_ms.is_none());
    }
    assert_eq!(never_ran, 3);
}

#[tokio::test]
async fn cancelling_a_bulk_action_cancels_its_parts() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let guests = running(&host, &mut admin, DEAF, &["mule", "ox"]).await;
    let reply = try_on_all(&admin, "shutdown", &guests, "50").await;
    let id: i64 = reply.body.trim().parse().unwrap();
    let parts = async || {
        let page: Option<OperationPage> = ask(&admin, &format!("/api/operations/get?id={id}")).await;
        page.unwrap().parts.into_iter().map(Result::unwrap).collect::<Vec<_>>()
    };
    while parts().await.iter().filter(|part| part.state == OperationState::Running).count() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Somebody else than who began it.
    let otto = host.person("otto", BuiltIn::Operator).await;
    let cancelled = post(&otto, "/api/operations/cancel", &[("id", &id.to_string())]).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.body);
    let whole = admin.ended(id).await;
    assert_eq!(whole.operation.summary.state, OperationState::Cancelled);
    for one in whole.parts.iter().flatten().map(|part| part.id.0).chain([id]) {
        let page = admin.ended(one).await.operation;
        let asked: Vec<_> = page.ledger.iter().filter(|place| place.kind == "cancel-requested").collect();
        assert_eq!(asked.len(), 1, "{page:#?}");
        assert_eq!(asked[0].actor.as_deref(), Some("otto"));
        assert_eq!(page.summary.actor.as_deref(), Some("admin"));
        let shown = admin.get(&format!("/history/{one}")).await.body;
        assert!(shown.contains("Cancel asked by") && shown.contains("otto"), "{shown}");
    }
    assert!(
        whole.parts.iter().flatten().all(|part| part.state == OperationState::Cancelled),
        "{:#?}",
        whole.parts
    );
}

#[tokio::test]
async fn an_operation_is_planned_again_from_what_was_asked_for() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    let guests = running(&host, &mut admin, POLITE, &["again"]).await;
    let stopped = admin.succeed(&guests[0], "shutdown").await;
    let id = stopped.operation.summary.id;
    assert_eq!(stopped.again.as_deref(), Some(format!("/history/{id}/again").as_str()));
    // It is stopped, so it cannot be shut down again now; once it runs it can.
    let again: Option<Again> = ask(&admin, &format!("/api/operations/plan-again?id={id}")).await;
    assert!(again.unwrap().plan.is_err());
    admin.succeed(&guests[0], "start").await;
    let again: Option<Again> = ask(&admin, &format!("/api/operations/plan-again?id={id}")).await;
    let again = again.unwrap();
    let fields = [("id", id.to_string()), ("plan", again.hash.unwrap())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let reply = post(&admin, "/api/operations/again", &fields).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let done = admin.ended(reply.body.trim().parse().unwrap()).await;
    assert_eq!(done.operation.summary.state, OperationState::Succeeded);
    assert_eq!(done.operation.plan.steps, stopped.operation.plan.steps);
    assert!(done.operation.plan.notes.iter().any(|note| note.contains(&format!("#{id}"))));
    let unknown: Option<Again> = ask(&admin, "/api/operations/plan-again?id=999999").await;
    assert_eq!(unknown, None);
    assert_ne!(done.operation.summary.id, OperationId(id.0));
}
