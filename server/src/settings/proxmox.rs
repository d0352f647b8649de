//! The Proxmox cluster that is set up, put together from its keys.

use std::{path::PathBuf, time::Duration};

use app::domain::secret::Secret;

use super::{
    endpoint::{EndpointGiven, Fingerprint, Url},
    error::{Place, Problem, SettingsError},
    key::Info,
    keys,
    layers::{Found, Layers, at_key},
    secret,
};

/// A Proxmox VE cluster and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxmox {
    /// Never empty.
    pub endpoints: Vec<Endpoint>,
    pub account: Account,
    /// The node for new guests where a request names none.
    pub node: Option<String>,
    pub local_node: Option<String>,
    pub timeout: Duration,
    pub concurrency: usize,
}

/// One node's API and how its certificate is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub url: Url,
    pub trust: Trust,
}

/// How a certificate is known. There is no way not to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    Fingerprint(Fingerprint),
    Ca(PathBuf),
}

/// As whom Paddock acts, and the file with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    Token { id: String, secret_file: Found<PathBuf> },
    Password { user: String, password_file: Found<PathBuf> },
}

impl Account {
    /// Reads the token's secret or the user's password.
    pub fn secret(&self) -> Result<Secret, SettingsError> {
        let (key, file) = match self {
            Self::Token { secret_file, .. } => (&keys::PROXMOX_TOKEN_SECRET_FILE.info, secret_file),
            Self::Password { password_file, .. } => (&keys::PROXMOX_PASSWORD_FILE.info, password_file),
        };
        secret::read(&file.value).map_err(|lack| {
            let problem = Problem::Secret { path: file.value.clone(), lack };
            at_key(file.place.clone(), key, problem.into())
        })
    }
}

/// The cluster; `None` where no endpoint is given.
pub fn read(layers: &mut Layers<'_>) -> Result<Option<Proxmox>, SettingsError> {
    let endpoints = layers.find(&keys::PROXMOX_ENDPOINTS)?;
    let fingerprint = layers.find(&keys::PROXMOX_FINGERPRINT)?;
    let ca = layers.find(&keys::PROXMOX_CA)?;
    let token_id = layers.find(&keys::PROXMOX_TOKEN_ID)?;
    let secret_file = layers.find(&keys::PROXMOX_TOKEN_SECRET_FILE)?;
    let user = layers.find(&keys::PROXMOX_USER)?;
    let password_file = layers.find(&keys::PROXMOX_PASSWORD_FILE)?;
    let node = layers.find(&keys::PROXMOX_NODE)?;
    let local_node = layers.find(&keys::PROXMOX_LOCAL_NODE)?;
    let timeout = Duration::from_secs(layers.get(&keys::PROXMOX_TIMEOUT_SECONDS)?);
    let concurrency = usize::try_from(layers.get(&keys::PROXMOX_CONCURRENCY)?).unwrap_or(1);

    let Some(endpoints) = endpoints else { return without_endpoints(layers) };
    if endpoints.value.is_empty() {
        return Ok(None);
    }
    let trust = one_of(
        fingerprint.map(|found| found.map(Trust::Fingerprint)),
        ca.map(|found| found.map(Trust::Ca)),
        [&keys::PROXMOX_FINGERPRINT.info, &keys::PROXMOX_CA.info],
    )?;
    let of_token = [&keys::PROXMOX_TOKEN_ID.info, &keys::PROXMOX_TOKEN_SECRET_FILE.info];
    no_half(token_id.as_ref(), secret_file.as_ref(), of_token)?;
    let of_user = [&keys::PROXMOX_USER.info, &keys::PROXMOX_PASSWORD_FILE.info];
    no_half(user.as_ref(), password_file.as_ref(), of_user)?;
    let account = one_of(
        token_id.zip(secret_file).map(|(id, secret_file)| id.map(|id| Account::Token { id, secret_file })),
        user.zip(password_file)
            .map(|(user, password_file)| user.map(|user| Account::Password { user, password_file })),
        [&keys::PROXMOX_TOKEN_ID.info, &keys::PROXMOX_USER.info],
    )?;
    let no_account = || {
        let needed_by = "Proxmox answers nobody it does not know: set token_id and token_secret_file, or user and \
                         password_file";
        missing(endpoints.place.clone(), &keys::PROXMOX_TOKEN_ID.info, needed_by)
    };
    let account = account.ok_or_else(no_account)?;
    let with_trust = |given: EndpointGiven| {
        let place = layers.part(&endpoints.place, given.at);
        endpoint(given, trust.as_ref(), place)
    };
    Ok(Some(Proxmox {
        endpoints: endpoints.value.clone().into_iter().map(with_trust).collect::<Result<_, _>>()?,
        account,
        node: node.map(|found| found.value),
        local_node: local_node.map(|found| found.value),
        timeout,
        concurrency,
    }))
}

/// Nothing is set up, unless somebody set something that is of no use without endpoints.
fn without_endpoints(layers: &Layers<'_>) -> Result<Option<Proxmox>, SettingsError> {
    let set = layers.effective.iter().find(|of| of.key.section == "proxmox" && of.place != Place::Default);
    match set {
        None => Ok(None),
        Some(set) => {
            let needed_by = format!("{} is of no use without it", set.key);
            Err(missing(set.place.clone(), &keys::PROXMOX_ENDPOINTS.info, &needed_by))
        }
    }
}

fn endpoint(given: EndpointGiven, common: Option<&Trust>, place: Place) -> Result<Endpoint, SettingsError> {
    let own = match (given.fingerprint, given.ca) {
        (Some(fingerprint), _) => Some(Trust::Fingerprint(fingerprint)),
        (None, ca) => ca.map(Trust::Ca),
    };
    let trust = own.or_else(|| common.cloned()).ok_or_else(|| {
        let needed_by = format!(
            "the certificate of {} must be known by it (shown there by `pvenode cert info`), or by ca",
            given.url
        );
        missing(place, &keys::PROXMOX_FINGERPRINT.info, &needed_by)
    })?;
    Ok(Endpoint { url: given.url, trust })
}

impl<T> Found<T> {
    fn map<U>(self, make: impl FnOnce(T) -> U) -> Found<U> {
        Found { value: make(self.value), place: self.place }
    }
}

/// The one of two that is given; both are refused at the second.
fn one_of<T>(
    first: Option<Found<T>>,
    second: Option<Found<T>>,
    keys: [&Info; 2],
) -> Result<Option<T>, SettingsError> {
    match (first, second) {
        (Some(first), Some(second)) => {
            let problem = Problem::Conflict { other: keys[0].to_string(), place: first.place };
            Err(at_key(second.place, keys[1], problem.into()))
        }
        (first, second) => Ok(first.or(second).map(|found| found.value)),
    }
}

/// That of two keys which are of no use alone there are both or none.
fn no_half<A, B>(
    first: Option<&Found<A>>,
    second: Option<&Found<B>>,
    keys: [&Info; 2],
) -> Result<(), SettingsError> {
    let needed_by = |key: &Info| format!("{key} is of no use without it");
    match (first, second) {
        (Some(first), None) => Err(missing(first.place.clone(), keys[1], &needed_by(keys[0]))),
        (None, Some(second)) => Err(missing(second.place.clone(), keys[0], &needed_by(keys[1]))),
        _ => Ok(()),
    }
}

/// That a key is missing, told at the place of what needs it.
fn missing(place: Place, key: &Info, needed_by: &str) -> SettingsError {
    at_key(place, key, Problem::Missing { needed_by: needed_by.to_owned() }.into())
}
