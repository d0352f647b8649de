//! The store: what is written is read back, and what must never be cannot be written.
#![cfg_attr(feature = "ssr", expect(clippy::unwrap_used, reason = "what cannot be set up has failed"))]
#![cfg(feature = "ssr")]

use app::{
    backend::{RunningTool, Started},
    domain::{
        action::{ActionRequest, GuestAction},
        failure::FailureKind,
        guest::{GuestId, GuestStatus},
        operation::{EndState, GuestAfter, OperationId, OperationState, Origin, OutputChunk},
        plan::{Argv, Command, Exit, Output, Plan, Step, StepOutcome, StepResult, Stream, When, Work},
    },
    store::{Begun, By, End, NewOperation, Store},
};

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("paddock.db")).await.unwrap();
    (dir, store)
}

/// The process that watches over the operations.
const OWNER: RunningTool = RunningTool { pid: 1, start_ticks: 7 };

fn guest(name: &str) -> GuestId {
    GuestId::parse("lxc", name).unwrap()
}

fn plan() -> Plan {
    let argv = Argv::new("lxc-start").args(["-n", "web1"]);
    let command = Command { argv, timeout_ms: 1000, output: Output::Piped };
    let step = Step { title: "Start it".into(), when: When::Always, work: Work::Command(command) };
    Plan { steps: vec![step], ..Plan::default() }
}

async fn begin(store: &Store, name: &str) -> Begun {
    let (guest, plan) = (guest(name), plan());
    let new = NewOperation {
        origin: Origin::Paddock,
        parent: None,
        children: None,
        guest: Some(&guest),
        node: None,
        title: Some("shop"),
        action: GuestAction::Start.into(),
        actor: Some("anna"),
        address: Some("127.0.0.1".into()),
        request: Some(&ActionRequest::Start),
        plan: &plan,
        started_ms: 1000,
        owner: Some(OWNER),
    };
    store.begin_operation(&new).await.unwrap()
}

async fn begun(store: &Store, name: &str) -> OperationId {
    match begin(store, name).await {
        Begun::Planned(id) => id,
        Begun::Live(id) => panic!("operation {id} is in the way"),
    }
}

fn end(state: EndState) -> End {
    End {
        state,
        failure: (state == EndState::Failed).then(|| "it broke".to_owned()),
        failure_kind: (state == EndState::Failed).then_some(FailureKind::ToolFailed),
        guest_after: GuestAfter::Status(GuestStatus::Stopped),
        finished_ms: 2000,
    }
}

#[tokio::test]
async fn a_guest_has_at_most_one_live_operation() {
    let (_dir, store) = store().await;
    let first = begun(&store, "web1").await;
    assert_eq!(begin(&store, "web1").await, Begun::Live(first));
    begun(&store, "web2").await;
    assert!(store.finish_operation(first, &end(EndState::Succeeded)).await.unwrap());
    assert_ne!(begun(&store, "web1").await, first);
}

#[tokio::test]
async fn of_twenty_who_begin_at_once_one_gets_the_operation() {
    let (_dir, store) = store().await;
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { begin(&store, "web1").await })
        })
        .collect();
    let mut started = 0;
    for attempt in tries {
        started += u32::from(matches!(attempt.await.unwrap(), Begun::Planned(_)));
    }
    assert_eq!(started, 1);
}

#[tokio::test]
async fn an_end_is_written_once_and_stays() {
    let (_dir, store) = store().await;
    let id = begun(&store, "web1").await;
    assert!(store.finish_operation(id, &end(EndState::Failed)).await.unwrap());
    assert!(!store.finish_operation(id, &end(EndState::Succeeded)).await.unwrap());
    let summary = store.operation(id).await.unwrap().unwrap().summary;
    assert_eq!(summary.state, OperationState::Failed);
    assert_eq!(summary.failure.as_deref(), Some("it broke"));
    assert_eq!(summary.failure_kind, Some(FailureKind::ToolFailed));
    assert_eq!(summary.title.as_deref(), Some("shop"));
    assert_eq!(summary.guest_after, Some(GuestAfter::Status(GuestStatus::Stopped)));
    assert_eq!(summary.finished_ms, Some(2000));
}

#[tokio::test]
async fn plan_output_and_outcomes_come_back_as_they_were_in_order() {
    let (_dir, store) = store().await;
    let id = begun(&store, "web1").await;
    let chunk = |text: &str, stream| OutputChunk { step: 0, stream, at_ms: 1500, text: text.into() };
    let first = [chunk("one\n", Stream::Stdout), chunk("zwei ü\n", Stream::Stderr)];
    let second = [chunk("<script>alert(1)</script>\u{1b}[31m\0", Stream::Log)];
    let outcome = StepOutcome {
        result: StepResult::Exited(Exit::Signal(9)),
        started_ms: Some(1400),
        duration_ms: 7,
        dropped_bytes: 3,
    };
    store.record_progress(id, &first, &[]).await.unwrap();
    store.record_progress(id, &second, &[(0, outcome.clone())]).await.unwrap();
    let read = store.operation(id).await.unwrap().unwrap();
    assert_eq!(read.plan, plan());
    assert_eq!(read.output, [first.as_slice(), second.as_slice()].concat());
    assert_eq!(read.outcomes, [outcome]);
    assert_eq!(read.summary.actor.as_deref(), Some("anna"));
    assert_eq!(read.summary.address.as_deref(), Some("127.0.0.1"));
}

#[tokio::test]
async fn a_live_operation_is_found_with_its_tool() {
    let (_dir, store) = store().await;
    let id = begun(&store, "web1").await;
    let tool = RunningTool { pid: 4711, start_ticks: 99 };
    store.note_started(id, 0, &Started::Process(tool)).await.unwrap();
    store.note_started(id, 0, &Started::Task("UPID:pve1:1".into())).await.unwrap();
    let live = store.live_operations().await.unwrap();
    assert_eq!(live.len(), 1);
    assert_eq!((live[0].id, live[0].guest.as_ref(), live[0].tool), (id, Some(&guest("web1")), Some(tool)));
    assert_eq!(live[0].owner, Some(OWNER));
    assert_eq!(live[0].task, Some((Some(0), "UPID:pve1:1".to_owned())));
    store.finish_operation(id, &end(EndState::Interrupted)).await.unwrap();
    assert!(store.live_operations().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_operation_moves_to_another_guest_unless_one_is_live_there() {
    let (_dir, store) = store().await;
    let id = begun(&store, "101").await;
    let other = begun(&store, "102").await;
    let next = Plan { notes: vec!["taken".into()], ..plan() };
    assert_eq!(store.move_operation(id, &guest("102"), &next, By::default()).await.unwrap(), Some(other));
    assert_eq!(store.move_operation(id, &guest("103"), &next, By::default()).await.unwrap(), None);
    let read = store.operation(id).await.unwrap().unwrap();
    assert_eq!((read.summary.guest, read.plan), (Some(guest("103")), next));
    begun(&store, "101").await;
}

#[tokio::test]
async fn a_cancel_can_be_wanted_from_outside_while_it_runs() {
    let (_dir, store) = store().await;
    let id = begun(&store, "web1").await;
    assert!(!store.is_cancel_wanted(id).await.unwrap());
    assert!(store.want_cancel(id).await.unwrap());
    assert!(store.is_cancel_wanted(id).await.unwrap());
    store.finish_operation(id, &end(EndState::Cancelled)).await.unwrap();
    assert!(!store.want_cancel(id).await.unwrap(), "it has ended");
}

#[tokio::test]
async fn the_last_operation_of_each_guest_is_told() {
    let (_dir, store) = store().await;
    for name in ["web1", "db1"] {
        let id = begun(&store, name).await;
        store.finish_operation(id, &end(EndState::Succeeded)).await.unwrap();
    }
    let running = begun(&store, "db1").await;
    let last = store.last_operations().await.unwrap();
    assert_eq!((last.len(), last[&guest("db1")].id), (2, running));
    let ids: Vec<_> = store.running_operations(5).await.unwrap().iter().map(|o| o.id).collect();
    assert_eq!(ids, [running]);
}

#[tokio::test]
async fn a_record_changed_by_hand_is_reported_and_not_guessed() {
    let (_dir, store) = store().await;
    let id = begun(&store, "web1").await;
    sqlx::query("UPDATE operations SET action = 'explode'").execute(store.pool()).await.unwrap();
    let error = store.operation(id).await.unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("explode"), "{error}");
}

#[tokio::test]
async fn proving_the_record_lets_go_of_no_lock_on_the_database() {
    use std::os::unix::fs::MetadataExt as _;
    let (dir, store) = store().await;
    begun(&store, "web1").await;
    let inode = std::fs::metadata(dir.path().join("paddock.db")).unwrap().ino();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        all.lines().filter(|line| line.contains(&format!(":{inode} "))).count()
    };
    assert!(locks() > 0, "whoever has it open holds it");
    store.prove(app::store::Pace::Full).await.unwrap();
    assert!(locks() > 0, "another process would take the write-ahead log away at its end");
}

#[tokio::test]
async fn the_committed_query_data_matches_the_migrations() {
    use sqlx::{Column as _, Executor as _, SqliteConnection, TypeInfo as _};
    let (_dir, store) = store().await;
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.sqlx");
    let mut checked = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let query = data["query"].as_str().unwrap();
        let mut connection = store.pool().acquire().await.unwrap();
        let connection: &mut SqliteConnection = &mut connection;
        let described =
            connection.describe(query).await.unwrap_or_else(|e| panic!("{query}: {e}; run `make sqlx`"));
        let now: Vec<_> = described
            .columns
            .iter()
            .map(|c| (c.name().to_owned(), c.type_info().name().to_owned()))
            .collect();
        let then: Vec<_> = data["describe"]["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| {
                (c["name"].as_str().unwrap().to_owned(), c["type_info"].as_str().unwrap().to_uppercase())
            })
            .collect();
        let upper: Vec<_> = now.iter().map(|(name, kind)| (name.clone(), kind.to_uppercase())).collect();
        assert_eq!(upper, then, "{query}: run `make sqlx`");
        checked += 1;
    }
    assert!(checked > 10, "only {checked} queries were found");
}
