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

/// What a real LXC 5.0.2 was asked and answered.
fn case(name: &str) -> (Command, CommandOutput) {
    let path = format!("{}/tests/fixtures/lxc-5.0.2/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let Captured { argv, stdout, stderr, log, exit } = serde_json::from_str(&text).unwrap();
    let argv = Argv::new(argv[0].clone()).args(argv[1..].iter().cloned());
    let output = CommandOutput { exit: Exit::Code(exit), stdout, stderr, log, dropped_bytes: 0 };
    (Command { argv, timeout_ms: 1, output: Output::Piped }, output)
}

fn captured(name: &str) -> Result<(), Error> {
    let (command, output) = case(name);
    parse(&command, &output)
}

fn answer(argv: &[&str], exit: Exit, stderr: &str) -> Result<(), Error> {
    let argv = Argv::new(argv[0]).args(argv[1..].iter().copied());
    let (stdout, log) = (String::new(), String::new());
    let output = CommandOutput { exit, stdout, stderr: stderr.into(), log, dropped_bytes: 0 };
    parse(&Command { argv, timeout_ms: 1, output: Output::Piped }, &output)
}

fn lxc(name: &str) -> GuestId {
    GuestId::parse("lxc", name).unwrap()
}

/// Each row's captured case, or cases, in the order of the table.
const CASES: &[(&str, &[&str])] = &[
    ("Container is already running", &["start-running", "start-frozen", "start-running-log"]),
    ("No container config specified", &["start-unknown"]),
    ("Ongoing container creation detected", &["start-partial-log"]),
    ("bridge interface doesn't exist", &["start-nobridge-fg"]),
    ("is not running", &["stop-stopped", "stop-stopped-k", "stop-unknown"]),
    ("Container already exists", &["create-exists"]),
    ("bad template: ", &["create-badtemplate"]),
    ("Please pass a pathname for busybox binary", &["create-busybox-nobusybox"]),
    ("ERROR: Invalid metadata file", &["create-local-noargs"]),
    ("ERROR: Failed to download ", &["create-download"]),
    ("ERROR: no OCI URL given", &["create-oci-noargs"]),
    ("ERROR: Missing required tool: ", &["create-oci-notool"]),
    ("pinging container registry ", &["create-oci-noregistry"]),
    ("initializing source ", &["create-oci-missing"]),
    ("Container is not defined", &["destroy-unknown"]),
    ("has snapshots", &["destroy-hassnap"]),
    ("has clones", &["destroy-hasclone"]),
    ("is running", &["destroy-running"]),
    ("appears to be already running", &["execute-running-log"]),
    ("Executing a container with no configuration file", &["execute-unknown-log"]),
    ("Failed to freeze ", &["freeze-stopped"]),
    ("Failed to unfreeze ", &["unfreeze-unknown"]),
    ("is running. Use --allowrunning", &["copy-running-log"]),
    ("/config exists", &["copy-exists-log"]),
    ("is not defined", &["copy-unknown-log"]),
    ("does not include container name", &["copy-otherpath-log"]),
    ("Failed to exec command", &["copy-norsync-log"]),
    ("is running. Use --allowrunning", &["snapshot-running-log"]),
    ("is not stopped", &["snapshot-restore-running-log"]),
    ("/config exists", &["snapshot-restore-as-exists-log"]),
    ("No container config specified", &["snapshot-unknown-log"]),
    ("has dependent snapshots", &["snapshot-restore-hasclone-log"]),
    ("has snapshots on its rootfs", &["snapshot-destroy-hasclone-log"]),
    ("Could not open snapshot ", &["snapshot-restore-bad-log"]),
    ("Could not destroy snapshot ", &["snapshot-destroy-bad-log"]),
    ("is not running", &["cgroup-stopped"]),
    ("No such process", &["kill-unknown"]),
];

#[test]
fn every_row_of_the_table_has_a_captured_case() {
    assert_eq!(CASES.len(), MESSAGES.len());
    for ((needle, cases), wanted) in CASES.iter().zip(MESSAGES) {
        assert_eq!(*needle, wanted.1);
        for name in *cases {
            let (command, output) = case(name);
            let found = row(&command.argv, &output).unwrap_or_else(|| panic!("{name} fits no row"));
            assert_eq!((found.0, found.1), (wanted.0, wanted.1), "{name}");
            match (&found.2, parse(&command, &output)) {
                (Meaning::Done, Ok(()))
                | (Meaning::WrongState, Err(Error::WrongState { .. }))
                | (Meaning::NotFound, Err(Error::NotFound(_)))
                | (Meaning::AlreadyExists, Err(Error::AlreadyExists(_)))
                | (Meaning::NotReady(_), Err(Error::NotReady { .. })) => {}
                (Meaning::Invalid(field), Err(Error::Invalid { field: told, .. })) if *field == told => {}
                (_, other) => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_guest_that_is_meant_is_named() {
    assert_eq!(captured("start-unknown"), Err(Error::NotFound(lxc("nope"))));
    assert_eq!(captured("create-exists"), Err(Error::AlreadyExists(lxc("t1"))));
    assert_eq!(
        captured("copy-exists-log"),
        Err(Error::AlreadyExists(lxc("t3"))),
        "the copy, not its original"
    );
    assert_eq!(captured("copy-unknown-log"), Err(Error::NotFound(lxc("nope"))), "the original, not its copy");
    assert_eq!(captured("snapshot-restore-as-exists-log"), Err(Error::AlreadyExists(lxc("t7"))));
    let running = Error::WrongState { words: "Container is already running".into() };
    assert_eq!(captured("start-running-log"), Err(running));
}

#[test]
fn a_command_in_the_guest_fails_by_its_own_exit() {
    for (name, code) in [
        ("attach-exit-37", 37),
        ("attach-exit-1", 1),
        ("attach-notfound", 127),
        ("attach-notexecutable", 126),
        ("attach-killed", 137),
        ("attach-says-it-and-fails", 1),
    ] {
        assert_eq!(captured(name), Err(Error::CommandFailed { exit: Exit::Code(code) }), "{name}");
    }
    assert!(matches!(captured("attach-stopped"), Err(Error::WrongState { .. })));
    assert_eq!(captured("attach-says-it-too"), Ok(()), "a guest may say what it wants");
}

#[test]
fn a_refused_limit_says_how_things_stand() {
    let text = captured("cgroup-below-use").unwrap_err().to_string();
    assert!(text.contains("'memory.limit_in_bytes'") && text.contains("below what is in use"), "{text}");
    assert!(text.contains("configuration was not changed"), "{text}");
}

#[test]
fn a_failed_rollback_says_how_the_container_comes_back() {
    let argv = ["lxc-snapshot", "-P", "/var/lib/lxc", "-n", "web1", "-r", "snap0"];
    let text = answer(&argv, Exit::Code(1), "No space left on device").unwrap_err().to_string();
    assert!(text.contains("lxc-copy -P /var/lib/lxc/web1/snaps -n snap0 -p /var/lib/lxc -N web1"), "{text}");
    let as_new = [&argv[..], &["-N", "web2"]].concat();
    let text = answer(&as_new, Exit::Code(1), "No space left on device").unwrap_err().to_string();
    assert_eq!(text, "lxc-snapshot: exit 1: No space left on device");
}

#[test]
fn success_is_success() {
    for name in [
        "create-busybox",
        "create-local",
        "start-bridge",
        "stop-kill",
        "stop-graceful",
        "destroy-P",
        "destroy-with-snapshots",
        "copy-log",
        "copy-linked-log",
        "snapshot-log",
        "snapshot-restore-log",
        "snapshot-restore-as-log",
        "cgroup-set",
        "attach",
        "freeze",
        "unfreeze",
        "execute-log",
        // These did nothing: only the guest's state tells.
        "freeze-frozen",
        "unfreeze-stopped",
        "execute-notfound-log",
    ] {
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
    assert!(words.starts_with("No such file or directory - Failed to exec \"/sbin/nosuchinit\""), "{words}");
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
