//! Which guest is meant: `lxc/web1`, or a name that one guest alone has.

use app::{
    auth::{Caller, policy},
    backend::{Backend, Registry},
    domain::{
        action::GuestAction,
        failure::FailureKind,
        guest::{BackendKind, Guest, GuestId},
        name::GuestName,
    },
    service::actions,
};
use clap::Args;
use futures::future::join_all;

use super::{act::Manner, desk::Desk, exit::CliError};

/// The guest that a verb is about.
#[derive(Debug, Clone, Args)]
pub struct GuestArg {
    /// The guest: BACKEND/NAME, or its name or VMID alone if no other has it.
    pub guest: String,

    /// Look at this backend only: proxmox-lxc, proxmox-vm, lxc or crun.
    #[arg(long)]
    pub backend: Option<BackendKind>,
}

impl GuestArg {
    /// Asks the backends. A guest is named without doubt or not at all.
    pub async fn find(&self, registry: &Registry, caller: &Caller) -> Result<Guest, CliError> {
        let (kinds, text) = self.parts(registry)?;
        let name = GuestName::found(text)
            .map_err(|e| CliError::Usage(format!("“{}” names no guest: {e}", self.guest)))?;
        let drivers: Vec<_> = kinds.iter().filter_map(|kind| registry.get(*kind)).collect();
        let answers = join_all(drivers.iter().map(|driver| ask(driver.as_ref(), &name))).await;
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for (driver, answer) in drivers.iter().zip(answers) {
            match answer {
                // What the caller may not see is not there.
                Ok(guests) => found.extend(guests.into_iter().filter(|guest| policy::sees(caller, guest))),
                Err(error) => failed.push((driver.kind(), error)),
            }
        }
        match (&found[..], failed.into_iter().next()) {
            (_, Some((_, error))) if kinds.len() == 1 => Err(error.into()),
            (_, Some((kind, error))) => {
                Err(CliError::Unsure { text: text.to_owned(), reason: format!("{kind}: {error}") })
            }
            ([], None) => Err(CliError::NoGuest {
                text: text.to_owned(),
                backends: kinds.iter().map(ToString::to_string).collect(),
            }),
            ([_], None) => Ok(found.remove(0)),
            (several, None) => Err(CliError::Ambiguous {
                text: text.to_owned(),
                guests: several.iter().map(|guest| guest.id.clone()).collect(),
            }),
        }
    }

    /// The guest that something is asked of. That there is none is a refusal like any other, and recorded.
    pub async fn asked(&self, desk: &Desk, action: GuestAction, manner: &Manner) -> Result<Guest, CliError> {
        let found = self.find(&desk.look.registry, &desk.caller).await;
        let kind = match &found {
            Err(CliError::NoGuest { .. }) => FailureKind::NotFound,
            Err(CliError::Ambiguous { .. }) => FailureKind::Invalid,
            Err(CliError::Unsure { .. }) => FailureKind::Unavailable,
            _ => return found,
        };
        if let (Err(error), false) = (&found, manner.plan) {
            actions::refused_unfound(&desk.state, &desk.caller, action, kind, &error.to_string()).await;
        }
        found
    }

    pub async fn find_id(&self, registry: &Registry, caller: &Caller) -> Result<GuestId, CliError> {
        Ok(self.find(registry, caller).await?.id)
    }

    /// The backends to ask, and the name to ask for.
    fn parts(&self, registry: &Registry) -> Result<(Vec<BackendKind>, &str), CliError> {
        let (kind, text) = match self.guest.split_once('/') {
            Some((kind, text)) => {
                let kind: BackendKind =
                    kind.parse().map_err(|e| CliError::Usage(format!("“{}”: {e}", self.guest)))?;
                if self.backend.is_some_and(|other| other != kind) {
                    let sentence = format!("“{}” and --backend name two backends.", self.guest);
                    return Err(CliError::Usage(sentence));
                }
                (Some(kind), text)
            }
            None => (self.backend, self.guest.as_str()),
        };
        match kind {
            Some(kind) if registry.get(kind).is_none() => Err(CliError::Usage(format!(
                "There is no {kind} backend here; the settings name those there are."
            ))),
            Some(kind) => Ok((vec![kind], text)),
            None => Ok((registry.iter().map(|driver| driver.kind()).collect(), text)),
        }
    }
}

/// Guests of that id or that people call so.
async fn ask(driver: &dyn Backend, name: &GuestName) -> Result<Vec<Guest>, app::backend::Error> {
    let by_number = matches!(driver.kind(), BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm);
    if !by_number {
        return Ok(driver.guest(name).await?.into_iter().collect());
    }
    let mut guests = driver.list().await?;
    guests.retain(|guest| guest.id.name == *name || guest.title.as_deref() == Some(name.as_str()));
    Ok(guests)
}
