//! A database as years of use leave it: many operations, each with its plan, a step, output and two entries of the ledger,
//! which `paddock verify` proves.
//!
//! The hard cases are in it: users by the hundred, of whom one left early; a robot that does a third of everything, but
//! never to a web guest; a backend given up half way, whose containers had a new name each time; a tool that fails often.

use std::path::Path;

use app::{
    domain::{
        action::{ActionRequest, GuestAction},
        guest::BackendKind,
        plan::{Argv, Command, Output, Plan, Step, When, Work},
    },
    ledger::{Hash, NewEntry, Record, Signer},
    store::Store,
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Goes up when it makes something else.
pub const VERSION: u32 = 3;
/// Operations of one transaction.
const AT_ONCE: i64 = 20_000;
/// Half of what is done is done to the first so many.
const HEAVY: u64 = 50;
const GUESTS: u64 = 2000;
pub const ACTORS: u64 = 200;
/// Someone who did much, and left when a fifth of all this was done.
pub const GONE: &str = "gone";
/// Does a third of everything, but nothing to a web guest, and fails often.
pub const ROBOT: &str = "robot";

/// Splitmix64: the same numbers on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new() -> Self {
        Self(42)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// How the guest was read at the end.
const GUEST_AFTER: &str = "{\"status\":\"running\"}";
const KINDS: [&str; 5] = ["web", "db", "cache", "job", "mail"];

struct Guest {
    backend: BackendKind,
    name: String,
    node: Option<String>,
    title: Option<String>,
}

/// `crun` is given up half way.
fn guest(number: u64, is_early: bool, dice: &mut Dice) -> Guest {
    let backend = match BackendKind::ALL[(number % 4) as usize] {
        BackendKind::Crun if !is_early => BackendKind::Lxc,
        backend => backend,
    };
    let kind = KINDS[(number % 5) as usize];
    let (name, node, title) = match backend {
        BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => {
            ((100 + number).to_string(), Some(format!("pve{}", number % 5)), Some(format!("{kind}-{number}")))
        }
        BackendKind::Lxc => (format!("{kind}{number}"), None, None),
        BackendKind::Crun => (format!("build-{kind}-{:05x}", dice.roll(4000)), None, None),
    };
    Guest { backend, name, node, title }
}

fn plan(name: &str, action: GuestAction) -> String {
    let argv = Argv::new("lxc-tool").args([
        "-P",
        "/var/lib/lxc",
        "-n",
        name,
        "--action",
        action.as_str(),
        "--logpriority",
        "INFO",
    ]);
    let command = Command { argv, timeout_ms: 60_000, output: Output::Piped };
    let step = |title: &str| Step {
        title: title.to_owned(),
        when: When::Always,
        work: Work::Command(command.clone()),
    };
    let steps = vec![step("Look whether it is there"), step(action.label())];
    serde_json::to_string(&Plan { steps, ..Plan::default() }).unwrap()
}

/// Makes so many operations.
pub async fn fill(path: &Path, count: i64) {
    Store::open(path).await.unwrap().close().await;
    // Nothing here needs to outlive a power cut.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .pragma("synchronous", "OFF")
        .pragma("cache_size", "-400000");
    let mut db = SqliteConnection::connect_with(&options).await.unwrap();
    let mut chain = Chain::of(&mut db, path).await;
    let (mut dice, mut now) = (Dice::new(), 1_600_000_000_000);
    for first in (1..=count).step_by(AT_ONCE as usize) {
        let mut transaction = db.begin().await.unwrap();
        for number in first..(first + AT_ONCE).min(count + 1) {
            now += dice.roll(120_000).cast_signed();
            let done = Done::roll(&mut dice, number, count, now);
            done.write(&mut transaction).await;
            for (kind, detail, at_ms) in done.entries() {
                let subject = format!("{}/{}", done.guest.backend, done.guest.name);
                let entry = NewEntry {
                    at_ms,
                    kind,
                    actor: done.actor.as_deref(),
                    address: Some(&done.address),
                    subject: Some(&subject),
                    operation: Some(number),
                    detail: &detail,
                };
                chain.append(&mut transaction, entry).await;
            }
        }
        chain.sign(&mut transaction).await;
        transaction.commit().await.unwrap();
    }
    sqlx::query("INSERT INTO last_operations SELECT backend, guest, max(id) FROM operations GROUP BY 1, 2")
        .execute(&mut db)
        .await
        .unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

/// One operation that has ended, as the store would have written it.
struct Done {
    id: i64,
    guest: Guest,
    action: GuestAction,
    origin: &'static str,
    actor: Option<String>,
    address: String,
    state: &'static str,
    failure: Option<String>,
    request: String,
    plan: String,
    outcome: String,
    output: String,
    started_ms: i64,
    finished_ms: i64,
}

impl Done {
    fn roll(dice: &mut Dice, id: i64, count: i64, now: i64) -> Self {
        let is_robot = dice.roll(3) == 0;
        let mut number = if dice.roll(2) == 0 { dice.roll(HEAVY) } else { dice.roll(GUESTS) };
        if is_robot && number.is_multiple_of(5) {
            number += 1;
        }
        let guest = guest(number, id <= count / 2, dice);
        // Starts and stops are more frequent than the rest.
        let sides = GuestAction::ALL.len() as u64;
        let action = GuestAction::ALL[dice.roll(sides).min(dice.roll(sides)).min(dice.roll(sides)) as usize];
        let user = match dice.roll(ACTORS).min(dice.roll(ACTORS)) {
            _ if is_robot => Some(ROBOT.to_owned()),
            0..=19 if id <= count / 5 => Some(GONE.to_owned()),
            _ if dice.roll(20) == 0 => None,
            number => Some(format!("user{number}")),
        };
        let state = match dice.roll(if is_robot { 40 } else { 100 }) {
            0 | 1 => "failed",
            2 => "timed-out",
            3 if !is_robot => ["cancelled", "interrupted"][dice.roll(2) as usize],
            _ => "succeeded",
        };
        let failure = (state != "succeeded").then(|| {
            let what =
                ["No such file or directory", "Permission denied", "Device or resource busy"][dice.roll(3) as usize];
            format!(
                "lxc-{action} ended with exit code {}: {}: cannot open /var/lib/lxc/{}/config: {what} ({:x}). Nothing was \
                 changed; look at the output, then try again.",
                dice.roll(255),
                guest.name,
                guest.name,
                dice.roll(u64::MAX)
            )
        });
        Self {
            id,
            origin: if user.is_some() { "paddock" } else { "task" },
            actor: user,
            address: format!("192.0.2.{}", dice.roll(200)),
            state,
            failure,
            request: serde_json::to_string(&ActionRequest::Start).unwrap(),
            plan: plan(&guest.name, action),
            outcome: format!(
                "{{\"result\":{{\"exited\":{{\"code\":0}}}},\"started_ms\":{now},\"duration_ms\":180,\"dropped_bytes\":0}}"
            ),
            output: format!("{}: lxc-tool: 130 lxccontainer.c: doing {action} as asked\n", guest.name),
            started_ms: now,
            finished_ms: now + 200 + dice.roll(9000).cast_signed(),
            guest,
            action,
        }
    }

    async fn write(&self, db: &mut SqliteConnection) {
        sqlx::query(
            "INSERT INTO operations (id, origin, backend, guest, node, title, action, actor, address, state, request, plan,
                                     started_ms, running_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)",
        )
        .bind(self.id)
        .bind(self.origin)
        .bind(self.guest.backend.as_str())
        .bind(&self.guest.name)
        .bind(&self.guest.node)
        .bind(&self.guest.title)
        .bind(self.action.as_str())
        .bind(&self.actor)
        .bind(&self.address)
        .bind(&self.request)
        .bind(&self.plan)
        .bind(self.started_ms)
        .bind(self.running_ms())
        .execute(&mut *db)
        .await
        .unwrap();
        sqlx::query("INSERT INTO operation_steps VALUES (?, 0, ?)")
            .bind(self.id)
            .bind(&self.outcome)
            .execute(&mut *db)
            .await
            .unwrap();
        sqlx::query("INSERT INTO operation_output (operation_id, step, stream, at_ms, text) VALUES (?, 0, 'stderr', ?, ?)")
            .bind(self.id)
            .bind(self.output_ms())
            .bind(&self.output)
            .execute(&mut *db)
            .await
            .unwrap();
        sqlx::query(
            "UPDATE operations SET state = ?, failure = ?, failure_kind = ?, guest_after = ?, finished_ms = ? WHERE id = ?",
        )
        .bind(self.state)
        .bind(&self.failure)
        .bind(self.failure_kind())
        .bind(GUEST_AFTER)
        .bind(self.finished_ms)
        .bind(self.id)
        .execute(&mut *db)
        .await
        .unwrap();
    }

    fn running_ms(&self) -> i64 {
        self.started_ms + 3
    }

    fn output_ms(&self) -> i64 {
        self.started_ms + 90
    }

    fn failure_kind(&self) -> Option<&'static str> {
        self.failure.as_ref().map(|_| "tool-failed")
    }

    /// What the ledger tells of it, by the documented encoding: that the proof agrees shows that it can be written anew.
    fn entries(&self) -> [(&'static str, String, i64); 2] {
        let (guest, plan) = (&self.guest, Record::new("plan").text(&self.plan).finish());
        let begun = Record::new("operation-begin")
            .int(self.id)
            .text(self.origin)
            .optional_int(None)
            .optional_int(None)
            .optional_text(Some(guest.backend.as_str()))
            .optional_text(Some(&guest.name))
            .optional_text(guest.node.as_deref())
            .optional_text(guest.title.as_deref())
            .text(self.action.as_str())
            .optional_text(self.actor.as_deref())
            .optional_text(Some(&self.address))
            .optional_text(Some(&self.request))
            .text(&self.plan)
            .int(self.started_ms)
            .finish();
        let ended = Record::new("operation-end")
            .int(self.id)
            .text(self.state)
            .optional_int(Some(self.running_ms()))
            .optional_int(Some(self.finished_ms))
            .optional_text(self.failure.as_deref())
            .optional_text(self.failure_kind())
            .optional_text(Some(GUEST_AFTER))
            .int(1)
            .int(0)
            .text(&self.outcome)
            .int(0)
            .text("stderr")
            .int(self.output_ms())
            .text(&self.output)
            .finish();
        let (action, origin, state) = (self.action, self.origin, self.state);
        let begun = format!(
            "{{\"action\":\"{action}\",\"origin\":\"{origin}\",\"plan\":\"{plan}\",\"record\":\"{begun}\"}}"
        );
        let ended = format!("{{\"record\":\"{ended}\",\"state\":\"{state}\"}}");
        [("operation-begun", begun, self.started_ms), ("operation-ended", ended, self.finished_ms)]
    }
}

struct Chain {
    seq: i64,
    last: Hash,
    at_ms: i64,
    signer: Signer,
}

impl Chain {
    /// Goes on with that of a new database.
    async fn of(db: &mut SqliteConnection, path: &Path) -> Self {
        let (seq, last, at_ms): (i64, Vec<u8>, i64) =
            sqlx::query_as("SELECT seq, hash, at_ms FROM ledger ORDER BY seq DESC LIMIT 1")
                .fetch_one(db)
                .await
                .unwrap();
        let signer = Signer::load_or_create(&path.with_file_name("ledger.key")).unwrap();
        Self { seq, last: Hash(last.try_into().unwrap()), at_ms, signer }
    }

    async fn append(&mut self, db: &mut SqliteConnection, entry: NewEntry<'_>) {
        self.seq += 1;
        let entry = entry.seal(self.seq, self.last);
        (self.last, self.at_ms) = (entry.hash, entry.at_ms);
        sqlx::query(
            "INSERT INTO ledger (seq, at_ms, kind, actor, address, subject, operation, detail, previous, hash)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(entry.seq)
        .bind(entry.at_ms)
        .bind(&entry.kind)
        .bind(&entry.actor)
        .bind(&entry.address)
        .bind(&entry.subject)
        .bind(entry.operation)
        .bind(&entry.detail)
        .bind(entry.previous.0.as_slice())
        .bind(entry.hash.0.as_slice())
        .execute(&mut *db)
        .await
        .unwrap();
        // As the store does.
        if self.seq % 100 == 0 {
            self.put(
                db,
                "INSERT INTO ledger_checkpoints (seq, hash, at_ms, key, signature) VALUES (?, ?, ?, ?, ?)",
            )
            .await;
        }
    }

    /// Signs the newest entry as the end.
    async fn sign(&self, db: &mut SqliteConnection) {
        self.put(db, "UPDATE ledger_head SET seq = ?, hash = ?, at_ms = ?, key = ?, signature = ?").await;
    }

    async fn put(&self, db: &mut SqliteConnection, statement: &'static str) {
        let signed = self.signer.checkpoint(self.seq, self.last, self.at_ms);
        sqlx::query(statement)
            .bind(signed.seq)
            .bind(signed.hash.0.as_slice())
            .bind(signed.at_ms)
            .bind(signed.key.0.as_slice())
            .bind(signed.signature.0.as_slice())
            .execute(db)
            .await
            .unwrap();
    }
}
