//! What is looked up for the record of a task: its log, and the guest it was about.

use std::collections::HashMap;

use super::ended::Log;
use crate::{
    backend::{Backend, OUTPUT_CAP, now_ms},
    domain::{
        guest::GuestId,
        operation::GuestAfter,
        task::{Task, TaskEnd},
    },
    service::{AppState, job::read_after},
};

/// A guest is read for the record if its task ended no longer ago.
const JUST_NOW_MS: u64 = 15_000;
/// How often the log of an ended task is tried to be read before it is recorded without.
const LOG_TRIES: u32 = 3;

/// `None` if it cannot be read now and is worth another try.
pub async fn log(driver: &dyn Backend, upid: &str, tries: &mut u32) -> Option<Log> {
    match driver.task_log(upid, OUTPUT_CAP).await {
        Ok((text, false)) => Some(Log::Whole(text)),
        Ok((text, true)) => Some(Log::Cut(text)),
        Err(error) => {
            *tries += 1;
            (*tries >= LOG_TRIES).then(|| Log::Unread(error.to_string()))
        }
    }
}

/// What people call the guest, where its id is a number.
pub fn title(state: &AppState, id: &GuestId) -> Option<String> {
    let snapshot = state.inventory.snapshot();
    snapshot.guest(id)?.title.clone()
}

/// When the newest task of each guest began.
pub struct Newest(HashMap<GuestId, i64>);

impl Newest {
    pub fn of(tasks: &[Task]) -> Self {
        let mut newest = HashMap::new();
        for task in tasks {
            if let Some(guest) = &task.guest {
                let at_ms = newest.entry(guest.clone()).or_insert(task.started_ms);
                *at_ms = task.started_ms.max(*at_ms);
            }
        }
        Self(newest)
    }

    /// The guest as it is now, if that is how the task left it: it ended just now, and nothing was begun since.
    pub async fn guest_after(&self, state: &AppState, task: &Task, end: &TaskEnd) -> GuestAfter {
        let Some(guest) = &task.guest else { return GuestAfter::NotRead };
        let is_newest = self.0.get(guest).is_none_or(|newest_ms| *newest_ms <= task.started_ms);
        let is_fresh = end.at_ms.is_some_and(|at_ms| now_ms().abs_diff(at_ms) <= JUST_NOW_MS);
        match state.registry.get(guest.backend) {
            Some(driver) if is_newest && is_fresh => read_after(driver.as_ref(), guest).await,
            _ => GuestAfter::NotRead,
        }
    }
}
