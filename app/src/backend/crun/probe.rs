//! Whether crun can be used on this host.

use serde::de::IgnoredAny;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{CommandOutput, RunContext, Runner, cgroup::Layout},
    domain::{
        host::Availability,
        plan::{Argv, Command, Exit, Output},
    },
};

use super::{
    parse::{self, HYBRID_CURE, HYBRID_REASON},
    plan::Tool,
};

/// crun answers both questions within milliseconds.
const TIMEOUT_MS: u64 = 10_000;

pub async fn probe(runner: &dyn Runner, tool: &Tool) -> Availability {
    let version = ask(runner, Argv::new("crun").arg("--version")).await;
    if !version.exit.is_success() {
        return judge(Layout::of_host(), &version, None);
    }
    let list = ask(runner, tool.argv().args(["list", "-f", "json"])).await;
    judge(Layout::of_host(), &version, Some(&list))
}

async fn ask(runner: &dyn Runner, argv: Argv) -> CommandOutput {
    // Nobody listens: the answer comes back whole.
    let (output, started) = (unbounded_channel().0, unbounded_channel().0);
    let context = RunContext { output, started, cancel: CancellationToken::new() };
    runner.run(&Command { argv, timeout_ms: TIMEOUT_MS, output: Output::Piped }, &context).await
}

/// The verdict on the answers; `list` is `None` if it was not asked for.
fn judge(layout: Layout, version: &CommandOutput, list: Option<&CommandOutput>) -> Availability {
    let no = |reason: String, cure: &str| Availability::Unavailable { reason, cure: cure.to_owned() };
    const REINSTALL: &str =
        "Try `crun list` on the host; `apt-get install --reinstall crun` mends a broken one.";
    match &version.exit {
        Exit::NotStarted(why) => {
            return no(format!("crun could not be started: {why}."), "Install it by `apt-get install crun`.");
        }
        exit if !exit.is_success() => return no(spoken("crun --version", version), REINSTALL),
        _ => {}
    }
    let Some(number) = version.stdout.lines().find_map(|line| line.strip_prefix("crun version ")) else {
        return no(spoken("crun --version", version), REINSTALL);
    };
    if layout == Layout::Hybrid {
        return no(HYBRID_REASON.to_owned(), HYBRID_CURE);
    }
    match list {
        // One bad state file makes crun's own list fail. It must not take the other containers away.
        Some(list) if is_list(list) || parse::is_one_bad_state(list.words()) => {
            Availability::Available { version: number.trim().to_owned() }
        }
        Some(list) => no(spoken("crun list", list), REINSTALL),
        None => no("crun was not asked for its containers.".to_owned(), REINSTALL),
    }
}

fn is_list(output: &CommandOutput) -> bool {
    // Of some 5,000 containers more is said than is kept: then the beginning tells.
    let is_cut = output.dropped_bytes > 0 && output.stdout.trim_start().starts_with('[');
    output.exit.is_success() && (is_cut || serde_json::from_str::<Vec<IgnoredAny>>(&output.stdout).is_ok())
}

/// A failure in the tool's own words, as far as they fit in a sentence.
fn spoken(question: &str, output: &CommandOutput) -> String {
    const LONGEST: usize = 300;
    let words: String = output.words().chars().take(LONGEST).collect();
    let words = if words.is_empty() { "nothing".to_owned() } else { format!("“{words}”") };
    format!("`{question}` answered {words} ({}).", output.exit)
}

#[cfg(test)]
mod tests;
