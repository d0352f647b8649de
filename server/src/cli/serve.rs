//! `paddock serve`: from the settings to a running dashboard, and back down in order.

use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use app::{
    backend::{HostRunner, Registry},
    service::{
        self, AppState, accounts,
        life::{self, Start},
        retention::{self, Retention},
    },
    store::{OpenError, Store},
};
use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tower_sessions::ExpiredDeletion as _;
use tower_sessions_sqlx_store::SqliteStore;

use crate::{
    data_dir::{DataDir, DataDirError},
    listen,
    router::{self, Front, Limits, Site},
    settings::{DriversError, Host, Options, Server, Settings, SettingsError},
    telemetry::{self, Program},
};

/// How long work in progress may go on after the server was told to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often expired rows of the session layer are deleted.
const EXPIRED_PAUSE: Duration = Duration::from_secs(3600);

/// What `paddock serve` is told.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Password of the first administrator, `admin`; used at the very first start only. Without it a one-time
    /// password is made and printed.
    #[arg(long, env = "PADDOCK_ADMIN_PASSWORD", hide_env_values = true, hide = true)]
    admin_password: Option<String>,

    #[command(flatten)]
    options: Options,
}

/// Why the dashboard did not come up, or ended.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("Cannot listen on {addr}: {source}. Choose another address with --addr, or end what uses it.")]
    Listen { addr: SocketAddr, source: std::io::Error },
    #[error(
        "The web site's files are not in {0}. Build them with `make build`, or name their place with --site."
    )]
    NoSite(PathBuf),
    #[error(transparent)]
    Drivers(#[from] DriversError),
    #[error("Cannot start: {0}")]
    Service(#[from] service::Error),
    #[error("Cannot prepare the table of sessions: {0}")]
    Sessions(tower_sessions_sqlx_store::sqlx::Error),
    #[error("{what}: {source}")]
    System { what: &'static str, source: std::io::Error },
}

pub fn run(config: Option<&Path>, args: &ServeArgs) -> ExitCode {
    telemetry::start(Program::Server);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("paddock: cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(config, args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paddock: {error}");
            error.code()
        }
    }
}

impl ServeError {
    /// As every verb's: wrong settings are wrong input.
    fn code(&self) -> ExitCode {
        match self {
            Self::Settings(_) | Self::Drivers(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

async fn serve(config: Option<&Path>, args: &ServeArgs) -> Result<(), ServeError> {
    let settings = Settings::load_with(config, |name| std::env::var_os(name), &args.options)?;
    let root = site_root(&settings.server)?;
    let data = DataDir::hold(&settings.server.data)?;
    let store = Store::open(&data.paths.database).await?;
    let sessions = SqliteStore::new(store.pool().clone());
    sessions.migrate().await.map_err(ServeError::Sessions)?;
    // Before anything is begun or changed, so that a port in use leaves all as it was.
    let addr = settings.server.addr;
    let listener = TcpListener::bind(addr).await.map_err(|source| ServeError::Listen { addr, source })?;
    let host = Host::read();
    let drivers = settings.drivers(&host, &data.paths.logs)?;
    let start = Start {
        version: env!("CARGO_PKG_VERSION"),
        listens: addr.to_string(),
        settings: settings.recorded(),
    };
    life::started(&store, start).await?;
    let first = accounts::first_start(&store, args.admin_password.clone()).await?;

    let state = AppState::new(store.clone(), Registry::new(drivers), Arc::new(HostRunner), &host.name)
        .at_once(settings.operations.at_once)
        .requiring_factor(settings.accounts.require_second_factor);
    service::settle(&state, service::Patience::Follow).await?;
    let outside = service::Outside::begin(&state).await?;
    state.inventory.start().await;
    let outside = tokio::spawn(outside.keep());
    let feeder = tokio::spawn(state.inventory.clone().feed());
    let sampler = tokio::spawn(state.usage.clone().keep(state.registry.clone(), state.inventory.clone()));
    let settler = tokio::spawn(service::keep_settled(state.clone()));
    let counter = tokio::spawn(service::keep_counted(state.clone()));
    let renewer = tokio::spawn(service::realms::keep(state.clone()));
    let surveyor = tokio::spawn(service::nodes::keep(state.clone()));
    let sweeper = tokio::spawn(service::sessions::keep_swept(state.clone()));
    let access = tokio::spawn(service::keep_watched(state.clone()));
    let latest = tokio::spawn(service::keep_latest(state.clone()));
    let layer_sweeper = tokio::spawn(keep_layer_swept(sessions.clone()));

    let closing = CancellationToken::new();
    let site = Site {
        root,
        front: Front::new(&settings.server.trusted_proxies, settings.server.https),
        limits: Limits::default(),
        closing: closing.clone(),
    };
    let watcher = tokio::spawn(service::soundness::keep_looking(state.clone(), closing.clone()));
    let archiver = settings.history.keep_days.map(|keep_days| {
        let into = settings.history.archives(&data.paths.directory);
        let retention = Retention { keep_days, into };
        tokio::spawn(retention::keep_archived(state.clone(), retention, closing.clone()))
    });
    let app = router::build(state.clone(), sessions, &site);
    // Heard of from here on, so that whoever ends it right after the greeting ends it in order.
    let end = Ending::listen()?;
    greet(addr, &first);
    let server = tokio::spawn(listen::serve(listener, app, site));

    end.told().await;
    tracing::info!("shutting down: nothing new is begun, work in progress may take {} s", PATIENCE.as_secs());
    let all_ended = state.supervisor.drain(PATIENCE).await;
    closing.cancel();
    feeder.abort();
    sampler.abort();
    settler.abort();
    outside.abort();
    counter.abort();
    renewer.abort();
    surveyor.abort();
    sweeper.abort();
    access.abort();
    latest.abort();
    layer_sweeper.abort();
    // They end at once, and must not be in the middle of an entry of their own.
    let _ = watcher.await;
    if let Some(archiver) = archiver {
        let _ = archiver.await;
    }
    if !all_ended {
        service::settle_own(&state).await?;
    }
    // A browser that keeps its connection open does not keep the server up.
    let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
    state.attempts.close_all(&store).await;
    let stopped = life::stopped(&store).await;
    store.close().await;
    Ok(stopped?)
}

/// Deletes what the session layer keeps of sessions that are long over.
async fn keep_layer_swept(sessions: SqliteStore) {
    loop {
        tokio::time::sleep(EXPIRED_PAUSE).await;
        if let Err(error) = sessions.delete_expired().await {
            tracing::error!(error = %error, "expired rows of the session layer could not be deleted");
        }
    }
}

fn site_root(server: &Server) -> Result<PathBuf, ServeError> {
    let beside_the_program = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("site"));
    let root = server.site.clone().or_else(beside_the_program).unwrap_or_else(|| PathBuf::from("site"));
    if root.join("pkg").is_dir() { Ok(root) } else { Err(ServeError::NoSite(root)) }
}

/// On standard output, for the person who starts it. Nobody may be reading there, and that ends nothing.
fn greet(addr: SocketAddr, first: &accounts::FirstStart) {
    use accounts::{FIRST_ADMINISTRATOR, FirstStart};
    let log_in = match first {
        FirstStart::OneTime(password) => {
            format!("Log in as {FIRST_ADMINISTRATOR} with the one-time password {password}\n")
        }
        FirstStart::Given => format!("Log in as {FIRST_ADMINISTRATOR} with the password you gave.\n"),
        FirstStart::NotFirst => String::new(),
    };
    let words = format!("Paddock is at http://{addr}\n{log_in}");
    if std::io::stdout().write_all(words.as_bytes()).is_err() {
        tracing::warn!("the greeting could not be printed, as standard output is closed");
    }
}

/// The signals that end the server in order.
struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    fn listen() -> Result<Self, ServeError> {
        let cannot = |source| ServeError::System { what: "Cannot wait for signals", source };
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(cannot)?,
            interrupt: signal(SignalKind::interrupt()).map_err(cannot)?,
        })
    }

    async fn told(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
