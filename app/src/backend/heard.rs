//! What a backend that listens by itself has heard.

use crate::domain::name::GuestName;

/// A reason to read; what is true is told by the reading alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Guests have come, gone or moved: the list.
    List,
    /// These alone, perhaps one that is no more.
    Guests(Vec<GuestName>),
}
