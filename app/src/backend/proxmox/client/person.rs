//! People with accounts of their own at Proxmox: their log-in, their second factor, and what is done as them.
//!
//! ```text
//!   name and password ──POST /access/ticket──► ticket ──────────────────────────────► Person
//!                                        └───► half a ticket ──with totp or recovery ──┘
//! ```
//!
//! Passwords and tickets are in requests and in memory, and nowhere else.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    backend::{Error, proxmox::num::Rows},
    domain::{guest::BackendKind, plan::Method, realm, secret::Secret},
};

use super::{
    Client, Request,
    reply::Reply,
    session::{HALF_IN, LOG_IN, LogIn, Session, granted, is_user, is_word},
};

/// Longest user name that Proxmox has, characters.
const LONGEST: usize = 64;
/// Most realms that are offered: many times what anybody has.
const MOST_REALMS: usize = 50;
/// The type of a realm that has no passwords: it sends the browser elsewhere.
const BY_BROWSER: &str = "openid";
/// Longest password that is handed on, bytes.
const LONGEST_PASSWORD: usize = 1024;

/// Somebody who is logged in at Proxmox. Cheap to clone; clones share the ticket, which is renewed for as long as it is used
/// or [`renew`](Self::renew) is called.
#[derive(Clone)]
pub struct Person(Arc<Inner>);

struct Inner {
    user: String,
    client: Client,
}

impl Person {
    /// `anna@pve`, as Proxmox writes it.
    pub fn user(&self) -> &str {
        &self.0.user
    }

    /// The client whose requests are this person's.
    pub fn client(&self, backend: BackendKind) -> Client {
        self.0.client.speaking_for(backend)
    }

    /// There is no ticket any more, nor ever again.
    pub fn is_over(&self) -> bool {
        self.0.client.session.is_over()
    }

    /// Renews the ticket if it is of this age or older. Where Proxmox does not answer, the old one is kept for as long as it is
    /// good.
    pub async fn renew(&self, age: Duration) -> Result<(), Error> {
        self.0.client.key_younger(age).await.map(drop)
    }

    /// Whether Proxmox gives the person this privilege on that path (`/vms/101`).
    pub async fn holds(&self, path: &str, privilege: &str) -> Result<bool, Error> {
        let held: BTreeMap<String, BTreeMap<String, Value>> =
            self.0.client.get("/access/permissions", &[("path", path)]).await?;
        let is_on_it = |at: &str| {
            let at = at.trim_end_matches('/');
            path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        Ok(held.iter().any(|(at, privileges)| is_on_it(at) && privileges.contains_key(privilege)))
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Person").field(&self.0.user).finish()
    }
}

/// One log-in is the same as itself alone.
impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Person {}

/// What a log-in came to.
#[derive(Debug)]
pub enum Entry {
    In(Person),
    /// The password is right, and a second factor is asked for.
    Factor(Factor),
    /// The name, the password or the factor is wrong: Proxmox does not tell which.
    Wrong,
}

/// A second factor that Proxmox waits for.
#[derive(Debug, Clone)]
pub struct Factor {
    user: String,
    challenge: Secret,
    pub takes_totp: bool,
    pub takes_recovery: bool,
}

impl Factor {
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The challenge as Proxmox VE 7.1 and later write it: what may answer is in the half ticket itself. One that tells nothing
    /// is tried with both.
    fn new(user: &str, challenge: Secret) -> Self {
        let told = challenge.expose().strip_prefix(HALF_IN).and_then(|rest| rest.split(':').next());
        let told = told.map(|text| percent_decode_str(text).collect::<Vec<u8>>());
        let told: Option<Challenge> = told.and_then(|json| serde_json::from_slice(&json).ok());
        let is_set = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            // Recovery codes that are all used up.
            Value::Array(codes) => !codes.is_empty(),
            Value::String(text) => text != "unavailable",
            _ => true,
        };
        let (takes_totp, takes_recovery) = match &told {
            Some(told) => (is_set(&told.totp), is_set(&told.recovery)),
            None => (true, true),
        };
        Self { user: user.to_owned(), challenge, takes_totp, takes_recovery }
    }

    /// What is typed, as Proxmox wants it: six digits are from an authenticator, anything else is a recovery code.
    fn response(&self, typed: &str) -> String {
        let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let is_totp =
            self.takes_totp && (6..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        format!("{}:{code}", if is_totp || !self.takes_recovery { "totp" } else { "recovery" })
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Challenge {
    totp: Value,
    recovery: Value,
}

/// Where people's accounts at Proxmox are checked.
#[derive(Clone)]
pub struct Realms {
    client: Client,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RealmRow {
    realm: String,
    #[serde(rename = "type")]
    kind: String,
    default: Value,
}

impl RealmRow {
    /// Proxmox's flags come as numbers, as texts or not at all.
    fn is_default(&self) -> bool {
        self.default == true || self.default == 1 || self.default == "1"
    }
}

impl Realms {
    /// By the endpoints of this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Those with passwords: Proxmox's default first, and then by name.
    pub async fn list(&self) -> Result<Vec<String>, Error> {
        let Rows(mut rows) = self.client.get::<Rows<RealmRow>>("/access/domains", &[]).await?;
        rows.retain(|row| is_word(&row.realm) && row.kind != BY_BROWSER);
        rows.sort_by_cached_key(|row| (!row.is_default(), row.realm.clone()));
        Ok(rows.into_iter().take(MOST_REALMS).map(|row| row.realm).collect())
    }

    /// Whether this could be a user of Proxmox.
    pub fn is_account(name: &str) -> bool {
        is_user(name) && name.chars().count() <= LONGEST
    }

    /// Checks the password of `anna@pve`.
    pub async fn log_in(&self, user: &str, password: &Secret) -> Result<Entry, Error> {
        if !Self::is_account(user)
            || password.expose().is_empty()
            || password.expose().len() > LONGEST_PASSWORD
        {
            return Ok(Entry::Wrong);
        }
        self.entered(user, &[("username", user), ("password", password.expose())]).await
    }

    /// Answers with what was typed: a code of an authenticator, or a recovery code.
    pub async fn answer(&self, factor: &Factor, typed: &Secret) -> Result<Entry, Error> {
        if typed.expose().len() > LONGEST_PASSWORD {
            return Ok(Entry::Wrong);
        }
        let response = factor.response(typed.expose());
        let params = [
            ("username", factor.user.as_str()),
            ("password", response.as_str()),
            ("tfa-challenge", factor.challenge.expose()),
        ];
        self.entered(&factor.user, &params).await
    }

    async fn entered(&self, user: &str, params: &[(&str, &str)]) -> Result<Entry, Error> {
        let client = &self.client;
        // Never sent twice: a wrong password counts each time, and a code is good once.
        let request =
            Request { params, method: Method::Post, repeatable: false, ..client.reading(LOG_IN, &[]) };
        let reply: Reply = client.deliver(&request, &HeaderMap::new()).await?;
        // What Proxmox cannot take for a name it refuses as a wrong parameter; that is no news to whoever guesses.
        if matches!(reply.status, 400 | 401) {
            return Ok(Entry::Wrong);
        }
        let scene = client.scene(&request);
        let answer: LogIn = granted(&scene, &reply)?;
        if let Some(challenge) = answer.challenge() {
            return Ok(Entry::Factor(Factor::new(user, challenge.clone())));
        }
        let told = answer.username.clone().unwrap_or_else(|| user.to_owned());
        // A realm may take a name in any case, and no other name for it.
        let is_same = told.to_lowercase() == user.to_lowercase()
            && realm::parts(&told).map(|p| p.1) == realm::parts(user).map(|p| p.1);
        if !is_user(&told) || !is_same {
            return Err(scene.garbled("it let in somebody else than who asked"));
        }
        let session = Arc::new(Session::of_person(&told, answer.ticket(&scene, &told)?));
        let client = Client { session, ..client.clone() };
        Ok(Entry::In(Person(Arc::new(Inner { user: told, client }))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(ticket: &str) -> Factor {
        Factor::new("anna@pve", Secret::new(ticket))
    }

    #[test]
    fn what_may_answer_is_in_the_half_ticket() {
        // As the daemon writes it: JSON, percent-encoded, between the marks.
        let both = factor("PVE:!tfa!%7B%22totp%22%3Atrue%2C%22recovery%22%3A%5B0%2C1%5D%7D:66:sig");
        assert!(both.takes_totp && both.takes_recovery);
        let used_up = factor("PVE:!tfa!%7B%22totp%22%3Atrue%2C%22recovery%22%3A%5B%5D%7D:66:sig");
        assert!(used_up.takes_totp && !used_up.takes_recovery);
        let key = factor("PVE:!tfa!%7B%22webauthn%22%3A%7B%7D%7D:66:sig");
        assert!(!key.takes_totp && !key.takes_recovery);
        for odd in ["PVE:!tfa!", "PVE:!tfa!5f0e", "PVE:!tfa!%FF:1", "x"] {
            assert!(factor(odd).takes_totp && factor(odd).takes_recovery, "{odd}");
        }
        assert!(!format!("{both:?}").contains("sig"), "it is a secret");
    }

    #[test]
    fn digits_are_from_an_authenticator_and_the_rest_is_a_recovery_code() {
        let both = factor("x");
        assert_eq!(both.response(" 123 456 "), "totp:123456");
        assert_eq!(both.response("0a1b-2c3d-4e5f-6071"), "recovery:0a1b-2c3d-4e5f-6071");
        assert_eq!(both.response("1234-5678"), "recovery:1234-5678");
        let no_codes = Factor { takes_recovery: false, ..both };
        assert_eq!(no_codes.response("12345"), "totp:12345");
    }
}
