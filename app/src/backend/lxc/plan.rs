//! Plans: a request and the facts it depends on become steps, as a pure function.
//!
//! Every refusal here happens before anything has run.

use crate::{
    backend::Error,
    domain::{
        action::{Field, LONGEST_SHUTDOWN_SECONDS},
        guest::GuestStatus,
        name::GuestName,
        plan::{Argv, Command, Expectation, Output, Plan, Step, When, Work},
    },
};

use super::{
    facts::{DeleteFacts, OrphanFact, Place, StartFacts, StopFacts},
    state,
};

#[cfg(test)]
mod tests;

/// The first request to shut down waits at most so long: one sent right after the start gets lost, as init has no
/// handler for it yet.
const FIRST_ASK_SECONDS: u32 = 5;
/// Added to what the tool itself waits, so that it ends by itself.
const GRACE_MS: u64 = 15_000;
const START_MS: u64 = 120_000;
const STOP_MS: u64 = 60_000;
const KILL_MS: u64 = 5_000;
const FREEZE_MS: u64 = 60_000;
const DELETE_MS: u64 = 600_000;
/// After its init has ended, LXC's monitor cleans up: networks, control groups, hooks.
const CLEAN_UP_MS: u64 = 30_000;

pub fn start(place: &Place, name: &GuestName, facts: &StartFacts) -> Result<Plan, Error> {
    check_start(facts)?;
    let step = start_step(place, name, facts.is_application);
    Ok(plan(vec![step], Expectation::Status(GuestStatus::Running)))
}

fn check_start(facts: &StartFacts) -> Result<(), Error> {
    if !facts.orphans.is_empty() {
        let pids: Vec<u32> = facts.orphans.iter().map(|orphan| orphan.pid).collect();
        return Err(not_ready(state::orphaned(&pids), "Stop it first, then start it."));
    }
    if !facts.has_rootfs {
        return Err(not_ready(
            "its configuration names no root file system, so LXC would run an init on the host's own files; a copy \
             that was cut off leaves it like that."
                .to_owned(),
            "Delete it, or set lxc.rootfs.path there.",
        ));
    }
    if let Some(missing) = facts.missing_links.first() {
        return Err(not_ready(
            format!("the network interface “{}” ({}) does not exist.", missing.link, missing.key),
            missing_link_cure(&missing.link),
        ));
    }
    Ok(())
}

/// An application is run by lxc-execute, which puts a small init of LXC's own above it: its files have none.
pub fn start_step(place: &Place, name: &GuestName, is_application: bool) -> Step {
    let program = if is_application { "lxc-execute" } else { "lxc-start" };
    // Without a log, a failed start says no more than "ABORTING".
    let log = format!("{}/{program}-{name}.log", place.log_dir);
    let argv = tool(place, program, name).args(["-d", "-l", "ERROR", "-o", &log]);
    step("Start the container", command(argv, START_MS, Output::LogFile(log)))
}

fn missing_link_cure(link: &str) -> &'static str {
    match link {
        "lxcbr0" => "Bring it up with `systemctl start lxc-net`, or change the container's configuration.",
        _ => "Bring it up, or change the container's configuration.",
    }
}

/// Asks, and asks again where the first request was not heard or not answered in time. Kills nothing.
pub fn shutdown(place: &Place, name: &GuestName, seconds: u32) -> Result<Plan, Error> {
    Ok(plan(asks(place, name, seconds)?, Expectation::Status(GuestStatus::Stopped)))
}

fn asks(place: &Place, name: &GuestName, seconds: u32) -> Result<Vec<Step>, Error> {
    // `-t 0` would exit 0 at once with the guest still running.
    if !(1..=LONGEST_SHUTDOWN_SECONDS).contains(&seconds) {
        let message = format!("Wait between 1 and {LONGEST_SHUTDOWN_SECONDS} seconds.");
        return Err(Error::Invalid { field: Field::Timeout, message });
    }
    let ask = |title: String, seconds: u32| {
        let argv = tool(place, "lxc-stop", name).args(["--nokill", "-t", &seconds.to_string()]);
        step(title, command(argv, u64::from(seconds) * 1000 + GRACE_MS, Output::Piped))
    };
    let first = FIRST_ASK_SECONDS.min(seconds / 2).max(1);
    let mut steps = vec![ask(format!("Ask the guest to shut down, wait up to {first} s"), first)];
    if let Some(rest) = seconds.checked_sub(first).filter(|rest| *rest > 0) {
        let again = ask(format!("Ask it again, wait up to {rest} s more"), rest);
        steps.push(Step { when: When::PreviousFailed, ..again });
    }
    Ok(steps)
}

/// Shuts it down and starts it again, so that the new configuration counts and a start that cannot succeed is
/// refused while the guest still runs. Kills nothing.
///
/// Not `lxc-stop -r`, which sends init a signal and waits: sent right after the start it is lost (systemd waited out
/// 20 s of it), and an init that has no answer to it goes on as if nothing had been asked.
pub fn reboot(place: &Place, name: &GuestName, seconds: u32, facts: &StartFacts) -> Result<Plan, Error> {
    let mut steps = asks(place, name, seconds)?;
    check_start(facts)?;
    let stopped = Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: CLEAN_UP_MS };
    let title = "Wait until LXC has cleaned up".to_owned();
    steps.push(Step { title, when: When::Always, work: stopped });
    // A cancel between the two would leave the guest stopped, which nobody asked for.
    steps.push(Step { when: When::Unparted, ..start_step(place, name, facts.is_application) });
    Ok(plan(steps, Expectation::Status(GuestStatus::Running)))
}

/// Whether it was done is judged by the guest's state: these exit 0 with nothing done.
pub fn pause(place: &Place, name: &GuestName) -> Plan {
    let argv = tool(place, "lxc-freeze", name);
    let step = step("Freeze all processes of the container", command(argv, FREEZE_MS, Output::Piped));
    plan(vec![step], Expectation::Status(GuestStatus::Paused))
}

/// A freeze that was cut off, or made by hand, leaves a container frozen that LXC itself takes for a running one, and
/// lxc-unfreeze does nothing to such a one. To freeze what is frozen changes nothing else than that.
pub fn resume(place: &Place, name: &GuestName) -> Plan {
    let step_of =
        |title: &str, program| step(title, command(tool(place, program, name), FREEZE_MS, Output::Piped));
    let steps = vec![
        step_of("Have LXC know that the container is frozen", "lxc-freeze"),
        step_of("Let the container's processes go on", "lxc-unfreeze"),
    ];
    plan(steps, Expectation::Status(GuestStatus::Running))
}

pub fn stop(place: &Place, name: &GuestName, facts: &StopFacts) -> Result<Plan, Error> {
    if facts.cut_off && !facts.active && facts.orphans.is_empty() {
        return Err(not_ready(
            "its creation was cut off, so there is nothing of it that could be stopped.".to_owned(),
            "Delete it.",
        ));
    }
    let mut steps = Vec::new();
    if facts.active || facts.orphans.is_empty() {
        let argv = tool(place, "lxc-stop", name).arg("-k");
        steps.push(step("Stop the container at once", command(argv, STOP_MS, Output::Piped)));
    }
    for orphan in &facts.orphans {
        steps.push(kill(orphan)?);
    }
    Ok(plan(steps, Expectation::Status(GuestStatus::Stopped)))
}

/// LXC cannot reach an init whose monitor died; the kernel can, and with an init its whole pid namespace ends.
fn kill(orphan: &OrphanFact) -> Result<Step, Error> {
    let pid = orphan.pid;
    if !orphan.proven {
        return Err(not_ready(
            format!(
                "process {pid} runs in a control group of this container's name without an LXC monitor, but \
                 Paddock cannot prove that it is this container's."
            ),
            &format!("Look at it with `ps -fp {pid}`; if it is, end it with `kill -KILL {pid}`."),
        ));
    }
    if orphan.frozen {
        return Err(not_ready(
            format!("process {pid}, the guest's own, is frozen and its LXC monitor died."),
            &format!("Thaw its freezer control group (see /proc/{pid}/cgroup), then stop it."),
        ));
    }
    let argv = Argv::new("kill").args(["-KILL", &pid.to_string()]);
    let title = format!("End process {pid}, the guest's init, which LXC has lost");
    Ok(step(title, command(argv, KILL_MS, Output::Piped)))
}

/// `purge` deletes its snapshots, too.
pub fn delete(place: &Place, name: &GuestName, purge: bool, facts: &DeleteFacts) -> Result<Plan, Error> {
    check_delete(place, name, purge, facts)?;
    // Never -f, which stops a running guest.
    let mut argv = tool(place, "lxc-destroy", name);
    let mut title = "Delete the container";
    let mut loses =
        vec![format!("Everything in {}/{name} is deleted, the configuration too.", place.lxcpath)];
    loses.extend(facts.rootfs.as_ref().map(|path| format!("The root file system {path} is deleted.")));
    if !facts.snapshots.is_empty() {
        argv = argv.arg("-s");
        title = "Delete the container and its snapshots";
        loses.push(format!("Its snapshots are deleted: {}.", facts.snapshots.join(", ")));
    }
    let step = step(title, command(argv, DELETE_MS, Output::Piped));
    Ok(Plan { loses, ..plan(vec![step], Expectation::Gone) })
}

fn check_delete(place: &Place, name: &GuestName, purge: bool, facts: &DeleteFacts) -> Result<(), Error> {
    let refused = |reason: String, cure: &str| Err(not_ready(reason, cure));
    if !facts.orphans.is_empty() {
        return refused(
            format!("process {} of the guest still runs on its files.", state::list(&facts.orphans)),
            "Stop it first, then delete it.",
        );
    }
    if facts.creating {
        return refused(
            "lxc-create is still at work on it.".to_owned(),
            "Wait until it has ended, or end it, then delete the container.",
        );
    }
    if !facts.dependents.is_empty() {
        return refused(
            format!("other containers live on its root file system: {}.", facts.dependents.join(", ")),
            "Delete those first.",
        );
    }
    if facts.snapshots.is_empty() {
        return Ok(());
    }
    if !purge {
        return refused(
            format!("it has snapshots: {}.", facts.snapshots.join(", ")),
            "Delete them first, or delete the container together with them.",
        );
    }
    if !facts.made_from_snapshots.is_empty() {
        return refused(
            format!(
                "other containers were made from its snapshots: {}.",
                facts.made_from_snapshots.join(", ")
            ),
            "Delete those first.",
        );
    }
    if !facts.no_snapshots.is_empty() {
        return refused(
            format!(
                "there is something among its snapshots that is none: {}.",
                facts.no_snapshots.join(", ")
            ),
            &format!("Look at it in {}/{name}/snaps, and remove it.", place.lxcpath),
        );
    }
    Ok(())
}

pub fn tool(place: &Place, program: &str, name: &GuestName) -> Argv {
    Argv::new(program).args(["-P", &place.lxcpath, "-n", name.as_str()])
}

pub fn step(title: impl Into<String>, command: Command) -> Step {
    Step { title: title.into(), when: When::Always, work: Work::Command(command) }
}

pub fn command(argv: Argv, timeout_ms: u64, output: Output) -> Command {
    Command { argv, timeout_ms, output }
}

pub fn plan(steps: Vec<Step>, expect: Expectation) -> Plan {
    Plan { steps, expect: Some(expect), ..Plan::default() }
}

pub fn not_ready(reason: String, cure: &str) -> Error {
    Error::NotReady { reason, cure: cure.to_owned() }
}
