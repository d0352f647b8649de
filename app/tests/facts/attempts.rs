//! What was denied and refused.

use app::{
    auth::Caller,
    domain::{
        access::{BuiltIn, Rights},
        action::{ActionRequest, Field, GuestAction},
        form::Typed,
        guest::GuestId,
        operation::OperationId,
    },
    service::{
        actions::{self, Ask, Target},
        again,
        bulk::{self, BulkAsk},
        guests::{self, ActForm},
        new_guests, operations, rows,
    },
    store::EntryKind,
};
use serde_json::{Value, json};

use super::{ADDRESS, Paddock, address, some};

fn person(role: BuiltIn) -> Caller {
    Caller {
        rights: Rights::whole(role).into(),
        username: "vera".to_owned(),
        address: Some(address()),
        ..Caller::command_line("vera")
    }
}

fn web1() -> GuestId {
    GuestId::parse("lxc", "web1").unwrap()
}

#[tokio::test]
async fn every_way_to_ask_for_something_records_its_denial_once() {
    let paddock = Paddock::new().await;
    let (state, vera) = (&paddock.state, person(BuiltIn::Viewer));
    let guest = Target::Guest(web1());
    actions::begin(state, &vera, Ask::new(guest.clone(), ActionRequest::Start)).await.unwrap_err();
    let form = ActForm {
        backend: "lxc",
        name: "web1",
        action: GuestAction::Delete,
        typed: &Typed::default(),
        confirm: "",
        plan: "",
    };
    guests::act(state, &vera, form).await.unwrap_err();
    let create = Typed::default().with(Field::Backend, "lxc").with(Field::Name, "new1");
    new_guests::create(state, &vera, &create, None, "").await.unwrap_err();
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
    let _ = guests::preview(state, &vera, "lxc", "web1", GuestAction::Start, &Typed::default()).await;
    let _ = rows::list(state, &vera).await;
    assert_eq!(paddock.of(EntryKind::ActionDenied).await.len(), 4);
    assert!(paddock.of(EntryKind::ActionRefused).await.is_empty());
}

#[tokio::test]
async fn every_way_to_ask_for_something_records_its_refusal_once() {
    let paddock = Paddock::new().await;
    let (state, vera) = (&paddock.state, person(BuiltIn::Administrator));
    actions::begin(state, &vera, Ask::new(Target::Guest(web1()), ActionRequest::Start)).await.unwrap_err();
    let form = ActForm {
        backend: "lxc",
        name: "web1",
        action: GuestAction::Shutdown,
        typed: &Typed::default().with(Field::Timeout, "never"),
        confirm: "",
        plan: "",
    };
    guests::act(state, &vera, form).await.unwrap_err();
    operations::cancel(state, &vera, OperationId(99)).await.unwrap_err();
    again::begin(state, &vera, OperationId(98), "", "").await.unwrap_err();
    let create = Typed::default()
        .with(Field::Backend, "lxc")
        .with(Field::Name, "new1")
        .with(Field::Template, "busybox");
    new_guests::create(state, &vera, &create, None, "").await.unwrap_err();
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
    let vera = person(BuiltIn::Viewer);
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
