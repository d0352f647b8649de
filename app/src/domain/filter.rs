//! What the filter field of the guest list matches. The same rule runs on the server, in the browser and for `paddock list`.

mod suggest;

pub use suggest::{Suggestion, suggest};

use super::guest::{BackendKind, Guest};

/// A parsed filter: every word must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// `None` for a word that may be in any of them.
    part: Option<Part>,
    /// In small letters.
    text: String,
}

/// What of a guest a word can be narrowed to, with its name and a colon before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Status,
    Tag,
    Node,
    Backend,
    Name,
    Address,
}

impl Part {
    /// In the order in which they are offered.
    pub const ALL: [Self; 6] =
        [Self::Status, Self::Tag, Self::Node, Self::Backend, Self::Name, Self::Address];

    /// What stands before a word, with its colon.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Status => "status:",
            Self::Tag => "tag:",
            Self::Node => "node:",
            Self::Backend => "backend:",
            Self::Name => "name:",
            Self::Address => "address:",
        }
    }

    /// What it finds, for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::Status => "running, stopped, paused",
            Self::Tag => "guests that carry a tag",
            Self::Node => "guests of one node",
            Self::Backend => "lxc, crun, Proxmox",
            Self::Name => "a piece of the name",
            Self::Address => "a piece of an address",
        }
    }
}

impl Term {
    fn parse(word: &str) -> Self {
        let word = word.to_lowercase();
        let narrowed =
            Part::ALL.into_iter().find_map(|part| Some((part, word.strip_prefix(part.prefix())?.to_owned())));
        match narrowed {
            Some((part, text)) => Self { part: Some(part), text },
            // Anything else with a colon is a piece of an IPv6 address.
            None => Self { part: None, text: word },
        }
    }
}

/// The words of a filter, each with the filter that is left without it.
pub fn words(text: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let without = |at: usize| [&words[..at], &words[at + 1..]].concat().join(" ");
    words.iter().enumerate().map(|(at, word)| ((*word).to_owned(), without(at))).collect()
}

impl Filter {
    /// Words apart by blanks. One that begins with a [`Part`]'s prefix is narrowed to it; of tags and nodes the whole word
    /// must be there.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(Term::parse).collect())
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
        self.0.iter().all(|Term { part, text }| match part {
            // A whole column from its start, as "status:run" is typed on the way to "status:running".
            Some(Part::Status) => guest.status.as_str().starts_with(text.as_str()),
            Some(Part::Backend) => names_backend(guest.id.backend, text),
            Some(Part::Address) => address(text),
            Some(Part::Name) => name(text),
            Some(Part::Tag) => tag(text),
            Some(Part::Node) => node(text),
            None => {
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
    #[test]
    fn each_word_can_be_taken_out() {
        let rest = |text| words(text).into_iter().map(|(_, rest)| rest).collect::<Vec<_>>();
        assert_eq!(rest(""), [""; 0]);
        assert_eq!(rest("tag:lab"), [""]);
        assert_eq!(rest("  web tag:lab  web "), ["tag:lab web", "web web", "web tag:lab"]);
    }
}
