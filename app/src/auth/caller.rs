//! The person behind a request.

use std::{net::IpAddr, sync::Arc};

use crate::{
    domain::{
        access::Rights,
        account::{SessionId, TokenId},
        action::Refusal,
    },
    store::UserId,
};

/// What somebody is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The host itself lets them use the command line.
    CommandLine,
    Session(SessionId),
    Token(TokenId),
}

/// A logged-in person, as of this request, or whoever uses the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `None` for the command line on the host itself.
    pub user: Option<UserId>,
    pub username: String,
    pub credential: Credential,
    /// As of this request; ask `auth::policy`.
    pub rights: Arc<Rights>,
    /// Still has the one-time password; may do nothing but change it.
    pub must_change_password: bool,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// The address as it is written down.
    pub fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// The session, for what only a person who has logged in does.
    pub fn session(&self) -> Result<(UserId, SessionId), Refusal> {
        match (self.user, self.credential) {
            (Some(user), Credential::Session(session)) => Ok((user, session)),
            _ => Err(Refusal::NeedsSession),
        }
    }

    /// Whoever uses the command line on the host. Who can read the database there may do everything.
    pub fn command_line(os_user: &str) -> Self {
        Self {
            user: None,
            username: format!("{os_user} (cli)"),
            credential: Credential::CommandLine,
            rights: Arc::new(Rights::of_host()),
            must_change_password: false,
            address: None,
        }
    }
}
