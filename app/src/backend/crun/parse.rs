//! What the tools' answers mean. Pure. Each room has a table of the words that have to be understood; every row has
//! a captured answer, which its tests read.

use crate::{
    backend::{CommandOutput, Error},
    domain::{
        action::Field,
        guest::BackendKind,
        name::GuestName,
        plan::{Command, Exit},
    },
};

use super::guest_id;

mod exec;
mod images;

pub const HYBRID_REASON: &str = "crun does not work on this host: its control groups are hybrid, that is version 1 and version 2 at once.";
pub const HYBRID_CURE: &str = "Run Paddock in a private mount namespace: `unshare -m --propagation private sh -c \
     'umount /sys/fs/cgroup/unified && exec \"$@\"' sh paddock serve`, or boot with pure cgroup v2: \
     `systemd.unified_cgroup_hierarchy=1`.";

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    AlreadyExists,
    NotFound,
    WrongState,
    Garbled,
    Hybrid,
    MemoryInUse,
}

/// What crun 1.8.1 says, by a piece of it that is in no other answer; the first that fits holds. What is in none of
/// the rows is a failure in the tool's own words.
const MEANINGS: [(&str, Meaning); 11] = [
    ("` already exists", Meaning::AlreadyExists),
    ("/status`: No such file or directory", Meaning::NotFound),
    ("cannot open directory '", Meaning::NotFound),
    ("is not in `created` or `stopped` state", Meaning::WrongState),
    ("/exec.fifo`: No such file or directory", Meaning::WrongState),
    ("kill container: No such process", Meaning::WrongState),
    ("` is not running", Meaning::WrongState),
    ("cannot parse status file", Meaning::Garbled),
    ("' missing in ", Meaning::Garbled),
    ("cgroups in hybrid mode not supported", Meaning::Hybrid),
    ("file `memory.limit_in_bytes`: Device or resource busy", Meaning::MemoryInUse),
];

fn meaning(words: &str) -> Option<Meaning> {
    MEANINGS.into_iter().find(|(piece, _)| words.contains(piece)).map(|(_, meaning)| meaning)
}

/// Whether crun failed for one container's state file and not as a whole.
pub fn is_one_bad_state(words: &str) -> bool {
    meaning(words) == Some(Meaning::Garbled)
}

/// The words of one of [`plan`](super::plan)'s commands behind the global options: verb, then its own.
fn verb_and_rest(command: &Command) -> (&str, &[String]) {
    let mut words = command.argv.words().get(1..).unwrap_or_default();
    while let [option, _, rest @ ..] = words
        && option.starts_with("--")
    {
        words = rest;
    }
    words.split_first().map_or(("", words), |(verb, rest)| (verb.as_str(), rest))
}

/// What a finished command's answer means.
pub fn answer(command: &Command, output: &CommandOutput) -> Result<(), Error> {
    match command.argv.program() {
        "crun" => crun(command, output),
        "skopeo" | "umoci" => images::answer(command, output),
        _ if output.exit.is_success() => Ok(()),
        _ => Err(failed(command, output)),
    }
}

/// In the tool's own words.
fn failed(command: &Command, output: &CommandOutput) -> Error {
    Error::ToolFailed {
        program: command.argv.program().to_owned(),
        exit: output.exit.clone(),
        words: output.words().to_owned(),
    }
}

fn crun(command: &Command, output: &CommandOutput) -> Result<(), Error> {
    let (verb, rest) = verb_and_rest(command);
    if verb == "exec" {
        return exec::answer(rest, output);
    }
    if output.exit.is_success() {
        // `kill` exits 0 for a signal that does not exist, and sends none.
        return match rest {
            [.., signal] if verb == "kill" && !matches!(signal.as_str(), "TERM" | "KILL") => {
                Err(Error::NotDone { what: format!("crun knows no signal {signal}") })
            }
            _ => Ok(()),
        };
    }
    let words = output.words().to_owned();
    // The name is the first word of `kill`'s own and the last of all others'.
    let name = if verb == "kill" { rest.first() } else { rest.last() };
    let guest = name.and_then(|name| GuestName::found(name).ok()).map(guest_id);
    let Some(meaning) = meaning(&words).filter(|_| matches!(output.exit, Exit::Code(_))) else {
        return Err(failed(command, output));
    };
    Err(match (meaning, guest) {
        // What was frozen and killed is gone already where the kernel kills what is frozen: on cgroup v2.
        (Meaning::WrongState, _) if verb == "resume" && words.contains("is not running") => return Ok(()),
        (Meaning::WrongState, _) => Error::WrongState { words },
        (Meaning::AlreadyExists, Some(guest)) => Error::AlreadyExists(guest),
        (Meaning::NotFound, Some(guest)) => Error::NotFound(guest),
        (Meaning::AlreadyExists | Meaning::NotFound, None) => failed(command, output),
        (Meaning::MemoryInUse, _) => Error::Invalid {
            field: Field::Memory,
            message: "It uses more memory than that right now, so the limit stays as it was. Enter a larger one, or \
                      shut the container down first."
                .to_owned(),
        },
        (Meaning::Garbled, _) => {
            Error::Garbled { source_name: "crun's state file".to_owned(), detail: words }
        }
        (Meaning::Hybrid, _) => Error::Unavailable {
            backend: BackendKind::Crun,
            reason: HYBRID_REASON.to_owned(),
            cure: HYBRID_CURE.to_owned(),
        },
    })
}

#[cfg(test)]
pub mod tests;
