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
    facts::{Member, Place, Registered},
};

/// Setting up a container runs its hooks, which may take their time.
const CREATE_MS: u64 = 60_000;
/// Everything else is a matter of milliseconds.
const OTHER_MS: u64 = 30_000;
/// Killed processes are gone at once, but for those stuck in the kernel; one left by `crun exec -d` may linger 2 s.
const STOP_MS: u64 = 10_000;

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

pub fn create(tool: &Tool, name: &GuestName, bundle: &Bundle, place: &Place) -> Result<Plan, Error> {
    if place.is_unfinished {
        return Err(Error::NotReady {
            reason: format!("The directory {}/{name} is in the way: it holds no container.", tool.root),
            cure: format!(
                "Another tool may be making it right now. If it stays, remove it by `{}`.",
                tool.argv().args(["delete", name.as_str()])
            ),
        });
    }
    check_unshared(place)?;
    check_empty(place)?;
    let title = format!("Set up the container from the bundle {}", bundle.path);
    let steps = vec![step(title, tool.create(name, &bundle.path))];
    Ok(plan(steps, Some(Expectation::Status(GuestStatus::Created))))
}

/// Of a container that was set up and waits. What its process does then, and how long it lives, is its own affair.
pub fn start(tool: &Tool, name: &GuestName) -> Plan {
    plan(vec![step("Start the container's process", tool.command(&["start", name.as_str()]))], None)
}

/// Of a stopped one: crun cannot start it a second time, so it is registered anew from its own bundle.
pub fn start_again(
    tool: &Tool,
    name: &GuestName,
    guest: &Registered,
    bundle: &Bundle,
    place: &Place,
) -> Result<Plan, Error> {
    if guest.systemd_cgroup {
        return Err(Error::NotReady {
            reason: "Another tool made this container with crun's systemd cgroup manager, and started anew it would \
                     lose that."
                .to_owned(),
            cure: "Start it by the tool that made it, such as podman.".to_owned(),
        });
    }
    check_deletable(guest)?;
    check_unshared(place)?;
    // What is left in its own group goes with the old registration; a new group must be empty.
    if place.cgroup != guest.cgroup {
        check_empty(place)?;
    }
    let create = format!("Set it up again from its bundle {}, as that is now", bundle.path);
    let steps = vec![
        step("Remove the registration of the stopped container", tool.command(&["delete", name.as_str()])),
        // A cancel in between would leave a container that nobody knows any more.
        Step { when: When::Unparted, ..step(create, tool.create(name, &bundle.path)) },
        step("Start the container's process", tool.command(&["start", name.as_str()])),
    ];
    Ok(plan(steps, None))
}

pub fn shutdown(tool: &Tool, name: &GuestName, guest: &Registered, seconds: u32) -> Result<Plan, Error> {
    check_known(tool, name, guest)?;
    let wait = Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: u64::from(seconds) * 1000 };
    let steps = vec![
        step("Ask the container's process to end (SIGTERM)", tool.command(&["kill", name.as_str(), "TERM"])),
        step(format!("Wait up to {seconds} s until it has ended"), wait),
    ];
    Ok(plan(steps, Some(Expectation::Status(GuestStatus::Stopped))))
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

pub fn delete(tool: &Tool, name: &GuestName, guest: &Registered) -> Result<Plan, Error> {
    // What else lives in the group of one that is unknown may be the container itself, which a delete would leave
    // running with nobody to know it.
    if guest.status == GuestStatus::Unknown && !guest.members.is_empty() {
        check_known(tool, name, guest)?;
    }
    check_deletable(guest)?;
    let steps = vec![step("Remove the container's registration", tool.command(&["delete", name.as_str()]))];
    let kept = match &guest.bundle {
        Some(bundle) => {
            format!("Its bundle {bundle} stays, with its root file system and all changes in it.")
        }
        None => "Its bundle stays, with its root file system and all changes in it.".to_owned(),
    };
    let mut loses = vec![format!("The registration of {name} with crun. {kept}")];
    if !guest.members.is_empty() {
        loses.push(format!("The processes that it left in its control group: {}.", listed(&guest.members)));
    }
    Ok(Plan { steps, expect: Some(Expectation::Gone), loses, ..Plan::default() })
}

/// crun cannot signal a container whose state file it cannot read.
fn check_known(tool: &Tool, name: &GuestName, guest: &Registered) -> Result<(), Error> {
    if guest.status != GuestStatus::Unknown {
        return Ok(());
    }
    let file = format!("{}/{name}/status", tool.root);
    let cure = if guest.members.is_empty() {
        format!("No process is left in its control group {}: delete it.", guest.cgroup)
    } else {
        let inits: Vec<&Member> = guest.members.iter().filter(|member| member.is_init).collect();
        let all: Vec<&Member> = guest.members.iter().collect();
        let kill = Argv::new("kill").arg("-KILL");
        let kill = kill.args(if inits.is_empty() { all } else { inits }.iter().map(|m| m.pid.to_string()));
        format!(
            "Its control group {} holds {}. If these are its own, end them on the host by `{kill}`, then delete it.",
            guest.cgroup,
            listed(&guest.members)
        )
    };
    Err(Error::NotReady { reason: format!("crun cannot understand its own state file {file}."), cure })
}

/// A delete kills everything in the control group. What the container itself can have left there is its own.
fn check_deletable(guest: &Registered) -> Result<(), Error> {
    // It was started or thawed since somebody looked; crun itself would refuse.
    if guest.status.is_active() {
        return Err(Error::WrongState { words: format!("it is {}.", guest.status) });
    }
    let is_foreign = |member: &&Member| guest.has_own_pid_namespace || member.is_init;
    let foreign: Vec<Member> = guest.members.iter().filter(is_foreign).cloned().collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Error::NotReady {
        reason: format!(
            "Its control group {} also holds what is not its own: {}. crun would kill that, too.",
            guest.cgroup,
            listed(&foreign)
        ),
        cure: "Stop the container that these belong to first: it has the same id under another state directory, or \
               the same linux.cgroupsPath."
            .to_owned(),
    })
}

fn check_unshared(place: &Place) -> Result<(), Error> {
    match &place.shared_with {
        None => Ok(()),
        Some(other) => Err(Error::NotReady {
            reason: format!("Its control group {} would be shared with the container {other}.", place.cgroup),
            cure: "Give the two different values of linux.cgroupsPath in config.json, or leave it out."
                .to_owned(),
        }),
    }
}

fn check_empty(place: &Place) -> Result<(), Error> {
    if place.members.is_empty() {
        return Ok(());
    }
    Err(Error::NotReady {
        reason: format!(
            "Its control group would be {}, and that holds {} already: another container, perhaps of the same id \
             under another state directory.",
            place.cgroup,
            listed(&place.members)
        ),
        cure:
            "Choose another name, or set linux.cgroupsPath in the bundle's config.json to a group of its own."
                .to_owned(),
    })
}

/// A few processes by name.
fn listed(members: &[Member]) -> String {
    const SHOWN: usize = 5;
    let mut words: Vec<String> =
        members.iter().take(SHOWN).map(|m| format!("{} (process {})", m.command, m.pid)).collect();
    if members.len() > SHOWN {
        words.push(format!("{} more", members.len() - SHOWN));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests;
