//! Runs commands on this host.

use async_trait::async_trait;

use crate::domain::plan::Command;

use super::{CommandOutput, RunContext, Runner};

/// A process of a tool, told from any other by its pid and start together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningTool {
    /// Also the id of its process group.
    pub pid: u32,
    /// As in `/proc/PID/stat`.
    pub start_ticks: u64,
}

/// Runs commands as processes of this host.
#[derive(Debug, Clone, Default)]
pub struct HostRunner;

#[async_trait]
impl Runner for HostRunner {
    async fn run(&self, _command: &Command, _context: &RunContext) -> CommandOutput {
        unimplemented!("in work")
    }
}

/// Ends the process group of a tool that an earlier Paddock left running. Says whether it still ran.
pub async fn end_left_over(_tool: RunningTool) -> bool {
    unimplemented!("in work")
}
