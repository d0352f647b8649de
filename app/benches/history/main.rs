//! `make bench-history`: reading the history of very many operations. Budget: 50 ms for any page of any filter.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod fill;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use app::{
    auth::Caller,
    domain::{
        guest::GuestId,
        history::{Cursor, HistoryQuery},
        operation::{EndState, GuestAfter, OperationId, Origin},
        plan::Plan,
    },
    service::{
        export::{Export, Format},
        history::PAGE,
    },
    store::{Begun, End, NewOperation, Store},
};
use fill::{ACTORS, Dice, GONE};

/// How often each page is read.
const RUNS: usize = 200;
const BUDGET: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() {
    let rows: i64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let directory = PathBuf::from(std::env::var_os("PADDOCK_BENCH").unwrap_or_else(|| "bench".into()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = database(&directory, rows).await;
    let store = Store::open(&path).await.unwrap();
    sizes(&store).await;
    pages(&store, rows).await;
    writing(&store).await;
    exports(&store).await;
    store.close().await;
}

/// Made once; what was left half made is made anew.
async fn database(directory: &Path, rows: i64) -> PathBuf {
    let path = directory.join(format!("history-{rows}")).join("paddock.db");
    let done = path.with_extension("filled");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(path.parent().unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let begun = Instant::now();
        fill::fill(&path, rows).await;
        println!("made {rows} operations in {:.0} s", begun.elapsed().as_secs_f64());
        std::fs::write(done, "").unwrap();
    }
    path
}

async fn sizes(store: &Store) {
    let of = async |names: &str| -> f64 {
        let question = format!("SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate AND {names}");
        let bytes: i64 = sqlx::query_scalar(&question).fetch_one(store.pool()).await.unwrap();
        bytes as f64 / 1e6
    };
    println!("\n| part of the database | MB |\n|---|---:|");
    for (what, names) in [
        ("all", "true"),
        ("operations", "name = 'operations'"),
        ("their steps and output", "name LIKE 'operation\\_%' ESCAPE '\\'"),
        ("ledger", "name LIKE 'ledger%'"),
        ("what the history is searched by, all", "name LIKE '%history%'"),
        ("of it: the words of failures", "name LIKE 'history\\_words%' ESCAPE '\\'"),
    ] {
        println!("| {what} | {:.1} |", of(names).await);
    }
}

/// What is asked for, by the number of the run: the names vary, so that not the same few pages are read.
type Ask = (&'static str, fn(u64) -> String);

fn asks() -> Vec<Ask> {
    fn user(run: u64) -> u64 {
        // Not the one who has left.
        [0, 1, 2, 5, 7, 9, 12, 15, 17, ACTORS - 1][(run % 10) as usize]
    }
    vec![
        ("all", |_| String::new()),
        ("guest (heavy)", |run| format!("guest={}", ["100", "101", "cache2", "job3"][(run % 4) as usize])),
        ("guest (light)", |run| format!("guest=lxc/web{}", 70 + 20 * (run % 90))),
        ("backend", |run| format!("backend={}", ["lxc", "crun", "proxmox-vm"][(run % 3) as usize])),
        ("user", |run| format!("user=user{}", user(run))),
        ("user who has left", |_| format!("user={GONE}")),
        ("user unknown", |_| "user=unknown".to_owned()),
        ("action", |run| format!("action={}", ["start", "delete", "migrate", "backup"][(run % 4) as usize])),
        ("result succeeded", |_| "result=succeeded".to_owned()),
        ("result bad", |_| "result=bad".to_owned()),
        ("result interrupted", |_| "result=interrupted".to_owned()),
        ("user + action", |run| format!("user=user{}&action=start", user(run))),
        ("backend + user + action + bad", |run| {
            format!("backend=lxc&user=user{}&action=stop&result=bad", user(run))
        }),
        ("left user + backend + action", |_| format!("user={GONE}&backend=lxc&action=start")),
        ("guest + bad", |_| "guest=101&result=bad".to_owned()),
        ("guest + user + action", |run| format!("guest=101&user=user{}&action=start", user(run))),
        ("a week", |_| "from=2020-11-02&to=2020-11-08".to_owned()),
        ("a week + user + bad", |run| {
            format!("from=2020-11-02&to=2020-11-08&user=user{}&result=bad", user(run))
        }),
        ("text common (web)", |_| "text=web".to_owned()),
        ("text of one guest", |run| format!("text=mail-{}", 4 + 20 * (run % 90))),
        ("text of a user who has left", |_| format!("text={GONE}")),
        ("text of failures, common", |_| "text=resource+busy".to_owned()),
        ("text of failures, rare", |run| format!("text=code+{}:+1", run % 255)),
        ("text nowhere", |_| "text=qqqqqq".to_owned()),
        ("text nowhere, two letters", |_| "text=qq".to_owned()),
        ("text of a few letters", |_| "text=b1".to_owned()),
        ("text common + left user", |_| format!("text=web&user={GONE}")),
        ("text common + rare action + user", |run| format!("text=web&user=user{}&action=unlock", user(run))),
        ("text of failures + left user", |_| format!("text=denied&user={GONE}")),
        ("text of failures + heavy guest", |_| "text=denied&guest=101".to_owned()),
        ("everything at once", |run| {
            format!(
                "guest=101&backend=proxmox-vm&user=user{}&action=start&result=bad&from=2020-10-01&text=denied",
                user(run)
            )
        }),
    ]
}

async fn pages(store: &Store, rows: i64) {
    let mut dice = Dice::new();
    println!(
        "\n| filter | first page p50 ms | p99 ms | rows | deep page p50 ms | p99 ms | rows |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    let mut over = Vec::new();
    for (what, ask) in asks() {
        let mut line = format!("| {what} |");
        for is_deep in [false, true] {
            let (mut times, mut found) = (Vec::new(), 0);
            for run in 0..RUNS {
                let mut query =
                    HistoryQuery::from_pairs(form_urlencoded::parse(ask(run as u64).as_bytes()).into_owned());
                if is_deep {
                    query.after =
                        place(store, rows / 10 - dice.roll(rows.unsigned_abs() / 100).cast_signed())
                            .await
                            .to_string();
                }
                let filter = query.read(app::backend::now_ms()).unwrap();
                let begun = Instant::now();
                found = store.history(&filter, PAGE + 1).await.unwrap().len().min(PAGE);
                times.push(begun.elapsed());
            }
            times.sort_unstable();
            let (p50, p99) = (times[RUNS / 2], times[RUNS * 99 / 100]);
            line += &format!(" {:.1} | {:.1} | {found} |", ms(p50), ms(p99));
            if p99 > BUDGET {
                over.push(what);
            }
        }
        println!("{line}");
    }
    println!("\nover the budget of {} ms: {over:?}", BUDGET.as_millis());
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Where a page ends that all but so many of the oldest stand before.
async fn place(store: &Store, id: i64) -> Cursor {
    let started_ms = sqlx::query_scalar("SELECT started_ms FROM operations WHERE id = ?")
        .bind(id)
        .fetch_one(store.pool())
        .await
        .unwrap();
    Cursor { started_ms, id }
}

/// What it costs to record an operation beside so many.
async fn writing(store: &Store) {
    let (guest, plan) = (GuestId::parse("lxc", "web1").unwrap(), Plan::default());
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let new = NewOperation {
            origin: Origin::Paddock,
            parent: None,
            children: None,
            guest: Some(&guest),
            node: None,
            title: None,
            action: app::domain::action::GuestAction::Start.into(),
            actor: Some("bench"),
            address: None,
            request: None,
            plan: &plan,
            started_ms: app::backend::now_ms(),
            owner: None,
        };
        let begun = Instant::now();
        let id: OperationId = match store.begin_operation(&new).await.unwrap() {
            Begun::Planned(id) => id,
            Begun::Live(id) => panic!("operation {id} is in the way"),
        };
        store.run_operation(id, new.started_ms).await.unwrap();
        let end = End {
            state: EndState::Failed,
            failure: Some("lxc-start ended with exit code 1: no such bridge.".to_owned()),
            failure_kind: None,
            guest_after: GuestAfter::NotRead,
            finished_ms: app::backend::now_ms(),
        };
        store.finish_operation(id, &end).await.unwrap();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "\nbegin, run and end of an operation: p50 {:.1} ms, p99 {:.1} ms",
        ms(times[RUNS / 2]),
        ms(times[RUNS * 99 / 100])
    );
}

async fn exports(store: &Store) {
    println!(
        "\n| export | rows | MB | seconds | rows/s | peak memory before MB | after MB |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    for (format, query) in
        [(Format::Csv, ""), (Format::JsonLines, ""), (Format::Csv, "result=bad"), (Format::Csv, "text=web")]
    {
        let asked = HistoryQuery::from_pairs(form_urlencoded::parse(query.as_bytes()).into_owned());
        let mut export = Export::new(store, &Caller::command_line("bench"), &asked, format).unwrap();
        // From here on the peak is that of the export.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let (before, begun) = (peak(), Instant::now());
        let (mut bytes, mut lines) = (0, 0);
        while let Some(piece) = export.next().await.unwrap() {
            bytes += piece.len();
            lines += piece.iter().filter(|byte| **byte == b'\n').count();
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "| {format} {query} | {lines} | {:.1} | {seconds:.1} | {:.0} | {before:.1} | {:.1} |",
            bytes as f64 / 1e6,
            lines as f64 / seconds,
            peak()
        );
    }
}

/// The most memory that was in use, MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
