//! The figures of a run.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    load::Told,
    record::{Book, Operation},
};

#[derive(Debug, Default)]
pub struct Tally {
    pub rounds: usize,
    pub kills: usize,
    pub kills_at_start: usize,
    pub kills_of_command_lines: usize,
    /// From the start of the server until it answers.
    pub restarts: Vec<Duration>,
    /// From then until no operation was live.
    pub rests: Vec<Duration>,
    pub violations: Vec<String>,
    accepted: usize,
    sessions: usize,
    recorded: BTreeMap<String, usize>,
    /// Changes that were seen on guests and that nobody known had made.
    observed: usize,
    entries: usize,
}

impl Tally {
    pub fn count(&mut self, told: &Told, book: &Book) {
        self.accepted = told.accepted.len();
        self.sessions = told.sessions.len();
        self.entries = book.entries.len();
        self.recorded.clear();
        let is_ours = |operation: &&Operation| operation.origin == "paddock";
        self.observed = book.operations.values().filter(|operation| !is_ours(operation)).count();
        for operation in book.operations.values().filter(is_ours) {
            *self.recorded.entry(operation.state.clone()).or_default() += 1;
        }
    }
}

/// The time that so many of a hundred stay below.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(at).copied().unwrap_or_default()
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recorded: usize = self.recorded.values().sum();
        writeln!(f, "rounds                    {:>8}", self.rounds)?;
        writeln!(f, "kill -9 of the server     {:>8}", self.kills)?;
        writeln!(f, "  while it started        {:>8}", self.kills_at_start)?;
        writeln!(f, "kill -9 of a command line {:>8}", self.kills_of_command_lines)?;
        writeln!(f, "operations accepted       {:>8}", self.accepted)?;
        writeln!(f, "operations recorded       {recorded:>8}")?;
        for (state, count) in &self.recorded {
            writeln!(f, "  {state:<24}{count:>8}")?;
        }
        writeln!(f, "changes observed          {:>8}", self.observed)?;
        writeln!(f, "log-ins answered          {:>8}", self.sessions)?;
        writeln!(f, "entries verified          {:>8}", self.entries)?;
        for (what, times) in [("restart", &self.restarts), ("then at rest", &self.rests)] {
            let [p50, p99] = [50, 99].map(|percent| percentile(times, percent).as_millis());
            writeln!(f, "{what:<16} p50 / p99 {p50:>8} ms / {p99} ms")?;
        }
        writeln!(f, "violations                {:>8}", self.violations.len())
    }
}
