//! What lets somebody in: sessions and API tokens, as people are told of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::access::Limit;

/// SHA-256 of a random secret: all that is kept of it.
pub type SecretHash = [u8; 32];

/// The number of a session. It opens nothing by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub i64);

/// The number of an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenId(pub i64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What somebody who is logged in has to do before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    /// Replace the one-time password.
    Password,
    /// Set up a second factor.
    Factor,
}

impl Owed {
    /// The page where that is done.
    pub fn page(self) -> &'static str {
        match self {
            Self::Password => "/account/password",
            Self::Factor => "/account/factor",
        }
    }
}

/// A QR code as one path of an SVG, a unit for each module, without the quiet zone around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    /// Modules at each side.
    pub side: usize,
    pub path: String,
}

/// The second factor of one's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorInfo {
    /// Proxmox checks the password of this account, and asks for its factor itself.
    AtProxmox,
    Off {
        is_required: bool,
        setup: FactorSetup,
    },
    On {
        is_required: bool,
        /// Milliseconds since 1970.
        since_ms: i64,
        /// Recovery codes that are not used up.
        codes_left: u32,
        /// Those just made, which are told for two minutes in the session that made them; else none.
        codes: Vec<String>,
    },
}

/// What an authenticator is to know, until the first of its codes is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorSetup {
    /// To type.
    pub key: String,
    pub qr: QrCode,
}

impl fmt::Debug for FactorSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FactorSetup").finish_non_exhaustive()
    }
}

/// A session that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    pub id: SessionId,
    /// `Firefox on Linux`; what the browser says of itself, which may be untrue.
    pub device: String,
    /// Where its last request came from.
    pub address: Option<String>,
    /// Milliseconds since 1970, as all times here.
    pub begun_ms: i64,
    /// To a few minutes.
    pub seen_ms: i64,
    /// The one that asks.
    pub is_this: bool,
}

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    pub id: TokenId,
    pub name: String,
    pub limit: Limit,
    pub created_ms: i64,
    /// The first millisecond in which it is over.
    pub expires_ms: i64,
    /// To a few minutes; `None` for one that was never used.
    pub used_ms: Option<i64>,
    pub used_address: Option<String>,
}

/// A token just made. This is the one time that its secret is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    pub info: TokenInfo,
    /// What goes behind `Authorization: Bearer`.
    pub bearer: String,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").field("info", &self.info).finish_non_exhaustive()
    }
}
