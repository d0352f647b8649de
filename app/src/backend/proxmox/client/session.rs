//! As whom requests are made: a token that is always the same, or a ticket that has to be fetched and renewed.
//!
//! ```text
//!                  first request                   90 minutes old
//!   no ticket ───────────────────► ticket in use ─────────────────► fetched anew; where that fails,
//!        ▲                              │                           the old one until it is 2 hours old
//!        └────── refused with 401 ◄─────┘
//! ```
//!
//! A person's ticket is the same but for its begin and its end: it came from a log-in, each next one is had for the one
//! before, and once there is none there is never one again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    backend::Error,
    domain::{plan::Method, secret::Secret},
};

use super::{
    super::{
        Credentials,
        refuse::{self, Scene},
    },
    Client, Request,
    reply::Reply,
};

/// Proxmox ends a ticket after this.
const LIFE: Duration = Duration::from_secs(2 * 60 * 60);
/// It is fetched anew well before.
pub const RENEW_AFTER: Duration = Duration::from_secs(90 * 60);
/// How long a refused log-in is not tried again: each try takes Proxmox some seconds, and many may lock the account.
const AFTER_REFUSAL: Duration = Duration::from_secs(30);

pub(super) const LOG_IN: &str = "/access/ticket";
/// How the ticket of somebody begins who is asked for a second factor: good for the answer alone.
pub(super) const HALF_IN: &str = "PVE:!tfa!";
const CSRF: HeaderName = HeaderName::from_static("csrfpreventiontoken");

/// As whom, and the ticket where one is needed.
pub struct Session {
    source: Source,
    held: Mutex<Held>,
    /// Of a person's: there is no ticket any more.
    is_over: AtomicBool,
}

/// Where keys come from.
enum Source {
    /// An API token: always the same.
    Token(HeaderMap),
    /// Each is fetched with the password.
    Password { user: String, password: Secret },
    /// Each is had for the one before.
    Person { user: String },
}

#[derive(Default)]
struct Held {
    ticket: Option<Ticket>,
    /// How many tickets there have been.
    count: u64,
    /// When a log-in was refused last, and how.
    refused: Option<(Instant, Error)>,
}

pub(super) struct Ticket {
    text: Secret,
    headers: HeaderMap,
    since: Instant,
}

/// What a request is signed with, and which ticket that is.
pub struct Key {
    pub headers: HeaderMap,
    ticket: Option<u64>,
}

/// What Proxmox answers to a log-in.
#[derive(Deserialize)]
pub(super) struct LogIn {
    ticket: Secret,
    #[serde(default, rename = "CSRFPreventionToken")]
    csrf: String,
    #[serde(default, rename = "NeedTFA")]
    wants_factor: Value,
    /// As Proxmox writes it, who is in.
    #[serde(default)]
    pub username: Option<String>,
}

impl Session {
    /// The reason where the credentials cannot be any, one clause.
    pub fn new(credentials: &Credentials) -> Result<Self, String> {
        let source = match credentials {
            Credentials::Token { id, secret } => {
                if !id.split_once('!').is_some_and(|(user, name)| is_user(user) && is_word(name)) {
                    return Err(format!("“{id}” is no API token; one is written user@realm!name"));
                }
                let value = hidden(format!("PVEAPIToken={id}={}", secret.expose()));
                let value = value.ok_or("the API token's secret has characters that none has")?;
                Source::Token(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
            }
            Credentials::Password { user, password } if is_user(user) => {
                Source::Password { user: user.clone(), password: password.clone() }
            }
            Credentials::Password { user, .. } => {
                return Err(format!("“{user}” is no user of Proxmox; one is written user@realm"));
            }
        };
        Ok(Self { source, held: Mutex::default(), is_over: AtomicBool::new(false) })
    }

    /// Of a person who has just logged in.
    pub(super) fn of_person(user: &str, ticket: Ticket) -> Self {
        let held = Held { ticket: Some(ticket), count: 1, refused: None };
        Self {
            source: Source::Person { user: user.to_owned() },
            held: Mutex::new(held),
            is_over: AtomicBool::new(false),
        }
    }

    /// Whose ticket it is; `None` for Paddock's own account.
    pub(super) fn person(&self) -> Option<&str> {
        match &self.source {
            Source::Person { user } => Some(user),
            Source::Token(_) | Source::Password { .. } => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Forgets the ticket of this key, unless somebody has fetched a newer one already. Says whether there can be
    /// another key at all.
    pub async fn forget(&self, key: &Key) -> bool {
        let Some(number) = key.ticket else { return false };
        let mut held = self.held.lock().await;
        if held.count == number {
            self.drop_ticket(&mut held);
        }
        true
    }

    fn drop_ticket(&self, held: &mut Held) {
        held.ticket = None;
        self.is_over.store(self.person().is_some(), Ordering::Relaxed);
    }
}

impl Client {
    /// The key for a request, logging in where that is needed. Whoever else needs one waits for the same log-in.
    pub(super) async fn key(&self) -> Result<Key, Error> {
        self.key_younger(RENEW_AFTER).await
    }

    /// As [`key`](Self::key), by a ticket that is renewed if it is of that age or older.
    pub(super) async fn key_younger(&self, renew_after: Duration) -> Result<Key, Error> {
        let session = &self.session;
        if let Source::Token(headers) = &session.source {
            return Ok(Key { headers: headers.clone(), ticket: None });
        }
        let mut held = session.held.lock().await;
        let age = held.ticket.as_ref().map(|ticket| ticket.since.elapsed());
        if age.is_none_or(|age| age >= renew_after)
            && let Err(error) = self.log_in(&mut held).await
        {
            if age.is_none_or(|age| age >= LIFE) || held.ticket.is_none() {
                session.drop_ticket(&mut held);
                return Err(error);
            }
            tracing::warn!(%error, "cannot renew the ticket at Proxmox; the old one is used on");
        }
        let headers = held.ticket.as_ref().map(|ticket| ticket.headers.clone()).unwrap_or_default();
        Ok(Key { headers, ticket: Some(held.count) })
    }

    async fn log_in(&self, held: &mut Held) -> Result<(), Error> {
        if let Some((at, error)) = &held.refused
            && at.elapsed() < AFTER_REFUSAL
        {
            return Err(error.clone());
        }
        let session = &self.session;
        let (user, secret) = match (&session.source, &held.ticket) {
            (Source::Token(_), _) => return Ok(()),
            (Source::Password { user, password }, _) => (user, password.clone()),
            (Source::Person { user }, Some(ticket)) if ticket.since.elapsed() < LIFE => {
                (user, ticket.text.clone())
            }
            (Source::Person { user }, _) => return Err(self.is_no_more(user)),
        };
        // A second ticket does no harm.
        let params = [("username", user.as_str()), ("password", secret.expose())];
        let request = Request { params: &params, method: Method::Post, ..self.reading(LOG_IN, &[]) };
        let reply = self.deliver(&request, &HeaderMap::new()).await?;
        if reply.status == 401 && session.person().is_some() {
            session.drop_ticket(held);
            return Err(self.is_no_more(user));
        }
        let is_final = reply.status < 500;
        let scene = self.scene(&request);
        match granted(&scene, &reply).and_then(|answer| answer.ticket(&scene, user)) {
            Ok(ticket) => {
                *held = Held { ticket: Some(ticket), count: held.count + 1, refused: None };
                Ok(())
            }
            Err(error) => {
                held.refused = is_final.then(|| (Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn is_no_more(&self, user: &str) -> Error {
        Error::Unavailable {
            backend: self.backend,
            reason: format!("The log-in of {user} at Proxmox is over."),
            cure: "Log in again, then ask for it anew.".to_owned(),
        }
    }
}

/// The answer to a log-in that Proxmox has granted, if only half.
pub(super) fn granted(scene: &Scene, reply: &Reply) -> Result<LogIn, Error> {
    if !reply.is_success() {
        return Err(refuse::refused(scene, reply.status, &reply.words()));
    }
    reply.data().map_err(|e| scene.garbled(e))
}

impl LogIn {
    /// What is to be answered with a second factor; `None` where none is asked for.
    pub(super) fn challenge(&self) -> Option<&Secret> {
        let is_half = self.ticket.expose().starts_with(HALF_IN)
            || !matches!(self.wants_factor, Value::Null | Value::Bool(false));
        is_half.then_some(&self.ticket)
    }

    /// What signs requests from now on.
    pub(super) fn ticket(self, scene: &Scene, user: &str) -> Result<Ticket, Error> {
        if self.challenge().is_some() {
            return Err(scene.unavailable(
                format!("Proxmox asks {user} for a second factor, which Paddock cannot give."),
                "Give Paddock an API token instead; it needs none.",
            ));
        }
        let text = self.ticket;
        // In a cookie, these would end it.
        let is_plain = !text.expose().is_empty() && !text.expose().contains([';', ',', ' ', '"', '\\']);
        let cookie = is_plain.then(|| hidden(format!("PVEAuthCookie={}", text.expose()))).flatten();
        match (cookie, hidden(self.csrf)) {
            (Some(cookie), Some(csrf)) => {
                let headers = HeaderMap::from_iter([(header::COOKIE, cookie), (CSRF, csrf)]);
                Ok(Ticket { text, headers, since: Instant::now() })
            }
            _ => Err(scene.garbled("its ticket has characters that none has")),
        }
    }
}

/// A header that no log shows.
fn hidden(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok().filter(|value| value.to_str().is_ok())?;
    value.set_sensitive(true);
    Some(value)
}

/// A user as Proxmox writes one: `root@pam`, `ann.lee@example.org@ldap`.
pub fn is_user(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(name, realm)| {
        let is_name = |c: char| c.is_ascii_graphic() && !matches!(c, ':' | '/' | '!' | '=');
        !name.is_empty() && name.chars().all(is_name) && is_word(realm)
    })
}

pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests;
