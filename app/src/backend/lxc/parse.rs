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

#[cfg(test)]
mod tests;

/// Most characters of a tool's words in an error. The whole is in the operation's output.
const LONGEST_WORDS: usize = 2000;

/// What a message means.
enum Meaning {
    /// What was asked for is so already.
    Done,
    WrongState,
    NotFound,
    /// The guest that was to be made.
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
    (
        "lxc-create",
        "ERROR: Missing required tool: ",
        Meaning::NotReady("Install the programs with `apt-get install skopeo umoci jq`."),
    ),
    (
        "lxc-create",
        "pinging container registry ",
        Meaning::NotReady("Check that the host reaches the registry, or use an image on the host."),
    ),
    ("lxc-create", "initializing source ", Meaning::Invalid(Field::Image)),
    ("lxc-destroy", "Container is not defined", Meaning::Done),
    ("lxc-destroy", "has snapshots", Meaning::NotReady("Delete its snapshots first.")),
    ("lxc-destroy", "has clones", Meaning::NotReady("Delete its clones first.")),
    ("lxc-destroy", "is running", Meaning::WrongState),
    ("lxc-execute", "appears to be already running", Meaning::WrongState),
    ("lxc-execute", "Executing a container with no configuration file", Meaning::NotFound),
    ("lxc-freeze", "Failed to freeze ", Meaning::WrongState),
    ("lxc-unfreeze", "Failed to unfreeze ", Meaning::WrongState),
    ("lxc-copy", "is running. Use --allowrunning", Meaning::WrongState),
    ("lxc-copy", "/config exists", Meaning::AlreadyExists),
    ("lxc-copy", "is not defined", Meaning::NotFound),
    (
        "lxc-copy",
        "does not include container name",
        Meaning::NotReady("Move its root file system to a path with its name, and change lxc.rootfs.path."),
    ),
    ("lxc-copy", "Failed to exec command", Meaning::NotReady("Install rsync with `apt-get install rsync`.")),
    ("lxc-snapshot", "is running. Use --allowrunning", Meaning::WrongState),
    ("lxc-snapshot", "is not stopped", Meaning::WrongState),
    ("lxc-snapshot", "/config exists", Meaning::AlreadyExists),
    ("lxc-snapshot", "No container config specified", Meaning::NotFound),
    ("lxc-snapshot", "has dependent snapshots", Meaning::NotReady("Delete its clones first.")),
    ("lxc-snapshot", "has snapshots on its rootfs", Meaning::NotReady("Delete what was made from it first.")),
    ("lxc-snapshot", "Could not open snapshot ", Meaning::Invalid(Field::Snapshot)),
    ("lxc-snapshot", "Could not destroy snapshot ", Meaning::Invalid(Field::Snapshot)),
    ("lxc-cgroup", "is not running", Meaning::WrongState),
    ("kill", "No such process", Meaning::Done),
];

/// Tools whose exit is to be believed: success is success, whatever words of theirs are in a log.
const HONEST: [&str; 3] = ["lxc-copy", "lxc-snapshot", "lxc-create"];

/// What the answer means for the step.
pub fn parse(command: &Command, output: &CommandOutput) -> Result<(), Error> {
    let argv = &command.argv;
    let words = readable(output.words());
    match &output.exit {
        Exit::TimedOut => return Err(Error::TimedOut { words }),
        Exit::Cancelled => return Err(Error::Cancelled),
        Exit::Code(code) if argv.program() == "lxc-attach" => return attached(*code, output),
        _ => {}
    }
    let failed = |words| {
        Err(Error::ToolFailed { program: argv.program().to_owned(), exit: output.exit.clone(), words })
    };
    match (row(argv, output), &output.exit) {
        (Some((_, _, Meaning::Done)), Exit::Code(_)) => Ok(()),
        (_, Exit::Code(0)) if HONEST.contains(&argv.program()) => Ok(()),
        (Some((_, _, meaning)), Exit::Code(_)) => Err(meant(meaning, argv, words)),
        (None, Exit::Code(0)) => Ok(()),
        (None, Exit::Code(1)) if words.is_empty() && is_shutdown(argv) => failed(not_shut_down(argv)),
        (_, _) => failed(explained(argv, words)),
    }
}

/// The row of the table that the answer fits.
fn row(argv: &Argv, output: &CommandOutput) -> Option<&'static (&'static str, &'static str, Meaning)> {
    let said =
        |needle: &str| [&output.log, &output.stderr, &output.stdout].iter().any(|s| s.contains(needle));
    MESSAGES.iter().find(|(program, needle, _)| *program == argv.program() && said(needle))
}

/// The exit is that of the command in the guest, and so are nearly all of the words; only a line in LXC's own form
/// tells that there was no command.
fn attached(code: i32, output: &CommandOutput) -> Result<(), Error> {
    let is_own = |line: &str| {
        let said = message(line);
        said != line && line.starts_with("lxc-attach: ") && said.ends_with("Failed to get init pid")
    };
    match code {
        0 => Ok(()),
        1 if output.stderr.lines().any(is_own) => Err(Error::WrongState { words: readable(&output.stderr) }),
        _ => Err(Error::CommandFailed { exit: output.exit.clone() }),
    }
}

fn meant(meaning: &Meaning, argv: &Argv, words: String) -> Error {
    // The new name of a copy, else the guest's own.
    let made = after(argv, "-N").or_else(|| after(argv, "-n"));
    let id = |name: Option<&str>| {
        name.and_then(|name| GuestName::found(name).ok()).map(|name| GuestId::new(BackendKind::Lxc, name))
    };
    match meaning {
        Meaning::NotFound => id(after(argv, "-n")).map_or(Error::WrongState { words }, Error::NotFound),
        Meaning::AlreadyExists => id(made).map_or(Error::WrongState { words }, Error::AlreadyExists),
        Meaning::NotReady(cure) => Error::NotReady { reason: words, cure: (*cure).to_owned() },
        Meaning::Invalid(field) => Error::Invalid { field: *field, message: words },
        Meaning::Done | Meaning::WrongState => Error::WrongState { words },
    }
}

/// How things stand where the tool does not say so itself.
fn explained(argv: &Argv, words: String) -> String {
    let has = |option: &str| argv.words().iter().any(|word| word == option);
    match (argv.program(), after(argv, "-P"), after(argv, "-n"), after(argv, "-r")) {
        ("lxc-cgroup", ..) => format!(
            "{words}. The kernel refused it, and LXC does not say why; memory cannot be limited below what is in use. \
             The configuration was not changed."
        ),
        ("lxc-snapshot", Some(path), Some(name), Some(snapshot)) if !has("-N") => format!(
            "{words}\nLXC deletes the container before it copies the snapshot to its place. If {name} is not there any \
             more, its snapshots still are: `lxc-copy -P {path}/{name}/snaps -n {snapshot} -p {path} -N {name}` brings \
             it back."
        ),
        _ => words,
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
fn not_shut_down(argv: &Argv) -> String {
    let seconds = after(argv, "-t").unwrap_or("?");
    format!(
        "the guest did not shut down within {seconds} s. It still runs, nothing was killed; wait longer, or use Stop."
    )
}

/// The tool's words without the places in its source that it puts before each, and without its advice to do what
/// has been done already.
fn readable(words: &str) -> String {
    const ADVICE: [&str; 6] = [
        "To get more details, run the container in foreground mode",
        "Additional information can be obtained by setting the --logfile and --logpriority options",
        "Snapshot of directory-backed container requested",
        "Making a copy-clone.  If you do want snapshots, then",
        "please create overlay clone first, snapshot that",
        "and keep the original container pristine",
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
