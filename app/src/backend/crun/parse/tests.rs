//! The cases are what crun 1.8.1 really answered.

use std::{fs, path::Path};

use serde_json::Value;

use super::*;
use crate::domain::plan::{Argv, Output};

/// A captured answer of crun, with the command that brought it.
pub fn captured(case: &str) -> (Command, CommandOutput) {
    captured_of("crun-1.8.1", case)
}

/// Of another tool.
pub fn captured_of(tool: &str, case: &str) -> (Command, CommandOutput) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{tool}/{case}.json"));
    let case: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut words = case["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let argv = Argv::new(words.next().unwrap()).args(words);
    let text = |stream: &str| case[stream].as_str().unwrap_or_default().to_owned();
    // The captures note the end by a signal as a negative number.
    let exit = match case["exit"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap() {
        code @ 0.. => Exit::Code(code),
        signal => Exit::Signal(-signal),
    };
    let output = CommandOutput {
        exit,
        stdout: text("stdout"),
        stderr: text("stderr"),
        log: String::new(),
        dropped_bytes: 0,
    };
    (Command { argv, timeout_ms: 1, output: Output::Piped }, output)
}

fn answer_of(case: &str) -> Result<(), Error> {
    let (command, output) = captured(case);
    answer(&command, &output)
}

fn guest(name: &str) -> crate::domain::guest::GuestId {
    guest_id(GuestName::new(name).unwrap())
}

#[test]
fn every_known_answer_has_its_meaning() {
    let cases = [
        ("create-exists", Meaning::AlreadyExists),
        ("start-unknown", Meaning::NotFound),
        ("kill-unknown", Meaning::NotFound),
        ("state-unknown", Meaning::NotFound),
        ("delete-unknown", Meaning::NotFound),
        ("delete-running", Meaning::WrongState),
        ("start-twice", Meaning::WrongState),
        ("stopped-kill_s1_KILL", Meaning::WrongState),
        ("stopped-kill_s1_TERM", Meaning::WrongState),
        ("stopped-start_s1", Meaning::WrongState),
        ("stopped-pause_s1", Meaning::WrongState),
        ("kill-status-cut", Meaning::Garbled),
        ("kill-status-empty", Meaning::Garbled),
        ("kill-status-nopid", Meaning::Garbled),
        ("create-hybrid", Meaning::Hybrid),
        ("update-unknown", Meaning::NotFound),
        ("update-memory-busy", Meaning::MemoryInUse),
    ];
    for (case, wanted) in cases {
        let (_, output) = captured(case);
        assert_eq!(meaning(output.words()), Some(wanted), "{case}: {}", output.words());
        assert!(answer_of(case).is_err(), "{case}");
    }
    for (piece, _) in MEANINGS {
        let is_row = |(case, _): &(&str, Meaning)| captured(case).1.words().contains(piece);
        assert!(cases.iter().any(is_row), "no case for the row “{piece}”");
    }
}

#[test]
fn an_error_names_the_guest_it_is_about() {
    assert_eq!(answer_of("create-exists"), Err(Error::AlreadyExists(guest("c1"))));
    assert_eq!(answer_of("kill-unknown"), Err(Error::NotFound(guest("nope"))));
    assert_eq!(answer_of("delete-unknown"), Err(Error::NotFound(guest("nope"))));
}

#[test]
fn an_answer_without_a_row_is_a_failure_in_the_tools_own_words() {
    for (case, code, words) in [
        ("create-badcmd", 1, "executable file `/no/such/cmd` not found in $PATH"),
        ("create-norootfs", 1, "make `/no/such/rootfs` private"),
        ("create-terminal-nosocket", 1, "use --console-socket"),
        ("create-noargs", 1, "please specify a ID"),
        ("update-memory-above-swap", 1, "Invalid argument"),
        ("unknown-option", 64, "unrecognized option"),
    ] {
        let error = answer_of(case).unwrap_err();
        assert!(
            matches!(&error, Error::ToolFailed { exit: Exit::Code(found), words: said, .. } if *found == code && said.contains(words)),
            "{case}: {error}"
        );
    }
}

#[test]
fn a_crash_is_no_answer_whatever_was_said_before() {
    // crun 1.8.1 ends by a segmentation fault when asked for the processes of a stopped container.
    let error = answer_of("stopped-ps_s1").unwrap_err();
    assert!(matches!(error, Error::ToolFailed { exit: Exit::Signal(11), .. }));
    let (command, output) = captured("create-exists");
    let crashed = CommandOutput { exit: Exit::Signal(11), ..output };
    assert!(matches!(answer(&command, &crashed), Err(Error::ToolFailed { .. })));
}

#[test]
fn exit_0_is_success_except_where_crun_is_known_to_lie() {
    for case in ["create", "kill-TERM", "kill-paused", "pause", "resume", "update-all"] {
        assert_eq!(answer_of(case), Ok(()), "{case}");
    }
    let lie = answer_of("kill-badsignal");
    assert!(matches!(&lie, Err(Error::NotDone { what }) if what.contains("NOPE")), "{lie:?}");
}

#[test]
fn thawing_what_was_killed_already_is_no_failure() {
    assert_eq!(answer_of("stopped-resume_s1"), Ok(()));
}

#[test]
fn a_hybrid_host_is_told_its_cure_and_not_the_bare_words() {
    let error = answer_of("create-hybrid").unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }));
    assert!(error.to_string().contains("umount /sys/fs/cgroup/unified"), "{error}");
}

#[test]
fn the_words_of_a_log_file_count_like_those_on_standard_error() {
    let (_, output) = captured("create-exists");
    let argv =
        Argv::new("crun").args(["--root", "/r", "--log", "file:/l", "create", "--bundle", "/b", "web1"]);
    let command = Command { argv, timeout_ms: 1, output: Output::LogFile("/l".into()) };
    let output = CommandOutput { log: output.stderr.clone(), stderr: String::new(), ..output };
    assert_eq!(answer(&command, &output), Err(Error::AlreadyExists(guest("web1"))));
}
