//! What a server function can answer instead of its result.
//!
//! Without JavaScript an error travels back to the form in the page's address, so these are named variants with
//! checked fields and never free text from the server, and never carry a secret.

use leptos::{
    prelude::{FromServerFnError, ServerFnErrorErr},
    server_fn::codec::JsonEncoding,
};
use serde::{Deserialize, Serialize};

use crate::domain::{
    action::{Field, Refusal},
    form::Typed,
    operation::OperationId,
};

/// The common answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum ApiError {
    #[error("You are not logged in. Log in and try again.")]
    NotLoggedIn,
    /// Log in was fine, but the one-time password must be replaced before anything else.
    #[error("Choose your own password first.")]
    PasswordChangeDue,
    #[error("Set up a second factor first.")]
    FactorDue,
    #[error("{0}")]
    Refused(Refusal),
    #[error("There is no such page here.")]
    NotFound,
    #[error("The request could not be understood, and nothing was done. Reload the page and try again.")]
    BadRequest,
    #[error(
        "The record of operation #{operation} was changed outside Paddock, so that it cannot be shown. Run “paddock verify” on the host to see what was changed; an export of the history has what is left of it."
    )]
    Damaged { operation: OperationId },
    /// The cause is in Paddock's log under this number.
    #[error(
        "Something went wrong inside Paddock. It is in Paddock's log as {reference}; reload to see how things stand."
    )]
    Internal { reference: String },
    /// Only ever seen by the browser.
    #[error("Paddock cannot be reached. Nothing is known of your request; reload to see how things stand.")]
    Unreachable,
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Self::BadRequest,
            _ => Self::Unreachable,
        }
    }
}

/// Why a guest was not created, with what was typed, so that nothing need be typed twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateError {
    pub error: ApiError,
    pub form: Typed,
}

impl FromServerFnError for CreateError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self { error: ApiError::from_server_fn_error(error), form: Typed::default() }
    }
}

/// Seconds until the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wait(pub u64);

impl Wait {
    fn words(self) -> String {
        match self.0 {
            0 | 1 => "1 second".to_owned(),
            seconds @ 2..=90 => format!("{seconds} seconds"),
            seconds => format!("{} minutes", seconds.div_ceil(60)),
        }
    }
}

/// Why a log-in failed. The same whether the user name or the password was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum LogInError {
    #[error("User name or password is wrong.")]
    Wrong,
    /// The password was not looked at.
    #[error(
        "Too many log-ins failed here, so this one was not tried. The next is possible in {}; or log in from a browser that \
         you have used before.", .seconds.words()
    )]
    TooMany { seconds: Wait },
    /// The password was right.
    #[error(
        "This account is disabled, or its time is over. You are not logged in; an administrator can enable it again."
    )]
    Ended,
    #[error(
        "Proxmox does not answer, so the password was not checked. You are not logged in; try again, or log in with an account of \
         Paddock's own."
    )]
    Unasked,
    /// Proxmox took the password.
    #[error(
        "Another account of this Paddock has the name of your account at Proxmox. You are not logged in; an administrator has to \
         remove that account first."
    )]
    NameTaken,
    #[error(
        "Proxmox asks for a second factor that is neither a code nor a recovery code. You are not logged in; add a TOTP factor to \
         your account at Proxmox."
    )]
    OtherFactor,
    #[error("That code is wrong. You are not logged in yet; try the next one.")]
    WrongFactor,
    #[error(
        "The code came too late, or too many were wrong. You are not logged in; begin again with your password."
    )]
    FactorOver,
    #[error("{0}")]
    Other(ApiError),
}

impl FromServerFnError for LogInError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Other(ApiError::from_server_fn_error(error))
    }
}

/// Why a password or a second factor was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum AccountError {
    #[error("That is not your current password. Nothing was changed.")]
    WrongPassword,
    #[error("Proxmox checks the password of this account. Nothing was changed; change it there.")]
    OfRealm,
    #[error("The current password was wrong too often, so nothing was tried. The next try is possible in {}.", .seconds.words())]
    TooMany { seconds: Wait },
    #[error("The new password has {length} characters; at least {least} are needed. Nothing was changed.")]
    TooShort { length: usize, least: usize },
    #[error("The new password is too long; {most} bytes are the most. Nothing was changed.")]
    TooLong { most: usize },
    #[error(
        "The new password is among those that are guessed first. Nothing was changed; take one of a few words that have nothing \
         to do with each other."
    )]
    KnownBad,
    #[error("The two new passwords differ. Nothing was changed.")]
    Differ,
    #[error("The new password is the old one. Choose another.")]
    Same,
    #[error("That code is wrong, or was used before. Nothing was changed; try the next one.")]
    WrongCode,
    #[error("This account has a second factor already. Nothing was changed; reload the page.")]
    HasFactor,
    #[error("This account has no second factor. Nothing was changed; reload the page.")]
    NoFactor,
    #[error(
        "That took more than a quarter of an hour. Nothing was changed; remove the entry from your authenticator, and begin with the \
         new key."
    )]
    SetupOver,
    #[error("{0}")]
    Other(ApiError),
}

impl AccountError {
    /// The form field to show it at.
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::WrongPassword | Self::OfRealm | Self::TooMany { .. } => Some(Field::CurrentPassword),
            Self::TooShort { .. } | Self::TooLong { .. } | Self::KnownBad | Self::Same => {
                Some(Field::NewPassword)
            }
            Self::Differ => Some(Field::RepeatPassword),
            Self::WrongCode => Some(Field::Code),
            Self::HasFactor | Self::NoFactor | Self::SetupOver | Self::Other(_) => None,
        }
    }
}

impl FromServerFnError for AccountError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Other(ApiError::from_server_fn_error(error))
    }
}
