//! TASKS: what the cluster did, whoever asked it.
//!
//! A task's node, kind, guest, user and start are read from its UPID, which never changes; of an answer's other words
//! only how and when it ended.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;

use crate::{
    backend::{Error, Followed, RunContext, no_task, now_ms},
    domain::{
        guest::BackendKind,
        task::{Task, TaskEnd, TaskResult},
    },
};

use super::{
    check,
    client::{Status, readable},
    cluster::Cluster,
    nodes,
    num::Rows,
    place::{id_of, node_path},
    refuse::{self, Scene},
    upid::Upid,
    wire::guest::TaskRow,
};

/// Tasks asked for at once. All that a node keeps are a few thousand.
const PAGE: usize = 500;
const MOST_PAGES: usize = 20;
/// Most nodes that are asked in one go; the others have their turn the next time.
const MOST_ASKED: usize = 64;

/// The tasks of all nodes, oldest first; see [`Backend::tasks`](crate::backend::Backend::tasks).
///
/// Needs `Sys.Audit` on `/`; without it Proxmox tells nothing but the account's own.
pub async fn since(cluster: &Cluster, since_ms: i64) -> Result<Vec<Task>, Error> {
    // A start is told in whole seconds: that of the moment itself counts, too.
    let since_ms = since_ms.max(0) / 1000 * 1000;
    let mut reach = cluster.reach.lock().await;
    let listed = cluster.pulse.tasks(&cluster.client).await?;
    let mut by_node: BTreeMap<&str, Vec<&Task>> = BTreeMap::new();
    for task in listed.iter() {
        by_node.entry(&task.node).or_default().push(task);
    }
    let silent = if reach.is_further(since_ms) { nodes::facts(cluster).await? } else { Vec::new() };
    for node in silent.iter().filter(|node| node.is_online) {
        by_node.entry(&node.name).or_default();
    }
    reach.asked(since_ms);
    let (now, now_ms) = (Instant::now(), now_ms());
    let mut due: Vec<(&str, i64)> = Vec::new();
    for (node, short) in &by_node {
        if due.len() < MOST_ASKED {
            due.extend(reach.join(node, short, since_ms, now, now_ms).map(|from_ms| (*node, from_ms)));
        }
    }
    let asked = join_all(due.iter().map(|(node, from_ms)| of_node(cluster, node, *from_ms))).await;
    let mut more = Vec::new();
    for ((node, from_ms), answer) in due.into_iter().zip(asked) {
        match answer {
            Ok(tasks) => {
                let short = by_node.get(node).map(Vec::as_slice).unwrap_or_default();
                reach.reached(node, from_ms, short, now_ms);
                more.extend(tasks);
            }
            Err(error) => {
                tracing::warn!(node, %error, "cannot ask this node for its tasks; trying again in a minute");
                reach.failed(node, now);
            }
        }
    }
    drop(by_node);
    let is_new = |task: &Task| {
        let ended_ms = task.end.as_ref().map_or(i64::MAX, |end| end.at_ms.unwrap_or(i64::MAX));
        task.started_ms.max(ended_ms) >= since_ms
    };
    // Each once, as it was told last.
    let all: BTreeMap<String, Task> = listed
        .iter()
        .filter(|task| is_new(task))
        .cloned()
        .chain(more)
        .map(|task| (task.upid.clone(), task))
        .collect();
    let mut tasks: Vec<Task> = all.into_values().collect();
    tasks.sort_by_key(|task| task.started_ms);
    name_guests(cluster, &mut tasks).await;
    Ok(tasks)
}

/// All that a node keeps of the tasks that started since then, running ones too.
async fn of_node(cluster: &Cluster, node: &str, from_ms: i64) -> Result<Vec<Task>, Error> {
    let (path, since, limit) = (node_path(node, "/tasks"), (from_ms / 1000).to_string(), PAGE.to_string());
    let mut tasks = Vec::new();
    for page in 0..MOST_PAGES {
        let start = (page * PAGE).to_string();
        let query = [("source", "all"), ("since", &since), ("start", &start), ("limit", &limit)];
        let Rows(rows) = cluster.client.get::<Rows<TaskRow>>(&path, &query).await?;
        tasks.extend(rows.iter().take(PAGE).filter_map(row));
        if rows.len() < PAGE {
            return Ok(tasks);
        }
    }
    tracing::warn!(node, tasks = tasks.len(), "this node tells of more tasks than are read");
    Ok(tasks)
}

/// One task as it is now; `None` where its node knows it no more.
pub async fn one(cluster: &Cluster, upid: &str) -> Result<Option<Task>, Error> {
    let upid = parsed(upid)?;
    let Some(status) = cluster.client.known_status(&upid).await? else { return Ok(None) };
    let end = match status {
        Status::Running => None,
        Status::Stopped(words) => {
            Some(TaskEnd { at_ms: ended_ms(cluster, &upid).await, result: TaskResult::of(&words) })
        }
    };
    let mut told: Vec<Task> = named(&upid, upid.started_ms(), end).into_iter().collect();
    name_guests(cluster, &mut told).await;
    Ok(told.pop())
}

/// When it ended, which only the node's list tells.
async fn ended_ms(cluster: &Cluster, upid: &Upid) -> Option<i64> {
    let started = (upid.started_ms()? / 1000).to_string();
    let limit = PAGE.to_string();
    let query = [("source", "all"), ("since", &*started), ("until", &started), ("limit", &limit)];
    let Rows(rows) =
        cluster.client.get::<Rows<TaskRow>>(&node_path(upid.node(), "/tasks"), &query).await.ok()?;
    let row = rows.iter().find(|row| row.upid.as_deref() == Some(upid.as_str()))?;
    self::row(row)?.end?.at_ms
}

/// What it has said so far, at most `limit` bytes, and whether there is more.
pub async fn log(cluster: &Cluster, upid: &str, limit: usize) -> Result<(String, bool), Error> {
    cluster.client.log(&parsed(upid)?, limit).await
}

/// What the end of a task means, from what it said last.
pub fn ended(kind: BackendKind, upid: &str, words: &str) -> Result<(), Error> {
    refuse::ended(&Scene::of_task(kind, &parsed(upid)?), words)
}

pub async fn follow(cluster: &Cluster, upid: &str, timeout: Duration, context: &RunContext) -> Followed {
    match parsed(upid) {
        Ok(upid) => {
            let output = cluster.client.follow(&upid, timeout, context).await;
            Followed { end: output.end, result: output.result.map(drop) }
        }
        Err(error) => Followed { end: None, result: Err(error) },
    }
}

fn parsed(upid: &str) -> Result<Upid, Error> {
    upid.parse().ok().filter(is_of_a_node).ok_or_else(|| no_task(upid))
}

/// The node's name stands in paths.
fn is_of_a_node(upid: &Upid) -> bool {
    check::node(upid.node()).is_ok()
}

/// One row of a list; `None` for what names no task.
pub fn row(row: &TaskRow) -> Option<Task> {
    let upid: Upid = row.upid.as_deref()?.parse().ok().filter(is_of_a_node)?;
    let started_ms = upid.started_ms().or_else(|| milliseconds(row.starttime?))?;
    let is_running = match &row.status {
        Some(_) => row.is_running(),
        None => row.endtime.is_none(),
    };
    let end = (!is_running).then(|| TaskEnd {
        at_ms: row.endtime.and_then(milliseconds).map(|ended_ms| ended_ms.max(started_ms)),
        result: TaskResult::of(&readable(row.status.as_deref().unwrap_or_default())),
    });
    named(&upid, Some(started_ms), end)
}

fn named(upid: &Upid, started_ms: Option<i64>, end: Option<TaskEnd>) -> Option<Task> {
    Some(Task {
        upid: upid.to_string(),
        kind: upid.kind().to_owned(),
        id: upid.id().to_owned(),
        guest: upid.guest(),
        node: upid.node().to_owned(),
        user: upid.user().to_owned(),
        started_ms: started_ms?,
        end,
    })
}

/// Of whole seconds, as far as a UPID can tell them: until 2106.
fn milliseconds(seconds: u64) -> Option<i64> {
    u32::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(|seconds| i64::from(seconds) * 1000)
}

/// Says which guest a task is about whose kind does not tell its sort: the one that has the VMID now.
async fn name_guests(cluster: &Cluster, tasks: &mut [Task]) {
    let vmid = |task: &Task| task.upid.parse::<Upid>().ok().and_then(|upid| upid.guest_of_either_sort());
    let open: Vec<(&mut Task, u32)> =
        tasks.iter_mut().filter_map(|task| vmid(task).map(|vmid| (task, vmid))).collect();
    if open.is_empty() {
        return;
    }
    // Without the list a task is told all the same, without its guest.
    drop(cluster.list_once().await);
    for (task, vmid) in open {
        task.guest = cluster.memory.kind(vmid).and_then(|kind| id_of(kind, vmid));
    }
}

#[cfg(test)]
mod tests;
