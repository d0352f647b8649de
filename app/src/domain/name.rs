//! Names of guests: the one gate between what somebody typed and what a tool is handed.
//!
//! `lxc-create` hardly validates names (`../x` leaves a directory outside its path, `a b` writes into three places,
//! `.hidden` is created and never listed), so nothing that fails here reaches an argv or a path.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest name that Paddock gives to a new guest: one DNS label, as a guest's name becomes its host name.
pub const LONGEST_NEW: usize = 63;
/// Longest name of a guest made by another tool (podman names crun containers with 64 hexadecimal digits).
pub const LONGEST_FOUND: usize = 128;

/// A valid guest name: a letter or digit, then letters, digits, `.`, `_` and `-`, all ASCII.
///
/// Safe as one argv word (no leading dash), as one path component (no slash, no leading dot) and in a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GuestName(String);

/// Why a text is not a guest name. Says what to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NameError {
    #[error("Enter a name.")]
    Empty,
    #[error("The name has {length} characters; {limit} is the most.")]
    TooLong { length: usize, limit: usize },
    #[error("A name starts with a letter from a to z or a digit, not with {}.", shown(*.found))]
    BadStart { found: char },
    #[error(
        "A name cannot contain {}. Use letters from a to z, digits, dots, underscores and dashes.",
        shown(*.found)
    )]
    BadCharacter { found: char },
}

/// A character as a person can read it: blanks and control characters by name.
fn shown(c: char) -> String {
    match c {
        ' ' => "a blank".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        c if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
        c => format!("“{c}”"),
    }
}

/// A name that people give to what is theirs and only people read: 1 to `longest` letters, digits, blanks, dots, underscores
/// and dashes, without the blanks around it. `None` for what is none.
pub fn label(text: &str, longest: usize) -> Option<&str> {
    let text = text.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    (!text.is_empty() && text.chars().count() <= longest && text.chars().all(fits)).then_some(text)
}

impl GuestName {
    /// The name for a guest about to be made.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Self::checked(text, LONGEST_NEW)
    }

    /// The name of a guest that exists already, perhaps made by another tool: same alphabet, longer allowed.
    pub fn found(text: &str) -> Result<Self, NameError> {
        Self::checked(text, LONGEST_FOUND)
    }

    fn checked(text: &str, limit: usize) -> Result<Self, NameError> {
        let first = text.chars().next().ok_or(NameError::Empty)?;
        if !first.is_ascii_alphanumeric() {
            return Err(NameError::BadStart { found: first });
        }
        let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if let Some(found) = text.chars().find(|c| !allowed(c)) {
            return Err(NameError::BadCharacter { found });
        }
        // Every character is ASCII by now, so bytes are characters.
        if text.len() > limit {
            return Err(NameError::TooLong { length: text.len(), limit });
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GuestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for GuestName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::found(text)
    }
}

impl TryFrom<String> for GuestName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::found(&text)
    }
}

impl From<GuestName> for String {
    fn from(name: GuestName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_accepted() {
        for name in ["web1", "a", "0", "db-2.internal_x", "A9", &"x".repeat(63)] {
            assert_eq!(GuestName::new(name).map(String::from), Ok(name.to_owned()));
        }
    }

    #[test]
    fn hostile_names_are_refused_with_the_reason() {
        let long = "x".repeat(300);
        for (name, why) in [
            ("", NameError::Empty),
            ("../x", NameError::BadStart { found: '.' }),
            ("a b", NameError::BadCharacter { found: ' ' }),
            ("-n", NameError::BadStart { found: '-' }),
            (".hidden", NameError::BadStart { found: '.' }),
            ("ü", NameError::BadStart { found: 'ü' }),
            ("aü", NameError::BadCharacter { found: 'ü' }),
            ("a\nb", NameError::BadCharacter { found: '\n' }),
            ("web1\n", NameError::BadCharacter { found: '\n' }),
            ("a/b", NameError::BadCharacter { found: '/' }),
            ("a\0", NameError::BadCharacter { found: '\0' }),
            (&long, NameError::TooLong { length: 300, limit: 63 }),
        ] {
            assert_eq!(GuestName::new(name), Err(why), "{name:?}");
        }
    }

    #[test]
    fn a_podman_id_can_be_found_but_not_given() {
        let id = "f".repeat(64);
        assert!(GuestName::found(&id).is_ok());
        assert_eq!(GuestName::new(&id), Err(NameError::TooLong { length: 64, limit: 63 }));
    }

    #[test]
    fn a_name_from_json_passes_the_same_gate() {
        assert!(serde_json::from_str::<GuestName>("\"web1\"").is_ok());
        assert!(serde_json::from_str::<GuestName>("\"../x\"").is_err());
    }

    #[test]
    fn unreadable_characters_are_named() {
        assert!(NameError::BadCharacter { found: '\u{1b}' }.to_string().contains("U+001B"));
        assert!(NameError::BadCharacter { found: '\n' }.to_string().contains("a line break"));
    }
}
