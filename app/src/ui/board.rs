//! All guests, as the browser knows them: read once, then kept true by the event stream.

use std::{collections::HashMap, sync::Arc};

use leptos::prelude::*;
use serde::Deserialize;

use super::live::Live;
use crate::{
    api::guests::list_guests,
    domain::{
        event::{GuestsChanged, UsageChanged, Used},
        guest::GuestId,
        limits::Cpus,
        usage::SPARK_POINTS,
        view::{BackendHealth, GuestList, GuestRow, RowUsage},
    },
};

/// What is known. Empty until the list was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Sorted by what people call them.
    pub rows: Vec<Arc<GuestRow>>,
    pub backends: Vec<BackendHealth>,
    /// The server's clock when this was so.
    pub now_ms: i64,
    places: HashMap<GuestId, usize>,
}

impl Known {
    pub fn of(list: GuestList) -> Self {
        let mut known = Self {
            rows: list.guests.into_iter().map(Arc::new).collect(),
            backends: list.backends,
            now_ms: list.now_ms,
            places: HashMap::new(),
        };
        known.sort();
        known
    }

    pub fn get(&self, id: &GuestId) -> Option<&Arc<GuestRow>> {
        self.rows.get(*self.places.get(id)?)
    }

    pub fn take(&mut self, changed: GuestsChanged) {
        self.now_ms = changed.now_ms;
        if let Some(backends) = changed.backends {
            self.backends = backends;
        }
        let mut is_moved = false;
        for row in changed.put {
            match self.places.get(&row.guest.id) {
                Some(place) => {
                    is_moved |= self.rows[*place].guest.label() != row.guest.label();
                    self.rows[*place] = Arc::new(row);
                }
                None => {
                    is_moved = true;
                    self.places.insert(row.guest.id.clone(), self.rows.len());
                    self.rows.push(Arc::new(row));
                }
            }
        }
        let gone: Vec<GuestId> = changed.gone.into_iter().filter(|id| self.places.contains_key(id)).collect();
        if !gone.is_empty() {
            self.rows.retain(|row| !gone.contains(&row.guest.id));
            is_moved = true;
        }
        if is_moved {
            self.sort();
        }
    }

    /// Goes on with the sparks of all that run: one of which nothing is told uses what it used.
    pub fn take_usage(&mut self, changed: UsageChanged) {
        let mut told: HashMap<GuestId, Used> = HashMap::new();
        for used in changed.guests {
            let id = used.0.split_once('/').and_then(|(backend, name)| GuestId::parse(backend, name).ok());
            if let Some(id) = id {
                told.insert(id, used);
            }
        }
        for row in &mut self.rows {
            let used = told.remove(&row.guest.id);
            if used.is_none() && row.usage.is_none() {
                continue;
            }
            let row = Arc::make_mut(row);
            let usage = row.usage.get_or_insert_with(RowUsage::default);
            let mut levels = used.as_ref().map(|used| used.3.chars()).into_iter().flatten();
            if let Some(Used(_, cpu, memory, _)) = used.as_ref() {
                usage.now.cpu = cpu.map(Cpus);
                usage.now.memory = *memory;
            }
            push(&mut usage.spark.cpu, levels.next());
            push(&mut usage.spark.memory, levels.next());
        }
    }

    fn sort(&mut self) {
        self.rows.sort_by(|a, b| (a.guest.label(), &a.guest.id).cmp(&(b.guest.label(), &b.guest.id)));
        self.places = self.rows.iter().enumerate().map(|(at, row)| (row.guest.id.clone(), at)).collect();
    }
}

/// One moment more at the end of a spark; `None`: as it was.
fn push(spark: &mut String, level: Option<char>) {
    let Some(level) = level.or_else(|| spark.chars().last()) else { return };
    spark.push(level);
    while spark.chars().count() > SPARK_POINTS {
        spark.remove(0);
    }
}

/// Whether all guests are known by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Empty,
    /// What changes meanwhile waits for the list.
    Reading,
    Full,
}

#[derive(Clone, Copy)]
pub struct Board {
    known: RwSignal<Known>,
    phase: RwSignal<Phase>,
    waiting: StoredValue<Vec<GuestsChanged>>,
}

impl Board {
    /// Empty, for as long as the current owner lives.
    pub fn empty() -> Self {
        Self {
            known: RwSignal::new(Known::default()),
            phase: RwSignal::new(Phase::Empty),
            waiting: StoredValue::new(Vec::new()),
        }
    }

    /// Takes in what is told from now on.
    pub fn listen(self, live: Live) {
        let take = move |kind: &str, text: &str| match kind {
            "reset" => self.read_again(),
            "guests" => read(text).map_or((), |changed| self.take(changed)),
            "usage" => read(text).map_or((), |changed| self.take_usage(changed)),
            _ => {}
        };
        live.tell(Arc::new(take));
    }

    /// All guests are known, and what changes is seen here.
    pub fn is_full(self) -> bool {
        self.phase.get() == Phase::Full
    }

    pub fn known(self) -> RwSignal<Known> {
        self.known
    }

    /// Reads the list, unless it is known or being read. Only ever in the browser.
    pub fn fill(self) {
        if self.phase.get_untracked() == Phase::Empty {
            self.read();
        }
    }

    /// What was read may be another now in any part.
    pub fn read_again(self) {
        if self.phase.try_get_untracked() == Some(Phase::Full) {
            self.read();
        }
    }

    fn read(self) {
        // One that is full stays so meanwhile, as it was.
        if self.phase.get_untracked() == Phase::Empty {
            self.phase.set(Phase::Reading);
        }
        leptos::task::spawn_local(async move {
            let list = list_guests().await;
            // The frame may have gone meanwhile.
            if self.phase.try_get_untracked().is_none() {
                return;
            }
            let waiting = self.waiting.try_update_value(std::mem::take).unwrap_or_default();
            let Ok(list) = list else {
                // Pages ask the server, as before; the next reset or visit tries again.
                if self.phase.get_untracked() == Phase::Reading {
                    self.phase.set(Phase::Empty);
                }
                return;
            };
            let mut known = Known::of(list);
            for changed in waiting {
                known.take(changed);
            }
            self.known.set(known);
            self.phase.set(Phase::Full);
        });
    }

    pub fn take_usage(self, changed: UsageChanged) {
        if self.phase.try_get_untracked() == Some(Phase::Full) {
            self.known.update(|known| known.take_usage(changed));
        }
    }

    pub fn take(self, changed: GuestsChanged) {
        match self.phase.try_get_untracked() {
            Some(Phase::Reading) => self.waiting.update_value(|waiting| waiting.push(changed)),
            Some(Phase::Full) => self.known.update(|known| known.take(changed)),
            Some(Phase::Empty) | None => {}
        }
    }
}

/// `None` for what a newer server may say.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(text.as_bytes())
        .inspect_err(|error| leptos::logging::warn!("an event that cannot be read: {error}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        access::Privileges,
        event::At,
        guest::{Guest, GuestStatus},
        usage::{Sample, Spark},
    };

    fn row(name: &str, status: GuestStatus) -> GuestRow {
        let guest = Guest::new(GuestId::parse("lxc", name).unwrap(), status);
        GuestRow { guest, last: None, usage: None, may: Privileges::default() }
    }

    fn changed(put: Vec<GuestRow>, gone: &[&str]) -> GuestsChanged {
        let gone = gone.iter().map(|name| GuestId::parse("lxc", name).unwrap()).collect();
        GuestsChanged { now_ms: 1, put, gone, backends: None }
    }

    fn names(known: &Known) -> Vec<String> {
        let name = |row: &Arc<GuestRow>| format!("{} {}", row.guest.label(), row.guest.status);
        for row in &known.rows {
            assert_eq!(known.get(&row.guest.id), Some(row), "each is found where it is");
        }
        known.rows.iter().map(name).collect()
    }

    #[test]
    fn what_runs_goes_on_with_its_spark_whether_it_is_told_of_or_not() {
        let usage = |cpu: &str, memory: &str| RowUsage {
            now: Sample { cpu: Some(Cpus(5)), memory: Some(7), ..Sample::default() },
            spark: Spark { cpu: cpu.to_owned(), memory: memory.to_owned() },
        };
        let full = "A".repeat(SPARK_POINTS);
        let mut busy = row("busy", GuestStatus::Running);
        busy.usage = Some(usage(&full, "B"));
        let mut calm = row("calm", GuestStatus::Running);
        calm.usage = Some(usage("C", "D"));
        let new = row("new", GuestStatus::Running);
        let mut known = Known::default();
        known.take(changed(vec![busy, calm, new, row("off", GuestStatus::Stopped)], &[]));
        let used = |id: &str, cpu, levels: &str| Used(id.to_owned(), Some(cpu), Some(8), levels.to_owned());
        let guests = vec![used("lxc/busy", 900, "9Z"), used("lxc/new", 1, "BC"), used("nonsense", 1, "AA")];
        known.take_usage(UsageChanged { at_ms: 1, guests });
        let shown = |name: &str| {
            let row = known.get(&GuestId::parse("lxc", name).unwrap()).unwrap().clone();
            row.usage
                .as_ref()
                .map(|usage| (usage.now.cpu, usage.spark.cpu.clone(), usage.spark.memory.clone()))
        };
        let cpu = format!("{}9", &full[1..]);
        assert_eq!(shown("busy"), Some((Some(Cpus(900)), cpu, "BZ".to_owned())));
        assert_eq!(shown("calm"), Some((Some(Cpus(5)), "CC".to_owned(), "DD".to_owned())));
        assert_eq!(shown("new"), Some((Some(Cpus(1)), "B".to_owned(), "C".to_owned())));
        assert_eq!(shown("off"), None);
    }

    #[test]
    fn small_changes_lead_to_the_list_that_the_server_has() {
        let guests = vec![row("b", GuestStatus::Stopped), row("a", GuestStatus::Stopped)];
        let list =
            GuestList { at: At::default(), now_ms: 0, backends: Vec::new(), guests, create_refusal: None };
        let mut known = Known::of(list);
        assert_eq!(names(&known), ["a stopped", "b stopped"]);
        known.take(changed(vec![row("b", GuestStatus::Running)], &[]));
        assert_eq!(names(&known), ["a stopped", "b running"]);
        known.take(changed(vec![row("aa", GuestStatus::Running)], &["a", "never-seen"]));
        assert_eq!(names(&known), ["aa running", "b running"]);
        let mut renamed = row("b", GuestStatus::Running);
        renamed.guest.title = Some("0-first".to_owned());
        known.take(changed(vec![renamed], &[]));
        assert_eq!(names(&known), ["0-first running", "aa running"]);
        known.take(changed(vec![row("aa", GuestStatus::Paused)], &[]));
        assert_eq!(names(&known), ["0-first running", "aa paused"]);
        assert_eq!(known.get(&GuestId::parse("lxc", "a").unwrap()), None);
    }
}
