//! What was measured: as tables for people, and as a file that a later run is compared with.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};

use crate::{http::now_ms, measure::Times};

/// What two runs may differ by in any case, others being at work on the machine.
const NOISE: f64 = 0.15;
/// Differences below these mean nothing, in the figure's own unit.
const LEAST: f64 = 0.5;

/// One figure. Less is better.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    pub what: String,
    pub unit: String,
    pub measured: f64,
    pub budget: Option<f64>,
    /// What two runs may differ by, as a part of it.
    pub noise: f64,
    /// How it was measured, or beside what.
    #[serde(default)]
    pub note: String,
}

impl Line {
    pub fn new(what: &str, unit: &str, measured: f64, budget: Option<f64>) -> Self {
        let (what, unit) = (what.to_owned(), unit.to_owned());
        Self { what, unit, measured, budget, noise: NOISE, note: String::new() }
    }

    /// So many of a hundred took no longer, milliseconds.
    pub fn of(what: &str, times: &Times, part: usize, budget: Option<f64>) -> Self {
        let line = Self::new(&format!("{what}, p{part}"), "ms", times.percentile(part), budget);
        // The rare ones differ by more than the middle does.
        let noise = NOISE.max(times.spread() * if part > 90 { 2.0 } else { 1.0 });
        Self { noise, note: format!("of {}", times.len()), ..line }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn verdict(&self) -> &'static str {
        match self.budget {
            None => "",
            Some(budget) if self.measured <= budget => "kept",
            Some(_) => "MISSED",
        }
    }
}

/// A table of how cost grows: each row has a name and its figures by column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<f64>)>,
}

impl Table {
    pub fn print(&self) {
        println!("\n{}:\n", self.title);
        let widths: Vec<usize> = self.columns.iter().map(|column| column.len().max(8)).collect();
        let first = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let head: Vec<String> =
            self.columns.iter().zip(&widths).map(|(column, width)| format!("{column:>width$}")).collect();
        println!("| {:<first$} | {} |", "", head.join(" | "));
        let rule: Vec<String> = widths.iter().map(|width| format!("{}:", "-".repeat(width - 1))).collect();
        println!("| {} | {} |", "-".repeat(first), rule.join(" | "));
        for (name, figures) in &self.rows {
            let cells: Vec<String> = figures
                .iter()
                .zip(&widths)
                .map(|(figure, width)| format!("{:>width$}", shown(*figure)))
                .collect();
            println!("| {name:<first$} | {} |", cells.join(" | "));
        }
    }
}

/// One whole run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    pub at_ms: i64,
    pub commit: String,
    /// Processor, cores, memory, kernel.
    pub machine: BTreeMap<String, String>,
    /// Sizes and tries: only runs of the same are compared.
    pub settings: BTreeMap<String, String>,
    pub lines: Vec<Line>,
    pub tables: Vec<Table>,
}

impl Run {
    pub fn new(settings: BTreeMap<String, String>) -> Self {
        let (at_ms, commit, machine) =
            (now_ms(), said(&["git", "rev-parse", "--short=12", "HEAD"]), machine());
        Self { at_ms, commit, machine, settings, lines: Vec::new(), tables: Vec::new() }
    }

    /// Told as soon as it is known.
    pub fn add(&mut self, line: Line) {
        println!("  {} {} {}  {}", line.what, shown(line.measured), line.unit, line.note);
        self.lines.push(line);
    }

    pub fn table(&mut self, table: Table) {
        table.print();
        println!();
        self.tables.push(table);
    }

    /// The budgets' table, and what has changed since the last run of the same settings. True if every budget was kept.
    pub fn conclude(&self, directory: &Path) -> bool {
        let before = last(directory, &self.settings);
        println!("\n# Budgets\n");
        for (name, fact) in &self.machine {
            println!("{name}: {fact}");
        }
        println!("commit: {}", self.commit);
        match &before {
            Some(before) => println!("compared with commit {}\n", before.commit),
            None => println!("nothing to compare with yet\n"),
        }
        let width = self.lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
        println!("| {:<width$} |    budget |  measured | unit   | verdict |  change |", "what");
        println!("| {} | --------: | --------: | ------ | ------- | ------: |", "-".repeat(width));
        let mut worse = Vec::new();
        for line in &self.lines {
            let old = before.as_ref().and_then(|run| run.lines.iter().find(|old| old.what == line.what));
            let change = old.map(|old| 100.0 * (line.measured - old.measured) / old.measured);
            if let (Some(old), Some(change)) = (old, change)
                && change / 100.0 > line.noise.max(old.noise)
                && line.measured - old.measured > LEAST
            {
                worse.push(format!("{}: {} {} before", line.what, shown(old.measured), line.unit));
            }
            println!(
                "| {:<width$} | {:>9} | {:>9} | {:<6} | {:<7} | {:>7} |",
                line.what,
                line.budget.map(shown).unwrap_or_default(),
                shown(line.measured),
                line.unit,
                line.verdict(),
                change.filter(|change| change.is_finite()).map(|c| format!("{c:+.0} %")).unwrap_or_default()
            );
        }
        match worse.as_slice() {
            [] if before.is_some() => println!("\nNothing is worse by more than noise."),
            [] => {}
            some => println!("\nWorse by more than noise:\n  {}", some.join("\n  ")),
        }
        self.lines.iter().all(|line| line.verdict() != "MISSED")
    }

    pub fn keep(&self, directory: &Path) -> PathBuf {
        fs::create_dir_all(directory).unwrap();
        let path = directory.join(format!("{}.json", self.at_ms));
        fs::write(&path, serde_json::to_string_pretty(self).unwrap()).unwrap();
        path
    }
}

/// The newest run of these settings.
fn last(directory: &Path, settings: &BTreeMap<String, String>) -> Option<Run> {
    let files = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    let read = |path: PathBuf| serde_json::from_slice::<Run>(&fs::read(path).ok()?).ok();
    files.filter_map(read).filter(|run| run.settings == *settings).max_by_key(|run| run.at_ms)
}

fn shown(figure: f64) -> String {
    match figure {
        figure if !figure.is_finite() => "-".to_owned(),
        figure if figure.abs() >= 100.0 => format!("{figure:.0}"),
        figure if figure.abs() >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}

fn said(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).output();
    output.map_or_else(|_| "?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn machine() -> BTreeMap<String, String> {
    let field = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or_else(|| "?".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    [
        ("processor", field("/proc/cpuinfo", "model name")),
        ("cores", cores.to_string()),
        ("memory", field("/proc/meminfo", "MemTotal")),
        ("kernel", said(&["uname", "-r"])),
    ]
    .map(|(name, fact)| (name.to_owned(), fact))
    .into()
}
