//! The person behind a request.

use std::{net::IpAddr, sync::Arc};

use crate::{domain::access::Rights, store::UserId};

/// A logged-in person, as of this request, or whoever uses the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `None` for the command line on the host itself.
    pub user: Option<UserId>,
    pub username: String,
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

    /// Whoever uses the command line on the host. Who can read the database there may do everything.
    pub fn command_line(os_user: &str) -> Self {
        Self {
            user: None,
            username: format!("{os_user} (cli)"),
            rights: Arc::new(Rights::of_host()),
            must_change_password: false,
            address: None,
        }
    }
}
