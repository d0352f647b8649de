//! REQUEST: who is calling a server function, and how its result becomes a reply.
//!
//! The one file that maps the errors of the rooms below outward.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, RETRY_AFTER},
    request::Parts,
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::{
    api::{AccountError, ApiError, LogInError, Wait},
    auth::{Caller, password},
    domain::{account::Owed, action::Refusal, operation::OperationId},
    service::{AccountFailure, AppState, Error, LogInFailure, Visit, accounts::LoggedIn},
    store::StoreError,
};

/// Set on every reply that a server function chose itself. A reply without it failed before any function ran, in
/// the decoding of its arguments.
pub const CHOSEN: HeaderName = HeaderName::from_static("paddock-reply");

/// What the browser is to keep, to be known again. The server's layers make a cookie of it.
pub const DEVICE: HeaderName = HeaderName::from_static("paddock-device");

/// This request before it is known who makes it.
pub fn visit() -> Result<Visit, Error> {
    from_request("no visit in the request")
}

/// Whoever is logged in, even with a one-time password.
pub fn any_caller() -> Result<Caller, Error> {
    let parts = use_context::<Parts>().ok_or(Error::Unwired("no request in context"))?;
    parts.extensions.get::<Caller>().cloned().ok_or(Error::NotLoggedIn)
}

/// The state and the caller: the first line of every server function.
pub fn context() -> Result<(AppState, Caller), Error> {
    let caller = any_caller()?;
    match caller.owed {
        Some(Owed::Password) => return Err(Error::PasswordChangeDue),
        Some(Owed::Factor) => return Err(Error::FactorDue),
        None => {}
    }
    Ok((visit()?.state, caller))
}

fn from_request<T: Clone + Send + Sync + 'static>(missing: &'static str) -> Result<T, Error> {
    let parts = use_context::<Parts>().ok_or(Error::Unwired("no request in context"))?;
    parts.extensions.get::<T>().cloned().ok_or(Error::Unwired(missing))
}

/// Runs the body of a server function and sets the reply's status.
///
/// A form that was sent without JavaScript must be answered with a redirect, so there the status stays as it is.
pub async fn reply<T, E: Status>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let result = work.await;
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(CHOSEN, HeaderValue::from_static("1"));
        if let Err(error) = &result
            && !wants_page()
        {
            options.set_status(error.status());
            if let Some(seconds) = error.retry_after() {
                options.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
    }
    result
}

/// The answer is a page: a form was sent without JavaScript.
pub fn wants_page() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        parts.headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"))
    })
}

/// Sends the person to another page of this site. For paths that Paddock made: one with a line break is dropped.
pub fn redirect(path: &str) {
    if HeaderValue::from_str(path).is_ok() {
        leptos_axum::redirect(path);
    }
}

/// Sends whoever is in, or is to answer more, to where that goes on.
pub fn logged_in(done: LoggedIn) {
    if let Some(device) = done.device {
        keep_device(&device);
    }
    redirect(&done.landing);
}

/// Lets the browser keep this, to be known again.
fn keep_device(secret: &str) {
    if let (Some(options), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(secret)) {
        options.insert_header(DEVICE, value);
    }
}

/// An error's HTTP status.
pub trait Status {
    fn status(&self) -> StatusCode;

    /// In how many seconds it is worth to try again.
    fn retry_after(&self) -> Option<u64> {
        None
    }
}

impl Status for ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotLoggedIn => StatusCode::UNAUTHORIZED,
            Self::PasswordChangeDue | Self::FactorDue => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Damaged { .. } | Self::Internal { .. } | Self::Unreachable => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Refused(refusal) => match refusal {
                Refusal::Name(_) | Refusal::Field { .. } | Refusal::NeedsSecret => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                Refusal::NotFound { .. } => StatusCode::NOT_FOUND,
                Refusal::Denied { .. }
                | Refusal::DeniedByToken { .. }
                | Refusal::NeedsSession
                | Refusal::DeniedByBackend { .. }
                | Refusal::NeedsOwnLogIn { .. } => StatusCode::FORBIDDEN,
                Refusal::AlreadyExists { .. }
                | Refusal::WrongState { .. }
                | Refusal::IsTemplate { .. }
                | Refusal::Locked { .. }
                | Refusal::PlanChanged { .. }
                | Refusal::Busy { .. } => StatusCode::CONFLICT,
                Refusal::Unsupported { .. } => StatusCode::NOT_IMPLEMENTED,
                Refusal::Unavailable { .. } | Refusal::NotReady { .. } | Refusal::ShuttingDown => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            },
        }
    }
}

impl Status for LogInError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Wrong | Self::Ended | Self::OtherFactor | Self::WrongFactor | Self::FactorOver => {
                StatusCode::UNAUTHORIZED
            }
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NameTaken => StatusCode::CONFLICT,
            Self::Unasked => StatusCode::SERVICE_UNAVAILABLE,
            Self::Other(error) => error.status(),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { seconds } => Some(seconds.0),
            _ => None,
        }
    }
}

impl Status for AccountError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Other(error) => error.status(),
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { seconds } => Some(seconds.0),
            _ => None,
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotLoggedIn => Self::NotLoggedIn,
            Error::PasswordChangeDue => Self::PasswordChangeDue,
            Error::FactorDue => Self::FactorDue,
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::NotFound => Self::NotFound,
            Error::Store(StoreError::Damaged { table: "operations", id, what }) => {
                tracing::error!(operation = id, what, "a damaged record cannot be shown");
                Self::Damaged { operation: OperationId(id) }
            }
            inner => {
                let reference = reference();
                tracing::error!(reference, error = %inner, "request failed");
                Self::Internal { reference }
            }
        }
    }
}

/// Tells one failure in the log from the others: its number since the start, with the start's second.
fn reference() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl From<LogInFailure> for LogInError {
    fn from(failure: LogInFailure) -> Self {
        match failure {
            LogInFailure::Wrong => Self::Wrong,
            LogInFailure::TooMany { seconds } => Self::TooMany { seconds: Wait(seconds) },
            LogInFailure::Ended => Self::Ended,
            LogInFailure::Unasked => Self::Unasked,
            LogInFailure::NameTaken => Self::NameTaken,
            LogInFailure::OtherFactor => Self::OtherFactor,
            LogInFailure::WrongFactor => Self::WrongFactor,
            LogInFailure::FactorOver => Self::FactorOver,
            LogInFailure::Other(error) => Self::Other(error.into()),
        }
    }
}

impl From<Error> for LogInError {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<AccountFailure> for AccountError {
    fn from(failure: AccountFailure) -> Self {
        match failure {
            AccountFailure::WrongPassword => Self::WrongPassword,
            AccountFailure::OfRealm => Self::OfRealm,
            AccountFailure::TooMany { seconds } => Self::TooMany { seconds: Wait(seconds) },
            AccountFailure::TooShort { length } => Self::TooShort { length, least: password::SHORTEST },
            AccountFailure::TooLong => Self::TooLong { most: password::LONGEST },
            AccountFailure::KnownBad => Self::KnownBad,
            AccountFailure::Differ => Self::Differ,
            AccountFailure::Same => Self::Same,
            AccountFailure::WrongCode => Self::WrongCode,
            AccountFailure::HasFactor => Self::HasFactor,
            AccountFailure::NoFactor => Self::NoFactor,
            AccountFailure::SetupOver => Self::SetupOver,
            AccountFailure::Other(error) => Self::Other(error.into()),
        }
    }
}

impl From<Error> for AccountError {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}
