//! Running a command in a guest.

use crate::{
    backend::Error,
    domain::plan::{Answer, Argv, Command, Output, Plan, Work},
};

use super::{super::facts::GuestFacts, Call, SECOND, not_ready, step};

/// In a VM by its guest agent; in a container by `pct`, which works on its own node alone.
pub fn exec(facts: &GuestFacts, words: &[String], seconds: u32) -> Result<Plan, Error> {
    let place = &facts.place;
    let timeout_ms = u64::from(seconds) * SECOND;
    let shown = Argv::new(words.first().cloned().unwrap_or_default()).args(words.iter().skip(1).cloned());
    let title = format!("Run in the {}: {shown}", place.word());
    let step = if place.is_vm() {
        if !facts.config.has_agent() {
            return Err(not_ready(
                format!(
                    "{} is not told to have a guest agent, by which commands are run in a VM.",
                    place.label()
                ),
                "Install qemu-guest-agent in it, switch the agent on in its options, and start it anew.",
            ));
        }
        let call = Call::post(place.path("/agent/exec"), timeout_ms).answered_by(Answer::GuestProcess);
        words.iter().fold(call, |call, word| call.text("command", word)).step(title)
    } else {
        check_local(facts)?;
        let argv =
            Argv::new(place.tool()).args(["exec", &place.vmid.to_string(), "--"]).args(words.iter().cloned());
        step(title, Work::Command(Command { argv, timeout_ms, output: Output::Piped }))
    };
    Ok(Plan { steps: vec![step], ..Plan::default() })
}

fn check_local(facts: &GuestFacts) -> Result<(), Error> {
    if facts.is_local {
        return Ok(());
    }
    let place = &facts.place;
    Err(not_ready(
        format!(
            "{} is on the node {}, and Proxmox runs commands in a container from its own node alone.",
            place.label(),
            place.node
        ),
        "Use the Paddock of that node, or move the container to this one.",
    ))
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{LXC, VM, facts, lines, refused},
        *,
    };
    use crate::domain::guest::GuestStatus::Running;

    fn words() -> Vec<String> {
        ["sh", "-c", "echo $HOME; exit 3"].map(str::to_owned).into()
    }

    #[test]
    fn a_container_on_this_node_is_reached_by_pct_word_by_word() {
        let here = GuestFacts { is_local: true, ..facts(LXC, Running, &[]) };
        let plan = exec(&here, &words(), 60).unwrap();
        assert_eq!(lines(&plan), ["pct exec 101 -- sh -c 'echo $HOME; exit 3'"]);
        let Work::Command(command) = &plan.steps[0].work else { panic!("no command") };
        assert_eq!((command.timeout_ms, command.argv.words().len()), (60_000, 7));
        assert!(refused(exec(&facts(LXC, Running, &[]), &words(), 60)).contains("from its own node alone"));
    }

    #[test]
    fn a_vm_is_reached_by_its_agent_with_one_parameter_a_word() {
        let plan = exec(&facts(VM, Running, &[("agent", "1")]), &words(), 60).unwrap();
        assert_eq!(
            lines(&plan),
            ["POST /nodes/pve1/qemu/200/agent/exec command=sh command=-c 'command=echo $HOME; exit 3'"]
        );
        let Work::Api(call) = &plan.steps[0].work else { panic!("no call") };
        assert_eq!((call.answer, call.timeout_ms), (Answer::GuestProcess, 60_000));
        assert!(refused(exec(&facts(VM, Running, &[]), &words(), 60)).contains("guest agent"));
    }
}
