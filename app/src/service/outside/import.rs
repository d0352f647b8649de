//! Tasks of a Proxmox cluster that Paddock did not begin, each brought into the history once.
//!
//! One request tells of all nodes, the same that tells the inventory what to read. What runs is recorded as running and gets its end and its log once
//! it has ended; what is found ended is recorded at one go. What cannot be recorded now waits in memory, and what is
//! older than the oldest that waits is noted as read, so that the next start takes up there.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    ended::{ended, lost},
    look::{self, Newest},
    ours::{Question, may_be_ours},
};
use crate::{
    backend::{Backend, now_ms},
    domain::{
        operation::{Deed, OperationId, Origin},
        plan::Plan,
        task::Task,
    },
    service::{AppState, Error, inventory::pause},
    store::{Beginner, Import, NewOperation, Source},
};

/// How often it is looked for new ones, as often as they are read: no request of its own while the inventory listens.
const INTERVAL: Duration = Duration::from_millis(1200);
/// How far back the very first start looks.
const FIRST_LOOK_MS: i64 = 24 * 3600 * 1000;
/// So much is read again with each poll: the clocks of nodes may differ by that.
const OVERLAP_MS: i64 = 15 * 60 * 1000;
/// How exactly it is kept up to when all was read: a write with every poll would be a waste.
const NOTE_EVERY_MS: i64 = 60_000;
/// How often a task is asked about that ran and is told no more.
const MISSING_EVERY: Duration = Duration::from_secs(30);

pub struct Importer {
    state: AppState,
    driver: Arc<dyn Backend>,
    own_user: Option<String>,
    interval: Duration,
    /// All that began before this has been recorded.
    until_ms: i64,
    noted_ms: Option<i64>,
    /// By their UPIDs: tasks that are not recorded yet.
    waiting: BTreeMap<String, Waiting>,
    /// Recorded, and running when they were last seen.
    running: HashMap<String, Running>,
    /// Recorded for good, or Paddock's own; as far as they are still told.
    done: HashSet<String>,
}

struct Waiting {
    task: Task,
    polls: u32,
    log_tries: u32,
}

struct Running {
    id: OperationId,
    log_tries: u32,
    asked: Option<Instant>,
}

impl Running {
    fn new(id: OperationId) -> Self {
        Self { id, log_tries: 0, asked: None }
    }
}

impl Importer {
    /// `None` where no backend tells of tasks. What an earlier server brought in while it ran then gets its end here.
    pub async fn begin(state: &AppState) -> Result<Option<Self>, Error> {
        let unfinished = state.store.unfinished_imports().await?;
        let Some(driver) = state.registry.iter().find(|backend| backend.tells_tasks()) else {
            for Import { id, .. } in unfinished {
                let end = lost("Proxmox is not in the settings any more", now_ms());
                state.store.finish_import(id, &end, now_ms()).await?;
            }
            return Ok(None);
        };
        let noted_ms = state.store.read_until(Source::Tasks).await?;
        Ok(Some(Self {
            state: state.clone(),
            own_user: driver.api_user(),
            interval: INTERVAL,
            driver: driver.clone(),
            until_ms: noted_ms.unwrap_or_else(|| now_ms() - FIRST_LOOK_MS + OVERLAP_MS),
            noted_ms,
            waiting: BTreeMap::new(),
            running: unfinished.into_iter().map(|import| (import.upid, Running::new(import.id))).collect(),
            done: HashSet::new(),
        }))
    }

    pub fn polling(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    pub async fn keep(mut self) {
        let mut failures = 0;
        loop {
            failures = match self.poll().await {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!("the tasks of Proxmox are read again");
                    }
                    0
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(%error, "the tasks of Proxmox cannot be brought in; trying again");
                    }
                    failures + 1
                }
            };
            sleep(pause(self.interval, failures)).await;
        }
    }

    async fn poll(&mut self) -> Result<(), Error> {
        let asked_ms = now_ms();
        let since_ms = self.until_ms.min(asked_ms) - OVERLAP_MS;
        let told = self.driver.tasks(since_ms).await?;
        let newest = Newest::of(&told);
        let names: HashSet<String> = told.iter().map(|task| task.upid.clone()).collect();
        self.done.retain(|upid| names.contains(upid));
        let mut has_ended = Vec::new();
        for task in told {
            if self.done.contains(&task.upid) {
                continue;
            }
            if self.running.contains_key(&task.upid) {
                has_ended.extend(task.end.is_some().then_some(task));
            } else {
                self.waiting
                    .entry(task.upid.clone())
                    .and_modify(|waiting| waiting.task = task.clone())
                    .or_insert(Waiting { task, polls: 0, log_tries: 0 });
            }
        }
        let before = self.done.len() + self.running.len();
        for task in has_ended {
            self.finish(&task, &newest).await?;
        }
        self.find_missing(&names, &newest).await?;
        self.import_waiting(&newest).await?;
        if self.done.len() + self.running.len() != before {
            self.state.latest.written();
        }
        self.note_read(asked_ms).await
    }

    /// Records those of the waiting that are certainly not Paddock's own, oldest first.
    async fn import_waiting(&mut self, newest: &Newest) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // Read after Proxmox told its tasks and before it is looked whether they are noted: see `ours`.
        let live = self.state.store.beginners().await?;
        let mut order: Vec<(i64, String)> =
            self.waiting.iter().map(|(upid, waiting)| (waiting.task.started_ms, upid.clone())).collect();
        order.sort_unstable();
        for (_, upid) in order {
            let Some(mut waiting) = self.waiting.remove(&upid) else { continue };
            match self.import(&mut waiting, &live, newest).await {
                Ok(true) => {}
                Ok(false) => {
                    self.waiting.insert(upid, waiting);
                }
                Err(error) => {
                    self.waiting.insert(upid, waiting);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// False if it must wait.
    async fn import(
        &mut self,
        waiting: &mut Waiting,
        live: &[Beginner],
        newest: &Newest,
    ) -> Result<bool, Error> {
        let Waiting { task, polls, log_tries } = waiting;
        if self.state.store.is_task_known(&task.upid).await? {
            self.done.insert(task.upid.clone());
            return Ok(true);
        }
        let is_asked_again = *polls > 0;
        *polls = polls.saturating_add(1);
        if may_be_ours(Question { task, own_user: self.own_user.as_deref(), is_asked_again }, live) {
            return Ok(false);
        }
        let ended = match &task.end {
            Some(end) => {
                let Some(log) = look::log(self.driver.as_ref(), &task.upid, log_tries).await else {
                    return Ok(false);
                };
                Some(ended(end, &log, newest.guest_after(&self.state, task, end).await, now_ms()))
            }
            None => None,
        };
        let title = task.guest.as_ref().and_then(|guest| look::title(&self.state, guest));
        let new = NewOperation {
            origin: Origin::Task,
            parent: None,
            children: None,
            guest: task.guest.as_ref(),
            node: Some(&task.node),
            title: title.as_deref(),
            action: task.action().map_or_else(|| Deed::Task(task.kind.clone()), Deed::Action),
            actor: Some(&task.user),
            address: None,
            request: None,
            plan: &Plan::default(),
            started_ms: task.started_ms,
            owner: None,
        };
        let id = self.state.store.import_task(&task.upid, &new, ended.as_ref(), now_ms()).await?;
        match (id, &ended) {
            (Some(id), None) => {
                self.running.insert(task.upid.clone(), Running::new(id));
            }
            _ => {
                self.done.insert(task.upid.clone());
            }
        }
        if let Some(id) = id {
            tracing::info!(operation = %id, upid = task.upid, "task of another brought in");
        }
        Ok(true)
    }

    /// Writes the end of one that was recorded while it ran.
    async fn finish(&mut self, task: &Task, newest: &Newest) -> Result<(), Error> {
        let (Some(end), Some(mut running)) = (&task.end, self.running.remove(&task.upid)) else {
            return Ok(());
        };
        let done = match look::log(self.driver.as_ref(), &task.upid, &mut running.log_tries).await {
            Some(log) => {
                let ended = ended(end, &log, newest.guest_after(&self.state, task, end).await, now_ms());
                self.state.store.finish_import(running.id, &ended, now_ms()).await.map(|_| true)
            }
            None => Ok(false),
        };
        if matches!(done, Ok(true)) {
            self.done.insert(task.upid.clone());
        } else {
            self.running.insert(task.upid.clone(), running);
        }
        Ok(done.map(drop)?)
    }

    /// Asks about those that ran and are told no more.
    async fn find_missing(&mut self, told: &HashSet<String>, newest: &Newest) -> Result<(), Error> {
        let now = Instant::now();
        let is_due = |running: &Running| running.asked.is_none_or(|at| now - at >= MISSING_EVERY);
        let missing: Vec<String> = self
            .running
            .iter()
            .filter(|(upid, running)| !told.contains(*upid) && is_due(running))
            .map(|(upid, _)| upid.clone())
            .collect();
        for upid in missing {
            if let Some(running) = self.running.get_mut(&upid) {
                running.asked = Some(now);
            }
            match self.driver.task(&upid).await {
                Ok(Some(task)) => self.finish(&task, newest).await?,
                Ok(None) => {
                    let Some(running) = self.running.get(&upid) else { continue };
                    let end = lost("its node does not know it any more", now_ms());
                    self.state.store.finish_import(running.id, &end, now_ms()).await?;
                    self.running.remove(&upid);
                }
                Err(error) => tracing::debug!(upid, %error, "cannot see how a task is"),
            }
        }
        Ok(())
    }

    async fn note_read(&mut self, asked_ms: i64) -> Result<(), Error> {
        let oldest_ms = self.waiting.values().map(|waiting| waiting.task.started_ms).min();
        self.until_ms = oldest_ms.map_or(asked_ms, |oldest_ms| oldest_ms.min(asked_ms));
        let is_due =
            self.noted_ms.is_none_or(|noted| self.until_ms.abs_diff(noted) >= NOTE_EVERY_MS.unsigned_abs());
        if is_due {
            self.state.store.note_read(Source::Tasks, self.until_ms).await?;
            self.noted_ms = Some(self.until_ms);
        }
        Ok(())
    }
}
