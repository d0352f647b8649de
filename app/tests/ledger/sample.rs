//! A database as Paddock leaves it: operations of all kinds with all ends, two of them still live.

use std::path::{Path, PathBuf};

use app::{
    backend::RunningTool,
    domain::{
        action::{ActionRequest, GuestAction},
        failure::FailureKind,
        guest::{GuestId, GuestStatus},
        operation::{Deed, EndState, GuestAfter, OperationId, Origin, OutputChunk, Seen},
        plan::{Argv, Command, Exit, Output, Plan, Step, StepOutcome, StepResult, Stream, When, Work},
    },
    ledger::PublicKey,
    store::{Begun, By, End, EntryKind, Fact, NewOperation, Pace, Proof, Store, Trust, prove},
};

/// How many operations there are, of which the last two are live.
pub const OPERATIONS: i64 = 60;
pub const ENDED: i64 = OPERATIONS - 2;

/// A closed database with its key beside it.
pub struct Sample {
    _dir: tempfile::TempDir,
    pub path: PathBuf,
    pub key: PublicKey,
}

impl Sample {
    pub async fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("paddock.db");
        let store = Store::open(&path).await.unwrap();
        for n in 1..=OPERATIONS {
            operation(&store, n).await;
        }
        let key = store.public_key();
        store.checkpoint().await.unwrap();
        // The file is whole now, whenever the last connection is gone.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(store.pool()).await.unwrap();
        store.close().await;
        Self { _dir: dir, path, key }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.path).await.unwrap()
    }

    pub fn trust(&self) -> Trust {
        Trust { keys: vec![self.key], witnesses: Vec::new() }
    }

    pub async fn proof(&self) -> Proof {
        self.proof_of(&self.path).await
    }

    /// Of a copy.
    pub async fn proof_of(&self, path: &Path) -> Proof {
        prove(path, &self.trust(), Pace::Full).await.unwrap()
    }
}

pub fn plan() -> Plan {
    let argv = Argv::new("lxc-start").args(["-n", "web1"]);
    let command = Command { argv, timeout_ms: 1000, output: Output::Piped };
    let step = Step { title: "Start it".into(), when: When::Always, work: Work::Command(command) };
    Plan { steps: vec![step], ..Plan::default() }
}

/// Operation `n` and what else is recorded beside it.
pub async fn operation(store: &Store, n: i64) {
    let by = By { actor: Some("anna"), address: Some("192.0.2.7"), at_ms: 1000 * n };
    if n % 7 == 0 {
        let fact = Fact::new(EntryKind::LogInFailed, by).on("user:anna");
        store.record(fact.with(serde_json::json!({ "why": "wrong password" }))).await.unwrap();
    }
    let guest = |name: String| GuestId::parse("lxc", &name).unwrap();
    let (on, plan) = (guest(format!("web{n}")), plan());
    let is_task = n % 5 == 1;
    let new = NewOperation {
        origin: [Origin::Paddock, Origin::Task, Origin::Observed][usize::try_from(n % 3).unwrap()],
        parent: (n % 4 == 2).then_some(OperationId(n - 1)),
        children: (n % 4 == 1).then_some(1),
        guest: (!is_task).then_some(&on),
        node: is_task.then_some("pve1"),
        title: (n % 2 == 0).then_some("shop"),
        action: match n % 3 {
            0 => GuestAction::Start.into(),
            1 => Deed::Task("vncproxy".into()),
            _ => Deed::Observed(Seen::Became(GuestStatus::Running)),
        },
        actor: (n % 6 != 5).then_some("anna"),
        address: (n % 2 == 1).then(|| "192.0.2.7".into()),
        request: (n % 3 == 0).then_some(&ActionRequest::Start),
        plan: &plan,
        started_ms: 1000 * n,
        owner: (n % 3 == 0).then_some(RunningTool { pid: 1, start_ticks: 7 }),
    };
    let Begun::Planned(id) = store.begin_operation(&new).await.unwrap() else { panic!("none is live there") };
    assert_eq!(id.0, n);
    store.run_operation(id, 1000 * n + 10).await.unwrap();
    if n % 10 == 4 {
        let next = Plan { notes: vec!["taken".into()], ..plan.clone() };
        assert_eq!(store.move_operation(id, &guest(format!("moved{n}")), &next, by).await.unwrap(), None);
    }
    let chunk = |text: String, stream| OutputChunk { step: 0, stream, at_ms: 1000 * n + 20, text };
    let output = [chunk(format!("one {n}\n"), Stream::Stdout), chunk("zwei ü\0\n".into(), Stream::Stderr)];
    let outcome = |exit| StepOutcome {
        result: StepResult::Exited(exit),
        started_ms: Some(1000 * n + 15),
        duration_ms: 7,
        dropped_bytes: 0,
    };
    let outcomes = [(0, outcome(Exit::Signal(9))), (1, outcome(Exit::Code(3)))];
    store.record_progress(id, &output, &outcomes).await.unwrap();
    if n % 5 == 2 {
        assert!(store.want_cancel(id, by).await.unwrap());
    }
    if n <= ENDED {
        finish(store, n).await;
    }
}

/// Writes the end of operation `n`.
pub async fn finish(store: &Store, n: i64) {
    let all = [
        EndState::Succeeded,
        EndState::Failed,
        EndState::Cancelled,
        EndState::TimedOut,
        EndState::Interrupted,
    ];
    let state = all[usize::try_from(n % 5).unwrap()];
    let has_failed = state == EndState::Failed;
    let end = End {
        state,
        failure: has_failed.then(|| "it broke".to_owned()),
        failure_kind: has_failed.then_some(FailureKind::ToolFailed),
        guest_after: GuestAfter::Status(GuestStatus::Stopped),
        finished_ms: 1000 * n + 500,
    };
    assert!(store.finish_operation(OperationId(n), &end).await.unwrap());
}
