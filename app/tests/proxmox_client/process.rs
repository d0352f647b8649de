//! Processes in a VM, by its guest agent.

use std::time::Duration;

use app::{
    backend::{Error, proxmox::Client},
    domain::plan::{Answer, ApiCall, Exit, Stream},
};
use serde_json::json;

use crate::{Watch, fakepve::FakePve, post, with, within};

/// A running VM whose agent answers these commands.
fn vm(exec: serde_json::Value) -> (FakePve, Client) {
    let fake = FakePve::start();
    fake.add_vm(102, "db1", "running");
    fake.set_guest(102, "agent", json!({"exec": exec}));
    let client = fake.client();
    (fake, client)
}

fn exec(words: &[&str]) -> ApiCall {
    let call = post("/nodes/pve1/qemu/102/agent/exec", Answer::GuestProcess);
    words.iter().fold(call, |call, word| with(call, "command", word))
}

#[tokio::test]
async fn a_command_runs_word_by_word_and_its_output_is_kept_apart() {
    let (fake, client) = vm(json!({"echo a b;c 'd' ä": {"out-data": "a b;c\n", "err-data": "oops\n"}}));
    let mut watch = Watch::new();
    let output = watch.call(&client, &exec(&["echo", "a b;c", "'d'", "ä"])).await;
    assert_eq!((output.status, output.end.as_deref()), (Some(200), Some("0")));
    assert!(output.result.is_ok(), "{output:?}");
    let mut seen = Vec::new();
    while let Ok(piece) = watch.output.try_recv() {
        seen.push(piece);
    }
    assert_eq!(seen, [(Stream::Stdout, "a b;c\n".to_owned()), (Stream::Stderr, "oops\n".to_owned())]);
    assert_eq!(fake.get_guest(102, "agent_requests")[0][1]["command"], json!(["echo", "a b;c", "'d'", "ä"]));
}

#[tokio::test]
async fn a_command_that_fails_or_is_killed_tells_how() {
    let (_fake, client) = vm(json!({"false x": {"exitcode": 37}, "kill x": {"exitcode": null, "signal": 9}}));
    let failed = Watch::new().call(&client, &exec(&["false", "x"])).await;
    assert_eq!(failed.result, Err(Error::CommandFailed { exit: Exit::Code(37) }));
    assert_eq!(failed.end.as_deref(), Some("37"));
    let killed = Watch::new().call(&client, &exec(&["kill", "x"])).await;
    assert_eq!(killed.result, Err(Error::CommandFailed { exit: Exit::Signal(9) }));
}

#[tokio::test]
async fn a_command_that_is_still_at_work_is_waited_for() {
    let (fake, client) = vm(json!({"sleep 9": {"exited": 0}}));
    let mut watch = Watch::new();
    let end = async {
        assert!(fake.sees("GET", "/agent/exec-status", 3).await);
        let done =
            json!({"exec": {"sleep 9": {"exited": 1, "exitcode": 0, "out-data": "x", "out-truncated": 1}}});
        fake.set_guest(102, "agent", done);
    };
    let call = exec(&["sleep", "9"]);
    let (output, ()) = tokio::join!(watch.call(&client, &call), end);
    assert!(output.result.is_ok(), "{output:?}");
    assert!(watch.said(Stream::Log).contains("has cut stdout"));
}

#[tokio::test]
async fn a_command_that_is_given_up_on_is_said_to_go_on() {
    let (fake, client) = vm(json!({"sleep 9": {"exited": 0}}));
    let call = within(exec(&["sleep", "9"]), Duration::from_millis(500));
    let output = Watch::new().call(&client, &call).await;
    let Err(Error::TimedOut { words }) = &output.result else { panic!("{output:?}") };
    assert!(words.contains("pid 1001 may go on in the guest"), "{words}");

    let mut watch = Watch::new();
    let asked = fake.count("GET", "/agent/exec-status");
    let cancel = async {
        assert!(fake.sees("GET", "/agent/exec-status", asked + 1).await);
        watch.context.cancel.cancel();
    };
    let call = exec(&["sleep", "9"]);
    let (output, ()) = tokio::join!(watch.call(&client, &call), cancel);
    assert_eq!(output.result, Err(Error::Cancelled));
    assert!(watch.said(Stream::Log).contains("pid 1002 may go on"));
}

#[tokio::test]
async fn without_an_agent_the_cure_is_told() {
    let (fake, client) = vm(json!({}));
    fake.set_guest(102, "agent", json!(null));
    let output = Watch::new().call(&client, &exec(&["true"])).await;
    let Err(Error::NotReady { cure, .. }) = &output.result else { panic!("{output:?}") };
    assert!(cure.contains("qemu-guest-agent"), "{cure}");
}

#[tokio::test]
async fn an_agent_that_answers_nonsense_is_a_typed_error() {
    let (fake, client) =
        vm(json!({"a": {"exitcode": "x"}, "b": {"exitcode": {"c": 1}}, "c": {"exitcode": 1_u64 << 40}}));
    for word in ["a", "b", "c"] {
        let output = Watch::new().call(&client, &exec(&[word])).await;
        assert!(matches!(output.result, Err(Error::Garbled { .. })), "{output:?}");
    }
    for body in ["null", "{}", "[]", "5", "{\"pid\":\"x\"}", "{\"pid\":null}", "{\"pid\":1e99}"] {
        let body = format!("{{\"data\":{body}}}");
        fake.spoil("POST", "/agent/exec", "raw", 1, json!({"body": body}));
        let output = Watch::new().call(&client, &exec(&["a"])).await;
        assert!(matches!(output.result, Err(Error::Garbled { .. })), "{body}: {output:?}");
    }
}
