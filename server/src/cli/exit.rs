//! How the program ends: one code for each kind of end, the same for every verb.

use std::process::ExitCode;

use app::{
    backend,
    domain::{action::Refusal, failure::FailureKind, guest::GuestId, operation::OperationId},
    service,
    store::{ArchiveError, OpenError, ProveError, StoreError},
};

use crate::{
    data_dir::DataDirError,
    settings::{DriversError, SettingsError},
};

/// As `paddock help` and the manual of each verb tell it.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  Paddock itself failed
   2  wrong usage, settings or input; nothing was run
   3  there is no such guest or operation
   4  denied
   5  the guest's state does not allow it, or the backend has no such action
   6  the backend or the host is not available or not ready
   7  the tool failed; what it said is in the operation's record
   8  it exists already
   9  the guest is locked, or another operation is at work on it
  10  the time was up
  11  cancelled
  12  the history has been changed outside Paddock
exec, and run with a command, end with the exit code of the command itself.";

/// The record is not as it was written; that was told on standard output.
pub const DAMAGED: u8 = 12;

/// Why a verb did not do what was asked. The sentence goes to standard error.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error("There is no guest “{text}”{}.", asked(.backends))]
    NoGuest { text: String, backends: Vec<String> },
    #[error("There is no operation #{0}.")]
    NoOperation(OperationId),
    #[error("“{text}” is the name of several guests: {}. Name one of these.", listed(.guests))]
    Ambiguous { text: String, guests: Vec<GuestId> },
    #[error(
        "Not every backend could be asked, so it is not sure which guest “{text}” is ({reason}). Nothing was run; name the backend too, as in lxc/{text}."
    )]
    Unsure { text: String, reason: String },
    #[error("{option}{refusal}", option = option(.refusal))]
    Refused { refusal: Refusal },
    #[error("{0}")]
    Backend(#[from] backend::Error),
    /// Some of what was asked for was printed.
    #[error("{}", .0.join("\npaddock: "))]
    Incomplete(Vec<String>),
    #[error("Operation #{operation} {how}")]
    Operation { operation: OperationId, how: String, kind: FailureKind },
    #[error("{0}")]
    Service(service::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Drivers(#[from] DriversError),
    #[error("{what}: {source}")]
    System { what: String, source: std::io::Error },
}

fn asked(backends: &[String]) -> String {
    if backends.is_empty() { String::new() } else { format!(" at {}", backends.join(", ")) }
}

fn listed(guests: &[GuestId]) -> String {
    guests.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The option that a refused field was given by, to stand before the sentence.
fn option(refusal: &Refusal) -> String {
    let Some(field) = refusal.field() else { return String::new() };
    // Its text form is that of the option.
    match serde_json::to_value(field) {
        Ok(serde_json::Value::String(name)) => format!("{name}: "),
        _ => String::new(),
    }
}

impl From<service::Error> for CliError {
    fn from(error: service::Error) -> Self {
        match error {
            service::Error::Refused(refusal) => Self::Refused { refusal },
            service::Error::Store(error) => Self::Store(error),
            service::Error::Backend(error) => Self::Backend(error),
            other => Self::Service(other),
        }
    }
}

impl CliError {
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Ambiguous { .. } | Self::Settings(_) | Self::Drivers(_) => 2,
            Self::NoGuest { .. } | Self::NoOperation(_) => 3,
            Self::Unsure { .. } | Self::Incomplete(_) => 6,
            Self::Refused { refusal } => code_of(refusal.kind()),
            Self::Backend(error) => code_of(error.kind()),
            Self::Operation { kind, .. } => code_of(*kind),
            Self::Archive(ArchiveError::Unsound { .. } | ArchiveError::Row(_)) => DAMAGED,
            Self::Archive(_) => 1,
            Self::Data(_) | Self::Open(_) | Self::Prove(_) => 6,
            Self::Service(_) | Self::Store(_) | Self::System { .. } => 1,
        })
    }
}

fn code_of(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Invalid => 2,
        FailureKind::NotFound => 3,
        FailureKind::Denied => 4,
        FailureKind::WrongState | FailureKind::Unsupported => 5,
        FailureKind::Unavailable | FailureKind::NotReady => 6,
        FailureKind::ToolFailed | FailureKind::CommandFailed => 7,
        FailureKind::AlreadyExists => 8,
        FailureKind::Locked => 9,
        FailureKind::TimedOut => 10,
        FailureKind::Cancelled => 11,
        FailureKind::Internal => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_a_code_that_the_help_explains() {
        for kind in FailureKind::ALL {
            let code = code_of(kind);
            assert!(EXIT_CODES.contains(&format!("\n{code:4}  ")), "{kind}: {code}");
        }
    }

    #[test]
    fn the_code_for_damage_is_explained() {
        assert!(EXIT_CODES.contains(&format!("\n{DAMAGED:4}  ")));
    }

    #[test]
    fn a_refused_option_is_named() {
        let field = app::domain::action::Field::Memory;
        let error = CliError::Refused { refusal: Refusal::Field { field, message: "Too little.".into() } };
        assert_eq!(error.to_string(), "memory: Too little.");
    }
}
