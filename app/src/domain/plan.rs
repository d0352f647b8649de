//! Plans: what will run, as plain data, and what came of it.
//!
//! A driver turns a request into a [`Plan`] and does no work itself. The same plan is shown, stored in the history
//! and executed, so that what a person reads is exactly what ran.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{guest::GuestStatus, name::GuestName};

/// A program and its arguments, one word each. Never a shell line: nothing here is split, joined or expanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Argv(Vec<String>);

impl Argv {
    pub fn new(program: impl Into<String>) -> Self {
        Self(vec![program.into()])
    }

    #[must_use]
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.0.push(word.into());
        self
    }

    #[must_use]
    pub fn args<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.0.extend(words.into_iter().map(Into::into));
        self
    }

    /// Empty only for a plan that was read from a damaged record.
    pub fn program(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// As a POSIX shell would take it: words outside a plain alphabet in single quotes. For reading and copying only.
impl fmt::Display for Argv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                f.write_str(word)?;
            } else {
                write!(f, "'{}'", word.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// All that one action will do, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// What must hold of the guest afterwards, read from the host and not from an exit code: several tools exit 0
    /// although nothing was done.
    pub expect: Option<Expectation>,
    /// What is gone for good once this has run, one sentence each. Empty for a plan that destroys nothing.
    pub loses: Vec<String>,
    /// What was decided on the way to this plan, one sentence each: which routing rule chose the backend.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// In plain words: "Ask the guest to shut down, wait up to 60 s".
    pub title: String,
    pub when: When,
    pub work: Work,
}

/// Whether a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Unless a step before it failed for good.
    Always,
    /// Only if the step just before it failed; that failure is then not the end. A chain of these is "try, then
    /// try again".
    PreviousFailed,
    /// As [`Always`](Self::Always), and not to be parted from the step just before it: a cancel that comes while
    /// either is at work takes effect after this one, as the guest would be lost between the two.
    Unparted,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    Command(Command),
    /// Read the guest's state from the host until it is this one.
    WaitFor {
        status: GuestStatus,
        timeout_ms: u64,
    },
    Api(ApiCall),
    Edit(FileEdit),
}

/// In one line, to be read and copied.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => command.argv.fmt(f),
            Self::WaitFor { status, timeout_ms } => write!(f, "wait {timeout_ms} ms for {status}"),
            Self::Api(call) => call.fmt(f),
            Self::Edit(edit) => {
                let changes: Vec<String> = edit.changes.iter().map(ToString::to_string).collect();
                write!(f, "edit {}: {}", edit.path, changes.join("; "))
            }
        }
    }
}

/// One request to the backend's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiCall {
    pub method: Method,
    /// Below the API's root, each segment encoded for a URL: `/nodes/pve1/lxc/101/status/start`.
    pub path: String,
    /// In this order; the client encodes them.
    pub params: Vec<(String, Param)>,
    pub answer: Answer,
    /// Until the answer, and until the end of what it began, milliseconds.
    pub timeout_ms: u64,
}

impl ApiCall {
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// As `POST /nodes/pve1/lxc/101/status/shutdown timeout=60`: for reading and copying only.
impl fmt::Display for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.path)?;
        for (name, value) in &self.params {
            write!(f, " {}", Argv::new(format!("{name}={value}")))?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Param {
    Text(String),
    /// The secret of this name, handed to the execution beside the plan.
    Secret(String),
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Secret(_) => f.write_str(super::secret::MASK),
        }
    }
}

/// What an API's answer is, and so when the call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The answer is the end.
    Plain,
    /// A UPID, whose task is followed to its end; its log is streamed.
    Task,
    /// A process in a VM, followed by the guest agent to its end; its output is streamed.
    GuestProcess,
}

/// A change of a file on this host: the old text or the new one is there whatever happens, never a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEdit {
    /// Absolute.
    pub path: String,
    pub changes: Vec<Change>,
    /// SHA-256 of the text that was planned with, in hexadecimal: a file that has changed since is left alone. `None`
    /// for one that an earlier step makes.
    pub digest: Option<String>,
}

/// One setting in the file's own terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `lxc.cgroup2.memory.max`, `/process/args`.
    pub key: String,
    /// `None` removes it.
    pub value: Option<String>,
}

/// As `key = value`, or `key` and a dash where it is removed.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value}", self.key),
            None => write!(f, "{} (removed)", self.key),
        }
    }
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub argv: Argv,
    /// The process group is ended after so long, milliseconds.
    pub timeout_ms: u64,
    pub output: Output,
}

/// Where a command's words come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Standard output and error, streamed while it runs.
    Piped,
    /// Standard output and error are /dev/null, as the guest inherits them and would hold a pipe open for as long
    /// as it lives; the tool's own words come from this log file, absolute path, read and removed when it ends.
    LogFile(String),
}

/// What must hold of a guest after a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    Status(GuestStatus),
    Exists,
    Gone,
    /// Of another guest of the same backend, by its id: a copy that was made.
    OtherExists(GuestName),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// Ended by Paddock after the step's time was up.
    TimedOut,
    /// Ended by Paddock because a person asked for it.
    Cancelled,
    /// It never ran; the system's words.
    NotStarted(String),
}

impl Exit {
    pub fn is_success(&self) -> bool {
        *self == Self::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal(number) => write!(f, "killed by signal {number}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::NotStarted(why) => write!(f, "not started: {why}"),
        }
    }
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    /// The process ended by itself or was ended.
    Exited(Exit),
    /// The state waited for was reached.
    Reached(GuestStatus),
    /// It was not; the state last read, `None` if the guest is gone.
    NotReached(Option<GuestStatus>),
    /// The API answered, and what it began has ended.
    Answered {
        /// The HTTP status.
        status: u16,
        upid: Option<String>,
        /// How the task ended, in Proxmox's words (`OK`, an error), or the guest process's exit code.
        end: Option<String>,
    },
    /// No answer came, or what it began was not seen to end. The reason stands in the operation's failure.
    NotAnswered {
        upid: Option<String>,
    },
    Edited,
    /// The file is as it was.
    NotEdited,
    /// Its condition did not hold, or a step before it failed.
    Skipped,
}

/// One step's outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutcome {
    pub result: StepResult,
    /// Milliseconds since 1970; `None` for a skipped step.
    pub started_ms: Option<i64>,
    pub duration_ms: u64,
    /// Bytes of output that were dropped past the cap.
    pub dropped_bytes: u64,
}

/// Which of a command's three ways of speaking a piece of output came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    Stdout,
    Stderr,
    Log,
}

impl Stream {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Log => "log",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argv_is_shown_as_a_shell_would_take_it() {
        let argv = Argv::new("lxc-create").args(["-n", "web1", "--", "a b", "it's", "$(rm)", ""]);
        assert_eq!(argv.to_string(), r"lxc-create -n web1 -- 'a b' 'it'\''s' '$(rm)' ''");
    }

    #[test]
    fn a_plan_survives_its_way_through_json() {
        let plan = Plan {
            steps: vec![Step {
                title: "Wait".into(),
                when: When::PreviousFailed,
                work: Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: 5 },
            }],
            expect: Some(Expectation::Status(GuestStatus::Stopped)),
            ..Plan::default()
        };
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }
}
