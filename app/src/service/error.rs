//! What a use case can answer instead of its result.

use crate::{
    auth::{password::HashError, seal::SealError, token::NoRandom},
    backend,
    domain::{action::Refusal, failure::FailureKind},
    store::StoreError,
};

/// Of most use cases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("nobody is logged in")]
    NotLoggedIn,
    #[error("the one-time password must be replaced first")]
    PasswordChangeDue,
    #[error("a second factor must be set up first")]
    FactorDue,
    /// Nothing was run, and the person is told why.
    #[error("{0}")]
    Refused(Refusal),
    #[error("not found")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Backend(#[from] backend::Error),
    #[error(transparent)]
    Password(#[from] HashError),
    #[error(transparent)]
    Random(#[from] NoRandom),
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It was sealed with another key than that of now.
    #[error(
        "the second factor of {user} cannot be read: the key of the history is another one than when it was set up. Restore \
         that file, or take the factor off: paddock user remove-factor {user}"
    )]
    Sealed { user: String },
    #[error("the session could not be read or written: {0}")]
    Session(#[from] tower_sessions::session::Error),
    #[error("a part of Paddock ended early: {0}")]
    Crashed(#[from] tokio::task::JoinError),
    #[error("an export could not be written: {0}")]
    Export(#[from] std::io::Error),
    #[error("the request did not pass Paddock's own layers: {0}")]
    Unwired(&'static str),
}

impl Error {
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Backend(error) => error.kind(),
            Self::NotFound => FailureKind::NotFound,
            Self::NotLoggedIn | Self::PasswordChangeDue | Self::FactorDue => FailureKind::Denied,
            Self::Store(_)
            | Self::Password(_)
            | Self::Random(_)
            | Self::Seal(_)
            | Self::Sealed { .. }
            | Self::Session(_)
            | Self::Crashed(_)
            | Self::Export(_)
            | Self::Unwired(_) => FailureKind::Internal,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Of a request with an API token. Its text is what the client is told.
#[derive(Debug, thiserror::Error)]
pub enum TokenFailure {
    #[error(
        "This API token is not valid: it is mistyped, or it was removed. Nothing was done; make one on your account's page."
    )]
    Unknown,
    #[error("This API token is over since {since}. Nothing was done; make a new one on your account's page.")]
    Expired { since: String },
    #[error(
        "The account of this API token is disabled, or its time is over. Nothing was done; an administrator can enable it again."
    )]
    Ended,
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<Refusal> for LogInFailure {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal.into())
    }
}

impl From<StoreError> for TokenFailure {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// Of a log-in.
#[derive(Debug, thiserror::Error)]
pub enum LogInFailure {
    #[error("user name or password is wrong")]
    Wrong,
    /// After too many wrong ones; the password was not checked.
    #[error("too many failed log-ins; the next try is possible in {seconds} s")]
    TooMany { seconds: u64 },
    /// The password is right, and the account is disabled or over.
    #[error("the account is disabled or over")]
    Ended,
    /// Proxmox did not answer.
    #[error("Proxmox could not be asked")]
    Unasked,
    /// Proxmox let them in, and another account here has that name.
    #[error("another account has the name of one of Proxmox")]
    NameTaken,
    /// The password is right, and the factor asked for is none that can be typed.
    #[error("Proxmox asks for a factor that cannot be typed")]
    OtherFactor,
    #[error("the second factor is wrong")]
    WrongFactor,
    /// No factor is waited for any more: too late, or too many tries.
    #[error("the second factor is not waited for any more")]
    FactorOver,
    #[error(transparent)]
    Other(#[from] Error),
}

/// Of a change of one's own password or second factor.
#[derive(Debug, thiserror::Error)]
pub enum AccountFailure {
    #[error("the current password is wrong")]
    WrongPassword,
    /// It is Proxmox's to change.
    #[error("the password is Proxmox's")]
    OfRealm,
    /// After too many wrong ones; the password was not checked.
    #[error("too many wrong passwords; the next try is possible in {seconds} s")]
    TooMany { seconds: u64 },
    #[error("the new password is too short")]
    TooShort { length: usize },
    #[error("the new password is too long")]
    TooLong,
    #[error("the new password is among those that are guessed first")]
    KnownBad,
    #[error("the new passwords differ")]
    Differ,
    #[error("the new password is the old one")]
    Same,
    /// Of the second factor, or taken before.
    #[error("the code is wrong")]
    WrongCode,
    #[error("there is a second factor already")]
    HasFactor,
    #[error("there is no second factor")]
    NoFactor,
    /// The key that the authenticator was told is no longer waited for.
    #[error("the second factor was set up too late")]
    SetupOver,
    #[error(transparent)]
    Other(#[from] Error),
}

impl AccountFailure {
    /// `None` where Paddock itself failed.
    pub fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::WrongPassword | Self::WrongCode | Self::TooMany { .. } => Some(FailureKind::Denied),
            Self::OfRealm
            | Self::TooShort { .. }
            | Self::TooLong
            | Self::KnownBad
            | Self::Differ
            | Self::Same
            | Self::HasFactor
            | Self::NoFactor
            | Self::SetupOver => Some(FailureKind::Invalid),
            Self::Other(error) => Some(error.kind()).filter(|kind| *kind != FailureKind::Internal),
        }
    }
}
