//! Starting, stopping and what lies between.

use crate::{
    backend::Error,
    domain::{
        guest::GuestStatus,
        plan::{Expectation, Plan, Step, Work},
    },
};

use super::{
    super::facts::{CheckpointFact, GuestFacts},
    Call, MINUTE, SECOND, not_ready, plan, step,
};

/// A VM with much memory takes its time, above all from its hibernated state.
const START_MS: u64 = 10 * MINUTE;
const STOP_MS: u64 = 3 * MINUTE;
const PAUSE_MS: u64 = MINUTE;
const HIBERNATE_MS: u64 = 60 * MINUTE;
/// Added to what Proxmox itself waits, so that its task ends by itself.
const GRACE_MS: u64 = MINUTE;
/// How long the HA manager may take to begin.
const HA_MS: u64 = 2 * MINUTE;
/// Where Proxmox has containers checkpointed to, all into the same place.
const DUMP: &str = "/var/lib/vz/dump";

fn call(facts: &GuestFacts, action: &str, timeout_ms: u64) -> Call {
    Call::post(facts.place.path(&format!("/status/{action}")), timeout_ms)
}

/// Proxmox's task only asks the HA manager, who does it later.
fn through_ha(facts: &GuestFacts, mut steps: Vec<Step>, status: GuestStatus, timeout_ms: u64) -> Plan {
    if facts.is_ha {
        let title = format!("Wait until the cluster's HA manager has it {status}");
        steps.push(step(title, Work::WaitFor { status, timeout_ms: timeout_ms + HA_MS }));
    }
    plan(steps, Expectation::Status(status))
}

pub fn start(facts: &GuestFacts) -> Plan {
    through_ha(facts, vec![start_step(facts)], GuestStatus::Running, START_MS)
}

/// Also the last step of a creation.
pub fn start_step(facts: &GuestFacts) -> Step {
    let word = facts.place.word();
    let title = match facts.lock.as_deref() {
        Some("suspended") => format!("Start the {word} from its hibernated state"),
        _ => format!("Start the {word}"),
    };
    call(facts, "start", START_MS).step(title)
}

pub fn shutdown(facts: &GuestFacts, seconds: u32) -> Plan {
    let wait_ms = u64::from(seconds) * SECOND;
    let call = call(facts, "shutdown", wait_ms + GRACE_MS);
    // Its own default is to pull no plug, and so it stays.
    let call = call.text("timeout", seconds.to_string()).text("forceStop", "0");
    let steps =
        vec![call.step(format!("Ask the {} to shut down, wait up to {seconds} s", facts.place.word()))];
    through_ha(facts, steps, GuestStatus::Stopped, wait_ms)
}

pub fn stop(facts: &GuestFacts) -> Plan {
    let steps = vec![call(facts, "stop", STOP_MS).step(format!("Stop the {} at once", facts.place.word()))];
    through_ha(facts, steps, GuestStatus::Stopped, STOP_MS)
}

pub fn reboot(facts: &GuestFacts, seconds: u32) -> Plan {
    let call = call(facts, "reboot", u64::from(seconds) * SECOND + START_MS);
    // Proxmox ends a container that did not shut down in time, and leaves a VM running.
    let title = if facts.place.is_vm() {
        format!("Ask the VM to shut down, wait up to {seconds} s, start it again")
    } else {
        format!("Shut the container down, end it after {seconds} s, start it again")
    };
    let mut steps = vec![call.text("timeout", seconds.to_string()).step(title)];
    if facts.place.is_vm() {
        // The task ends with the VM; Proxmox's event daemon starts it again.
        let work = Work::WaitFor { status: GuestStatus::Running, timeout_ms: START_MS };
        steps.push(step("Wait until Proxmox has started it again", work));
    }
    plan(steps, Expectation::Status(GuestStatus::Running))
}

/// Of a VM.
pub fn reset(facts: &GuestFacts) -> Plan {
    let steps = vec![call(facts, "reset", STOP_MS).step("Press the VM's reset button")];
    plan(steps, Expectation::Status(GuestStatus::Running))
}

/// A VM is halted where it is. A container is checkpointed to disk and then reads as stopped: that is all Proxmox has.
pub fn pause(facts: &GuestFacts) -> Plan {
    if facts.place.is_vm() {
        let steps = vec![call(facts, "suspend", PAUSE_MS).step("Pause the VM")];
        return plan(steps, Expectation::Status(GuestStatus::Paused));
    }
    let title = format!("Checkpoint the container to {DUMP} by CRIU, an experiment of Proxmox's");
    let steps = vec![call(facts, "suspend", HIBERNATE_MS).step(title)];
    let loses = vec![format!(
        "A checkpoint of another container on {}: Proxmox keeps one for all, in {DUMP}.",
        facts.place.node
    )];
    Plan { loses, ..plan(steps, Expectation::Status(GuestStatus::Stopped)) }
}

pub fn resume(facts: &GuestFacts, checkpoint: CheckpointFact) -> Result<Plan, Error> {
    let place = &facts.place;
    let expect = Expectation::Status(GuestStatus::Running);
    if place.is_vm() {
        return Ok(plan(vec![call(facts, "resume", PAUSE_MS).step("Let the VM go on")], expect));
    }
    let cure = "Start it instead.";
    match checkpoint {
        CheckpointFact::Its => {
            let title = format!("Restore the container from its checkpoint in {DUMP} by CRIU");
            Ok(plan(vec![call(facts, "resume", HIBERNATE_MS).step(title)], expect))
        }
        CheckpointFact::None => Err(not_ready(
            format!("Proxmox's task log on {} tells of no checkpoint of {}.", place.node, place.label()),
            cure,
        )),
        CheckpointFact::Other(vmid) => Err(not_ready(
            format!(
                "The checkpoint in {DUMP} on {} is that of CT {vmid}, not of {}.",
                place.node,
                place.label()
            ),
            cure,
        )),
        CheckpointFact::Stale => Err(not_ready(
            format!(
                "{} has run since its checkpoint was made, which no longer fits its disk.",
                place.label()
            ),
            cure,
        )),
    }
}

/// Of a VM.
pub fn hibernate(facts: &GuestFacts) -> Plan {
    let call = call(facts, "suspend", HIBERNATE_MS).text("todisk", "1");
    plan(
        vec![call.step("Write the VM's memory to disk and end it")],
        Expectation::Status(GuestStatus::Stopped),
    )
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{LXC, VM, facts, lines, refused},
        *,
    };
    use GuestStatus::{Paused, Running, Stopped};

    #[test]
    fn power_is_switched_by_one_call_each() {
        let ct = facts(LXC, Running, &[]);
        let vm = facts(VM, Running, &[]);
        for (plan, line, status) in [
            (start(&ct), "POST /nodes/pve1/lxc/101/status/start", Running),
            (start(&vm), "POST /nodes/pve1/qemu/200/status/start", Running),
            (shutdown(&ct, 30), "POST /nodes/pve1/lxc/101/status/shutdown timeout=30 forceStop=0", Stopped),
            (shutdown(&vm, 30), "POST /nodes/pve1/qemu/200/status/shutdown timeout=30 forceStop=0", Stopped),
            (stop(&ct), "POST /nodes/pve1/lxc/101/status/stop", Stopped),
            (stop(&vm), "POST /nodes/pve1/qemu/200/status/stop", Stopped),
            (reboot(&ct, 9), "POST /nodes/pve1/lxc/101/status/reboot timeout=9", Running),
            (reset(&vm), "POST /nodes/pve1/qemu/200/status/reset", Running),
            (pause(&ct), "POST /nodes/pve1/lxc/101/status/suspend", Stopped),
            (pause(&vm), "POST /nodes/pve1/qemu/200/status/suspend", Paused),
            (hibernate(&vm), "POST /nodes/pve1/qemu/200/status/suspend todisk=1", Stopped),
            (resume(&vm, CheckpointFact::None).unwrap(), "POST /nodes/pve1/qemu/200/status/resume", Running),
            (resume(&ct, CheckpointFact::Its).unwrap(), "POST /nodes/pve1/lxc/101/status/resume", Running),
        ] {
            assert_eq!(lines(&plan), [line]);
            assert_eq!(plan.expect, Some(Expectation::Status(status)), "{line}");
        }
    }

    #[test]
    fn a_rebooted_vm_is_waited_for_as_its_task_ends_with_the_shutdown() {
        assert_eq!(
            lines(&reboot(&facts(VM, Running, &[]), 9)),
            ["POST /nodes/pve1/qemu/200/status/reboot timeout=9", "wait 600000 ms for running"]
        );
    }

    #[test]
    fn the_wait_is_longer_than_proxmoxs_own() {
        let plan = shutdown(&facts(VM, Running, &[]), 3600);
        let Work::Api(call) = &plan.steps[0].work else { panic!("no call") };
        assert!(call.timeout_ms > 3_600_000);
    }

    #[test]
    fn what_the_ha_manager_does_is_waited_for() {
        let managed = GuestFacts { is_ha: true, ..facts(VM, Running, &[]) };
        let plan = shutdown(&managed, 30);
        assert_eq!(lines(&plan)[1], "wait 150000 ms for stopped");
        assert_eq!(lines(&start(&managed)).len(), 2);
        assert_eq!(lines(&stop(&managed)).len(), 2);
    }

    #[test]
    fn a_hibernated_vm_is_started_from_where_it_was() {
        let hibernated = GuestFacts { lock: Some("suspended".into()), ..facts(VM, Stopped, &[]) };
        assert_eq!(start(&hibernated).steps[0].title, "Start the VM from its hibernated state");
    }

    #[test]
    fn a_checkpoint_is_restored_only_into_the_container_it_was_made_of() {
        let ct = facts(LXC, Stopped, &[]);
        assert!(pause(&ct).loses[0].contains("another container on pve1"));
        assert!(refused(resume(&ct, CheckpointFact::None)).contains("no checkpoint of CT 101"));
        assert!(refused(resume(&ct, CheckpointFact::Other(102))).contains("that of CT 102"));
        assert!(refused(resume(&ct, CheckpointFact::Stale)).contains("has run since"));
    }
}
