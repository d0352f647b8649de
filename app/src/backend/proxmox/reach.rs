//! REACH: whether anything is missing between what was told of a node's tasks before and what is told now.
//!
//! Proxmox keeps a short list for the whole cluster: of each node the running tasks and the newest of those that
//! ended, 25 together. Who looks often enough sees every task in it, and one request does for all nodes. Where the
//! list does not join on to what was told before, the node itself is asked for what lies between.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use crate::domain::task::Task;

/// `MAX_FINISHED` in `PVE::RESTEnvironment`: the short list of a node with fewer has not been cut.
const SHORT_LIST: usize = 25;
/// How long a node that could not be asked is left alone.
const RETRY: Duration = Duration::from_secs(60);
/// How long a second that fills the list by itself is asked for, however often it has been: it may not be over.
const SECOND: Duration = Duration::from_secs(2);
/// Most nodes that are remembered: many times what a cluster can have.
const MOST_NODES: usize = 512;

/// What has been told of the tasks of all nodes.
#[derive(Default)]
pub struct Reach {
    /// The earliest moment that was ever asked for, milliseconds since 1970.
    from_ms: Option<i64>,
    nodes: HashMap<String, Told>,
    failed: HashMap<String, Instant>,
    /// The second that filled a node's list by itself, and since when that was seen.
    full: HashMap<String, (i64, Instant)>,
}

/// What has been told of one node's tasks.
struct Told {
    /// All tasks that started between these, milliseconds since 1970.
    from_ms: i64,
    until_ms: i64,
    /// Those of the last short list that had ended.
    ended: HashSet<String>,
}

impl Reach {
    /// Whether that is further back than anybody has asked for: then nodes that the short list is silent about may
    /// have something to tell, too.
    pub fn is_further(&self, since_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| since_ms < from)
    }

    /// Notes that it was asked for.
    pub fn asked(&mut self, since_ms: i64) {
        self.from_ms = Some(self.from_ms.map_or(since_ms, |from| from.min(since_ms)));
    }

    /// Takes what the short list tells of a node, perhaps nothing. From when on the node itself must be asked; `None`
    /// where nothing is missing, or where that would be in vain now.
    pub fn join(
        &mut self,
        node: &str,
        short: &[&Task],
        since_ms: i64,
        now: Instant,
        now_ms: i64,
    ) -> Option<i64> {
        let is_cut = self.is_cut_within_its_second(node, short, now);
        let from_ms = self.missing(node, short, since_ms, is_cut);
        if from_ms.is_none() {
            self.reached(node, since_ms, short, now_ms);
        }
        let is_barred = self.failed.get(node).is_some_and(|at| now.saturating_duration_since(*at) < RETRY)
            || (self.nodes.len() >= MOST_NODES && !self.nodes.contains_key(node));
        from_ms.filter(|_| !is_barred)
    }

    /// Whether more of the one second that the list is about may begin and be cut off, unseen.
    fn is_cut_within_its_second(&mut self, node: &str, short: &[&Task], now: Instant) -> bool {
        let mut seconds = short.iter().filter(|task| !task.is_running()).map(|task| task.started_ms);
        let Some(second) = seconds.next() else { return false };
        if short.len() < SHORT_LIST || seconds.any(|other| other != second) {
            self.full.remove(node);
            return false;
        }
        if self.full.len() >= MOST_NODES && !self.full.contains_key(node) {
            return false;
        }
        let seen = self.full.entry(node.to_owned()).or_insert((second, now));
        if seen.0 != second {
            *seen = (second, now);
        }
        now.saturating_duration_since(seen.1) < SECOND
    }

    fn missing(&self, node: &str, short: &[&Task], since_ms: i64, is_cut: bool) -> Option<i64> {
        let ended = || short.iter().filter(|task| !task.is_running());
        let oldest_ms = ended().map(|task| task.started_ms).min();
        let told = self.nodes.get(node);
        let from_ms = match told {
            Some(told) if since_ms < told.from_ms => since_ms,
            Some(told) => told.until_ms.min(since_ms.max(told.from_ms)),
            // It may have been away since the first time.
            None => self.from_ms.map_or(since_ms, |from| from.min(since_ms)),
        };
        // In the oldest second itself the list may have been cut.
        if oldest_ms.is_some_and(|oldest| oldest < from_ms) {
            return None;
        }
        let joins = told.filter(|told| told.from_ms <= since_ms).is_some_and(|told| {
            let mut common = ended().filter(|task| told.ended.contains(&task.upid));
            ended().all(|task| told.ended.contains(&task.upid))
                || common.any(|task| short.len() < SHORT_LIST || Some(task.started_ms) > oldest_ms)
        });
        (is_cut || !joins).then_some(from_ms)
    }

    /// All of a node's tasks that started since then have been told, the short list's among them.
    pub fn reached(&mut self, node: &str, from_ms: i64, short: &[&Task], now_ms: i64) {
        self.failed.remove(node);
        let newest_ms = short.iter().map(|task| task.started_ms).max();
        let ended: HashSet<String> =
            short.iter().filter(|task| !task.is_running()).map(|task| task.upid.clone()).collect();
        if !self.nodes.contains_key(node) && self.nodes.len() >= MOST_NODES {
            return;
        }
        let told = self.nodes.entry(node.to_owned()).or_insert_with(|| Told {
            from_ms,
            until_ms: from_ms,
            ended: HashSet::new(),
        });
        told.from_ms = told.from_ms.min(from_ms);
        // With as many running as the list is long, what ended is not in it: that will be asked for.
        if !ended.is_empty() {
            // A node's clock may be ahead; what starts once it is put right must not be taken for told.
            told.until_ms = newest_ms.unwrap_or(told.until_ms).min(now_ms).max(told.until_ms);
            told.ended = ended;
        }
    }

    /// The node could not be asked; what was told of it stays as it was.
    pub fn failed(&mut self, node: &str, now: Instant) {
        if self.failed.len() < MOST_NODES || self.failed.contains_key(node) {
            self.failed.insert(node.to_owned(), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::task::{TaskEnd, TaskResult};

    use super::*;

    const NOW_MS: i64 = 1_000_000_000;

    fn task(number: i64, started_ms: i64) -> Task {
        Task {
            upid: format!("UPID:pve1:{number}:"),
            kind: "vzstart".into(),
            id: "101".into(),
            guest: None,
            node: "pve1".into(),
            user: "root@pam".into(),
            started_ms,
            end: Some(TaskEnd { at_ms: Some(started_ms), result: TaskResult::Ok }),
        }
    }

    fn running(number: i64, started_ms: i64) -> Task {
        Task { end: None, ..task(number, started_ms) }
    }

    /// A reach, and what it says to one short list after the other.
    struct Trial(Reach, Instant);

    impl Trial {
        fn new(since_ms: i64) -> Self {
            let mut reach = Reach::default();
            reach.asked(since_ms);
            Self(reach, Instant::now())
        }

        /// The node answers where it is asked.
        fn join(&mut self, tasks: &[Task], since_ms: i64) -> Option<i64> {
            let short: Vec<&Task> = tasks.iter().collect();
            let due = self.0.join("pve1", &short, since_ms, self.1, NOW_MS);
            if let Some(from_ms) = due {
                self.0.reached("pve1", from_ms, &short, NOW_MS);
            }
            due
        }
    }

    #[test]
    fn a_list_that_reaches_further_back_than_asked_for_is_whole() {
        let mut trial = Trial::new(5000);
        assert_eq!(trial.join(&[task(2, 9000), task(1, 4000)], 5000), None);
        assert_eq!(Trial::new(5000).join(&[task(2, 9000), task(1, 5000)], 5000), Some(5000));
        assert_eq!(Trial::new(5000).join(&[], 5000), Some(5000), "a node it is silent about");
    }

    #[test]
    fn a_node_is_asked_once_and_then_only_where_the_list_has_run_on() {
        let mut trial = Trial::new(5000);
        assert_eq!(trial.join(&[task(1, 9000)], 5000), Some(5000));
        for _ in 0..3 {
            assert_eq!(trial.join(&[task(1, 9000)], 9000), None);
        }
        assert_eq!(trial.join(&[running(3, 12_000), task(2, 11_000), task(1, 9000)], 9000), None);
        assert_eq!(trial.join(&[task(3, 12_000), task(2, 11_000)], 12_000), None);
        let all_new: Vec<Task> = (10..35).map(|n| task(n, 20_000 + n)).collect();
        assert_eq!(trial.join(&all_new, 12_000), Some(12_000));
        assert_eq!(trial.join(&all_new, 20_034), None);
        assert_eq!(trial.join(&all_new, 100), Some(100), "somebody wants more");
        assert_eq!(trial.join(&all_new, 20_034), None);
    }

    #[test]
    fn what_was_missing_is_asked_for_although_the_caller_has_gone_on() {
        let mut trial = Trial::new(5000);
        assert_eq!(trial.join(&[task(1, 9000)], 5000), Some(5000));
        let all_new: Vec<Task> = (10..35).map(|n| task(n, 20_000 + n)).collect();
        let short: Vec<&Task> = all_new.iter().collect();
        assert_eq!(trial.0.join("pve1", &short, 9000, trial.1, NOW_MS), Some(9000));
        trial.0.failed("pve1", trial.1);
        assert_eq!(trial.0.join("pve1", &short, 50_000, trial.1, NOW_MS), None, "it is left alone");
        trial.1 += RETRY;
        assert_eq!(trial.join(&all_new, 50_000), Some(9000));
        assert_eq!(trial.join(&all_new, 50_000), None);
    }

    #[test]
    fn a_node_that_was_away_from_the_beginning_is_asked_from_the_beginning() {
        let mut trial = Trial::new(5000);
        assert!(!trial.0.is_further(6000) && trial.0.is_further(4999));
        assert_eq!(trial.join(&[task(1, 90_000)], 80_000), Some(5000));
    }

    #[test]
    fn one_second_full_of_tasks_is_asked_for_until_it_is_told() {
        let mut trial = Trial::new(5000);
        let second: Vec<Task> = (0..SHORT_LIST as i64).map(|n| task(n, 9000)).collect();
        assert_eq!(trial.join(&second[..24], 5000), Some(5000));
        assert_eq!(trial.join(&second, 9000), Some(9000), "one more may have been cut off");
        assert_eq!(trial.join(&second, 9000), Some(9000), "and one more since: the second may not be over");
        trial.1 += SECOND;
        assert_eq!(trial.join(&second, 9000), None);
        let next: Vec<Task> = (100..125).map(|n| task(n, 10_000)).collect();
        assert_eq!(trial.join(&next, 9000), Some(9000));
        assert_eq!(trial.join(&next, 9000), Some(9000));
    }

    #[test]
    fn so_many_running_tasks_that_no_ended_one_is_listed_hide_nothing() {
        let mut trial = Trial::new(5000);
        assert_eq!(trial.join(&[task(1, 9000)], 5000), Some(5000));
        let busy: Vec<Task> = (10..35).map(|n| running(n, 20_000)).collect();
        assert_eq!(trial.join(&busy, 9000), None);
        assert_eq!(trial.join(&[task(40, 30_000), task(41, 30_000)], 20_000), Some(9000));
    }

    #[test]
    fn a_clock_ahead_hides_nothing_once_it_is_put_right() {
        let mut trial = Trial::new(5000);
        assert_eq!(trial.join(&[task(1, NOW_MS * 3)], 5000), Some(5000));
        assert_eq!(trial.join(&[task(2, NOW_MS + 5000)], NOW_MS * 3), Some(NOW_MS));
    }
}
