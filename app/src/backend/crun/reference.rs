//! Names of images in a registry, checked before a tool sees them. Pure.
//!
//! ```text
//!   docker.io/library/alpine:3.20      [HOST[:PORT]/]PATH[:TAG]
//!   alpine@sha256:6457d53f...          [HOST[:PORT]/]PATH@DIGEST
//! ```
//!
//! Without a host it is Docker Hub's, as everywhere.

use std::{fmt, str::FromStr};

/// Longest name without tag and digest.
const LONGEST: usize = 255;

/// An image in a registry. Shown as it was written, without a leading `docker://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// With its port; `None` for Docker Hub.
    host: Option<String>,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text names no image. Says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    #[error("Enter the image's name, such as docker.io/library/alpine:3.20.")]
    Empty,
    #[error("The image's name is longer than {LONGEST} characters.")]
    TooLong,
    #[error(
        "“{0}” is no registry's host. Enter one as in registry.example.org or 127.0.0.1:5000, without a scheme."
    )]
    Host(String),
    #[error(
        "“{0}” cannot stand in an image's name: each part between slashes is of small letters, digits and single \
         dots, underscores or dashes between them."
    )]
    Path(String),
    #[error("“{0}” is no tag: a tag is of letters, digits, underscores, dots and dashes, at most 128.")]
    Tag(String),
    #[error("“{0}” is no digest: enter sha256: and 64 hexadecimal digits.")]
    Digest(String),
    #[error("Name either a tag or a digest of the image, not both.")]
    TagAndDigest,
}

impl Reference {
    /// The one to keep it by on this host: its own, or `latest`.
    pub fn tag(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }

    /// Whether it is this machine itself that is asked; the only one that needs no TLS.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        let name = host.split_once(':').map_or(host, |(name, _)| name);
        name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        f.write_str(&self.path)?;
        match (&self.tag, &self.digest) {
            (_, Some(digest)) => write!(f, "@{digest}"),
            (Some(tag), None) => write!(f, ":{tag}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = BadReference;
    fn from_str(text: &str) -> Result<Self, BadReference> {
        let text = text.strip_prefix("docker://").unwrap_or(text);
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash is of the host's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if name.is_empty() {
            return Err(BadReference::Empty);
        }
        if name.len() > LONGEST {
            return Err(BadReference::TooLong);
        }
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if is_meant_as_host(host) => (Some(host), path),
            _ => (None, name),
        };
        if let Some(host) = host.filter(|host| !is_host(host)) {
            return Err(BadReference::Host(shown(host)));
        }
        if let Some(part) = path.split('/').find(|part| !is_path_part(part)) {
            return Err(BadReference::Path(shown(part)));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(BadReference::Tag(shown(tag)));
        }
        if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
            return Err(BadReference::Digest(shown(digest)));
        }
        if tag.is_some() && digest.is_some() {
            return Err(BadReference::TagAndDigest);
        }
        Ok(Self {
            host: host.map(str::to_owned),
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

/// As much of it as fits in a sentence, without anything that would spoil a screen.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The rule by which every tool tells a host from the first part of a path.
fn is_meant_as_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    name.split('.').all(is_label) && port.is_none_or(is_port)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_part(part: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_end = |b: Option<&u8>| b.is_some_and(|b| is_word(*b));
    let bytes = part.as_bytes();
    if !is_end(bytes.first()) || !is_end(bytes.last()) {
        return false;
    }
    bytes
        .split(|b| is_word(*b))
        .all(|between| matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|b| *b == b'-'))
}

/// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
pub fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    let is_hex = |hex: &str| hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_hex(hex))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:6457d53fb065d6f250e1504b9bc42d5b6c65941d57532c072d929dd0628977d0";

    #[test]
    fn an_images_name_is_taken_apart_as_the_tools_do_it() {
        let long = "a".repeat(255);
        for (text, tag, is_loopback) in [
            ("alpine", "latest", false),
            ("library/alpine:3.20", "3.20", false),
            ("docker.io/library/alpine:3.20", "3.20", false),
            ("localhost/x", "latest", true),
            ("localhost:5000/x/y_z/a--b:v_1", "v_1", true),
            ("127.0.0.1:5000/x:1", "1", true),
            ("127.8.9.1/x:1", "1", true),
            ("128.0.0.1:5000/x:1", "1", false),
            ("localhost.example.org/x:1", "1", false),
            (long.as_str(), "latest", false),
            (&format!("ghcr.io/a/b@{DIGEST}"), "latest", false),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.to_string().as_str(), reference.tag()), (text, tag));
            assert_eq!(reference.is_loopback(), is_loopback, "{text}");
        }
        let with_scheme: Reference = "docker://alpine:3".parse().unwrap();
        assert_eq!(with_scheme.to_string(), "alpine:3");
    }

    #[test]
    fn what_names_no_image_says_what_to_change() {
        let too_long = "a".repeat(256);
        let both = format!("alpine:3@{DIGEST}");
        let path = |part: &str| BadReference::Path(part.to_owned());
        for (text, why) in [
            ("", BadReference::Empty),
            (":3", BadReference::Empty),
            ("@", BadReference::Empty),
            (too_long.as_str(), BadReference::TooLong),
            ("Alpine", path("Alpine")),
            ("a//b", path("")),
            ("/a", path("")),
            ("a/", path("")),
            ("-rf", path("-rf")),
            ("--help", path("--help")),
            ("a..b/c", BadReference::Host("a..b".into())),
            ("a b", path("a b")),
            ("a\nb", path("a\u{fffd}b")),
            ("../etc", BadReference::Host("..".into())),
            ("https://x.org/a", BadReference::Host("https:".into())),
            ("x.org:0/a", BadReference::Host("x.org:0".into())),
            ("x.org:99999/a", BadReference::Host("x.org:99999".into())),
            ("x.org:+80/a", BadReference::Host("x.org:+80".into())),
            ("[::1]:5000/a", BadReference::Host("[::1]:5000".into())),
            ("user:pass@x.org/a", BadReference::Digest("x.org/a".into())),
            ("a:", BadReference::Tag(String::new())),
            ("a:-x", BadReference::Tag("-x".into())),
            ("a:x y", BadReference::Tag("x y".into())),
            ("a@sha256:12", BadReference::Digest("sha256:12".into())),
            (&both, BadReference::TagAndDigest),
        ] {
            assert_eq!(text.parse::<Reference>(), Err(why), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_nothing_panics_and_what_is_taken_is_plain(text in prop_oneof![
            ".{0,64}", "[a-zA-Z0-9:/@._-]{0,64}", "[a-z0-9]{1,4}(\\.[a-z]{1,3})?(:[0-9]{1,5})?/[a-z]{1,4}(:[a-z0-9]{0,3})?"
        ]) {
            if let Ok(reference) = text.parse::<Reference>() {
                let shown = reference.to_string();
                prop_assert_eq!(shown.as_str(), text.strip_prefix("docker://").unwrap_or(&text));
                prop_assert!(shown.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/@".contains(&b)));
                prop_assert!(!shown.starts_with('-') && !shown.contains(".."));
                prop_assert_eq!(shown.parse::<Reference>(), Ok(reference));
            }
        }
    }
}
