//! The person behind a request.

use std::{net::IpAddr, sync::Arc};

use crate::{
    backend::Person,
    domain::{
        access::Rights,
        account::{Owed, SessionId, TokenId},
        action::Refusal,
    },
    store::{LOCAL, User, UserId},
};

/// With whose account something is done at a backend where people have accounts of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActsAs {
    /// Paddock's own: for its own users, and for whoever uses the command line.
    Paddock,
    /// Their own, in which they are logged in.
    Person(Person),
    /// Their own, and they are not logged in there: nothing can be done.
    Nobody,
}

impl ActsAs {
    /// Of a user of whom no log-in is at hand.
    pub fn without_log_in(user: &User) -> Self {
        if user.realm == LOCAL { Self::Paddock } else { Self::Nobody }
    }
}

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
    /// What they have to do first; they may do nothing else.
    pub owed: Option<Owed>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    pub acts_as: ActsAs,
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
            owed: None,
            address: None,
            acts_as: ActsAs::Paddock,
        }
    }
}
