//! Times and what a process uses.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Many times of one thing, milliseconds.
#[derive(Debug, Default, Clone)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.add_ms(time.as_secs_f64() * 1000.0);
    }

    pub fn add_ms(&mut self, ms: f64) {
        self.0.push(ms);
        self.0.sort_by(f64::total_cmp);
    }

    /// So many of a hundred took no longer.
    pub fn percentile(&self, part: usize) -> f64 {
        let at = (self.0.len() * part).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }

    /// How far the middle half lies apart, as a part of its middle: what two runs may differ by without any reason.
    pub fn spread(&self) -> f64 {
        (self.percentile(75) - self.percentile(25)) / self.percentile(50)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a process has used and uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    at: Instant,
    cpu: Duration,
    /// Megabytes of 1,000,000 bytes.
    pub memory_mb: f64,
}

impl Usage {
    pub fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // The name stands in parentheses and may have blanks.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().map(|at| fields[*at].parse::<u64>().unwrap()).sum();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        Self { at: Instant::now(), cpu: Duration::from_millis(ticks * 10), memory_mb: kib * 1024.0 / 1e6 }
    }

    /// Per cent of one core since then.
    pub fn percent_since(&self, before: &Self) -> f64 {
        100.0 * (self.cpu - before.cpu).as_secs_f64() / (self.at - before.at).as_secs_f64()
    }

    /// Milliseconds of a processor since then.
    pub fn cpu_ms_since(&self, before: &Self) -> f64 {
        (self.cpu - before.cpu).as_secs_f64() * 1000.0
    }
}

/// The median of so many runs of a tool, its words thrown away.
pub fn tool(runs: usize, words: &[&str]) -> Times {
    let mut times = Times::default();
    for _ in 0..runs {
        let begun = Instant::now();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap();
        times.add(begun.elapsed());
    }
    times
}

/// Programs that the process and all it starts begin to run in that time; `None` where strace cannot tell.
pub async fn programs_started(pid: u32, time: Duration) -> Option<usize> {
    let file = tempfile::NamedTempFile::new().ok()?;
    let mut strace = Command::new("strace")
        .args(["-f", "-q", "-e", "trace=execve,execveat,fork,vfork", "-p", &pid.to_string(), "-o"])
        .arg(file.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    tokio::time::sleep(time).await;
    let is_up = strace.try_wait().ok()?.is_none();
    // It lets go of the process when it is asked to end.
    let _ = Command::new("kill").arg(strace.id().to_string()).status();
    let _ = strace.wait();
    let told = fs::read_to_string(file.path()).ok()?;
    is_up.then(|| told.lines().filter(|line| line.contains("exec") || line.contains("fork(")).count())
}
