//! What must hold once everything has come to rest after a crash.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use crate::{
    ground::{Ground, Server},
    http::ask,
    ledger,
    load::Told,
    record::{Book, Operation},
    world::{self, Task},
};

/// Sessions tried after each restart, the newest: all of them would take longer than the round.
const SESSIONS: usize = 5;

/// What is remembered of the record from one check to the next.
#[derive(Debug, Default)]
pub struct Known {
    ends: BTreeMap<i64, (String, Option<i64>)>,
    log_read: usize,
}

/// Everything that is wrong; empty if nothing is.
pub fn wrong(ground: &Ground, server: &Server, told: &Told, known: &mut Known) -> Vec<String> {
    // First: what is at work now that everything has its end would be over in a moment.
    let mut wrong: Vec<String> =
        world::tools(ground.dir()).iter().map(|tool| format!("left at work: {tool}")).collect();
    let book = Book::read(&ground.path("data/paddock.db"));
    wrong.extend(promises(&book, told));
    wrong.extend(book.operations.values().flat_map(ended));
    wrong.extend(known.changed(&book));
    wrong.extend(ledger::wrong(ground, &book, told));
    wrong.extend(two_at_once(&book));
    wrong.extend(proxmox(&book, &world::tasks(ground)));
    wrong.extend(guests(ground, &book));
    wrong.extend(answers(server, told, &book));
    wrong.extend(known.said(ground));
    wrong
}

/// What was answered holds.
fn promises(book: &Book, told: &Told) -> Vec<String> {
    let lost = told
        .accepted
        .iter()
        .filter(|(id, _)| !book.operations.contains_key(*id))
        .map(|(id, what)| format!("#{id} was accepted ({what}) and is not recorded"));
    let other = told.ended.iter().filter_map(|(id, state)| {
        let recorded = &book.operations.get(id)?.state;
        (recorded != state).then(|| format!("#{id} was told to have {state}, and is recorded as {recorded}"))
    });
    lost.chain(other).collect()
}

/// An end is whole.
fn ended(operation: &Operation) -> Option<String> {
    let Operation { id, state, running_ms, finished_ms, guest_after, failure, .. } = operation;
    let times: Vec<i64> =
        [Some(operation.started_ms), *running_ms, *finished_ms].into_iter().flatten().collect();
    let is_whole = !operation.is_live()
        && finished_ms.is_some()
        && guest_after.is_some()
        && times.is_sorted()
        // Whoever did any work has had a turn.
        && (running_ms.is_some() || matches!(state.as_str(), "interrupted" | "cancelled"))
        && (state == "succeeded") == failure.is_none();
    (!is_whole).then(|| format!("#{id} has no whole end: {operation:?}"))
}

impl Known {
    /// Ends that are not what they were before.
    fn changed(&mut self, book: &Book) -> Vec<String> {
        let now = |operation: &Operation| (operation.state.clone(), operation.finished_ms);
        let changed = self
            .ends
            .iter()
            .filter(|(id, end)| book.operations.get(id).map(now).as_ref() != Some(*end))
            .map(|(id, end)| format!("#{id} had ended as {end:?} and has changed since"))
            .collect();
        self.ends = book.operations.values().map(|one| (one.id, now(one))).collect();
        changed
    }

    /// Words of the servers that none should say.
    fn said(&mut self, ground: &Ground) -> Vec<String> {
        let log = fs::read_to_string(ground.log()).unwrap_or_default();
        let new = log.get(self.log_read..).unwrap_or_default();
        self.log_read = log.len();
        // Refusals of one that is shutting down are errors in the words of the HTTP layer.
        let is_bad = |line: &&str| {
            line.contains("panicked") || (line.contains(" ERROR ") && !line.contains(" tower_http::"))
        };
        new.lines().filter(is_bad).map(|line| format!("the server said: {line}")).collect()
    }
}

/// No two operations were at work on one guest at the same time, by their times.
fn two_at_once(book: &Book) -> Vec<String> {
    // One that moved on to another guest was not at work there from its beginning.
    let moved: BTreeSet<i64> = book
        .entries
        .iter()
        .filter(|entry| entry.kind == "operation-moved")
        .filter_map(|entry| entry.operation)
        .collect();
    let mut by_guest: BTreeMap<String, Vec<(i64, i64, i64)>> = BTreeMap::new();
    for operation in book.operations.values() {
        if let (Some(subject), Some(from), Some(to)) =
            (operation.subject(), operation.running_ms, operation.finished_ms)
            && operation.origin == "paddock"
            && !moved.contains(&operation.id)
        {
            by_guest.entry(subject).or_default().push((from, to, operation.id));
        }
    }
    let mut wrong = Vec::new();
    for (subject, mut spans) in by_guest {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            let ((_, to, first), (from, _, second)) = (pair[0], pair[1]);
            if from < to {
                wrong.push(format!("#{first} and #{second} were both at work on {subject}"));
            }
        }
    }
    wrong
}

/// Every task of ours belongs to an operation, and that ended as its tasks did.
fn proxmox(book: &Book, tasks: &BTreeMap<String, Task>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut of: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for (upid, task) in tasks {
        let result = task.result.as_deref();
        match book.tasks.get(upid) {
            Some(id) => of.entry(*id).or_default().push(result.unwrap_or("still running")),
            None if task.is_ours => wrong.push(format!("no operation knows of {upid} ({result:?})")),
            None => {}
        }
    }
    for (id, results) in of {
        let operation = &book.operations[&id];
        if operation.origin != "paddock" {
            let sentence = format!("#{id} is said to be somebody else's, and its task is ours");
            wrong.extend(results.iter().map(|_| sentence.clone()));
            continue;
        }
        let all_ok = results.iter().all(|result| *result == "OK");
        let is_all = operation.tasks_only().is_some_and(|count| count == results.len());
        // The guest itself may be otherwise than the task's end promised.
        let is_not_so = operation.failure_kind.as_deref() == Some("not-done");
        let fits = match operation.state.as_str() {
            "succeeded" => all_ok,
            _ if is_all && all_ok => is_not_so,
            // What it was doing is known to have ended: that is no mere interruption.
            "interrupted" => !is_all,
            _ => true,
        };
        if !fits {
            wrong.push(format!(
                "#{id} ({} on {:?}) {}: {:?}, but its tasks ended so: {results:?}",
                operation.action,
                operation.subject(),
                operation.state,
                operation.failure
            ));
        }
    }
    wrong
}

/// The newest operation of each guest told the truth about it, if it did its work.
fn guests(ground: &Ground, book: &Book) -> Vec<String> {
    let mut newest: BTreeMap<String, &Operation> = BTreeMap::new();
    for operation in book.operations.values() {
        newest.extend(operation.subject().map(|subject| (subject, operation)));
    }
    let mut wrong = Vec::new();
    for (subject, operation) in newest {
        if operation.state != "succeeded" || operation.origin != "paddock" {
            continue;
        }
        let (backend, name) = subject.split_once('/').unwrap();
        let real = world::status(ground, backend, name);
        let wanted = match operation.action.as_str() {
            "start" | "reboot" | "resume" | "reset" => Some("running"),
            "stop" | "shutdown" => Some("stopped"),
            // A container's memory is written to disk, and the container ended.
            "pause" if backend == "proxmox-lxc" => Some("stopped"),
            "pause" => Some("paused"),
            "delete" => None,
            _ => real.as_deref(),
        };
        let after: Value = serde_json::from_str(operation.guest_after.as_deref().unwrap()).unwrap();
        let recorded = after["status"].as_str();
        if real.as_deref() != wanted || real.as_deref() != recorded {
            wrong.push(format!(
                "#{} ({}) succeeded and recorded {after}; {subject} is {real:?}",
                operation.id, operation.action
            ));
        }
    }
    wrong
}

/// Pages and lists are there, also for those who had logged in before.
fn answers(server: &Server, told: &Told, book: &Book) -> Vec<String> {
    let mut wrong = Vec::new();
    let newest = book.operations.keys().next_back().copied().unwrap_or_default();
    let paths = [
        "/api/guests/list".to_owned(),
        "/api/operations/list".to_owned(),
        format!("/api/operations/get?id={newest}"),
        "/history".to_owned(),
        format!("/history/{newest}"),
        "/guests".to_owned(),
    ];
    for cookie in told.sessions.iter().rev().take(SESSIONS) {
        for path in &paths {
            match ask(server.addr, "GET", path, cookie, "") {
                Ok(reply) if reply.status == 200 => {}
                Ok(reply) => wrong.push(format!("{path} is answered {} {}", reply.status, reply.body)),
                Err(error) => wrong.push(format!("{path} is not answered: {error}")),
            }
        }
    }
    wrong
}
