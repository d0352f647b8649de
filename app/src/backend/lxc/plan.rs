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

/// The first request to shut down waits at most so long: one sent right after the start gets lost, as init has no
/// handler for it yet.
const FIRST_ASK_SECONDS: u32 = 5;
/// Added to what the tool itself waits, so that it ends by itself.
const GRACE_MS: u64 = 15_000;
const START_MS: u64 = 120_000;
const STOP_MS: u64 = 60_000;
const KILL_MS: u64 = 5_000;
const DELETE_MS: u64 = 600_000;

pub fn start(place: &Place, name: &GuestName, facts: &StartFacts) -> Result<Plan, Error> {
    if !facts.orphans.is_empty() {
        let pids: Vec<u32> = facts.orphans.iter().map(|orphan| orphan.pid).collect();
        return Err(not_ready(state::orphaned(&pids), "Stop it first, then start it."));
    }
    if let Some(missing) = facts.missing_links.first() {
        return Err(not_ready(
            format!("the network interface “{}” ({}) does not exist.", missing.link, missing.key),
            missing_link_cure(&missing.link),
        ));
    }
    // Without a log, a failed start says no more than "ABORTING".
    let log = format!("{}/lxc-start-{name}.log", place.log_dir);
    let argv = tool(place, "lxc-start", name).args(["-d", "-l", "ERROR", "-o", &log]);
    let step = step("Start the container", command(argv, START_MS, Output::LogFile(log)));
    Ok(plan(vec![step], Expectation::Status(GuestStatus::Running)))
}

fn missing_link_cure(link: &str) -> &'static str {
    match link {
        "lxcbr0" => "Bring it up with `systemctl start lxc-net`, or change the container's configuration.",
        _ => "Bring it up, or change the container's configuration.",
    }
}

/// Asks, and asks again where the first request was not heard or not answered in time. Kills nothing.
pub fn shutdown(place: &Place, name: &GuestName, seconds: u32) -> Result<Plan, Error> {
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
    Ok(plan(steps, Expectation::Status(GuestStatus::Stopped)))
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

pub fn delete(place: &Place, name: &GuestName, facts: &DeleteFacts) -> Result<Plan, Error> {
    if !facts.orphans.is_empty() {
        return Err(not_ready(
            format!("process {} of the guest still runs on its files.", state::list(&facts.orphans)),
            "Stop it first, then delete it.",
        ));
    }
    if facts.creating {
        return Err(not_ready(
            "lxc-create is still at work on it.".to_owned(),
            "Wait until it has ended, or end it, then delete the container.",
        ));
    }
    if !facts.snapshots.is_empty() {
        return Err(not_ready(
            format!("it has snapshots: {}.", facts.snapshots.join(", ")),
            &format!("Delete each with `lxc-snapshot -P {} -n {name} -d SNAPSHOT`.", place.lxcpath),
        ));
    }
    if !facts.dependents.is_empty() {
        return Err(not_ready(
            format!("other containers live on its root file system: {}.", facts.dependents.join(", ")),
            "Delete those first.",
        ));
    }
    // Never -f, which stops a running guest, and never -s, which deletes its snapshots.
    let argv = tool(place, "lxc-destroy", name);
    let mut loses =
        vec![format!("Everything in {}/{name} is deleted, the configuration too.", place.lxcpath)];
    loses.extend(facts.rootfs.as_ref().map(|path| format!("The root file system {path} is deleted.")));
    let step = step("Delete the container", command(argv, DELETE_MS, Output::Piped));
    Ok(Plan { loses, ..plan(vec![step], Expectation::Gone) })
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

#[cfg(test)]
mod tests {
    use super::{super::facts::MissingLink, *};

    fn place() -> Place {
        Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() }
    }

    fn web1() -> GuestName {
        GuestName::new("web1").unwrap()
    }

    fn lines(plan: &Plan) -> Vec<String> {
        plan.steps.iter().map(|step| step.work.to_string()).collect()
    }

    const READY: StartFacts = StartFacts { orphans: vec![], missing_links: vec![] };
    const ORPHAN: OrphanFact = OrphanFact { pid: 4711, proven: true, frozen: false };

    #[test]
    fn a_start_keeps_its_log_as_that_alone_tells_the_cause_of_a_failure() {
        let plan = start(&place(), &web1(), &READY).unwrap();
        assert_eq!(
            lines(&plan),
            ["lxc-start -P /var/lib/lxc -n web1 -d -l ERROR -o /run/p/lxc-start-web1.log"]
        );
        let Work::Command(command) = &plan.steps[0].work else { panic!("no command") };
        assert_eq!(command.output, Output::LogFile("/run/p/lxc-start-web1.log".into()));
        assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Running)));
    }

    #[test]
    fn a_start_is_refused_while_an_old_instance_still_runs() {
        let facts = StartFacts { orphans: vec![ORPHAN], ..READY };
        let error = start(&place(), &web1(), &facts).unwrap_err();
        assert!(error.to_string().contains("4711"), "{error}");
    }

    #[test]
    fn a_start_without_its_bridge_is_refused_with_the_cure() {
        let link = MissingLink { key: "lxc.net.0.link".into(), link: "lxcbr0".into() };
        let facts = StartFacts { missing_links: vec![link], ..READY };
        let text = start(&place(), &web1(), &facts).unwrap_err().to_string();
        assert!(text.contains("lxcbr0") && text.contains("systemctl start lxc-net"), "{text}");
    }

    #[test]
    fn a_shutdown_asks_twice_and_never_kills() {
        let plan = shutdown(&place(), &web1(), 60).unwrap();
        assert_eq!(
            lines(&plan),
            [
                "lxc-stop -P /var/lib/lxc -n web1 --nokill -t 5",
                "lxc-stop -P /var/lib/lxc -n web1 --nokill -t 55"
            ]
        );
        assert_eq!(plan.steps[0].title, "Ask the guest to shut down, wait up to 5 s");
        assert_eq!(plan.steps[0].when, When::Always);
        assert_eq!(plan.steps[1].when, When::PreviousFailed);
    }

    #[test]
    fn a_shutdown_never_waits_zero_seconds_nor_longer_than_asked() {
        for seconds in 1..=20 {
            let waits: Vec<u32> = lines(&shutdown(&place(), &web1(), seconds).unwrap())
                .iter()
                .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
                .collect();
            assert!(waits.iter().all(|wait| *wait > 0), "{seconds}: {waits:?}");
            assert_eq!(waits.iter().sum::<u32>(), seconds);
        }
        for seconds in [0, LONGEST_SHUTDOWN_SECONDS + 1, u32::MAX] {
            let error = shutdown(&place(), &web1(), seconds).unwrap_err();
            assert!(matches!(error, Error::Invalid { field: Field::Timeout, .. }));
        }
    }

    #[test]
    fn a_stop_pulls_the_plug_through_lxc() {
        let facts = StopFacts { active: true, cut_off: false, orphans: vec![] };
        assert_eq!(lines(&stop(&place(), &web1(), &facts).unwrap()), ["lxc-stop -P /var/lib/lxc -n web1 -k"]);
    }

    #[test]
    fn a_stop_ends_an_instance_that_lxc_has_lost() {
        let lost = StopFacts { active: false, cut_off: false, orphans: vec![ORPHAN] };
        assert_eq!(lines(&stop(&place(), &web1(), &lost).unwrap()), ["kill -KILL 4711"]);
        let twice = StopFacts { active: true, ..lost };
        assert_eq!(
            lines(&stop(&place(), &web1(), &twice).unwrap()),
            ["lxc-stop -P /var/lib/lxc -n web1 -k", "kill -KILL 4711"]
        );
    }

    #[test]
    fn a_process_that_may_be_another_guests_is_never_killed() {
        for orphan in [OrphanFact { proven: false, ..ORPHAN }, OrphanFact { frozen: true, ..ORPHAN }] {
            let facts = StopFacts { active: false, cut_off: false, orphans: vec![orphan] };
            let error = stop(&place(), &web1(), &facts).unwrap_err();
            assert!(matches!(error, Error::NotReady { .. }), "{error}");
        }
    }

    #[test]
    fn a_half_made_container_cannot_be_stopped_but_deleted() {
        let facts = StopFacts { active: false, cut_off: true, orphans: vec![] };
        assert!(stop(&place(), &web1(), &facts).unwrap_err().to_string().contains("Delete it."));
    }

    #[test]
    fn a_delete_says_what_is_lost_and_never_forces() {
        let facts = DeleteFacts { rootfs: Some("/srv/r".into()), ..DeleteFacts::default() };
        let plan = delete(&place(), &web1(), &facts).unwrap();
        assert_eq!(lines(&plan), ["lxc-destroy -P /var/lib/lxc -n web1"]);
        assert_eq!(plan.expect, Some(Expectation::Gone));
        assert!(plan.loses[0].contains("/var/lib/lxc/web1"));
        assert!(plan.loses[1].contains("/srv/r"));
    }

    #[test]
    fn a_delete_is_refused_with_the_names_of_what_depends_on_it() {
        let texts = [
            DeleteFacts { snapshots: vec!["snap0".into(), "snap1".into()], ..DeleteFacts::default() },
            DeleteFacts { dependents: vec!["web2".into()], ..DeleteFacts::default() },
            DeleteFacts { orphans: vec![4711], ..DeleteFacts::default() },
            DeleteFacts { creating: true, ..DeleteFacts::default() },
        ]
        .map(|facts| delete(&place(), &web1(), &facts).unwrap_err().to_string());
        assert!(texts[0].contains("snap0, snap1") && texts[0].contains("lxc-snapshot"), "{}", texts[0]);
        assert!(texts[1].contains("web2"), "{}", texts[1]);
        assert!(texts[2].contains("4711"), "{}", texts[2]);
        assert!(texts[3].contains("lxc-create is still at work"), "{}", texts[3]);
    }
}
