//! Processes in a VM, begun by the guest agent and followed to their end.
//!
//! The agent tells a process's output only when it has ended, and it cannot end one: a process that is given up on
//! goes on in the guest, and that is said.

use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    backend::{Error, RunContext, proxmox::refuse::Scene},
    domain::plan::{Exit, Stream},
};

use super::{
    Client,
    call::End,
    output::{Output, note},
    task::{Sight, Why, pauses, wanted},
};

/// What the agent tells of a process. Numbers and flags come as either on different versions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ProcessStatus {
    #[serde(default)]
    exited: Value,
    #[serde(default)]
    exitcode: Value,
    #[serde(default)]
    signal: Value,
    #[serde(default)]
    out_data: Option<String>,
    #[serde(default)]
    err_data: Option<String>,
    #[serde(default)]
    out_truncated: Value,
    #[serde(default)]
    err_truncated: Value,
}

impl Client {
    /// `path` is that of the call that began it: `.../agent/exec`.
    pub(super) async fn follow_process(
        &self,
        path: &str,
        begun: &Value,
        scene: &Scene,
        deadline: Instant,
        context: &RunContext,
    ) -> End {
        let unknown = |error| End { told: None, result: Err(error) };
        let Some(pid) = begun.get("pid").and_then(number) else {
            return unknown(scene.garbled("there is no pid in what the guest agent says"));
        };
        let pid_text = pid.to_string();
        let path = format!("{path}-status");
        let query = [("pid", pid_text.as_str())];
        let mut sight = Sight::default();
        let watched = tokio::select! {
            biased;
            ended = self.watch_process(&path, &query, &mut sight) => Ok(ended),
            why = wanted(deadline, context) => Err(why),
        };
        let (status, data) = match watched {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => return unknown(error),
            Err(why) => {
                let goes_on =
                    format!("the guest agent cannot end a process: pid {pid} may go on in the guest");
                note(&context.output, &goes_on);
                return unknown(match (why, sight.trouble()) {
                    (Why::Cancelled, _) => Error::Cancelled,
                    (Why::TimeUp, None) => Error::TimedOut { words: goes_on },
                    (Why::TimeUp, Some(trouble)) => scene.unavailable(
                        format!("The end of the process {pid} in the guest was not seen: {trouble}"),
                        "Look into the guest before trying again; it may go on.",
                    ),
                });
            }
        };
        tell(&status, context);
        match exit(&status) {
            Some(exit) => End {
                told: Some(match &exit {
                    Exit::Code(code) => code.to_string(),
                    other => other.to_string(),
                }),
                result: if exit.is_success() { Ok(data) } else { Err(Error::CommandFailed { exit }) },
            },
            None => unknown(scene.garbled("the guest agent tells neither exit code nor signal")),
        }
    }

    /// Looks at the process until it has ended.
    async fn watch_process(
        &self,
        path: &str,
        query: &[(&str, &str)],
        sight: &mut Sight,
    ) -> Result<(ProcessStatus, Value), Error> {
        for pause in pauses() {
            let look = self.get::<Value>(path, query).await.and_then(|data| {
                let status = ProcessStatus::deserialize(&data);
                let status = status.map_err(|e| self.scene(&self.reading(path, &[])).garbled(e))?;
                Ok((status, data))
            });
            if let Some((status, data)) = sight.look(look)?
                && flag(&status.exited)
            {
                return Ok((status, data));
            }
            sleep(pause).await;
        }
        Err(Error::Cancelled)
    }
}

fn tell(status: &ProcessStatus, context: &RunContext) {
    let streams = [
        (Stream::Stdout, &status.out_data, &status.out_truncated),
        (Stream::Stderr, &status.err_data, &status.err_truncated),
    ];
    for (stream, text, is_cut) in streams {
        Output::new(stream, &context.output).push(text.clone().unwrap_or_default());
        if flag(is_cut) {
            note(&context.output, &format!("the guest agent has cut {}", stream.as_str()));
        }
    }
}

fn exit(status: &ProcessStatus) -> Option<Exit> {
    let small = |value: &Value| number(value).and_then(|number| i32::try_from(number).ok());
    // A signal of 0 is none.
    match small(&status.signal).filter(|signal| *signal != 0) {
        Some(signal) => Some(Exit::Signal(signal)),
        None => small(&status.exitcode).map(Exit::Code),
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| number(value).is_some_and(|number| number != 0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(value: Value) -> ProcessStatus {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_captured_answer_is_an_exit_of_0() {
        let captured = include_str!("../../../../tests/fixtures/pve-9.1/qemu-200-agent-exec-status.json");
        let captured: Value = serde_json::from_str(captured).unwrap();
        let status = status(captured["body"]["data"].clone());
        assert!(flag(&status.exited));
        assert_eq!(exit(&status), Some(Exit::Code(0)));
        assert_eq!(status.out_data.as_deref(), Some("Linux\n"));
        assert!(!flag(&status.out_truncated));
    }

    #[test]
    fn numbers_and_flags_are_taken_in_every_shape_they_come_in() {
        assert_eq!(exit(&status(json!({"exitcode": "37"}))), Some(Exit::Code(37)));
        assert_eq!(exit(&status(json!({"signal": 9}))), Some(Exit::Signal(9)));
        assert_eq!(exit(&status(json!({"signal": 0, "exitcode": 1}))), Some(Exit::Code(1)));
        for odd in
            [json!({}), json!({"exitcode": []}), json!({"exitcode": 1e99}), json!({"exitcode": 1_u64 << 40})]
        {
            assert_eq!(exit(&status(odd.clone())), None, "{odd}");
        }
        for (value, is_set) in [(json!(true), true), (json!(1), true), (json!("1"), true), (json!(0), false)]
        {
            assert_eq!(flag(&value), is_set, "{value}");
        }
        assert!([json!(null), json!({}), json!("no"), json!(false)].iter().all(|value| !flag(value)));
    }
}
