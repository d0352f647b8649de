//! Plans for crun: pure functions from facts to commands, or to a refusal. Nothing here reads or runs anything.
//!
//! What crun 1.8.1 does that these plans guard against:
//! - `create` leaves its own standard output and error open in the container.
//! - `delete` kills *everything* in the container's control group, also what is another container's.
//! - `delete` of a container whose state file is garbled exits 0 and leaves it running, unregistered.
//! - `delete -f` exits 0 whatever there was; it is never used.
//! - On cgroup v1 a frozen container does not die of SIGKILL before it is thawed.

use std::path::PathBuf;

use crate::{
    backend::Error,
    domain::{
        guest::GuestStatus,
        name::GuestName,
        plan::{Argv, Command, Expectation, Output, Plan, Step, When, Work},
    },
};

use super::{
    bundle::Bundle,
    facts::{Place, Registered},
    ground::Made,
};

use checks::{
    check_deletable, check_known, check_no_other, check_place, check_renewable, check_status, listed,
};

pub mod checks;
pub mod image;
pub mod settings;

/// Setting up a container runs its hooks, which may take their time.
const CREATE_MS: u64 = 60_000;
/// Everything else is a matter of milliseconds.
const OTHER_MS: u64 = 30_000;
/// Killed processes are gone at once, but for those stuck in the kernel; one left by `crun exec -d` may linger 2 s.
const STOP_MS: u64 = 10_000;
/// Removing a large root file system from a slow disk.
const REMOVE_MS: u64 = 600_000;

/// How crun is called on this host.
#[derive(Debug, Clone)]
pub struct Tool {
    pub root: String,
    pub log_dir: PathBuf,
}

impl Tool {
    pub fn argv(&self) -> Argv {
        Argv::new("crun").args(["--root", self.root.as_str()])
    }

    fn command(&self, words: &[&str]) -> Work {
        let argv = self.argv().args(words.iter().copied());
        Work::Command(Command { argv, timeout_ms: OTHER_MS, output: Output::Piped })
    }

    /// The one command whose output the container inherits.
    fn create(&self, name: &GuestName, bundle: &str) -> Work {
        let log = self.log_dir.join(format!("crun-create-{name}.log")).display().to_string();
        let argv = self
            .argv()
            // With the kind before it, a colon in the path is not taken for one.
            .args(["--log", &format!("file:{log}")])
            .args(["create", "--bundle", bundle, name.as_str()]);
        Work::Command(Command { argv, timeout_ms: CREATE_MS, output: Output::LogFile(log) })
    }
}

fn step(title: impl Into<String>, work: Work) -> Step {
    Step { title: title.into(), when: When::Always, work }
}

fn plan(steps: Vec<Step>, expect: Option<Expectation>) -> Plan {
    Plan { steps, expect, ..Plan::default() }
}

/// The directory and all that is in it, but nothing that is mounted there. `path` is absolute and Paddock's own.
fn remove(path: &std::path::Path) -> Work {
    let argv = Argv::new("rm").args(["--recursive", "--force", "--one-file-system", "--"]);
    let argv = argv.arg(path.display().to_string());
    Work::Command(Command { argv, timeout_ms: REMOVE_MS, output: Output::Piped })
}

pub fn create(
    tool: &Tool,
    name: &GuestName,
    bundle: &Bundle,
    place: &Place,
    start: bool,
) -> Result<Plan, Error> {
    check_place(tool, name, place)?;
    let title = format!("Set up the container from the bundle {}", bundle.path);
    let mut steps = vec![step(title, tool.create(name, &bundle.path))];
    if start {
        steps.push(start_step(tool, name));
    }
    Ok(plan(steps, Some(after_create(start))))
}

/// How long a started process lives is its own affair.
fn after_create(start: bool) -> Expectation {
    if start { Expectation::Exists } else { Expectation::Status(GuestStatus::Created) }
}

fn start_step(tool: &Tool, name: &GuestName) -> Step {
    step("Start the container's process", tool.command(&["start", name.as_str()]))
}

/// Of a container that was set up and waits. What its process does then, and how long it lives, is its own affair.
pub fn start(tool: &Tool, name: &GuestName) -> Plan {
    plan(vec![start_step(tool, name)], None)
}

/// Of a stopped one: crun cannot start it a second time, so it is registered anew from its own bundle.
pub fn start_again(
    tool: &Tool,
    name: &GuestName,
    guest: &Registered,
    bundle: &Bundle,
    place: &Place,
) -> Result<Plan, Error> {
    check_deletable(guest)?;
    check_renewable(guest, place)?;
    Ok(plan(anew(tool, name, bundle), None))
}

/// Shuts it down, waits as long as was said, and starts it again; one that does not end goes on as it is.
pub fn reboot(
    tool: &Tool,
    name: &GuestName,
    guest: &Registered,
    bundle: &Bundle,
    place: &Place,
    seconds: u32,
) -> Result<Plan, Error> {
    check_known(tool, name, guest)?;
    check_no_other(guest)?;
    check_renewable(guest, place)?;
    let mut steps = end_steps(tool, name, seconds);
    steps.extend(anew(tool, name, bundle));
    Ok(plan(steps, None))
}

fn anew(tool: &Tool, name: &GuestName, bundle: &Bundle) -> Vec<Step> {
    let create = format!("Set it up again from its bundle {}, as that is now", bundle.path);
    vec![
        step("Remove the registration of the stopped container", tool.command(&["delete", name.as_str()])),
        // A cancel in between would leave a container that nobody knows any more.
        Step { when: When::Unparted, ..step(create, tool.create(name, &bundle.path)) },
        start_step(tool, name),
    ]
}

pub fn shutdown(tool: &Tool, name: &GuestName, guest: &Registered, seconds: u32) -> Result<Plan, Error> {
    check_known(tool, name, guest)?;
    Ok(plan(end_steps(tool, name, seconds), Some(Expectation::Status(GuestStatus::Stopped))))
}

fn end_steps(tool: &Tool, name: &GuestName, seconds: u32) -> Vec<Step> {
    let wait = Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: u64::from(seconds) * 1000 };
    vec![
        step("Ask the container's process to end (SIGTERM)", tool.command(&["kill", name.as_str(), "TERM"])),
        step(format!("Wait up to {seconds} s until it has ended"), wait),
    ]
}

pub fn stop(tool: &Tool, name: &GuestName, guest: &Registered) -> Result<Plan, Error> {
    check_known(tool, name, guest)?;
    let mut steps =
        vec![step("Kill the container's process (SIGKILL)", tool.command(&["kill", name.as_str(), "KILL"]))];
    if guest.status == GuestStatus::Paused {
        // After the kill, so that nothing in it runs once more.
        steps.push(step("Thaw it, so that the kill takes effect", tool.command(&["resume", name.as_str()])));
    }
    let wait = Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: STOP_MS };
    steps.push(step(format!("Wait up to {} s until it has ended", STOP_MS / 1000), wait));
    Ok(plan(steps, Some(Expectation::Status(GuestStatus::Stopped))))
}

pub fn pause(tool: &Tool, name: &GuestName, guest: &Registered) -> Result<Plan, Error> {
    // One that waits for its start would be frozen and say that it waits.
    check_status(guest, GuestStatus::Running)?;
    let steps = vec![step("Freeze everything in the container", tool.command(&["pause", name.as_str()]))];
    Ok(plan(steps, Some(Expectation::Status(GuestStatus::Paused))))
}

pub fn resume(tool: &Tool, name: &GuestName, guest: &Registered) -> Result<Plan, Error> {
    check_status(guest, GuestStatus::Paused)?;
    let steps = vec![step("Thaw everything in the container", tool.command(&["resume", name.as_str()]))];
    Ok(plan(steps, Some(Expectation::Status(GuestStatus::Running))))
}

/// The command has the container's own environment and working directory.
pub fn exec(tool: &Tool, name: &GuestName, words: &[String], seconds: u32) -> Plan {
    let argv = tool.argv().args(["exec", "--", name.as_str()]).args(words.iter().cloned());
    let timeout_ms = u64::from(seconds) * 1000;
    let work = Work::Command(Command { argv, timeout_ms, output: Output::Piped });
    plan(vec![step(format!("Run the command in the container, for {seconds} s at most"), work)], None)
}

/// `made` is what Paddock itself made for the container, to be removed with it; `None` keeps it.
pub fn delete(tool: &Tool, name: &GuestName, guest: &Registered, made: Option<&Made>) -> Result<Plan, Error> {
    // What else lives in the group of one that is unknown may be the container itself, which a delete would leave
    // running with nobody to know it.
    if guest.status == GuestStatus::Unknown && !guest.members.is_empty() {
        check_known(tool, name, guest)?;
    }
    check_deletable(guest)?;
    let mut steps =
        vec![step("Remove the container's registration", tool.command(&["delete", name.as_str()]))];
    let bundle = guest.bundle.as_deref().map(|bundle| format!(" {bundle}")).unwrap_or_default();
    let made = made.cloned().unwrap_or_default();
    let kept = match &made.bundle {
        Some(_) => String::new(),
        None => format!(" Its bundle{bundle} stays, with its root file system and all changes in it."),
    };
    let mut loses = vec![format!("The registration of {name} with crun.{kept}")];
    if !guest.members.is_empty() {
        loses.push(format!("The processes that it left in its control group: {}.", listed(&guest.members)));
    }
    if let Some(path) = &made.bundle {
        steps.push(step("Remove the bundle that Paddock made for it", remove(path)));
        loses
            .push(format!("Its bundle {}, with its root file system and all changes in it.", path.display()));
    }
    if let Some(path) = &made.layout {
        steps.push(step("Remove the image that Paddock copied for it", remove(path)));
        loses.push(format!("The image that was copied for it, {}.", path.display()));
    }
    Ok(Plan { loses, ..plan(steps, Some(Expectation::Gone)) })
}

#[cfg(test)]
mod tests;
