//! What a tool has started outside of its own process group: a command inside a guest, which the group's end would
//! leave running. `crun exec` hands SIGTERM on to it, but cannot hand on SIGKILL; `lxc-attach` hands on neither.

use std::collections::BTreeMap;

use rustix::process::{Pid, Signal, getpgid, kill_process};
use tokio::time::{Instant, sleep};

use super::{AFTER_KILL, POLL, Proc, group};

/// The living descendants of a tool that are not in its group, each by pid and start. Once seen, one is remembered
/// when its parent is gone and `/proc` no longer tells where it came from.
pub struct Family {
    tool: u32,
    /// `None` if it was gone already.
    tool_start: Option<u64>,
    members: BTreeMap<u32, u64>,
}

impl Family {
    /// Those of now. `tool` is the leader of its group.
    pub fn of(tool: u32) -> Self {
        let tool_start = Proc::default().stat(tool).map(|stat| stat.start_ticks);
        let mut family = Self { tool, tool_start, members: BTreeMap::new() };
        family.look();
        family
    }

    /// Adds those that came since.
    pub fn look(&mut self) {
        let proc = Proc::default();
        let all: BTreeMap<u32, _> = proc
            .pids()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|pid| Some((pid, proc.stat(pid)?)))
            .filter(|(_, stat)| stat.is_alive())
            .collect();
        let is_there = |pid: &u32, start: u64| all.get(pid).is_some_and(|stat| stat.start_ticks == start);
        self.members.retain(|pid, start| is_there(pid, *start));
        let tool = self.tool_start.filter(|start| is_there(&self.tool, *start)).map(|_| self.tool);
        let mut parents: Vec<u32> = self.members.keys().copied().chain(tool).collect();
        while let Some(parent) = parents.pop() {
            for (pid, stat) in all.iter().filter(|(_, stat)| stat.parent == parent) {
                // Those in the group are ended with it; their children may have left it.
                if is_in_group(*pid, self.tool) || self.members.insert(*pid, stat.start_ticks).is_none() {
                    parents.push(*pid);
                }
            }
        }
    }

    pub fn is_alive(&self) -> bool {
        let proc = Proc::default();
        self.members.iter().any(|(pid, start)| is_same(&proc, *pid, *start))
    }

    /// To each of them that is still itself. One that has just ended is no failure.
    pub fn signal(&self, signal: Signal) {
        let proc = Proc::default();
        for pid in
            self.members.iter().filter(|(pid, start)| is_same(&proc, **pid, **start)).map(|(pid, _)| *pid)
        {
            if let Some(pid) = group(pid) {
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// SIGKILL, until none is left, also of those that come meanwhile. One stuck inside the kernel is given up.
    pub async fn kill(&mut self) {
        let deadline = Instant::now() + AFTER_KILL;
        loop {
            self.look();
            self.signal(Signal::KILL);
            if !self.is_alive() || Instant::now() >= deadline {
                return;
            }
            sleep(POLL).await;
        }
    }
}

fn is_same(proc: &Proc, pid: u32, start: u64) -> bool {
    proc.stat(pid).is_some_and(|stat| stat.is_alive() && stat.start_ticks == start)
}

fn is_in_group(pid: u32, leader: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    getpgid(Some(pid)).ok() == group(leader)
}
