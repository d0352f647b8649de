//! How soon a change is in another open browser.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::{
    another::by_another,
    fakepve::FakePve,
    host::{Crun, LIVE, Lxc},
    http::{Connection, Event, Events, now_ms},
    measure::{Times, tool},
    paddock::{Paddock, guest_of},
    report::{Line, Run},
};

/// Seen by an open browser: its stream says so, or that there is something to read, and it reads that.
pub async fn seen(
    paddock: &Paddock,
    events: &mut Events,
    reader: &mut Connection,
    name: &str,
    status: &str,
) -> Event {
    loop {
        let event = events.next().await;
        match shows(&event.data, name, status) {
            Some(true) => return event,
            Some(false) => {}
            None if paddock.status(reader, name).await.as_deref() == Some(status) => {
                return Event { at: Instant::now(), at_ms: now_ms(), ..event };
            }
            None => {}
        }
    }
}

/// Whether the event tells that this guest is so; `None` for one that only tells to read the list.
fn shows(data: &str, name: &str, status: &str) -> Option<bool> {
    let event: Value = serde_json::from_str(data).ok().filter(Value::is_object)?;
    let rows = event["put"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_it = |row: &Value| guest_of(row)["id"]["name"] == name && guest_of(row)["status"] == status;
    Some(rows.iter().any(is_it))
}

/// Seen by another one that has the same stream as who saw this.
pub async fn seen_too(events: &mut Events, first: &Event, name: &str, status: &str) -> Event {
    loop {
        let event = events.next().await;
        if shows(&event.data, name, status).unwrap_or(event.data == first.data) {
            return event;
        }
    }
}

/// Starts and stops by another's hand, so many of each two; the time from when the tool is done.
async fn tries(
    paddock: &Paddock,
    count: usize,
    name: &str,
    states: [&str; 2],
    mut work: impl AsyncFnMut(usize),
) -> Times {
    let (mut events, mut reader, mut times) =
        (paddock.events().await, paddock.connection().await, Times::default());
    for i in 0..count {
        // At another moment between two readings each time.
        sleep(Duration::from_millis(200 + (i as u64 * 470) % 1300)).await;
        events.drain();
        work(i).await;
        let done = Instant::now();
        let event = seen(paddock, &mut events, &mut reader, name, states[i % 2]).await;
        // It may have been told before the tool was done.
        times.add(event.at.saturating_duration_since(done));
    }
    times
}

/// What others do on the host and in the cluster.
pub async fn of_others(
    run: &mut Run,
    paddock: &Paddock,
    lxc: &Lxc,
    crun: &Crun,
    fake: &FakePve,
    count: usize,
) {
    let times = tries(paddock, count, LIVE, ["running", "stopped"], async |i| {
        if i % 2 == 0 { lxc.start() } else { lxc.stop() }
    })
    .await;
    run.add(Line::of("lxc-start and lxc-stop until another browser shows it", &times, 50, None));
    run.add(Line::of("lxc-start and lxc-stop until another browser shows it", &times, 99, Some(500.0)));

    // One that is deleted is seen as soon as it is not running any more.
    crun.run_live();
    let times = tries(paddock, count, &crun.live, ["paused", "running"], async |i| {
        let word = if i % 2 == 0 { "pause" } else { "resume" };
        tool(1, &["crun", "--root", &crun.root_text(), word, &crun.live]);
    })
    .await;
    crun.delete_live();
    run.add(Line::of("crun pause and resume until another browser shows it", &times, 99, Some(500.0)));
    let (mut events, mut reader, mut times) =
        (paddock.events().await, paddock.connection().await, Times::default());
    for i in 0..count {
        sleep(Duration::from_millis(30 + (i as u64 * 37) % 400)).await;
        events.drain();
        crun.run_live();
        let done = Instant::now();
        let event = seen(paddock, &mut events, &mut reader, &crun.live, "running").await;
        times.add(event.at.saturating_duration_since(done));
        crun.delete_live();
        while paddock.status(&mut reader, &crun.live).await.is_some() {
            sleep(Duration::from_millis(5)).await;
        }
    }
    run.add(Line::of("crun run until another browser shows it", &times, 50, None));
    run.add(Line::of("crun run until another browser shows it", &times, 99, Some(500.0)));

    let times = tries(paddock, count, "101", ["running", "stopped"], async |i| {
        let word = if i % 2 == 0 { "start" } else { "stop" };
        by_another(fake, &format!("/nodes/pve1/lxc/101/status/{word}")).await;
    })
    .await;
    run.add(Line::of("another client of Proxmox until another browser shows it", &times, 50, None));
    run.add(Line::of("another client of Proxmox until another browser shows it", &times, 99, Some(1500.0)));
}

/// What Paddock itself is asked to do.
pub async fn of_ours(run: &mut Run, paddock: &Paddock, lxc: &Lxc, count: usize) {
    let (mut events, mut reader) = (paddock.events().await, paddock.connection().await);
    let mut asker = paddock.connection().await;
    let (mut told, mut overhead, mut tools) = (Times::default(), Times::default(), Times::default());
    for i in 0..count {
        sleep(Duration::from_millis(50 + (i as u64 * 37) % 400)).await;
        events.drain();
        let (action, status) = [("start", "running"), ("stop", "stopped")][i % 2];
        let asked_ms = now_ms();
        let fields = [("backend", "lxc"), ("name", LIVE), ("action", action)];
        let reply = asker.post("/api/guests/act", &fields).await;
        assert_eq!(reply.status, 200, "{action}: {}", reply.text());
        let id = reply.text();
        let event = seen(paddock, &mut events, &mut reader, LIVE, status).await;
        let operation = ended(&mut asker, id.trim()).await;
        let (tool_ms, ended_ms) = steps(&operation);
        let finished_ms = operation["summary"]["finished_ms"].as_i64().unwrap();
        // The guest's new state may be told while the tool still works.
        told.add_ms((event.at_ms - ended_ms).max(0) as f64);
        overhead.add_ms((finished_ms - asked_ms) as f64 - tool_ms);
        tools.add_ms(tool_ms);
    }
    if count % 2 == 1 {
        lxc.stop();
    }
    let what = "our own action's result until another browser shows it";
    run.add(Line::of(what, &told, 50, None));
    run.add(Line::of(what, &told, 99, Some(200.0)).note("after the tool has ended"));
    let what = "an operation beside its tools, from the request to its recorded end";
    run.add(
        Line::of(what, &overhead, 50, Some(10.0))
            .note(format!("its tools took {:.0} ms, p50", tools.percentile(50))),
    );
    run.add(Line::of(what, &overhead, 99, None));
    let mut bare = Times::default();
    for _ in 0..count.div_ceil(4) {
        for word in [Lxc::start, Lxc::stop] {
            let begun = Instant::now();
            word(lxc);
            bare.add(begun.elapsed());
        }
    }
    run.add(Line::of("beside it: lxc-start -d and lxc-stop -k by hand", &bare, 50, None));
}

async fn ended(connection: &mut Connection, id: &str) -> Value {
    loop {
        let reply = connection.get(&format!("/api/operations/get?id={id}"), "application/json").await;
        let page: Value = serde_json::from_slice(&reply.body).unwrap();
        if page["operation"]["summary"]["finished_ms"].is_i64() {
            assert_eq!(page["operation"]["summary"]["state"], "succeeded", "{page:#}");
            return page["operation"].clone();
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// How long its steps took together, milliseconds, and when the last one ended.
fn steps(operation: &Value) -> (f64, i64) {
    let outcomes = operation["outcomes"].as_array().unwrap();
    let took = |outcome: &Value| outcome["duration_ms"].as_i64().unwrap();
    let ended = outcomes.iter().filter_map(|outcome| Some(outcome["started_ms"].as_i64()? + took(outcome)));
    let together: i64 = outcomes.iter().map(took).sum();
    (together as f64, ended.max().unwrap())
}
