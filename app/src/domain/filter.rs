//! What the filter field of the guest list matches. The same rule runs on the server, in the browser and for `paddock list`.

mod suggest;

pub use suggest::{Suggestion, suggest};

use super::guest::{BackendKind, Guest};

/// A parsed filter: every word must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Any(String),
    Status(String),
    Backend(String),
    Address(String),
    Name(String),
    Tag(String),
    Node(String),
}

impl Filter {
    /// Words apart by blanks; `status:`, `backend:`, `address:`, `name:`, `tag:` and `node:` narrow a word to
    /// one column; of the last two the whole word must be there.
    pub fn parse(text: &str) -> Self {
        let term = |word: &str| {
            let word = word.to_lowercase();
            match word.split_once(':') {
                Some(("status", value)) => Term::Status(value.to_owned()),
                Some(("backend", value)) => Term::Backend(value.to_owned()),
                Some(("address", value)) => Term::Address(value.to_owned()),
                Some(("name", value)) => Term::Name(value.to_owned()),
                Some(("tag", value)) => Term::Tag(value.to_owned()),
                Some(("node", value)) => Term::Node(value.to_owned()),
                // Anything else with a colon is a piece of an IPv6 address.
                _ => Term::Any(word),
            }
        };
        Self(text.split_whitespace().map(term).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn matches(&self, guest: &Guest) -> bool {
        let name = |text: &str| {
            guest.id.name.as_str().to_lowercase().contains(text)
                || guest.title.as_ref().is_some_and(|title| title.to_lowercase().contains(text))
        };
        let tag = |text: &str| guest.tags.iter().any(|tag| tag.to_lowercase() == text);
        let node = |text: &str| guest.node.as_ref().is_some_and(|node| node.to_lowercase() == text);
        let status = |text: &str| guest.status.as_str().contains(text);
        let address = |text: &str| guest.addresses.iter().any(|address| address.contains(text));
        self.0.iter().all(|term| match term {
            // A whole column from its start, as "status:run" is typed on the way to "status:running".
            Term::Status(text) => guest.status.as_str().starts_with(text.as_str()),
            Term::Backend(text) => names_backend(guest.id.backend, text),
            Term::Address(text) => address(text),
            Term::Name(text) => name(text),
            Term::Tag(text) => tag(text),
            Term::Node(text) => node(text),
            Term::Any(text) => {
                name(text)
                    || status(text)
                    || guest.id.backend.as_str().contains(text.as_str())
                    || address(text)
                    || tag(text)
                    || node(text)
            }
        })
    }
}

fn names_backend(kind: BackendKind, text: &str) -> bool {
    kind.as_str().starts_with(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guest::{GuestId, GuestStatus};

    fn guest() -> Guest {
        Guest {
            addresses: vec!["10.0.3.7".to_owned(), "fd00::7".to_owned()],
            tags: vec!["lab".to_owned()],
            ..Guest::new(GuestId::parse("lxc", "Web-1").unwrap(), GuestStatus::Running)
        }
    }

    #[test]
    fn a_word_matches_name_status_backend_or_address() {
        for text in ["", "web", "WEB-1", "running", "lxc", "10.0.3", "fd00::7", "web running"] {
            assert!(Filter::parse(text).matches(&guest()), "{text:?}");
        }
        for text in ["db", "stopped", "web stopped", "crun"] {
            assert!(!Filter::parse(text).matches(&guest()), "{text:?}");
        }
    }

    #[test]
    fn a_term_looks_at_one_column_only() {
        for text in
            ["status:running", "status:run", "backend:lxc", "name:web", "address:10.", "Status:Running web"]
        {
            assert!(Filter::parse(text).matches(&guest()), "{text:?}");
        }
        assert!(Filter::parse("tag:lab").matches(&guest()));
        for text in ["status:web", "backend:crun", "name:running", "status:unning", "tag:la", "node:pve1"] {
            assert!(!Filter::parse(text).matches(&guest()), "{text:?}");
        }
    }
}
