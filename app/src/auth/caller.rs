//! The person behind a request.

use std::net::IpAddr;

use crate::{domain::access::Role, store::UserId};

/// A logged-in person, as of this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    pub username: String,
    pub role: Role,
    /// Still has the one-time password; may do nothing but change it.
    pub must_change_password: bool,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}
