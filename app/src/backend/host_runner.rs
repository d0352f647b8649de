//! Runs commands on this host: no shell, a clean environment, a process group and a time limit of its own each.
//!
//! ```text
//!   spawn ──► started ──► its own end ─────────────────────────┐
//!                │                                             ├──► drain the pipes ──► CommandOutput
//!                └──► time up, or cancelled ──► end the group ─┘
//! ```

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        fs::{DirBuilderExt as _, PermissionsExt as _},
        process::ExitStatusExt as _,
    },
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};

use crate::domain::plan::{Argv, Command, Exit, Output, Stream};

use super::{CommandOutput, OUTPUT_CAP, RunContext, Runner, Started, files, process::Proc};
use capture::Capture;
use family::Family;

mod capture;
mod family;
#[cfg(test)]
mod tests;

/// Where tools are looked for, and all that a tool sees as its PATH.
pub const TOOL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a process group may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait for a process after SIGKILL. Only one stuck inside the kernel takes longer; it is left to end
/// when it can, so that the operation can.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// How often a group is looked at while it ends. The kernel hands out pids in rotation, so the number of a group
/// that has just gone is no other's within one such pause.
const POLL: Duration = Duration::from_millis(10);
/// How long to go on reading after the process itself has ended. What it wrote is in the pipes by then; only
/// something it left in the background can still hold them open, perhaps for days.
const LINGER: Duration = Duration::from_millis(200);

/// A process of a tool, told from any other by its pid and start together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningTool {
    /// Also the id of its process group.
    pub pid: u32,
    /// As in `/proc/PID/stat`.
    pub start_ticks: u64,
}

/// The program of that name in [`TOOL_PATH`], `None` if there is none that can be executed. A name with a slash is
/// a path already.
pub fn find_tool(name: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(is_program);
    }
    TOOL_PATH
        .split(':')
        .map(|dir| Path::new(dir).join(name))
        .find(|path| !name.is_empty() && is_program(path))
}

/// Runs commands as processes of this host.
#[derive(Debug, Clone, Default)]
pub struct HostRunner;

#[async_trait]
impl Runner for HostRunner {
    async fn run(&self, command: &Command, context: &RunContext) -> CommandOutput {
        if context.cancel.is_cancelled() {
            return without_output(Exit::Cancelled);
        }
        let log = match &command.output {
            Output::Piped => None,
            Output::LogFile(path) => Some(Path::new(path)),
        };
        if let Err(why) = log.map_or(Ok(()), make_way_for) {
            return without_output(Exit::NotStarted(why));
        }
        match spawn(command) {
            Ok(child) => follow(child, command, log, context).await,
            Err(why) => without_output(Exit::NotStarted(why)),
        }
    }
}

fn without_output(exit: Exit) -> CommandOutput {
    CommandOutput { exit, stdout: String::new(), stderr: String::new(), log: String::new(), dropped_bytes: 0 }
}

/// An old log in this place would be taken for this run's words.
fn make_way_for(log: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("cannot prepare the log file {}: {e}", log.display());
    if let Some(dir) = log.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    }
    match fs::remove_file(log) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(e)),
        _ => Ok(()),
    }
}

fn spawn(command: &Command) -> Result<Child, String> {
    let name = command.argv.program();
    let program = find_tool(name).ok_or_else(|| format!("there is no program “{name}” in {TOOL_PATH}"))?;
    let stdio = || match command.output {
        Output::Piped => Stdio::piped(),
        Output::LogFile(_) => Stdio::null(),
    };
    tokio::process::Command::new(program)
        .arg0(OsStr::new(name))
        .args(command.argv.words().iter().skip(1))
        // Paddock's own environment may hold secrets, and some tools hand all of theirs to the guest.
        .env_clear()
        .envs([("PATH", TOOL_PATH), ("LC_ALL", "C.UTF-8"), ("HOME", "/root")])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(stdio())
        .stderr(stdio())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| e.to_string())
}

async fn follow(
    mut child: Child,
    command: &Command,
    log: Option<&Path>,
    context: &RunContext,
) -> CommandOutput {
    let mut stdout = Capture::new(Stream::Stdout, &context.output);
    let mut stderr = Capture::new(Stream::Stderr, &context.output);
    let (out_pipe, err_pipe) = (child.stdout.take(), child.stderr.take());
    let pid = child.id();
    // Declared after the child, so dropped before it: while the child is not yet reaped, its group's number is its.
    let mut unfinished = KillOnDrop(pid.and_then(group));
    if let Some(pid) = pid
        && let Some(stat) = Proc::default().stat(pid)
    {
        // Nobody may be interested; the command goes on all the same.
        let _ = context.started.send(Started::Process(RunningTool { pid, start_ticks: stat.start_ticks }));
    }

    let exit = {
        let reading = async { tokio::join!(stdout.read(out_pipe), stderr.read(err_pipe)) };
        let ending = end_of(&mut child, Duration::from_millis(command.timeout_ms), context);
        tokio::pin!(reading, ending);
        let mut open = true;
        loop {
            tokio::select! {
                _ = &mut reading, if open => open = false,
                exit = &mut ending => {
                    if open {
                        let _ = timeout(LINGER, &mut reading).await;
                    }
                    break exit;
                }
            }
        }
    };
    unfinished.0 = None;

    let (log, log_dropped) = log.map_or_else(Default::default, |path| take_log(path, context));
    let (stdout, out_dropped) = stdout.finish();
    let (stderr, err_dropped) = stderr.finish();
    CommandOutput { exit, stdout, stderr, log, dropped_bytes: out_dropped + err_dropped + log_dropped }
}

/// Waits for the child's end, and brings it about when the time is up or a person wants it.
async fn end_of(child: &mut Child, limit: Duration, context: &RunContext) -> Exit {
    let early = tokio::select! {
        // One that has ended by itself has ended by itself, however late it is noticed.
        biased;
        status = child.wait() => return told(status),
        () = context.cancel.cancelled() => Exit::Cancelled,
        () = sleep(limit) => Exit::TimedOut,
    };
    if let Some(pid) = child.id() {
        end_all(pid, child.wait()).await;
    }
    early
}

fn told(status: std::io::Result<ExitStatus>) -> Exit {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::NotStarted(format!("the system told no end of it: {status}")),
        },
        Err(e) => Exit::NotStarted(format!("the system lost track of it: {e}")),
    }
}

/// SIGTERM to the tool's group and to what it started outside of it, time to end, SIGKILL to what is left. `ended`
/// is the end of the tool itself, the leader.
async fn end_all<T>(tool: u32, ended: impl Future<Output = T>) {
    let Some(group) = group(tool) else { return };
    // Looked for before the tool can end: then nothing tells any more what was its.
    let mut family = Family::of(tool);
    // That the group has just ended by itself is no failure, here and below.
    let _ = kill_process_group(group, Signal::TERM);
    let deadline = Instant::now() + GRACE;
    tokio::pin!(ended);
    let is_over = timeout(GRACE, &mut ended).await.is_ok();
    family.look();
    family.signal(Signal::TERM);
    while Instant::now() < deadline && (test_kill_process_group(group).is_ok() || family.is_alive()) {
        sleep(POLL).await;
    }
    family.look();
    let _ = kill_process_group(group, Signal::KILL);
    family.kill().await;
    if !is_over {
        let _ = timeout(AFTER_KILL, ended).await;
    }
}

/// As an id for signals. Numbers that mean "my own group", "everybody" or init are none.
fn group(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
}

/// Ends the tool at once if the run is dropped in the middle: nothing goes on that nobody follows.
struct KillOnDrop(Option<Pid>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let family = Family::of(group.as_raw_nonzero().get().unsigned_abs());
            let _ = kill_process_group(group, Signal::KILL);
            family.signal(Signal::KILL);
        }
    }
}

/// The log's text and how much of it was dropped. A tool without anything to say may leave no log.
fn take_log(path: &Path, context: &RunContext) -> (String, u64) {
    let length = fs::metadata(path).map_or(0, |meta| meta.len());
    let (text, cut) = match files::read_capped(path, OUTPUT_CAP as u64) {
        Ok(found) => found.unwrap_or_default(),
        Err(e) => (e.to_string(), false),
    };
    let _ = fs::remove_file(path);
    if !text.is_empty() {
        let _ = context.output.send((Stream::Log, text.clone()));
    }
    (text, if cut { length.saturating_sub(OUTPUT_CAP as u64) } else { 0 })
}

/// The user that this process is on the host.
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The process that this code runs in.
pub fn own_process() -> RunningTool {
    let pid = std::process::id();
    RunningTool { pid, start_ticks: Proc::default().stat(pid).map_or(0, |stat| stat.start_ticks) }
}

/// Whether it still runs; never true of a later process of the same pid.
pub fn is_running(tool: RunningTool) -> bool {
    Proc::default().stat(tool.pid).is_some_and(|s| s.is_alive() && s.start_ticks == tool.start_ticks)
}

/// A tool with these words that an earlier Paddock set going after this time, milliseconds since 1970, and had no time to
/// note. What the tool itself started, and the guest that it made, are none.
pub fn find_left_over(argv: &Argv, since_ms: i64) -> Option<RunningTool> {
    let proc = Proc::default();
    let is_it = |pid: &u32| {
        proc.command_line(*pid).is_some_and(|line| is_line_of(&line, argv.words()))
            && !proc.is_namespace_init(*pid)
            // Told to a hundredth of a second, from a time of boot that is told to a second.
            && proc.started_ms(*pid).is_some_and(|started_ms| started_ms >= since_ms - 1500)
    };
    let found: Vec<u32> = proc.pids().unwrap_or_default().into_iter().filter(is_it).collect();
    found.iter().find_map(|pid| {
        let stat = proc.stat(*pid).filter(|stat| stat.is_alive() && !found.contains(&stat.parent))?;
        Some(RunningTool { pid: *pid, start_ticks: stat.start_ticks })
    })
}

/// A script's line begins with its interpreter and its path.
fn is_line_of(line: &[String], words: &[String]) -> bool {
    let is_script = || words.len() > 1 && line.len() == words.len() + 1 && line[2..] == words[1..];
    !words.is_empty() && (line == words || is_script())
}

/// Ends a tool that an earlier Paddock left running, as a cancel would have. Says whether it still ran.
pub async fn end_left_over(tool: RunningTool) -> bool {
    if group(tool.pid).is_none() || !is_running(tool) {
        return false;
    }
    end_all(tool.pid, async {
        while is_running(tool) {
            sleep(POLL).await;
        }
    })
    .await;
    true
}
