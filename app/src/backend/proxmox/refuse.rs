//! Refusals and failures: Proxmox's statuses, messages and task ends into Paddock's own errors.
//!
//! Where a status says it all, no message is looked at. Proxmox answers most refusals with 500 and a sentence, and a
//! failed task has nothing but a sentence: those are looked up in [`MESSAGES`].

mod fields;
mod messages;

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::{
    backend::Error,
    domain::{
        action::Field,
        guest::{BackendKind, GuestId},
        name::GuestName,
        plan::Method,
    },
};

use super::{client::Words, upid::Upid};
pub use fields::field;
pub use messages::{MESSAGES, Meaning, Row, Seen};

/// What was asked when Proxmox refused.
#[derive(Debug, Clone)]
pub struct Scene {
    backend: BackendKind,
    /// The guest that the path is about.
    guest: Option<GuestId>,
    /// `GET /version`, `the task UPID:...`
    what: String,
    /// Who asked by a ticket of their own; `None` for Paddock's account.
    account: Option<String>,
}

impl Scene {
    /// Of a request. `backend` is whose error it is where the path does not tell.
    pub fn of(backend: BackendKind, method: Method, path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        let (root, _node, sort, id) = (segments.next(), segments.next(), segments.next(), segments.next());
        let told = match (root, sort) {
            (Some("nodes"), Some("lxc")) => Some(BackendKind::ProxmoxLxc),
            (Some("nodes"), Some("qemu")) => Some(BackendKind::ProxmoxVm),
            _ => None,
        };
        let guest = told.and_then(|backend| guest(backend, id?));
        let what = format!("{} {path}", method.as_str());
        Self { backend: told.unwrap_or(backend), guest, what, account: None }
    }

    /// The same, asked by this person's own ticket.
    #[must_use]
    pub fn acting_as(self, account: Option<&str>) -> Self {
        Self { account: account.map(str::to_owned), ..self }
    }

    /// Of a task met without the request that began it.
    pub fn of_task(backend: BackendKind, upid: &Upid) -> Self {
        let guest = upid.guest();
        let backend = guest.as_ref().map_or(backend, |guest| guest.backend);
        Self { backend, guest, what: format!("the task {upid}"), account: None }
    }

    pub fn backend(&self) -> BackendKind {
        self.backend
    }

    /// What was asked: method and path.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Proxmox cannot be used now: one sentence of what is wrong, one of what to do.
    pub fn unavailable(&self, reason: impl Into<String>, cure: impl Into<String>) -> Error {
        Error::Unavailable { backend: self.backend, reason: reason.into(), cure: cure.into() }
    }

    fn denied(&self, text: &str) -> Error {
        Error::Denied { backend: self.backend, account: self.account.clone(), what: missing(text) }
    }

    /// Proxmox answered something else than its API says.
    pub fn garbled(&self, detail: impl std::fmt::Display) -> Error {
        Error::Garbled { source_name: "Proxmox".to_owned(), detail: format!("{detail} ({})", self.what) }
    }
}

fn guest(backend: BackendKind, vmid: &str) -> Option<GuestId> {
    let is_vmid = (1..=9).contains(&vmid.len()) && vmid.bytes().all(|b| b.is_ascii_digit());
    GuestName::found(vmid).ok().filter(|_| is_vmid).map(|name| GuestId::new(backend, name))
}

fn failed(words: impl Into<String>) -> Error {
    Error::ServiceFailed { service: "Proxmox".to_owned(), words: words.into() }
}

/// What an answer means whose status is not one of success.
pub fn refused(scene: &Scene, status: u16, words: &Words) -> Error {
    let text = &words.text;
    match status {
        400 => invalid(words).unwrap_or_else(|| failed(with_fields(words))),
        401 => match &scene.account {
            None => scene.unavailable(
                format!("Proxmox does not know Paddock's account: {text}."),
                "Check the API token or the password that Paddock was given, and that it has not expired.",
            ),
            Some(account) => scene.unavailable(
                format!("Proxmox does not take the log-in of {account}: {text}."),
                "Log in again, then ask for it anew.",
            ),
        },
        403 => scene.denied(text),
        501 => Error::NotReady {
            reason: format!("This Proxmox VE has no {}.", scene.what),
            cure: "Paddock needs Proxmox VE 8 or 9.".to_owned(),
        },
        502..=504 => scene.unavailable(
            format!("What stands before Proxmox cannot reach it: {text}."),
            "Look at that proxy, or give Paddock the node's own address.",
        ),
        // Not HTTP's: what Proxmox's own client tells when it hands a request on to the node it is about.
        595..=599 => scene.unavailable(
            format!("Proxmox cannot reach the node that this is about: {text}."),
            "Check that the node is up and that its pveproxy runs.",
        ),
        500 => understood(scene, text).unwrap_or_else(|| failed(text)),
        _ => failed(format!("HTTP status {status}, {text}")),
    }
}

/// What a task's end means: `exitstatus` as Proxmox tells it.
pub fn ended(scene: &Scene, exitstatus: &str) -> Result<(), Error> {
    if exitstatus == "OK" || exitstatus.starts_with("WARNINGS:") {
        return Ok(());
    }
    Err(understood(scene, exitstatus).unwrap_or_else(|| failed(exitstatus)))
}

/// The first parameter that a form knows, with everything that Proxmox says of all.
fn invalid(words: &Words) -> Option<Error> {
    let field = words.fields.iter().find_map(|(name, _)| field(name))?;
    Some(Error::Invalid { field, message: format!("Proxmox does not take {}.", told(&words.fields)) })
}

fn with_fields(words: &Words) -> String {
    if words.fields.is_empty() {
        words.text.clone()
    } else {
        format!("{} {}", words.text, told(&words.fields))
    }
}

fn told(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; ")
}

/// Of `Permission check failed (/vms/102, VM.Audit)`: which privilege on which path. Other words stay as they are.
fn missing(text: &str) -> String {
    let inner = text.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map(|(inner, _)| inner);
    match inner.and_then(|inner| inner.split_once(", ")) {
        Some((path, privilege)) if path.starts_with('/') => format!("{privilege} on {path} is missing"),
        _ => inner.unwrap_or(text).to_owned(),
    }
}

/// The first row of [`MESSAGES`] that fits.
fn understood(scene: &Scene, text: &str) -> Option<Error> {
    // Compiled once; that every row compiles is tested.
    static ROWS: LazyLock<Vec<(Regex, &Row)>> = LazyLock::new(|| {
        MESSAGES.iter().filter_map(|row| Some((Regex::new(row.pattern).ok()?, row))).collect()
    });
    ROWS.iter().find_map(|(pattern, row)| meant(scene, row, &pattern.captures(text)?, text))
}

/// `None` where the meaning needs a guest and none can be told.
fn meant(scene: &Scene, row: &Row, found: &Captures<'_>, text: &str) -> Option<Error> {
    let named = |name: &str| found.name(name).map(|m| m.as_str());
    let backend = match named("sort") {
        Some("lxc" | "CT") => BackendKind::ProxmoxLxc,
        Some("qemu-server" | "qemu" | "VM") => BackendKind::ProxmoxVm,
        _ => scene.backend,
    };
    let told = || named("vmid").and_then(|vmid| guest(backend, vmid)).or_else(|| scene.guest.clone());
    let words = || text.to_owned();
    Some(match row.meaning {
        Meaning::NotFound => Error::NotFound(told()?),
        Meaning::AlreadyExists => Error::AlreadyExists(told()?),
        Meaning::WrongState => Error::WrongState { words: words() },
        Meaning::Locked => Error::Locked { guest: told()?, by: named("by")?.to_owned() },
        Meaning::Busy => Error::Locked { guest: told()?, by: "another task of Proxmox".to_owned() },
        Meaning::Denied => scene.denied(text),
        Meaning::Invalid(field) => Error::Invalid { field, message: format!("Proxmox: {text}.") },
        Meaning::NotReady(cure) => {
            Error::NotReady { reason: format!("Proxmox: {text}."), cure: cure.to_owned() }
        }
        Meaning::Unavailable(cure) => scene.unavailable(format!("Proxmox: {text}."), cure),
        Meaning::TimedOut => Error::TimedOut { words: words() },
        Meaning::Changed => Error::NotEdited {
            path: scene
                .guest
                .as_ref()
                .map_or_else(|| scene.what.clone(), |g| format!("The configuration of {g}")),
            detail: "somebody has changed it since this was planned; look at it and begin again".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests;
