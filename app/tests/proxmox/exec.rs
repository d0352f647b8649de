//! Commands in guests.

use app::{
    backend::{Backend as _, Error, ExecutionEnd},
    domain::{
        action::{ActionRequest, GuestAction},
        plan::Exit,
    },
};
use serde_json::json;

use crate::lab::{CT, LXC, Lab, MACHINE, VM, name};

fn run(words: &[&str]) -> ActionRequest {
    ActionRequest::Exec {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        timeout_seconds: 60,
    }
}

#[tokio::test]
async fn a_command_runs_in_a_vm_by_its_agent() {
    let lab = Lab::running();
    lab.fake.set_guest(
        MACHINE,
        "agent",
        json!({"exec": {
            "uname -a": {"exitcode": 0, "out-data": "Linux db1\n", "err-data": ""},
            "false": {"exitcode": 3, "out-data": "", "err-data": "no\n"}}}),
    );
    let plan = lab.plan(VM, MACHINE, run(&["uname", "-a"])).await.unwrap();
    let ran = lab.run(VM, MACHINE, &plan, &Default::default()).await;
    assert_eq!((ran.end, ran.output.as_str()), (ExecutionEnd::Done, "Linux db1\n"));
    let failed = lab.act(VM, MACHINE, run(&["false"])).await;
    assert_eq!(failed, ExecutionEnd::Failed(Error::CommandFailed { exit: Exit::Code(3) }));
}

#[tokio::test]
async fn a_vm_whose_agent_is_not_there_says_so() {
    let lab = Lab::running();
    let end = lab.act(VM, MACHINE, run(&["true"])).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::NotReady { .. })), "{end:?}");
    lab.fake.set_guest(MACHINE, "config", {
        let mut config = lab.config(MACHINE);
        config["agent"] = json!("0");
        config
    });
    let refused = lab.refused(VM, MACHINE, run(&["true"])).await;
    assert!(
        matches!(&refused, Error::NotReady { reason, .. } if reason.contains("guest agent")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_command_runs_in_a_container_of_this_node_by_pct() {
    let lab = Lab::with("running", |config| config.local_node = Some("pve1".into()));
    assert_eq!(lab.driver(LXC).lack(GuestAction::Exec), None);
    let plan = lab.plan(LXC, CT, run(&["sh", "-c", "echo $1; exit 4", "x", "a b"])).await.unwrap();
    let ran = lab.run(LXC, CT, &plan, &Default::default()).await;
    assert_eq!(ran.end, ExecutionEnd::Failed(Error::CommandFailed { exit: Exit::Code(4) }));
    assert_eq!(ran.output, "a b\n");
    assert_eq!(lab.act(LXC, CT, run(&["true"])).await, ExecutionEnd::Done);
    lab.fake.set_guest(CT, "status", json!("stopped"));
    let end = lab.act(LXC, CT, run(&["true"])).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::WrongState { .. })), "{end:?}");
}

#[tokio::test]
async fn a_container_of_another_node_is_out_of_reach() {
    let lab = Lab::with("running", |config| config.local_node = Some("pve2".into()));
    let refused = lab.refused(LXC, CT, run(&["true"])).await;
    assert!(matches!(&refused, Error::NotReady { reason, .. } if reason.contains("pve1")), "{refused:?}");
    let lab = Lab::running();
    assert!(lab.driver(LXC).lack(GuestAction::Exec).is_some());
    assert!(matches!(lab.refused(LXC, CT, run(&["true"])).await, Error::Unsupported { .. }));
    assert_eq!(lab.driver(LXC).guest(&name(CT)).await.unwrap().unwrap().id.name, name(CT));
}
