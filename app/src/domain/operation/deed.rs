//! What an operation did: an action of Paddock's, somebody else's task, or a change that was seen.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::{action::GuestAction, guest::GuestStatus};

/// What was done. As text, in the database and in addresses: an action's word, `task:TYPE`, `observed:CHANGE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Deed {
    Action(GuestAction),
    /// A Proxmox task that is none of our actions, by Proxmox's own word for its type: `vncproxy`.
    Task(String),
    /// A change that was seen on the host while nothing of ours was at work on the guest.
    Observed(Seen),
}

/// A change of a guest as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    Appeared,
    Gone,
    Became(GuestStatus),
}

impl Seen {
    const APPEARED: &'static str = "appeared";
    const GONE: &'static str = "gone";

    fn as_str(self) -> &'static str {
        match self {
            Self::Appeared => Self::APPEARED,
            Self::Gone => Self::GONE,
            Self::Became(status) => status.as_str(),
        }
    }
}

impl Deed {
    /// The action, where it is one.
    pub fn action(&self) -> Option<GuestAction> {
        match self {
            Self::Action(action) => Some(*action),
            Self::Task(_) | Self::Observed(_) => None,
        }
    }

    /// As a heading: "Shut down", "vncproxy", "Seen running".
    pub fn label(&self) -> String {
        match self {
            Self::Action(action) => action.label().to_owned(),
            Self::Task(kind) => kind.clone(),
            Self::Observed(change) => format!("Seen {}", change.as_str()),
        }
    }
}

impl From<GuestAction> for Deed {
    fn from(action: GuestAction) -> Self {
        Self::Action(action)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(action) => action.fmt(f),
            Self::Task(kind) => write!(f, "task:{kind}"),
            Self::Observed(change) => write!(f, "observed:{}", change.as_str()),
        }
    }
}

impl From<Deed> for String {
    fn from(deed: Deed) -> Self {
        deed.to_string()
    }
}

/// The text says nothing that is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is nothing that is done to a guest")]
pub struct UnknownDeed(pub String);

impl FromStr for Deed {
    type Err = UnknownDeed;
    fn from_str(text: &str) -> Result<Self, UnknownDeed> {
        let unknown = || UnknownDeed(text.chars().take(40).collect());
        match text.split_once(':') {
            None => text.parse().map(Self::Action).map_err(|_| unknown()),
            Some(("task", kind)) if !kind.is_empty() => Ok(Self::Task(kind.to_owned())),
            Some(("observed", Seen::APPEARED)) => Ok(Self::Observed(Seen::Appeared)),
            Some(("observed", Seen::GONE)) => Ok(Self::Observed(Seen::Gone)),
            Some(("observed", status)) => GuestStatus::ALL
                .into_iter()
                .find(|known| known.as_str() == status)
                .map(|status| Self::Observed(Seen::Became(status)))
                .ok_or_else(unknown),
            Some(_) => Err(unknown()),
        }
    }
}

impl TryFrom<String> for Deed {
    type Error = UnknownDeed;
    fn try_from(text: String) -> Result<Self, UnknownDeed> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_survives_its_way_through_text() {
        let deeds = [
            Deed::Action(GuestAction::DeleteSnapshot),
            Deed::Task("vncproxy".to_owned()),
            Deed::Observed(Seen::Appeared),
            Deed::Observed(Seen::Gone),
            Deed::Observed(Seen::Became(GuestStatus::Paused)),
        ];
        for deed in deeds {
            assert_eq!(deed.to_string().parse(), Ok(deed));
        }
        for text in ["", "explode", "task:", "observed:", "observed:eaten", "paddock:start"] {
            assert!(text.parse::<Deed>().is_err(), "{text}");
        }
    }
}
