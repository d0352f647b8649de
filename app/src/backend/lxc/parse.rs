//! Answers: what a finished command of LXC means. Pure; every row of the table comes from a captured run.

use crate::{
    backend::{CommandOutput, Error},
    domain::{
        action::Field,
        guest::{BackendKind, GuestId},
        name::GuestName,
        plan::{Argv, Command, Exit},
    },
};

/// Most characters of a tool's words in an error. The whole is in the operation's output.
const LONGEST_WORDS: usize = 2000;

/// What a message means.
enum Meaning {
    /// What was asked for is so already.
    Done,
    WrongState,
    NotFound,
    AlreadyExists,
    /// The host or another container must change first; the cure.
    NotReady(&'static str),
    Invalid(Field),
}

/// Program, what it says, what that means. It counts whatever the exit code: lxc-start exits 0 when it has started
/// nothing. The first row that fits is taken.
const MESSAGES: &[(&str, &str, Meaning)] = &[
    ("lxc-start", "Container is already running", Meaning::WrongState),
    ("lxc-start", "No container config specified", Meaning::NotFound),
    ("lxc-start", "Ongoing container creation detected", Meaning::WrongState),
    (
        "lxc-start",
        "bridge interface doesn't exist",
        Meaning::NotReady("Bring the bridge up, or change the container's configuration."),
    ),
    ("lxc-stop", "is not running", Meaning::Done),
    ("lxc-create", "Container already exists", Meaning::AlreadyExists),
    ("lxc-create", "bad template: ", Meaning::Invalid(Field::Template)),
    (
        "lxc-create",
        "Please pass a pathname for busybox binary",
        Meaning::NotReady("Install busybox with `apt-get install busybox-static`."),
    ),
    ("lxc-create", "ERROR: Invalid metadata file", Meaning::Invalid(Field::Metadata)),
    (
        "lxc-create",
        "ERROR: Failed to download ",
        Meaning::NotReady("Check that the host reaches the network, or create from archives on the host."),
    ),
    ("lxc-create", "ERROR: no OCI URL given", Meaning::Invalid(Field::Arguments)),
    ("lxc-destroy", "Container is not defined", Meaning::Done),
    ("lxc-destroy", "has snapshots", Meaning::NotReady("Delete its snapshots with lxc-snapshot first.")),
    ("lxc-destroy", "has clones", Meaning::NotReady("Delete its clones first.")),
    ("lxc-destroy", "is running", Meaning::WrongState),
    ("kill", "No such process", Meaning::Done),
];

/// What the answer means for the step.
pub fn parse(command: &Command, output: &CommandOutput) -> Result<(), Error> {
    let argv = &command.argv;
    let said =
        |needle: &str| [&output.log, &output.stderr, &output.stdout].iter().any(|s| s.contains(needle));
    let row = MESSAGES.iter().find(|(program, needle, _)| *program == argv.program() && said(needle));
    let words = readable(output.words());
    if matches!(output.exit, Exit::TimedOut) {
        return Err(Error::TimedOut { words });
    }
    match (row.map(|(_, _, meaning)| meaning), &output.exit) {
        (_, Exit::Cancelled) => Err(Error::Cancelled),
        (Some(Meaning::Done), Exit::Code(_)) => Ok(()),
        (Some(meaning), Exit::Code(_)) => Err(meant(meaning, argv, words)),
        (None, Exit::Code(0)) => Ok(()),
        (None, Exit::Code(1)) if words.is_empty() && is_shutdown(argv) => Err(not_shut_down(argv)),
        (_, exit) => Err(Error::ToolFailed { program: argv.program().to_owned(), exit: exit.clone(), words }),
    }
}

fn meant(meaning: &Meaning, argv: &Argv, words: String) -> Error {
    let guest = after(argv, "-n").and_then(|name| GuestName::found(name).ok());
    let guest = guest.map(|name| GuestId::new(BackendKind::Lxc, name));
    match (meaning, guest) {
        (Meaning::NotFound, Some(guest)) => Error::NotFound(guest),
        (Meaning::AlreadyExists, Some(guest)) => Error::AlreadyExists(guest),
        (Meaning::NotReady(cure), _) => Error::NotReady { reason: words, cure: (*cure).to_owned() },
        (Meaning::Invalid(field), _) => Error::Invalid { field: *field, message: words },
        _ => Error::WrongState { words },
    }
}

fn after<'a>(argv: &'a Argv, option: &str) -> Option<&'a str> {
    let words = argv.words();
    let at = words.iter().position(|word| word == option)?;
    words.get(at + 1).map(String::as_str)
}

fn is_shutdown(argv: &Argv) -> bool {
    argv.program() == "lxc-stop" && argv.words().iter().any(|word| word == "--nokill")
}

/// lxc-stop says nothing at all when its time is up.
fn not_shut_down(argv: &Argv) -> Error {
    let seconds = after(argv, "-t").unwrap_or("?");
    Error::ToolFailed {
        program: argv.program().to_owned(),
        exit: Exit::Code(1),
        words: format!(
            "the guest did not shut down within {seconds} s. It still runs, nothing was killed; wait longer, or \
             use Stop."
        ),
    }
}

/// The tool's words without the places in its source that it puts before each, and without its advice to do what
/// has been done already.
fn readable(words: &str) -> String {
    const ADVICE: [&str; 2] = [
        "To get more details, run the container in foreground mode",
        "Additional information can be obtained by setting the --logfile and --logpriority options",
    ];
    let lines: Vec<&str> =
        words.lines().map(message).filter(|line| !line.is_empty() && !ADVICE.contains(line)).collect();
    let text = lines.join("\n");
    match text.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{} … (cut; the whole is in the output)", &text[..end]),
        None => text,
    }
}

/// The message in one line of LXC's, in either of its forms; any other line as it is.
///
/// ```text
///   lxc-start: c1: ../src/lxc/tools/lxc_start.c: main: 256 Container is already running
///   lxc-start c1 20261122214656.825 ERROR    lxc_start - ../src/lxc/tools/lxc_start.c:main:256 - Container is ...
/// ```
fn message(line: &str) -> &str {
    let line = line.trim();
    let Some((_, place)) = line.split_once("../src/lxc/").filter(|_| line.starts_with("lxc-")) else {
        return line;
    };
    let on_stderr = || {
        let (_file, rest) = place.split_once(": ")?;
        let (_function, rest) = rest.split_once(": ")?;
        let (number, message) = rest.split_once(' ')?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then_some(message)
    };
    let in_log = || {
        let (place, message) = place.split_once(" - ")?;
        (place.split(':').count() == 3).then_some(message)
    };
    in_log().or_else(on_stderr).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::domain::plan::Output;

    #[derive(Deserialize)]
    struct Captured {
        argv: Vec<String>,
        stdout: String,
        stderr: String,
        #[serde(default)]
        log: String,
        exit: i32,
    }

    /// What a real LXC 5.0.2 answered.
    fn captured(name: &str) -> Result<(), Error> {
        let path = format!("{}/tests/fixtures/lxc-5.0.2/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let Captured { argv, stdout, stderr, log, exit } = serde_json::from_str(&text).unwrap();
        let argv = Argv::new(argv[0].clone()).args(argv[1..].iter().cloned());
        let output = CommandOutput { exit: Exit::Code(exit), stdout, stderr, log, dropped_bytes: 0 };
        parse(&Command { argv, timeout_ms: 1, output: Output::Piped }, &output)
    }

    fn answer(argv: &[&str], exit: Exit, stderr: &str) -> Result<(), Error> {
        let argv = Argv::new(argv[0]).args(argv[1..].iter().copied());
        let (stdout, log) = (String::new(), String::new());
        let output = CommandOutput { exit, stdout, stderr: stderr.into(), log, dropped_bytes: 0 };
        parse(&Command { argv, timeout_ms: 1, output: Output::Piped }, &output)
    }

    #[test]
    fn every_row_of_the_table_has_a_captured_case() {
        let lxc = |name: &str| GuestId::parse("lxc", name).unwrap();
        let wrong_state = |words: &str| Err(Error::WrongState { words: words.into() });
        assert_eq!(captured("start-running"), wrong_state("Container is already running"));
        assert_eq!(captured("start-frozen"), wrong_state("Container is already running"));
        assert_eq!(captured("start-running-log"), wrong_state("Container is already running"));
        assert_eq!(captured("start-unknown"), Err(Error::NotFound(lxc("nope"))));
        assert!(matches!(captured("start-partial-log"), Err(Error::WrongState { .. })));
        assert!(matches!(captured("start-nobridge-fg"), Err(Error::NotReady { .. })));
        for name in ["stop-stopped", "stop-stopped-k", "stop-unknown"] {
            assert_eq!(captured(name), Ok(()), "{name}");
        }
        assert_eq!(captured("create-exists"), Err(Error::AlreadyExists(lxc("t1"))));
        assert!(matches!(captured("create-badtemplate"), Err(Error::Invalid { field: Field::Template, .. })));
        assert!(matches!(captured("create-busybox-nobusybox"), Err(Error::NotReady { .. })));
        assert!(matches!(
            captured("create-local-noargs"),
            Err(Error::Invalid { field: Field::Metadata, .. })
        ));
        assert!(matches!(captured("create-download"), Err(Error::NotReady { .. })));
        assert!(matches!(captured("create-oci-noargs"), Err(Error::Invalid { field: Field::Arguments, .. })));
        assert_eq!(captured("destroy-unknown"), Ok(()));
        assert!(matches!(captured("destroy-hassnap"), Err(Error::NotReady { .. })));
        assert!(matches!(captured("destroy-hasclone"), Err(Error::NotReady { .. })));
        assert!(matches!(captured("destroy-running"), Err(Error::WrongState { .. })));
        let gone = "kill: (4711): No such process\n";
        assert_eq!(answer(&["kill", "-KILL", "4711"], Exit::Code(1), gone), Ok(()));
    }

    #[test]
    fn success_is_success() {
        for name in
            ["create-busybox", "create-local", "start-bridge", "stop-kill", "stop-graceful", "destroy-P"]
        {
            assert_eq!(captured(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_shutdown_that_ran_out_of_time_says_that_nothing_was_killed() {
        let text = captured("stop-stubborn-nokill").unwrap_err().to_string();
        assert!(text.contains("within 3 s") && text.contains("still runs, nothing was killed"), "{text}");
    }

    #[test]
    fn a_failed_start_tells_the_cause_from_its_log() {
        let Err(Error::ToolFailed { words, exit, .. }) = captured("start-noinit-log") else {
            panic!("no failure")
        };
        assert_eq!(exit, Exit::Code(1));
        assert!(
            words.starts_with("No such file or directory - Failed to exec \"/sbin/nosuchinit\""),
            "{words}"
        );
        assert!(!words.contains("../src") && !words.contains("foreground mode"), "{words}");
    }

    #[test]
    fn what_is_not_lxcs_own_line_is_kept_as_it_is() {
        assert_eq!(
            message("tar (child): : Cannot open: No such file"),
            "tar (child): : Cannot open: No such file"
        );
        assert_eq!(message("lxc-start: c1: ../src/lxc/x.c: odd"), "lxc-start: c1: ../src/lxc/x.c: odd");
        assert_eq!(message("  lxc-stop: ../src/lxc/"), "lxc-stop: ../src/lxc/");
    }

    #[test]
    fn a_silent_failure_a_signal_and_a_flood_are_errors_that_can_be_read() {
        let silent = answer(&["lxc-destroy", "-n", "c1"], Exit::Code(1), "").unwrap_err();
        assert_eq!(silent.to_string(), "lxc-destroy: exit 1, without a word");
        assert!(matches!(
            answer(&["lxc-start", "-n", "c1"], Exit::Signal(9), "Container is already running"),
            Err(Error::ToolFailed { exit: Exit::Signal(9), .. })
        ));
        let flood = answer(&["lxc-create", "-n", "c1"], Exit::Code(1), &"ü".repeat(100_000)).unwrap_err();
        assert!(flood.to_string().chars().count() < LONGEST_WORDS + 100);
        assert!(matches!(answer(&["lxc-stop"], Exit::TimedOut, ""), Err(Error::TimedOut { .. })));
        assert_eq!(answer(&["lxc-stop"], Exit::Cancelled, ""), Err(Error::Cancelled));
    }
}
