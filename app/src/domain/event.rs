//! Events: what the server tells open pages by itself.
//!
//! ```text
//!   list, as of At ──► stream since At ──► reset      read the list again
//!                                          guests     these rows are so now, those are gone
//!                                          operations these began, went on or ended
//!                                          usage      what guests use, every few seconds
//!                                          news       something of the frame changed
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    guest::GuestId,
    operation::OperationSummary,
    view::{BackendHealth, GuestRow},
};

/// Up to where somebody has been told. Written `BOOT-GUESTS-OPERATIONS-RIGHTS`, each a number; it says nothing to anybody but
/// the server that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct At {
    /// Tells one run of the server from every other.
    pub boot: u64,
    /// The inventory's version.
    pub guests: u64,
    /// The version of what is known of operations.
    pub operations: u64,
    /// Tells one set of rights from every other.
    pub rights: u64,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.boot, self.guests, self.operations, self.rights)
    }
}

/// The text is no place in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a stream of events")]
pub struct UnknownAt;

impl FromStr for At {
    type Err = UnknownAt;

    fn from_str(text: &str) -> Result<Self, UnknownAt> {
        let mut parts = text.split('-').map(|part| part.parse().map_err(|_| UnknownAt));
        let mut next = || parts.next().unwrap_or(Err(UnknownAt));
        let at = Self { boot: next()?, guests: next()?, operations: next()?, rights: next()? };
        if parts.next().is_some() { Err(UnknownAt) } else { Ok(at) }
    }
}

impl From<At> for String {
    fn from(at: At) -> Self {
        at.to_string()
    }
}

impl TryFrom<String> for At {
    type Error = UnknownAt;

    fn try_from(text: String) -> Result<Self, UnknownAt> {
        text.parse()
    }
}

/// Guests that came, went or changed, as one person sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestsChanged {
    /// The server's clock, milliseconds since 1970.
    pub now_ms: i64,
    pub put: Vec<GuestRow>,
    /// Gone, or not to be seen any more.
    pub gone: Vec<GuestId>,
    /// All backends, if the health of one has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backends: Option<Vec<BackendHealth>>,
}

/// Operations that began, went on or ended, as they are now, in the order of the changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationsChanged {
    pub now_ms: i64,
    pub operations: Vec<OperationSummary>,
}

/// What running guests use at the newest moment. Those that use about what they used are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageChanged {
    /// When that was, milliseconds since 1970.
    pub at_ms: i64,
    pub guests: Vec<Used>,
}

/// One guest. A short text and a few numbers: a thousand of them come every few seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used(
    /// As `BACKEND/NAME`.
    pub String,
    /// Thousandths of a core.
    pub Option<u32>,
    /// Bytes.
    pub Option<u64>,
    /// Two characters that go on with its [`Spark`](super::usage::Spark): cpu, memory.
    pub String,
);

/// What the server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What was read may be another now in any part: it was too long ago, or this person's rights have changed.
    Reset,
    Guests(GuestsChanged),
    Operations(OperationsChanged),
    Usage(UsageChanged),
    /// Something that every page shows and is neither a guest nor an operation.
    News,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_its_own_text_and_nothing_else_is_one() {
        let at = At { boot: 1_700_000_000_000, guests: 3, operations: 0, rights: u64::MAX };
        assert_eq!(at.to_string().parse(), Ok(at));
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(serde_json::from_str::<At>(&json).unwrap(), at);
        for text in ["", "1", "1-2-3", "1-2-3-4-5", "1-2-3--4", "a-b-c-d", "1-2-3-99999999999999999999"] {
            assert_eq!(text.parse::<At>(), Err(UnknownAt), "{text:?}");
        }
    }
}
