//! What a verb works with: settings, backends and, for those that change something, database and history.

use std::{path::PathBuf, sync::Arc};

use app::{
    auth::Caller,
    backend::{Backend, HostRunner, Registry, routing::Routing},
    domain::guest::BackendKind,
    service::{self, AppState},
    store::Store,
};
use clap::{Args, ValueEnum};

use super::{exit::CliError, output::Format, who};
use crate::{
    data_dir,
    settings::{Host, Settings},
};

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Settings file [env: PADDOCK_CONFIG] [default: /etc/paddock/paddock.toml, if it is there].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Wanted::Table)]
    pub format: Wanted,

    /// Do no more than this user of the dashboard may: to try their rights.
    #[arg(long = "as", global = true, value_name = "USER")]
    pub as_user: Option<String>,
}

/// A format as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wanted {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values, for the history alone.
    Csv,
}

impl Global {
    /// Of every verb but the one that knows them all.
    pub fn format(&self) -> Result<Format, CliError> {
        match self.format {
            Wanted::Table => Ok(Format::Table),
            Wanted::Json => Ok(Format::Json),
            Wanted::Jsonl => Ok(Format::Jsonl),
            Wanted::Csv => Err(CliError::Usage(
                "--format csv: Only a history has it. Take table, json or jsonl.".to_owned(),
            )),
        }
    }
}

/// Enough to look at guests.
pub struct Look {
    pub registry: Registry,
    pub routing: Routing,
    pub format: Format,
    pub settings: Settings,
    pub caller: Caller,
}

impl Look {
    pub async fn open(global: &Global) -> Result<Self, CliError> {
        let format = global.format()?;
        let settings = Settings::load(global.config.as_deref(), |name| std::env::var_os(name))?;
        // Nothing is written there by a look.
        let logs = settings.server.data.join(data_dir::LOGS);
        let registry = Registry::new(settings.drivers(&Host::read(), &logs)?);
        let routing = settings.routing.clone();
        let caller = who::caller(global, &settings).await?;
        Ok(Self { registry, routing, format, settings, caller })
    }

    /// All drivers, or that of one backend.
    pub fn drivers(&self, only: Option<BackendKind>) -> Result<Vec<Arc<dyn Backend>>, CliError> {
        match only {
            None => Ok(self.registry.iter().cloned().collect()),
            Some(kind) => match self.registry.get(kind) {
                Some(driver) => Ok(vec![driver.clone()]),
                None => Err(CliError::Usage(format!(
                    "There is no {kind} backend here; the settings name those there are."
                ))),
            },
        }
    }
}

/// Enough to change something: the same database and history as the dashboard's, safely beside it.
pub struct Desk {
    pub look: Look,
    pub state: AppState,
    pub caller: Caller,
}

impl Desk {
    pub async fn open(global: &Global) -> Result<Self, CliError> {
        let look = Look::open(global).await?;
        let data = data_dir::prepare(&look.settings.server.data)?;
        let store = Store::open(&data.database).await?;
        let state = AppState::new(store, look.registry.clone(), Arc::new(HostRunner), &Host::read().name)
            .at_once(look.settings.operations.at_once)
            .requiring_factor(look.settings.accounts.require_second_factor);
        // What an earlier command line left behind when it was killed must not be in the way.
        service::settle(&state, service::Patience::Leave).await?;
        let caller = look.caller.clone();
        if global.as_user.is_some() {
            // What may be seen of operations goes by pools and tags of the guests there are.
            state.inventory.start().await;
        }
        Ok(Self { look, state, caller })
    }

    /// Works at one, and closes it whatever comes of that.
    pub async fn with<T>(
        global: &Global,
        work: impl AsyncFnOnce(&Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let desk = Self::open(global).await?;
        let done = work(&desk).await;
        desk.close().await;
        done
    }

    pub async fn close(self) {
        self.state.attempts.close_all(&self.state.store).await;
        self.state.store.close().await;
    }
}

/// Who this process is on the host, by name where that can be told.
pub fn os_user() -> String {
    let uid = app::backend::own_uid().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(uid.as_str())).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {uid}"))
}
