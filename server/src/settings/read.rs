//! Reads single values. Each reader says what it expects in words that fit after "It must be".

use std::{
    borrow::Cow,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use app::domain::guest::BackendKind;
use toml::de::DeValue;

use super::{
    error::Problem,
    key::{Given, Wrong},
};

/// Most characters of a wrong value that are shown.
const SHOWN: usize = 60;

/// The longest host name, in characters.
const LONGEST_HOST: usize = 253;

/// `127.0.0.1:3000`.
pub fn address(given: Given<'_>) -> Result<SocketAddr, Wrong> {
    parsed(given, "an IP address and a port, such as \"127.0.0.1:3000\"", |text| text.parse().ok())
}

/// True or false; in a variable also `1`, `yes`, `on` and their opposites.
pub fn flag(given: Given<'_>) -> Result<bool, Wrong> {
    match given {
        Given::Toml(value) => {
            value.get_ref().as_bool().ok_or_else(|| wrong(given, "true or false, without quotes"))
        }
        Given::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(wrong(given, "true or false")),
        },
    }
}

/// A whole number from `LEAST` to `MOST`.
pub fn whole<const LEAST: u64, const MOST: u64>(given: Given<'_>) -> Result<u64, Wrong> {
    let number = match given {
        Given::Toml(value) => value
            .get_ref()
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok()),
        Given::Text(text) => text.parse().ok(),
    };
    number
        .filter(|number| (LEAST..=MOST).contains(number))
        .ok_or_else(|| wrong(given, &format!("a whole number from {LEAST} to {MOST}")))
}

/// Days, up to a hundred years of them.
pub fn days(given: Given<'_>) -> Result<u32, Wrong> {
    let days = whole::<0, 36_500>(given)?;
    u32::try_from(days).map_err(|_| wrong(given, "a whole number from 0 to 36500"))
}

/// A path. One in a file is absolute, as nobody knows the working directory of whatever reads the file; one in a
/// variable or an option may be relative to the working directory.
pub fn path(given: Given<'_>) -> Result<PathBuf, Wrong> {
    match given {
        Given::Toml(_) => absolute(given),
        Given::Text(text) => std::path::absolute(text).map_err(|_| wrong(given, "a path")),
    }
}

/// The path of a file with a secret. Absolute wherever it is given, and never shown when wrong: somebody may have
/// put the secret itself there.
pub fn secret_path(given: Given<'_>) -> Result<PathBuf, Wrong> {
    let unseen = |_| {
        let expected =
            "the absolute path of a file that holds the secret (the secret itself never stands here)"
                .to_owned();
        Problem::WrongUnseen { expected }.into()
    };
    absolute(given).map_err(unseen)
}

fn absolute(given: Given<'_>) -> Result<PathBuf, Wrong> {
    let usable = |text: &str| Path::new(text).is_absolute() && !text.contains('\0');
    parsed(given, "an absolute path, in quotes", |text| usable(text).then(|| PathBuf::from(text)))
}

/// `lxc`, `crun`, `proxmox-lxc` or `proxmox-vm`.
pub fn backend(given: Given<'_>) -> Result<BackendKind, Wrong> {
    let kinds = BackendKind::ALL.map(|kind| format!("\"{kind}\"")).join(", ");
    parsed(given, &format!("one of {kinds}"), |text| text.parse().ok())
}

/// A node's name, as it stands in the API's paths.
pub fn node(given: Given<'_>) -> Result<String, Wrong> {
    let is_label = |text: &str| {
        (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    parsed(given, "the name of a node, such as \"pve1\"", |text| is_label(text).then(|| text.to_owned()))
}

/// `user@realm`.
pub fn user(given: Given<'_>) -> Result<String, Wrong> {
    parsed(given, "a Proxmox user with its realm, such as \"paddock@pve\"", |text| {
        is_user(text).then(|| text.to_owned())
    })
}

/// `user@realm!name`.
pub fn token_id(given: Given<'_>) -> Result<String, Wrong> {
    let is_token = |text: &str| text.split_once('!').is_some_and(|(user, name)| is_user(user) && is_id(name));
    parsed(given, "the id of a Proxmox API token, such as \"paddock@pve!dashboard\"", |text| {
        is_token(text).then(|| text.to_owned())
    })
}

/// It stands in a header of each request, so nothing that is not printable ASCII comes through.
fn is_user(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, realm)| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'/' | b'!' | b'@'))
            && is_id(realm)
    })
}

/// Proxmox's own rule for the names of realms and tokens.
fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// A host's name or address, without brackets.
pub fn is_host(text: &str) -> bool {
    let is_name = |text: &str| {
        (1..=LONGEST_HOST).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
            && !text.starts_with(['.', '-'])
    };
    is_name(text) || text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// The value as text, made into something by `make`.
pub fn parsed<T>(given: Given<'_>, expected: &str, make: impl FnOnce(&str) -> Option<T>) -> Result<T, Wrong> {
    let text = match given {
        Given::Toml(value) => value.get_ref().as_str(),
        Given::Text(text) => Some(text),
    };
    text.and_then(make).ok_or_else(|| wrong(given, expected))
}

/// That this is not what was expected.
pub fn wrong(given: Given<'_>, expected: &str) -> Wrong {
    let found = match given {
        Given::Text(text) => quoted(text).into(),
        Given::Toml(value) => shown(value.get_ref()),
    };
    Problem::Wrong { found: found.into_owned(), expected: expected.to_owned() }.into()
}

fn shown<'a>(value: &'a DeValue<'_>) -> Cow<'a, str> {
    match value {
        DeValue::String(text) => quoted(text).into(),
        DeValue::Integer(number) => format!("the number {number}").into(),
        DeValue::Float(number) => format!("the number {number}").into(),
        DeValue::Boolean(flag) => flag.to_string().into(),
        DeValue::Datetime(date) => format!("the date {date}").into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// In quotes, control characters escaped, cut where it gets long.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
