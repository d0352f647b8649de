//! What it costs while nothing happens, and how costs grow with guests and with open browsers.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    change::{seen, seen_too},
    fakepve::FakePve,
    host::{Crun, LIVE, Lxc, proxmox},
    http::{Connection, Event, Events},
    measure::{Times, Usage, programs_started, tool},
    paddock::{LIST, Paddock, Setup},
    report::{Line, Run, Table},
};

/// Until the readings after the beginning have become rare.
const CALM: Duration = Duration::from_secs(12);
/// Until all guests are read, at most.
const FIRST: Duration = Duration::from_secs(60);
/// How often the list is asked for.
const LISTS: usize = 300;

async fn lists(connection: &mut Connection, path: &str, accept: &str, count: usize) -> Times {
    let mut times = Times::default();
    for _ in 0..count {
        let begun = Instant::now();
        let reply = connection.get(path, accept).await;
        times.add(begun.elapsed());
        assert_eq!(reply.status, 200, "{path}");
    }
    times
}

/// With 1,000 guests and 20 open browsers.
pub async fn of_the_house(run: &mut Run, paddock: &Paddock, fake: &FakePve, seconds: u64) {
    let mut reader = paddock.connection().await;
    lists(&mut reader, LIST, "application/json", 20).await;
    let times = lists(&mut reader, LIST, "application/json", LISTS).await;
    run.add(Line::of("guest list with 1,000 guests, whole request", &times, 50, Some(2.0)));
    run.add(Line::of("guest list with 1,000 guests, whole request", &times, 99, Some(5.0)));
    let times = lists(&mut reader, "/guests", "text/html", LISTS / 3).await;
    run.add(Line::of("the same as a page without JavaScript", &times, 50, None));

    let mut browsers = Vec::new();
    for _ in 0..20 {
        browsers.push(paddock.events().await);
    }
    sleep(CALM).await;
    let requests = || fake.call("count", serde_json::json!(["GET", ""])).as_u64().unwrap();
    let (before, asked) = (paddock.usage(), requests());
    sleep(Duration::from_secs(seconds)).await;
    let (after, asked) = (paddock.usage(), requests() - asked);
    let per_minute = asked as f64 * 60.0 / seconds as f64;
    run.add(
        Line::new("requests to the Proxmox API in an idle minute", "", per_minute, Some(60.0))
            .note(format!("{asked} in {seconds} s, 20 browsers")),
    );
    let percent = after.percent_since(&before);
    run.add(Line::new("idle, 1,000 guests, 20 browsers: of a core", "%", percent, Some(1.0)));
    run.add(Line::new("idle, 1,000 guests, 20 browsers: memory", "MB", after.memory_mb, Some(60.0)));
    // After the measuring, as strace slows down what it looks at.
    let started = programs_started(paddock.pid(), Duration::from_secs(seconds)).await;
    run.add(
        Line::new(
            "idle, 1,000 guests, 20 browsers: programs started",
            "",
            started.map_or(f64::NAN, |count| count as f64),
            Some(0.0),
        )
        .note(format!("by strace -f, {seconds} s")),
    );
}

/// How cost grows with the number of guests, beside the bare tools.
pub async fn by_guests(run: &mut Run, sizes: &[usize], seconds: u64) {
    let columns = ["start ms", "list p50 ms", "list p99 ms", "list KB", "MB", "% of core", "bare tool ms"];
    let mut rows = Vec::new();
    for size in sizes {
        let lxc = Lxc::new(*size, false);
        let paddock = Paddock::start(&Setup { lxc: Some(lxc.path()), ..Setup::default() }).await;
        let bare = tool(3, &["lxc-ls", "-f", "-P", lxc.path_text()]);
        rows.push((format!("LXC {size}, lxc-ls -f"), costs(&paddock, *size, seconds, &bare).await));
        drop((paddock, lxc));

        let crun = Crun::new(*size);
        let root = crun.root();
        let paddock = Paddock::start(&Setup { crun: Some(&root), ..Setup::default() }).await;
        let bare = tool(3, &["crun", "--root", &crun.root_text(), "list", "-f", "json"]);
        rows.push((format!("crun {size}, crun list"), costs(&paddock, *size, seconds, &bare).await));
        drop((paddock, crun));

        let fake = proxmox(*size);
        let paddock = Paddock::start(&Setup { proxmox: Some(&fake), ..Setup::default() }).await;
        let bare = bare_request(&fake).await;
        rows.push((format!("Proxmox {size}, bare request"), costs(&paddock, *size, seconds, &bare).await));
    }
    let columns = columns.map(str::to_owned).to_vec();
    run.table(Table { title: "How cost grows with the number of guests".to_owned(), columns, rows });
}

async fn bare_request(fake: &FakePve) -> Times {
    let (client, mut times) = (fake.client(), Times::default());
    for _ in 0..4 {
        let begun = Instant::now();
        client.get::<serde_json::Value>("/cluster/resources", &[("type", "vm")]).await.unwrap();
        times.add(begun.elapsed());
    }
    times
}

async fn costs(paddock: &Paddock, size: usize, seconds: u64, bare: &Times) -> Vec<f64> {
    // The server waits for its first readings, but not for ever.
    let listens = Instant::now();
    while paddock.count().await != size {
        assert!(listens.elapsed() < FIRST, "all guests are listed");
        sleep(Duration::from_millis(20)).await;
    }
    let began_in = paddock.began_in + listens.elapsed();
    let mut reader = paddock.connection().await;
    let bytes = reader.get(LIST, "application/json").await.body.len();
    let times = lists(&mut reader, LIST, "application/json", if size > 1000 { 20 } else { 100 }).await;
    sleep(CALM).await;
    let before = paddock.usage();
    sleep(Duration::from_secs(seconds)).await;
    let after = paddock.usage();
    vec![
        began_in.as_secs_f64() * 1000.0,
        times.percentile(50),
        times.percentile(99),
        bytes as f64 / 1000.0,
        after.memory_mb,
        after.percent_since(&before),
        bare.percentile(50),
    ]
}

/// How cost grows with the number of open browsers: a container is started and stopped, and all see it.
pub async fn by_streams(run: &mut Run, paddock: &Paddock, lxc: &Lxc, streams: &[usize], tries: usize) {
    let mut rows = Vec::new();
    for count in streams {
        let mut browsers = Vec::new();
        for _ in 0..*count {
            browsers.push(paddock.events().await);
        }
        sleep(Duration::from_secs(2)).await;
        let mut reader = paddock.connection().await;
        let (mut last, mut cpu) = (Times::default(), Times::default());
        for i in 0..tries * 2 {
            sleep(Duration::from_millis(500)).await;
            browsers.iter_mut().for_each(Events::drain);
            let before = paddock.usage();
            let (work, status) =
                [(Lxc::start as fn(&Lxc), "running"), (Lxc::stop as fn(&Lxc), "stopped")][i % 2];
            work(lxc);
            let done = Instant::now();
            let mut newest = done;
            let mut told: Option<Event> = None;
            for browser in &mut browsers {
                let event = match &told {
                    None => seen(paddock, browser, &mut reader, LIVE, status).await,
                    Some(first) => seen_too(browser, first, LIVE, status).await,
                };
                newest = newest.max(event.at);
                told.get_or_insert(event);
            }
            last.add(newest.saturating_duration_since(done));
            // What comes after it is a part of the change.
            sleep(Duration::from_millis(300)).await;
            cpu.add_ms(paddock.usage().cpu_ms_since(&before));
        }
        let memory = Usage::of(paddock.pid()).memory_mb;
        rows.push((
            count.to_string(),
            vec![last.percentile(50), last.percentile(99), cpu.percentile(50), memory],
        ));
    }
    let columns = ["all told p50 ms", "all told p99 ms", "CPU ms a change", "MB"].map(str::to_owned).to_vec();
    run.table(Table {
        title: format!("How cost grows with open browsers: {LIVE} starts and stops"),
        columns,
        rows,
    });
}

/// Containers that come, change and go, as in days of use: memory stays as it was.
pub async fn churn(run: &mut Run, count: usize, at_once: usize) {
    let lxc = Lxc::new(100, false);
    let paddock = Paddock::start(&Setup { lxc: Some(lxc.path()), ..Setup::default() }).await;
    let browsers = [paddock.events().await, paddock.events().await];
    let mut marks = Vec::new();
    let rounds = count.div_ceil(at_once * 3).max(10);
    for round in 0..rounds {
        let names: Vec<String> = (0..at_once).map(|i| format!("r{round}-{i}")).collect();
        names.iter().for_each(|name| lxc.make(name));
        sleep(Duration::from_millis(60)).await;
        names.iter().for_each(|name| lxc.change(name, round));
        sleep(Duration::from_millis(60)).await;
        names.iter().for_each(|name| lxc.remove(name));
        sleep(Duration::from_millis(60)).await;
        marks.push(paddock.usage().memory_mb);
    }
    // What is remembered of changes has its full size after a part of it. The middle of a tenth of all marks, as work in
    // progress takes some.
    let mark = |part: usize| {
        let mut around = marks[(rounds - rounds / 10) * part / 4..][..rounds / 10].to_vec();
        around.sort_by(f64::total_cmp);
        around[around.len() / 2]
    };
    let changes = rounds * at_once * 3;
    run.add(
        Line::new(
            "memory that the second half of the churn adds",
            "MB",
            (mark(4) - mark(2)).max(0.0),
            Some(2.0),
        )
        .note(format!(
            "{changes} changes: {:.1}, {:.1}, {:.1}, {:.1}, {:.1} MB",
            mark(0),
            mark(1),
            mark(2),
            mark(3),
            mark(4)
        )),
    );
    drop(browsers);
}
