//! What `crun exec` says: mostly it is the command's own answer, and a few times crun's.
//!
//! Both come by the same streams and exit codes, so crun is recognised by its whole sentence alone, with nothing on
//! standard output. A command that says the very same is taken for crun, and does no harm by it.

use crate::{
    backend::{CommandOutput, Error},
    domain::{name::GuestName, plan::Exit},
};

use super::super::guest_id;

/// What kept the command from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    WrongState,
    NotFound,
    Garbled,
    /// The guest has no such program: 127, as every shell says it.
    NoProgram,
    /// It has one that cannot be executed: 126.
    NotExecutable,
}

/// crun 1.8.1: its exit code, and how its words begin and end.
const MEANINGS: [(i32, &str, &str, Meaning); 9] = [
    (1, "the container `", "` is not running", Meaning::WrongState),
    (1, "the container `", "` is paused", Meaning::WrongState),
    // It was about to end.
    (1, "fail startup\nsetns(", "): No such process", Meaning::WrongState),
    (1, "error opening file `", "/status`: No such file or directory", Meaning::NotFound),
    (1, "cannot parse status file: ", "", Meaning::Garbled),
    (255, "executable file `", "` not found in $PATH: No such file or directory", Meaning::NoProgram),
    (255, "open executable: ", "", Meaning::NotExecutable),
    (1, "exec: Exec format error", "", Meaning::NotExecutable),
    // Its interpreter is not there.
    (1, "exec: No such file or directory", "", Meaning::NotExecutable),
];

fn meaning(output: &CommandOutput) -> Option<Meaning> {
    let words = output.stderr.trim();
    let Exit::Code(code) = output.exit else { return None };
    MEANINGS
        .into_iter()
        .find(|(exit, begin, end, _)| {
            *exit == code && words.starts_with(begin) && words.ends_with(end) && output.stdout.is_empty()
        })
        .map(|(.., meaning)| meaning)
}

/// `rest` are the words behind the verb: `--`, the name, the command.
pub fn answer(rest: &[String], output: &CommandOutput) -> Result<(), Error> {
    if output.exit.is_success() {
        return Ok(());
    }
    let words = output.stderr.trim().to_owned();
    let ended = |exit: Exit| Err(Error::CommandFailed { exit });
    match meaning(output) {
        Some(Meaning::WrongState) => Err(Error::WrongState { words }),
        Some(Meaning::NotFound) => match rest.get(1).and_then(|name| GuestName::found(name).ok()) {
            Some(name) => Err(Error::NotFound(guest_id(name))),
            None => ended(output.exit.clone()),
        },
        Some(Meaning::Garbled) => {
            Err(Error::Garbled { source_name: "crun's state file".to_owned(), detail: words })
        }
        Some(Meaning::NoProgram) => ended(Exit::Code(127)),
        Some(Meaning::NotExecutable) => ended(Exit::Code(126)),
        None => ended(output.exit.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::captured, *};

    #[test]
    fn every_known_answer_has_its_meaning() {
        let cases = [
            ("exec-stopped", Meaning::WrongState),
            ("exec-paused", Meaning::WrongState),
            ("exec-ending", Meaning::WrongState),
            ("exec-unknown", Meaning::NotFound),
            ("exec-status-cut", Meaning::Garbled),
            ("exec-notfound", Meaning::NoProgram),
            ("exec-cannot-execute", Meaning::NotExecutable),
            ("exec-format", Meaning::NotExecutable),
            ("exec-interpreter", Meaning::NotExecutable),
        ];
        for (case, wanted) in cases {
            let (command, output) = captured(case);
            assert_eq!(meaning(&output), Some(wanted), "{case}");
            let error = super::super::answer(&command, &output).unwrap_err();
            let is_right = match wanted {
                Meaning::WrongState => matches!(error, Error::WrongState { .. }),
                Meaning::NotFound => error == Error::NotFound(guest_id(GuestName::new("nope").unwrap())),
                Meaning::Garbled => matches!(error, Error::Garbled { .. }),
                Meaning::NoProgram => error == Error::CommandFailed { exit: Exit::Code(127) },
                Meaning::NotExecutable => error == Error::CommandFailed { exit: Exit::Code(126) },
            };
            assert!(is_right, "{case}: {error}");
        }
        for row in MEANINGS {
            let is_row = |(case, _): &(&str, Meaning)| {
                let output = captured(case).1;
                let words = output.stderr.trim();
                output.exit == Exit::Code(row.0) && words.starts_with(row.1) && words.ends_with(row.2)
            };
            assert!(cases.iter().any(is_row), "no case for {row:?}");
        }
    }

    #[test]
    fn the_commands_own_answer_stays_its_own() {
        for (case, exit) in [("exec-exit", 37), ("exec-signal", 137)] {
            let (command, output) = captured(case);
            let error = super::super::answer(&command, &output).unwrap_err();
            assert_eq!(error, Error::CommandFailed { exit: Exit::Code(exit) }, "{case}");
        }
        let (command, output) = captured("exec");
        assert_eq!(super::super::answer(&command, &output), Ok(()));
        // Words that mean something of crun's other commands, or nearly something of this one.
        let (command, failed) = captured("exec-exit");
        for (code, stdout, stderr) in [
            (1, "", "mkdir: the directory `x` already exists"),
            (1, "some", "the container `c1` is paused"),
            (1, "", "podman: the container `c1` is paused"),
            (2, "", "the container `c1` is paused"),
            (255, "", ""),
            (1, "", "kill container: No such process"),
        ] {
            let output = CommandOutput {
                exit: Exit::Code(code),
                stdout: stdout.into(),
                stderr: stderr.into(),
                ..failed.clone()
            };
            let error = super::super::answer(&command, &output).unwrap_err();
            assert_eq!(error, Error::CommandFailed { exit: Exit::Code(code) }, "{stderr}");
        }
    }
}
