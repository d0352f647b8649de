//! A database that was changed by hand, under a server that runs and before one that starts.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod common;

use std::{ops::RangeInclusive, sync::Arc};

use app::{
    backend::{HostRunner, Registry},
    domain::{
        action::{ActionRequest, GuestAction},
        failure::FailureKind,
        guest::{GuestId, GuestStatus},
        operation::{EndState, GuestAfter, Origin, OutputChunk},
        plan::{Argv, Command, Exit, Output, Plan, Step, StepOutcome, StepResult, Stream, When, Work},
    },
    ledger::Damage,
    service::{
        AppState, Patience,
        life::{self, Start},
        settle,
        soundness::{Soundness, look},
    },
    store::{Begun, End, EntryKind, NewOperation, Pace, Store},
};
use common::Host;
use http::StatusCode;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio_util::sync::CancellationToken;

const BANNER: &str = "The history has been changed outside Paddock";

async fn looked(host: &Host) -> Soundness {
    look(&host.state, &CancellationToken::new()).await.unwrap().unwrap()
}

async fn found(host: &Host) -> Option<i64> {
    let entry = host.state.store.newest_entry(EntryKind::DamageFound).await.unwrap();
    entry.map(|entry| entry.seq)
}

async fn by_hand(host: &Host, statements: &[&str]) {
    for statement in statements {
        sqlx::query(statement).execute(host.state.store.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_by_hand_is_told_on_every_page_recorded_once_and_all_goes_on() {
    let host = Host::start().await;
    let mut admin = host.admin().await;
    assert_eq!(host.state.soundness.now(), Soundness::Unknown);
    assert!(matches!(looked(&host).await, Soundness::Sound { entries: 2.., .. }));
    assert!(!admin.get("/guests").await.body.contains(BANNER));
    assert_eq!(found(&host).await, None);

    let mut heard = host.state.soundness.subscribe();
    let change = "UPDATE ledger SET actor = 'bert' WHERE seq = 2";
    by_hand(&host, &["DROP TRIGGER ledger_is_not_changed", change]).await;
    let first = Damage::EntryChanged { seq: 2 };
    let damaged = looked(&host).await;
    assert!(
        matches!(&damaged, Soundness::Damaged { first: told, count: 1, .. } if *told == first.to_string())
    );
    assert!(heard.has_changed().unwrap() && *heard.borrow_and_update() == damaged);
    for page in ["/guests", "/history"] {
        let body = admin.get(page).await.body;
        assert!(body.contains(BANNER) && body.contains("Entry 2 has been changed"), "{page}");
        assert!(body.contains("paddock verify"), "{page}");
    }
    let once = found(&host).await;
    assert!(once.is_some());
    looked(&host).await;
    assert_eq!(found(&host).await, once, "the same is no news");
    by_hand(&host, &["UPDATE ledger SET actor = 'bert' WHERE seq = 1"]).await;
    looked(&host).await;
    assert!(found(&host).await > once, "another is");

    // What is done now is recorded, and as sound as ever.
    let before = host.state.store.prove(Pace::Full).await.unwrap().report;
    host.admin().await;
    let after = host.state.store.prove(Pace::Full).await.unwrap().report;
    assert!(after.entries > before.entries);
    assert_eq!(after.damages, [Damage::EntryChanged { seq: 1 }, first]);
}

/// Somebody with a tool of their own, whom no constraint stops.
async fn attacker(host: &Host) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(host.dir.path().join("paddock.db"))
        .foreign_keys(false)
        .pragma("ignore_check_constraints", "ON");
    SqliteConnection::connect_with(&options).await.unwrap()
}

const NOT_NULL: &str = "action           TEXT    NOT NULL";
const NULL: &str = "action           TEXT    ";

/// Makes the column of the actions one that may be empty, or one that may not.
async fn rewrite(host: &Host, from: &str, to: &str) {
    let mut db = attacker(host).await;
    for statement in [
        "PRAGMA writable_schema = ON",
        &format!("UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') WHERE name = 'operations'"),
    ] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
}

/// Operations of these numbers, of which those after `ended` are live and nobody's.
async fn operations(store: &Store, numbers: RangeInclusive<i64>, ended: i64) {
    let plan = Plan {
        steps: vec![Step {
            title: "Start it".into(),
            when: When::Always,
            work: Work::Command(Command {
                argv: Argv::new("lxc-start"),
                timeout_ms: 1000,
                output: Output::Piped,
            }),
        }],
        ..Plan::default()
    };
    for n in numbers {
        let guest = GuestId::parse("lxc", &format!("web{n}")).unwrap();
        let new = NewOperation {
            origin: Origin::Paddock,
            parent: None,
            children: None,
            guest: Some(&guest),
            node: None,
            title: None,
            action: GuestAction::Start.into(),
            actor: Some("anna"),
            address: None,
            request: Some(&ActionRequest::Start),
            plan: &plan,
            started_ms: 1_700_000_000_000 + n,
            owner: None,
        };
        let Begun::Planned(id) = store.begin_operation(&new).await.unwrap() else { panic!("{n}") };
        store.run_operation(id, new.started_ms).await.unwrap();
        let chunk =
            OutputChunk { step: 0, stream: Stream::Stdout, at_ms: new.started_ms, text: "well".into() };
        let outcome = StepOutcome {
            result: StepResult::Exited(Exit::Code(0)),
            started_ms: Some(new.started_ms),
            duration_ms: 1,
            dropped_bytes: 0,
        };
        let outcomes: &[_] = if n <= ended { &[(0, outcome)] } else { &[] };
        store.record_progress(id, &[chunk], outcomes).await.unwrap();
        let end = End {
            state: EndState::Failed,
            failure: Some("it broke".into()),
            failure_kind: Some(FailureKind::ToolFailed),
            guest_after: GuestAfter::Status(GuestStatus::Stopped),
            finished_ms: new.started_ms + 5,
        };
        if n <= ended {
            assert!(store.finish_operation(id, &end).await.unwrap());
        }
    }
}

/// What is changed, and what the page of that operation's list says of it: nothing where only the operation's own page
/// needs it.
const CHANGES: [(i64, &str, Option<&str>); 11] = [
    (2, "UPDATE operations SET plan = '{\"steps\": [' WHERE id = 2", None),
    (3, "UPDATE operations SET state = 'exploded' WHERE id = 3", Some("“exploded” is not the state")),
    (
        4,
        "UPDATE operations SET failure = CAST(X'6fff78' AS TEXT) WHERE id = 4",
        Some("its failure is no text"),
    ),
    (5, "UPDATE operations SET action = NULL WHERE id = 5", Some("its action is missing")),
    (6, "UPDATE operations SET guest_after = 'x' WHERE id = 6", Some("its state of the guest")),
    (7, "UPDATE operations SET origin = 'nowhere' WHERE id = 7", Some("“nowhere” is no origin")),
    (8, "UPDATE operations SET backend = 'xen' WHERE id = 8", Some("“xen/web8” is no guest")),
    (9, "UPDATE operation_output SET text = CAST(X'ff' AS TEXT) WHERE operation_id = 9", None),
    (10, "UPDATE operation_steps SET outcome = '[]' WHERE operation_id = 10", None),
    // These two have no end yet.
    (12, "UPDATE operations SET plan = CAST(X'ff' AS TEXT) WHERE id = 12", None),
    (13, "UPDATE operations SET guest = 'no/name' WHERE id = 13", Some("“lxc/no/name” is no guest")),
];
/// Nobody touches these.
const WHOLE: [i64; 2] = [1, 11];

async fn damaged() -> Host {
    let host = Host::start().await;
    operations(&host.state.store, 1..=13, 11).await;
    let mut db = attacker(&host).await;
    let triggers: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .fetch_all(&mut db)
        .await
        .unwrap();
    for trigger in triggers {
        sqlx::query(&format!("DROP TRIGGER {trigger}")).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    rewrite(&host, NOT_NULL, NULL).await;
    let mut db = attacker(&host).await;
    for (_, change, _) in CHANGES {
        let done = sqlx::query(change).execute(&mut db).await.unwrap_or_else(|e| panic!("{change}: {e}"));
        assert_eq!(done.rows_affected(), 1, "{change}");
    }
    db.close().await.unwrap();
    rewrite(&host, NULL, NOT_NULL).await;
    host
}

#[tokio::test]
async fn a_damaged_row_stands_as_one_among_the_others_on_every_page() {
    let host = damaged().await;
    let mut admin = host.admin().await;
    let history = admin.get("/history").await;
    assert_eq!(history.status, StatusCode::OK);
    for (id, change, told) in CHANGES {
        assert!(history.body.contains(&format!("href=\"/history/{id}\"")), "{change}");
        if let Some(told) = told {
            assert!(history.body.contains(told), "{change}: {told}");
        }
    }
    for id in WHOLE {
        assert!(history.body.contains(&format!("href=\"/history/{id}\"")));
    }
    let told = CHANGES.iter().filter(|(_, _, told)| told.is_some()).count();
    assert_eq!(history.body.matches("Damaged record").count(), told, "none of the others");
    assert_eq!(history.body.matches("Run “paddock verify” on the host").count(), told);

    for page in ["/guests", "/history?guest=lxc%2Fweb4", "/history?text=broke", "/history?result=bad"] {
        assert_eq!(admin.get(page).await.status, StatusCode::OK, "{page}");
    }
    let of_guest = admin.wasm().get("/api/operations/of-guest?backend=lxc&name=web4").await;
    assert!(of_guest.status == StatusCode::OK && of_guest.body.contains("its failure is no text"));
    // What is damaged cannot be shown by itself, and says so; the others can.
    for (id, change, _) in CHANGES {
        let page = admin.get(&format!("/history/{id}")).await;
        let says = format!("The record of operation #{id} was changed outside Paddock");
        assert!(page.body.contains(&says) && page.body.contains("paddock verify"), "{change}: {}", page.body);
    }
    for id in WHOLE {
        let page = admin.get(&format!("/history/{id}")).await;
        assert!(page.status == StatusCode::OK && page.body.contains("it broke"), "{id}");
    }
}

#[tokio::test]
async fn an_export_has_every_row_and_marks_the_damaged() {
    let host = damaged().await;
    let mut admin = host.admin().await;
    let file = admin.get("/history/export?format=jsonl").await;
    assert_eq!(file.status, StatusCode::OK);
    let rows: Vec<serde_json::Value> =
        file.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 13);
    for row in &rows {
        let id = row["id"].as_i64().unwrap();
        // What a step came to and what tools said is not in an export.
        let change = CHANGES.iter().find(|(changed, ..)| *changed == id && ![9, 10].contains(&id));
        match (change, row["damaged"].as_str()) {
            (None, None) => {}
            (Some((_, _, Some(told))), Some(damaged)) => assert!(damaged.contains(told), "{row}"),
            (Some((_, _, None)), Some(damaged)) => assert!(damaged.contains("its plan"), "{row}"),
            _ => panic!("{change:?}: {row}"),
        }
    }
    assert_eq!(rows[13 - 4]["failure"], "o\u{fffd}x", "what can be read is there");
    let file = admin.get("/history/export?format=csv").await;
    assert_eq!((file.status, file.body.lines().count()), (StatusCode::OK, 14));
    assert!(file.body.lines().next().unwrap().ends_with(",damaged"));
}

fn start() -> Start {
    Start { version: "1", listens: "here".into(), settings: serde_json::Map::new() }
}

#[tokio::test]
async fn paddock_starts_on_damaged_rows_settles_what_was_live_tells_each_and_goes_on_recording() {
    let host = damaged().await;
    let path = host.dir.path().join("paddock.db");
    let settings = "UPDATE ledger SET detail = CAST(X'ff' AS TEXT) WHERE kind = 'settings-changed'";
    life::started(&host.state.store, start()).await.unwrap();
    by_hand(&host, &[settings]).await;
    host.state.store.close().await;

    let store = Store::open(&path).await.unwrap();
    let drivers = common::drivers(host.dir.path());
    let state = AppState::new(store, Registry::new(drivers), Arc::new(HostRunner), "testhost");
    life::started(&state.store, start()).await.unwrap();
    assert_eq!(settle(&state, Patience::Follow).await.unwrap(), 2);
    assert_eq!(settle(&state, Patience::Follow).await.unwrap(), 0);
    let Soundness::Damaged { .. } = look(&state, &CancellationToken::new()).await.unwrap().unwrap() else {
        panic!("nothing was found")
    };
    // All that somebody did is told, each at its place, and nothing else.
    let told: Vec<String> =
        state.store.prove(Pace::Full).await.unwrap().report.damages.iter().map(ToString::to_string).collect();
    for (id, change, _) in CHANGES {
        let is_of = |damage: &&String| damage.to_lowercase().contains(&format!("operation {id}"));
        assert!(told.iter().any(|damage| is_of(&damage)), "{change}: {told:#?}");
    }
    let whole =
        told.iter().filter(|damage| WHOLE.iter().any(|id| damage.contains(&format!("peration {id} "))));
    assert_eq!(whole.count(), 0, "{told:#?}");
    operations(&state.store, 14..=15, 15).await;
    let after = state.store.prove(Pace::Full).await.unwrap();
    let after: Vec<String> = after.report.damages.iter().map(ToString::to_string).collect();
    assert_eq!(after, told, "what is new is sound");
    state.store.close().await;
}
