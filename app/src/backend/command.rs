//! What runs a command, and what it brings back.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::plan::{Command, Exit, Stream};

use super::host_runner::RunningTool;

/// Most output kept of one stream of one command, bytes. What comes after is counted and dropped, so that a tool
/// gone wild fills neither memory nor database.
pub const OUTPUT_CAP: usize = 1024 * 1024;

/// A finished command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    pub exit: Exit,
    pub stdout: String,
    pub stderr: String,
    /// What the tool wrote to its log file, where the plan gave it one.
    pub log: String,
    /// Bytes past [`OUTPUT_CAP`], all streams together.
    pub dropped_bytes: u64,
}

impl CommandOutput {
    /// The tool's own words, best source first: its log, its standard error, its standard output. Trimmed; may be
    /// empty, as several tools fail in silence.
    pub fn words(&self) -> &str {
        [&self.log, &self.stderr, &self.stdout]
            .into_iter()
            .map(|s| s.trim())
            .find(|s| !s.is_empty())
            .unwrap_or("")
    }
}

/// Where output goes while the command runs: pieces of text in the order they came, per stream never split inside
/// a character. A full or closed channel is the receiver's affair: the command goes on.
pub type OutputSink = mpsc::UnboundedSender<(Stream, String)>;

/// What a step has set going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    Process(RunningTool),
    /// A Proxmox task, by its UPID.
    Task(String),
}

/// What one run is given besides its command.
#[derive(Debug, Clone)]
pub struct RunContext {
    pub output: OutputSink,
    /// Told once the process or task exists, so that it can be found again if Paddock is killed.
    pub started: mpsc::UnboundedSender<Started>,
    pub cancel: CancellationToken,
}

/// Runs commands. [`HostRunner`](super::HostRunner) does it for real.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Runs one command to its end. Never fails: what goes wrong is in [`CommandOutput::exit`].
    async fn run(&self, command: &Command, context: &RunContext) -> CommandOutput;
}
