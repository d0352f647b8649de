//! What is wrong with settings: always with its place and its key.

use std::{fmt, path::PathBuf};

use app::{backend::routing::RoutingError, domain::guest::BackendKind};

/// Where a value came from, strongest first. Its text names the place as a person looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An option of the command line, as typed: `--addr`.
    Option(String),
    /// An environment variable.
    Variable(&'static str),
    /// A line of the settings file, the first being 1.
    Line {
        file: PathBuf,
        line: usize,
    },
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(option) => write!(f, "option {option}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Line { file, line } => write!(f, "{}, line {line}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Why settings cannot be used. Nothing has been done when one of these is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "There is no settings file {}, which {named_by} names. Nothing was done. Name another, or begin one with \
         `paddock config sample`.", .path.display()
    )]
    NoFile { path: PathBuf, named_by: &'static str },
    /// `detail` is a part of a sentence.
    #[error("Cannot read the settings file {}: {detail}. Nothing was done; see to the file.", .path.display())]
    Unreadable { path: PathBuf, detail: String },
    #[error("{}, line {line}: this is no UTF-8. Nothing was done; save the file as UTF-8.", .path.display())]
    NotUtf8 { path: PathBuf, line: usize },
    /// `words` are the parser's.
    #[error(
        "{}, line {line}: this is no TOML: {words}. Nothing was done; correct the line. `paddock config sample` shows \
         how it is written.", .path.display()
    )]
    NotToml { path: PathBuf, line: usize, words: String },
    /// One key is wrong. `key` is written `section.name`, with what is wrong inside its value in parentheses.
    #[error("{place}: {key} {problem} Nothing was done; change it there.")]
    Key { place: Place, key: String, problem: Problem },
}

/// What is wrong with a key or its value. Its text goes on a sentence that the key has begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("is {found}. It must be {expected}.")]
    Wrong { found: String, expected: String },
    /// What was found may be a secret, so it is not shown.
    #[error("is something else than {expected}.")]
    WrongUnseen { expected: String },
    /// `known` lists what there is.
    #[error("is unknown. {known}")]
    Unknown { known: String },
    #[error("is there twice. One of the two must go.")]
    Twice,
    #[error("is missing, and {needed_by}.")]
    Missing { needed_by: String },
    #[error("cannot be together with {other} ({place}). One of the two must go.")]
    Conflict { other: String, place: Place },
    #[error("names {}, which {}", .path.display(), .lack)]
    Secret { path: PathBuf, lack: SecretLack },
    #[error("cannot be used. {0}")]
    Routing(RoutingError),
    #[error("names the backend {backend}, which is not set up here. {cure}")]
    NotSetUp { backend: BackendKind, cure: &'static str },
    #[error("is false, and no other backend is set up. Paddock would have nothing to show.")]
    NoBackend,
}

/// Why a file does not serve as a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretLack {
    /// In the system's words.
    #[error("cannot be read: {0}.")]
    Unreadable(String),
    #[error("is no regular file.")]
    NoFile,
    #[error(
        "others than its owner may read or change (its mode is {mode:04o}). It was not used. Run: chmod 600 {}",
        .path.display()
    )]
    Open { mode: u32, path: PathBuf },
    #[error("is empty. Write the secret into it, on one line.")]
    Empty,
    #[error("holds no secret: that is one line of printable characters, at most {0} bytes.")]
    NotOneLine(u64),
}
