//! A database as years of use leave it: many operations, each with its plan, a step, output and two entries of the ledger.
//!
//! What the ledger's entries say of an operation is as long as what the store writes, but proves nothing.

use std::path::Path;

use app::{
    domain::{
        action::{ActionRequest, GuestAction},
        guest::BackendKind,
        plan::{Argv, Command, Output, Plan, Step, When, Work},
    },
    ledger::{Hash, NewEntry, Record},
    store::Store,
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Operations of one transaction.
const AT_ONCE: i64 = 20_000;
/// Half of what is done is done to the first so many.
const HEAVY: u64 = 50;
const GUESTS: u64 = 2000;
pub const ACTORS: u64 = 20;
/// Someone who did much, and left when a fifth of all this was done.
pub const GONE: &str = "user3";

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

struct Guest {
    backend: BackendKind,
    name: String,
    node: Option<String>,
    title: Option<String>,
}

fn guest(number: u64) -> Guest {
    let backend = BackendKind::ALL[(number % 4) as usize];
    let kind = ["web", "db", "cache", "job", "mail"][(number % 5) as usize];
    let (name, node, title) = match backend {
        BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => {
            ((100 + number).to_string(), Some(format!("pve{}", number % 5)), Some(format!("{kind}-{number}")))
        }
        BackendKind::Lxc | BackendKind::Crun => (format!("{kind}{number}"), None, None),
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
    let mut dice = Dice::new();
    let mut chain = Chain { seq: 1, last: Hash::ZERO };
    let mut now = 1_600_000_000_000;
    for first in (1..=count).step_by(AT_ONCE as usize) {
        let mut transaction = db.begin().await.unwrap();
        for number in first..(first + AT_ONCE).min(count + 1) {
            now += dice.roll(120_000).cast_signed();
            one(&mut transaction, &mut dice, &mut chain, number, count, now).await;
        }
        transaction.commit().await.unwrap();
    }
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

async fn one(
    db: &mut SqliteConnection,
    dice: &mut Dice,
    chain: &mut Chain,
    number: i64,
    count: i64,
    now: i64,
) {
    let guest = guest(if dice.roll(2) == 0 { dice.roll(HEAVY) } else { dice.roll(GUESTS) });
    // Starts and stops are more frequent than the rest.
    let sides = GuestAction::ALL.len() as u64;
    let action = GuestAction::ALL[dice.roll(sides).min(dice.roll(sides)).min(dice.roll(sides)) as usize];
    let user = format!("user{}", dice.roll(ACTORS).min(dice.roll(ACTORS)));
    let user = if user == GONE && number > count / 5 { "user4".to_owned() } else { user };
    let actor = Some(user).filter(|_| dice.roll(20) > 0);
    let origin = if actor.is_some() { "paddock" } else { "task" };
    let state = match dice.roll(100) {
        0 | 1 => "failed",
        2 => "timed-out",
        3 => ["cancelled", "interrupted"][dice.roll(2) as usize],
        _ => "succeeded",
    };
    let failure = (state != "succeeded").then(|| {
        format!(
            "lxc-{action} ended with exit code {}: {}: cannot open /var/lib/lxc/{}/config: {} ({:x}). Nothing was changed; look at \
             the output, then try again.",
            dice.roll(255),
            guest.name,
            guest.name,
            ["No such file or directory", "Permission denied", "Device or resource busy"][dice.roll(3) as usize],
            dice.roll(u64::MAX)
        )
    });
    let (backend, address) = (guest.backend.as_str(), format!("192.0.2.{}", dice.roll(200)));
    let finished = now + 200 + dice.roll(9000).cast_signed();
    let request = serde_json::to_string(&ActionRequest::Start).unwrap();
    sqlx::query(
        "INSERT INTO operations (id, origin, backend, guest, node, title, action, actor, address, state, request, plan,
                                 started_ms, running_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)",
    )
    .bind(number)
    .bind(origin)
    .bind(backend)
    .bind(&guest.name)
    .bind(&guest.node)
    .bind(&guest.title)
    .bind(action.as_str())
    .bind(&actor)
    .bind(&address)
    .bind(request)
    .bind(plan(&guest.name, action))
    .bind(now)
    .bind(now + 3)
    .execute(&mut *db)
    .await
    .unwrap();
    sqlx::query("INSERT INTO operation_steps VALUES (?, 0, ?)")
        .bind(number)
        .bind(format!("{{\"result\":{{\"exited\":{{\"code\":0}}}},\"started_ms\":{now},\"duration_ms\":180,\"dropped_bytes\":0}}"))
        .execute(&mut *db)
        .await
        .unwrap();
    sqlx::query("INSERT INTO operation_output (operation_id, step, stream, at_ms, text) VALUES (?, 0, 'stderr', ?, ?)")
        .bind(number)
        .bind(now + 90)
        .bind(format!("{}: lxc-tool: 130 lxccontainer.c: doing {action} as asked\n", guest.name))
        .execute(&mut *db)
        .await
        .unwrap();
    sqlx::query(
        "UPDATE operations SET state = ?, failure = ?, failure_kind = ?, guest_after = ?, finished_ms = ? WHERE id = ?",
    )
    .bind(state)
    .bind(&failure)
    .bind(failure.as_ref().map(|_| "tool-failed"))
    .bind("{\"status\":\"running\"}")
    .bind(finished)
    .bind(number)
    .execute(&mut *db)
    .await
    .unwrap();
    let digest = Record::new("bench").int(number).finish().to_string();
    let subject = format!("{backend}/{}", guest.name);
    let begun = format!(
        "{{\"action\":\"{action}\",\"origin\":\"{origin}\",\"plan\":\"{digest}\",\"record\":\"{digest}\"}}"
    );
    let ended = format!("{{\"state\":\"{state}\",\"record\":\"{digest}\"}}");
    for (kind, detail, at_ms) in [("operation-begun", begun, now), ("operation-ended", ended, finished)] {
        let entry = NewEntry {
            at_ms,
            kind,
            actor: actor.as_deref(),
            address: Some(&address),
            subject: Some(&subject),
            operation: Some(number),
            detail: &detail,
        };
        chain.append(db, entry).await;
    }
}

struct Chain {
    seq: i64,
    last: Hash,
}

impl Chain {
    async fn append(&mut self, db: &mut SqliteConnection, entry: NewEntry<'_>) {
        self.seq += 1;
        let entry = entry.seal(self.seq, self.last);
        self.last = entry.hash;
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
        .execute(db)
        .await
        .unwrap();
    }
}
