//! Where Proxmox is, and how its certificate is known.

use std::{fmt, path::PathBuf};

use serde::{Serialize, Serializer};

use super::{
    error::Problem,
    key::{Given, Wrong},
    list::{self, Item},
    read,
};

/// The port of Proxmox's API where an address has none.
const PORT: u16 = 8006;

const EXPECTED: &str = "an address such as \"https://pve1:8006\", with https and without a path";

/// One node's API as it was written, with the trust that is its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointGiven {
    pub url: Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The byte of the settings file at which it begins.
    #[serde(skip)]
    pub at: Option<usize>,
}

/// `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// A name, an IPv4 or a bare IPv6 address.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "https://[{host}]:{port}")
        } else {
            write!(f, "https://{host}:{port}")
        }
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The SHA-256 of a certificate, written `AA:BB:...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Sixty-four hexadecimal digits, with or without colons between the bytes.
pub fn fingerprint(given: Given<'_>) -> Result<Fingerprint, Wrong> {
    read::parsed(given, "a SHA-256 fingerprint: 32 bytes in hexadecimal with colons, \"AA:BB:...\"", |text| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        let bytes: Vec<&str> = match text.contains(':') {
            true => text.split(':').collect(),
            false if digits(text) => {
                (0..text.len()).step_by(2).filter_map(|at| text.get(at..at + 2)).collect()
            }
            false => return None,
        };
        let byte = |hex: &str| (hex.len() == 2 && digits(hex)).then(|| u8::from_str_radix(hex, 16).ok())?;
        let bytes = bytes.into_iter().map(byte).collect::<Option<Vec<u8>>>()?;
        (text.len() == 64 || text.len() == 95).then(|| bytes.try_into().ok().map(Fingerprint))?
    })
}

/// A list of addresses, or of tables with `url` and `fingerprint` or `ca`; as text with commas between addresses.
pub fn list(given: Given<'_>) -> Result<Vec<EndpointGiven>, Wrong> {
    let plain = |url| EndpointGiven { url, fingerprint: None, ca: None, at: None };
    if let Given::Text(text) = given
        && !list::is_toml(text)
    {
        let parts = text.split(',').map(str::trim).enumerate();
        return parts
            .map(|(index, part)| {
                url(Given::Text(part)).map(plain).map_err(|wrong| wrong.inside(&list::number(index), None))
            })
            .collect();
    }
    list::read(given, "a list such as [\"https://pve1:8006\"]", |item| match item {
        Item::Plain(value) => url(value).map(plain),
        Item::Table(table) => {
            table.only(&["url", "fingerprint", "ca"])?;
            let (fingerprint, ca) =
                (table.optional("fingerprint", fingerprint)?, table.optional("ca", read::path)?);
            table.not_both("fingerprint", "ca")?;
            Ok(EndpointGiven { url: table.required("url", EXPECTED, url)?, fingerprint, ca, at: table.at })
        }
    })
    .map(|endpoints| endpoints.into_iter().map(|(at, endpoint)| EndpointGiven { at, ..endpoint }).collect())
}

fn url(given: Given<'_>) -> Result<Url, Wrong> {
    let read = read::parsed(given, EXPECTED, |text| {
        let uri: http::Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        // `host:` is an authority to the parser, and its port none.
        let port = match authority
            .as_str()
            .rsplit_once(']')
            .map_or(authority.as_str(), |(_, port)| port)
            .rsplit_once(':')
        {
            Some((_, port)) => port.parse().ok().filter(|port| *port != 0)?,
            None => PORT,
        };
        let is_bare = uri.scheme_str() == Some("https") && uri.path() == "/" && uri.query().is_none();
        (is_bare && !text.contains(['@', '#', '?']) && read::is_host(host))
            .then(|| Url { host: host.to_owned(), port })
    });
    read.map_err(|wrong| hide_password(given, wrong))
}

/// An address may have been given a user and a password, as browsers take them.
fn hide_password(given: Given<'_>, wrong: Wrong) -> Wrong {
    let text = match given {
        Given::Text(text) => text,
        Given::Toml(value) => value.get_ref().as_str().unwrap_or_default(),
    };
    if text.contains('@') {
        return Problem::WrongUnseen { expected: format!("{EXPECTED} or a user") }.into();
    }
    wrong
}
