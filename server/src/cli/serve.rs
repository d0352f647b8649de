//! `paddock serve`: from the settings to a running dashboard, and back down in order.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use app::{
    backend::{self, HostRunner, Registry},
    service::{self, AppState, accounts},
    store::{OpenError, Store},
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tower_sessions_sqlx_store::SqliteStore;

use crate::{
    config::ServeArgs,
    data_dir::{DataDir, DataDirError},
    router::{self, Site},
    telemetry,
};

/// How long work in progress may go on after the server was told to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the dashboard did not come up, or ended.
#[derive(Debug, thiserror::Error)]
enum ServeError {
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
    #[error("Cannot use a backend: {0}")]
    Backend(#[from] backend::Error),
    #[error("Cannot start: {0}")]
    Service(#[from] service::Error),
    #[error("Cannot prepare the table of sessions: {0}")]
    Sessions(tower_sessions_sqlx_store::sqlx::Error),
    #[error("{what}: {source}")]
    System { what: &'static str, source: std::io::Error },
}

pub fn run(args: ServeArgs) -> ExitCode {
    telemetry::start("info");
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("paddock: cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paddock: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: ServeArgs) -> Result<(), ServeError> {
    let root = site_root(&args)?;
    let data = DataDir::hold(&args.data)?;
    let store = Store::open(&data.paths.database).await?;
    let sessions = SqliteStore::new(store.pool().clone());
    sessions.migrate().await.map_err(ServeError::Sessions)?;
    // Before anything is begun or changed, so that a port in use leaves all as it was.
    let listener = TcpListener::bind(args.addr)
        .await
        .map_err(|source| ServeError::Listen { addr: args.addr, source })?;
    let first = accounts::first_start(&store, args.admin_password.clone()).await?;

    let registry = Registry::new(args.drivers(&data.paths.logs)?);
    let state = AppState::new(store.clone(), registry, Arc::new(HostRunner), &crate::host_name());
    service::settle(&state).await?;
    state.inventory.start().await;
    let feeder = tokio::spawn(state.inventory.clone().feed());
    let settler = tokio::spawn(service::keep_settled(state.clone()));

    let closing = CancellationToken::new();
    let site = Site { root, secure_cookies: args.https, closing: closing.clone() };
    let app =
        router::build(state.clone(), sessions, &site).into_make_service_with_connect_info::<SocketAddr>();
    // Heard of from here on, so that whoever ends it right after the greeting ends it in order.
    let end = Ending::listen()?;
    greet(&args, &first);
    let graceful = closing.clone();
    let server = tokio::spawn(async move {
        axum::serve(listener, app).with_graceful_shutdown(graceful.cancelled_owned()).await
    });

    end.told().await;
    tracing::info!("shutting down: nothing new is begun, work in progress may take {} s", PATIENCE.as_secs());
    let all_ended = state.supervisor.drain(PATIENCE).await;
    closing.cancel();
    feeder.abort();
    settler.abort();
    if !all_ended {
        service::settle_own(&state).await?;
    }
    // A browser that keeps its connection open does not keep the server up.
    let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
    store.close().await;
    Ok(())
}

fn site_root(args: &ServeArgs) -> Result<PathBuf, ServeError> {
    let beside_the_program = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("site"));
    let root = args.site.clone().or_else(beside_the_program).unwrap_or_else(|| PathBuf::from("site"));
    if root.join("pkg").is_dir() { Ok(root) } else { Err(ServeError::NoSite(root)) }
}

/// On standard output, for the person who starts it. Nobody may be reading there, and that ends nothing.
fn greet(args: &ServeArgs, first: &accounts::FirstStart) {
    use accounts::{FIRST_ADMINISTRATOR, FirstStart};
    let log_in = match first {
        FirstStart::OneTime(password) => {
            format!("Log in as {FIRST_ADMINISTRATOR} with the one-time password {password}\n")
        }
        FirstStart::Given => format!("Log in as {FIRST_ADMINISTRATOR} with the password you gave.\n"),
        FirstStart::NotFirst => String::new(),
    };
    let words = format!("Paddock is at http://{}\n{log_in}", args.addr);
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
