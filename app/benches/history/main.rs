//! `make bench-history`: reading the history of very many operations. Budget: 50 ms for any page of any filter.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod asks;
mod fill;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use app::{
    domain::{
        guest::GuestId,
        history::{Cursor, HistoryQuery},
        operation::{EndState, GuestAfter, OperationId, Origin},
        plan::Plan,
    },
    service::{
        Visible,
        export::{Export, Format},
        history::PAGE,
    },
    store::{Begun, End, NewOperation, Pace, Store},
};
use fill::Dice;
use rustix::time::{ClockId, clock_gettime};

/// How often each page is read.
const RUNS: usize = 200;
/// Milliseconds.
const BUDGET: f64 = 50.0;
/// How many of the slowest are named.
const SLOWEST: usize = 12;

#[tokio::main]
async fn main() {
    let rows: i64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let directory = PathBuf::from(std::env::var_os("PADDOCK_BENCH").unwrap_or_else(|| "bench".into()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = database(&directory, rows).await;
    let store = Store::open(&path).await.unwrap();
    sizes(&store).await;
    single(&store, rows).await;
    combined(&store, rows).await;
    writing(&store).await;
    proofs(&store).await;
    exports(&store).await;
    store.close().await;
}

/// Made once; what was left half made is made anew.
async fn database(directory: &Path, rows: i64) -> PathBuf {
    let path = directory.join(format!("history-{}-{rows}", fill::VERSION)).join("paddock.db");
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
        let question =
            format!("SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND {names}");
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

/// By the clock, and of the processor: others may use the machine, too, and then the second is what a page costs.
#[derive(Clone, Copy, Default)]
struct Time {
    clock: Duration,
    processor: Duration,
}

impl Time {
    fn now() -> (Instant, Duration) {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        (Instant::now(), Duration::new(used.tv_sec.cast_unsigned(), u32::try_from(used.tv_nsec).unwrap()))
    }

    fn since((clock, processor): (Instant, Duration)) -> Self {
        let now = Self::now();
        Self { clock: now.0 - clock, processor: now.1 - processor }
    }
}

/// What pages cost, in milliseconds.
#[derive(Default)]
struct Times(Vec<Time>);

impl Times {
    /// So many of a hundred took no longer.
    fn percentile(&self, percent: usize, of: fn(&Time) -> Duration) -> Duration {
        let mut times: Vec<Duration> = self.0.iter().map(of).collect();
        times.sort_unstable();
        times.get(times.len() * percent / 100).copied().unwrap_or_default()
    }

    fn clock(&self, percent: usize) -> f64 {
        ms(self.percentile(percent, |time| time.clock))
    }

    fn processor(&self, percent: usize) -> f64 {
        ms(self.percentile(percent, |time| time.processor))
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6.1} | {:>6.1} | {:>6.1}", self.clock(50), self.clock(99), self.processor(99))
    }
}

fn query(text: &str) -> HistoryQuery {
    HistoryQuery::from_pairs(form_urlencoded::parse(text.as_bytes()).into_owned())
}

/// How long a page takes, and how many rows it has, with a plus where the search stopped before it had found all; `None` if
/// the filter makes no sense.
async fn page(store: &Store, query: &HistoryQuery) -> Option<(Time, String)> {
    let filter = query.read(app::backend::now_ms()).ok()?;
    let begun = Time::now();
    let found = store.history(&filter, PAGE + 1).await.unwrap();
    let elapsed = Time::since(begun);
    let plus = if found.stopped.is_some() { "+" } else { "" };
    Some((elapsed, format!("{}{plus}", found.operations.len().min(PAGE))))
}

/// Each of the filters many times, the first page and one deep in the past.
async fn single(store: &Store, rows: i64) {
    let mut dice = Dice::new();
    heading(&[
        ("filter", 39),
        ("p50 ms", 6),
        ("p99 ms", 6),
        ("of CPU", 6),
        ("rows", 4),
        ("deep", 6),
        ("p99 ms", 6),
        ("of CPU", 6),
        ("rows", 4),
    ]);
    let (mut by_clock, mut by_processor) = (Vec::new(), Vec::new());
    for (what, ask) in asks::single() {
        let mut line = format!("| {what:<39} |");
        for is_deep in [false, true] {
            let (mut times, mut found) = (Times::default(), String::new());
            for run in 0..RUNS {
                let mut query = query(&ask(run as u64));
                if is_deep {
                    let id = rows / 10 - dice.roll(rows.unsigned_abs() / 100).cast_signed();
                    query.after = place(store, id).await.to_string();
                }
                let (time, rows) = page(store, &query).await.unwrap();
                times.0.push(time);
                found = rows;
            }
            line += &format!(" {times} | {found:>4} |");
            if times.clock(99) > BUDGET {
                by_clock.push(what);
            }
            if times.processor(99) > BUDGET {
                by_processor.push(what);
            }
        }
        println!("{line}");
    }
    println!("\nover the budget of {BUDGET} ms by the clock: {by_clock:?}");
    println!("over it by the processor's time: {by_processor:?}");
}

/// All combinations of a few values of each filter, each once, and once more if that took too long.
async fn combined(store: &Store, rows: i64) {
    let (mut times, mut slow, mut stopped) = (Times::default(), Vec::new(), 0);
    let deep = place(store, rows / 2).await.to_string();
    for text in asks::combined() {
        for after in ["", &deep] {
            let mut query = query(&text);
            query.after = after.to_owned();
            let Some((mut time, rows)) = page(store, &query).await else { continue };
            stopped += usize::from(rows.ends_with('+'));
            if ms(time.clock) > BUDGET {
                let again = page(store, &query).await.unwrap().0;
                time.clock = time.clock.min(again.clock);
                time.processor = time.processor.min(again.processor);
            }
            times.0.push(time);
            slow.push((time.processor, format!("{text}{}", if after.is_empty() { "" } else { " (deep)" })));
        }
    }
    slow.sort_unstable_by(|a, b| b.cmp(a));
    let over = |of: fn(&Time) -> Duration| times.0.iter().filter(|time| ms(of(time)) > BUDGET).count();
    println!("\nall combinations of a few values of each filter:");
    println!("  {} pages; {stopped} stopped before all was searched", times.0.len());
    println!(
        "  by the clock p50 {:.1} ms, p99 {:.1} ms; over the budget {}",
        times.clock(50),
        times.clock(99),
        over(|time| time.clock)
    );
    println!(
        "  of CPU       p50 {:.1} ms, p99 {:.1} ms; over the budget {}",
        times.processor(50),
        times.processor(99),
        over(|time| time.processor)
    );
    println!("  which take the processor longest:");
    for (time, text) in slow.iter().take(SLOWEST) {
        println!("{:>8.1} ms  {text}", ms(*time));
    }
}

/// The head of a table, each column with its width.
fn heading(columns: &[(&str, usize)]) {
    let names: Vec<String> = columns.iter().map(|(name, width)| format!("{name:<width$}")).collect();
    let lines: Vec<String> = columns.iter().map(|(_, width)| "-".repeat(*width)).collect();
    println!("\n| {} |\n| {} |", names.join(" | "), lines.join(" | "));
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
        let mut export = Export::new(store, Visible::all(), &asked, format).unwrap();
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

/// `paddock verify`, and what the server's own look at its start does to the pages.
async fn proofs(store: &Store) {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, begun) = (peak(), Instant::now());
    let proof = store.prove(Pace::Full).await.unwrap();
    println!(
        "\nproof of {} entries and {} operations: {:.1} s, peak memory {before:.1} MB before, {:.1} MB after; {} damages",
        proof.report.entries,
        proof.operations,
        begun.elapsed().as_secs_f64(),
        peak(),
        proof.report.count
    );
    let (gentle, begun) = (store.clone(), Instant::now());
    let look = tokio::spawn(async move { gentle.prove(Pace::Gentle).await });
    let (mut times, asks) = (Times::default(), asks::single());
    while !look.is_finished() {
        for (run, (_, ask)) in asks.iter().enumerate() {
            times.0.extend(page(store, &query(&ask(run as u64))).await.map(|(time, _)| time));
            // As people ask, not as fast as can be.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    println!(
        "as the server does it: {:.1} s; {} pages meanwhile: p50 {:.1} ms, p99 {:.1} ms; peak memory {:.1} MB",
        begun.elapsed().as_secs_f64(),
        times.0.len(),
        times.clock(50),
        times.clock(99),
        peak()
    );
}

/// The most memory that was in use, MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
