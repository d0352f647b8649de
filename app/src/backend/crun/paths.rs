//! Paths of this host that somebody typed, checked before a tool sees them. Pure.

use std::path::{Component, Path};

/// Why a text cannot be used as a path. Says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    #[error("Enter an absolute path, beginning with “/”.")]
    NotAbsolute,
    #[error("The path goes through “..”. Enter it without.")]
    GoesUp,
    #[error("The path contains a control character.")]
    ControlCharacter,
    #[error("The path is longer than 4095 bytes.")]
    TooLong,
    /// skopeo and umoci take what comes after it for a tag.
    #[error("The path contains a colon, which the tools for images cannot handle. Rename it, or link to it.")]
    Colon,
}

/// An absolute path without “..” and control characters.
pub fn absolute(text: &str) -> Result<&Path, BadPath> {
    let path = Path::new(text);
    if text.chars().any(char::is_control) {
        Err(BadPath::ControlCharacter)
    } else if !path.is_absolute() {
        Err(BadPath::NotAbsolute)
    } else if goes_up(path) {
        Err(BadPath::GoesUp)
    } else if text.len() > 4095 {
        Err(BadPath::TooLong)
    } else {
        Ok(path)
    }
}

/// One that can stand in `oci:PATH:TAG`, too.
pub fn for_image_tools(text: &str) -> Result<&Path, BadPath> {
    if text.contains(':') { Err(BadPath::Colon) } else { absolute(text) }
}

pub fn goes_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_plain() {
        let long = format!("/{}", "a".repeat(4095));
        for (text, why) in [
            ("", BadPath::NotAbsolute),
            ("a", BadPath::NotAbsolute),
            ("-a", BadPath::NotAbsolute),
            ("/a/../b", BadPath::GoesUp),
            ("/..", BadPath::GoesUp),
            ("/a\0", BadPath::ControlCharacter),
            ("/a\nb", BadPath::ControlCharacter),
            (&long, BadPath::TooLong),
        ] {
            assert_eq!(absolute(text), Err(why), "{text:?}");
        }
        assert!(absolute("/a b/ü/..c/-d").is_ok());
        assert_eq!(for_image_tools("/a:b"), Err(BadPath::Colon));
        assert!(absolute("/a:b").is_ok());
    }
}
