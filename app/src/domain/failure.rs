//! What kind of failure ended an operation or a request: the same few kinds for all backends.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Kept with each failed operation and told by the command line's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    NotFound,
    AlreadyExists,
    WrongState,
    /// The guest is locked, by an operation of Paddock or by the tool's own lock.
    Locked,
    Denied,
    Invalid,
    /// This backend cannot do that at all.
    Unsupported,
    /// The host lacks something this action needs.
    NotReady,
    Unavailable,
    TimedOut,
    Cancelled,
    ToolFailed,
    /// The command that was run in the guest failed; nothing is wrong with guest or tool.
    CommandFailed,
    /// Paddock itself failed.
    Internal,
}

impl FailureKind {
    pub const ALL: [Self; 14] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::WrongState,
        Self::Locked,
        Self::Denied,
        Self::Invalid,
        Self::Unsupported,
        Self::NotReady,
        Self::Unavailable,
        Self::TimedOut,
        Self::Cancelled,
        Self::ToolFailed,
        Self::CommandFailed,
        Self::Internal,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::AlreadyExists => "already-exists",
            Self::WrongState => "wrong-state",
            Self::Locked => "locked",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::NotReady => "not-ready",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::ToolFailed => "tool-failed",
            Self::CommandFailed => "command-failed",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no kind of failure")]
pub struct UnknownFailure(pub String);

impl FromStr for FailureKind {
    type Err = UnknownFailure;
    fn from_str(text: &str) -> Result<Self, UnknownFailure> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownFailure(text.to_owned()))
    }
}
