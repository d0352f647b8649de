//! CHECKS: what somebody typed, before any request is made of it. Each refusal names the form's field and says what
//! to enter instead.

pub mod request;

use std::net::IpAddr;

use crate::{backend::Error, domain::action::Field};

/// Characters that Proxmox keeps of a description.
pub const LONGEST_DESCRIPTION: usize = 8192;
/// Bytes in a MiB: the unit of memory and swap.
pub const MIB: u64 = 1 << 20;
/// Bytes in a GiB: the unit of a new disk.
pub const GIB: u64 = 1 << 30;
/// VMIDs of Proxmox.
pub const VMIDS: std::ops::RangeInclusive<u32> = 100..=999_999_999;

const LEAST_MEMORY_MIB: u64 = 16;
const MOST_MEMORY_MIB: u64 = 8 << 20;
const MOST_DISK_GIB: u32 = 131_072;
const SHORTEST_PASSWORD: usize = 5;
const LONGEST_PASSWORD: usize = 4096;
const LONGEST_KEY: usize = 16 * 1024;
const LONGEST_COMMAND: usize = 64 * 1024;

pub fn invalid(field: Field, message: impl Into<String>) -> Error {
    Error::Invalid { field, message: message.into() }
}

fn quoted(text: &str) -> String {
    format!("“{}”", text.chars().take(60).collect::<String>().escape_debug())
}

/// First and last by `edge`, all by `inner`, and at most so many bytes.
fn is_word(text: &str, most: usize, edge: impl Fn(char) -> bool, inner: impl Fn(char) -> bool) -> bool {
    text.len() <= most
        && text.chars().next().is_some_and(&edge)
        && text.chars().next_back().is_some_and(&edge)
        && text.chars().all(inner)
}

fn alnum(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

pub fn node(text: &str) -> Result<(), Error> {
    if is_word(text, 63, alnum, |c| alnum(c) || c == '-') {
        return Ok(());
    }
    Err(invalid(Field::Node, format!("{} is no name of a node: letters, digits and dashes.", quoted(text))))
}

pub fn storage(text: &str) -> Result<(), Error> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && text.len() > 1 && is_word(text, 100, alnum, |c| alnum(c) || "-_.".contains(c)) {
        return Ok(());
    }
    Err(invalid(
        Field::Storage,
        format!("{} is no name of a storage: a letter, then letters, digits, dots, dashes.", quoted(text)),
    ))
}

/// A volume as Proxmox names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeId<'a> {
    pub storage: &'a str,
    /// `vztmpl`, `iso`, `import`, `images`.
    pub content: &'a str,
}

/// `STORAGE:CONTENT/NAME` of one of these contents; of `images`, `STORAGE:VMID/NAME` or `STORAGE:vm-VMID-...`.
pub fn volume<'a>(field: Field, text: &'a str, contents: &[&'a str]) -> Result<VolumeId<'a>, Error> {
    let bad = || {
        let shapes: Vec<String> = contents.iter().map(|content| format!("STORAGE:{content}/NAME")).collect();
        invalid(field, format!("{} is no volume such as {}.", quoted(text), shapes.join(" or ")))
    };
    let (store, name) = text.split_once(':').ok_or_else(bad)?;
    storage(store).map_err(|_| bad())?;
    let is_plain = |c: char| c.is_ascii_graphic() && !",;\\'\"`$=?#%:".contains(c);
    let is_safe = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if text.len() > 255 || !is_safe || !name.chars().all(is_plain) {
        return Err(bad());
    }
    let first = name.split_once('/').map(|(first, _)| first);
    let is_image = match first {
        Some(first) => first.bytes().all(|byte| byte.is_ascii_digit()),
        None => name.starts_with("vm-") || name.starts_with("base-"),
    };
    let content = contents
        .iter()
        .find(|content| if **content == "images" { is_image } else { first == Some(**content) });
    content.map(|content| VolumeId { storage: store, content }).ok_or_else(bad)
}

/// A name in the appliance index.
pub fn appliance(text: &str) -> Result<(), Error> {
    if is_word(text, 255, alnum, |c| alnum(c) || "-_.+~".contains(c)) {
        return Ok(());
    }
    Err(invalid(
        Field::Template,
        format!("{} is neither a volume (STORAGE:vztmpl/NAME) nor an appliance's name.", quoted(text)),
    ))
}

pub fn bridge(text: &str) -> Result<(), Error> {
    if is_word(text, 15, alnum, |c| alnum(c) || "-_.".contains(c)) {
        return Ok(());
    }
    Err(invalid(
        Field::Network,
        format!("{} is no name of a bridge: at most 15 letters, digits, dots, dashes.", quoted(text)),
    ))
}

/// How an interface gets its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    Dhcp,
    /// Address and prefix.
    Fixed(IpAddr, u8),
}

impl Addressing {
    pub fn text(self) -> String {
        match self {
            Self::Dhcp => "dhcp".to_owned(),
            Self::Fixed(address, prefix) => format!("{address}/{prefix}"),
        }
    }

    pub fn is_v6(self) -> bool {
        matches!(self, Self::Fixed(IpAddr::V6(_), _))
    }
}

pub fn addressing(text: &str) -> Result<Addressing, Error> {
    if text == "dhcp" {
        return Ok(Addressing::Dhcp);
    }
    let bad = || invalid(Field::Network, format!("{} is neither dhcp nor ADDRESS/PREFIX.", quoted(text)));
    let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    let prefix: u8 = prefix.parse().map_err(|_| bad())?;
    if prefix == 0 || prefix > most || address.is_unspecified() || address.is_multicast() {
        return Err(bad());
    }
    Ok(Addressing::Fixed(address, prefix))
}

/// A gateway for an interface with this address.
pub fn gateway(text: &str, addressing: Option<Addressing>) -> Result<IpAddr, Error> {
    let gateway: IpAddr =
        text.parse().map_err(|_| invalid(Field::Network, format!("{} is no address.", quoted(text))))?;
    match addressing {
        Some(Addressing::Fixed(address, _)) if address.is_ipv4() == gateway.is_ipv4() => Ok(gateway),
        Some(Addressing::Fixed(..)) => {
            Err(invalid(Field::Network, "Address and gateway must be of the same kind, IPv4 or IPv6."))
        }
        Some(Addressing::Dhcp) | None => {
            Err(invalid(Field::Network, "A gateway needs a fixed address beside it; DHCP brings its own."))
        }
    }
}

pub fn vlan(tag: u16) -> Result<(), Error> {
    if (1..=4094).contains(&tag) {
        Ok(())
    } else {
        Err(invalid(Field::Network, "A VLAN is a number from 1 to 4094."))
    }
}

/// The name of a snapshot that is there.
pub fn snapshot(text: &str) -> Result<(), Error> {
    let shape = text.len() >= 2
        && text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| alnum(c) || c == '_' || c == '-');
    if !shape {
        return Err(invalid(
            Field::Snapshot,
            "A snapshot's name is a letter, then up to 39 letters, digits, dashes and underscores.",
        ));
    }
    Ok(())
}

/// The name for a new snapshot.
pub fn new_snapshot(text: &str) -> Result<(), Error> {
    snapshot(text)?;
    if ["current", "pending", "vzdump"].contains(&text.to_ascii_lowercase().as_str()) {
        return Err(invalid(Field::Snapshot, format!("Proxmox keeps the name {} for itself.", quoted(text))));
    }
    Ok(())
}

/// One public key, in one line of an `authorized_keys` file without options.
pub fn ssh_key(text: &str) -> Result<(), Error> {
    const KINDS: [&str; 3] = ["ssh-", "ecdsa-sha2-", "sk-"];
    let mut words = text.split(' ');
    let kind = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    let is_kind = KINDS.iter().any(|prefix| kind.starts_with(prefix))
        && kind.chars().all(|c| alnum(c) || "-@.".contains(c));
    let is_key = key.len() >= 16 && key.chars().all(|c| alnum(c) || "+/=".contains(c));
    if is_kind && is_key && text.len() <= LONGEST_KEY && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(invalid(
        Field::SshKeys,
        "Enter public keys, one line each: KIND KEY COMMENT, as in a file ending in .pub.",
    ))
}

pub fn tag(text: &str) -> Result<(), Error> {
    let starts = text.starts_with(|c: char| alnum(c) || c == '_');
    if starts && text.len() <= 100 && text.chars().all(|c| alnum(c) || "_-+.".contains(c)) {
        return Ok(());
    }
    Err(invalid(
        Field::Tags,
        format!("{} is no tag: letters, digits, dashes, dots, underscores.", quoted(text)),
    ))
}

pub fn description(text: &str) -> Result<(), Error> {
    if text.chars().count() > LONGEST_DESCRIPTION {
        return Err(invalid(
            Field::Description,
            format!("The description has more than {LONGEST_DESCRIPTION} characters."),
        ));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invalid(Field::Description, "A description holds no control characters."));
    }
    Ok(())
}

/// A DNS name: labels of letters, digits and inner dashes.
pub fn host_name(text: &str) -> Result<(), Error> {
    if text.len() <= 253 && text.split('.').all(|label| is_word(label, 63, alnum, |c| alnum(c) || c == '-')) {
        return Ok(());
    }
    Err(invalid(
        Field::Name,
        format!(
            "{} is no host name: letters, digits and dashes between them, as Proxmox makes it the guest's own.",
            quoted(text)
        ),
    ))
}

pub fn vmid(vmid: u32) -> Result<(), Error> {
    if VMIDS.contains(&vmid) {
        return Ok(());
    }
    Err(invalid(Field::Vmid, format!("A VMID is a number from {} to {}.", VMIDS.start(), VMIDS.end())))
}

/// Bytes as MiB.
pub fn memory_mib(bytes: u64) -> Result<u64, Error> {
    match mib(Field::Memory, bytes)? {
        amount @ LEAST_MEMORY_MIB..=MOST_MEMORY_MIB => Ok(amount),
        _ => Err(invalid(Field::Memory, "Memory is from 16 MiB to 8 TiB.")),
    }
}

/// Bytes as MiB.
pub fn swap_mib(bytes: u64) -> Result<u64, Error> {
    match mib(Field::Swap, bytes)? {
        amount if amount <= MOST_MEMORY_MIB => Ok(amount),
        _ => Err(invalid(Field::Swap, "Swap is at most 8 TiB.")),
    }
}

fn mib(field: Field, bytes: u64) -> Result<u64, Error> {
    if bytes.is_multiple_of(MIB) {
        Ok(bytes / MIB)
    } else {
        Err(invalid(field, "Proxmox counts in whole MiB."))
    }
}

pub fn count(field: Field, number: u32, most: u32) -> Result<(), Error> {
    if (1..=most).contains(&number) {
        Ok(())
    } else {
        Err(invalid(field, format!("A number from 1 to {most}.")))
    }
}

pub fn disk_gib(gib: u32) -> Result<(), Error> {
    if (1..=MOST_DISK_GIB).contains(&gib) {
        return Ok(());
    }
    Err(invalid(Field::Size, format!("A disk has from 1 to {MOST_DISK_GIB} GiB.")))
}

pub fn password(text: &str) -> Result<(), Error> {
    if text.chars().count() < SHORTEST_PASSWORD {
        return Err(invalid(
            Field::Password,
            format!("Proxmox wants at least {SHORTEST_PASSWORD} characters."),
        ));
    }
    if text.len() > LONGEST_PASSWORD || text.chars().any(char::is_control) {
        return Err(invalid(Field::Password, "A password is one line without control characters."));
    }
    Ok(())
}

/// The name of a user that cloud-init makes.
pub fn user(text: &str) -> Result<(), Error> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && text.len() <= 32 && text.chars().all(|c| alnum(c) || "_-.".contains(c)) {
        return Ok(());
    }
    Err(invalid(Field::User, format!("{} is no user name.", quoted(text))))
}

pub fn timeout(seconds: u32, most: u32) -> Result<(), Error> {
    if (1..=most).contains(&seconds) {
        return Ok(());
    }
    Err(invalid(Field::Timeout, format!("Wait between 1 and {most} seconds.")))
}

/// A command's words.
pub fn command(words: &[String]) -> Result<(), Error> {
    if words.first().is_none_or(String::is_empty) {
        return Err(invalid(Field::Command, "Enter a command."));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(invalid(Field::Command, "A command cannot contain the character NUL."));
    }
    if words.iter().map(|word| word.len() + 1).sum::<usize>() > LONGEST_COMMAND {
        return Err(invalid(Field::Command, format!("The command is longer than {LONGEST_COMMAND} bytes.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
