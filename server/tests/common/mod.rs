//! A whole Paddock on real tools in a directory of its own, and a browser without JavaScript to use it.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]
#![expect(dead_code, reason = "each test program uses a part of this")]

pub mod browser;
mod bundle;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use app::{
    api::operations::OperationPage,
    backend::{
        Backend, HostRunner, Registry,
        crun::{CrunConfig, CrunDriver},
        lxc::{LxcConfig, LxcDriver},
    },
    domain::access::BuiltIn,
    service::{AppState, accounts},
    store::{By, LedgerFilter, NewUser, Store},
};
use axum::Router;
use server::router::{self, Front, Limits, Site};
use tempfile::TempDir;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tower_sessions_sqlx_store::SqliteStore;

pub use browser::Browser;
pub use bundle::make_bundle;

pub const PASSWORD: &str = "a password of the tests";

/// Ends its containers and removes its directory when dropped.
pub struct Host {
    pub dir: TempDir,
    pub state: AppState,
    /// Cancelled when the server begins to shut down.
    pub closing: CancellationToken,
    pub site: Site,
    pub router: Router,
    watched: AbortHandle,
}

impl Host {
    /// With the first administrator's password set to [`PASSWORD`].
    pub async fn start() -> Self {
        Self::with_password(Some(PASSWORD.to_owned())).await.0
    }

    /// With these backends, too.
    pub async fn with_backends(more: Vec<Arc<dyn Backend>>) -> Self {
        Self::set_up(Some(PASSWORD.to_owned()), more).await.0
    }

    /// Behind the proxies in these networks, by HTTPS where nothing else is known, and within these limits.
    pub async fn behind(proxies: &[&str], https: bool, limits: Limits) -> Self {
        let nets: Vec<_> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let mut host = Self::start().await;
        (host.site.front, host.site.limits) = (Front::new(&nets, https), limits);
        host.restart(Vec::new()).await;
        host
    }

    /// Also tells what the first start said.
    pub async fn with_password(password: Option<String>) -> (Self, accounts::FirstStart) {
        Self::set_up(password, Vec::new()).await
    }

    async fn set_up(password: Option<String>, more: Vec<Arc<dyn Backend>>) -> (Self, accounts::FirstStart) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lxc", "crun", "run", "site/pkg"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("lxc.conf"), "lxc.net.0.type = empty\n").unwrap();
        let store = Store::open(&dir.path().join("paddock.db")).await.unwrap();
        let sessions = SqliteStore::new(store.pool().clone());
        sessions.migrate().await.unwrap();
        let first = accounts::first_start(&store, password).await.unwrap();
        let closing = CancellationToken::new();
        let (front, limits) = (Front::default(), Limits::default());
        let site = Site { root: dir.path().join("site"), front, limits, closing: closing.clone() };
        let (state, router, watched) = begin(dir.path(), store, more, &site).await;
        (Self { dir, state, closing, site, router, watched }, first)
    }

    /// As after a restart: what was only in memory is gone.
    pub async fn restart(&mut self, more: Vec<Arc<dyn Backend>>) {
        self.watched.abort();
        (self.state, self.router, self.watched) =
            begin(self.dir.path(), self.state.store.clone(), more, &self.site).await;
    }

    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookie: None,
            device: None,
            json: false,
            origin: None,
            address: "127.0.0.1".to_owned(),
            token: None,
            headers: Vec::new(),
        }
    }

    /// A browser in which `admin` is logged in.
    pub async fn admin(&self) -> Browser {
        let mut browser = self.browser();
        browser.log_in("admin", PASSWORD).await;
        browser
    }

    /// A browser in which a person of that role is logged in.
    pub async fn person(&self, username: &str, role: BuiltIn) -> Browser {
        let hash = app::auth::password::hash(PASSWORD).unwrap();
        let user = NewUser::local(username, hash, Some(role));
        assert!(self.state.store.add_user(&user, By::default()).await.unwrap(), "{username} exists already");
        let mut browser = self.browser();
        browser.log_in(username, PASSWORD).await;
        browser
    }

    /// Each entry as `kind subject detail`, the newest first.
    pub async fn ledger(&self) -> Vec<String> {
        let filter = LedgerFilter { limit: 10_000, ..LedgerFilter::default() };
        let entries = self.state.store.ledger_page(&filter).await.unwrap();
        let line = |entry: app::ledger::Entry| {
            format!("{} {} {}", entry.kind, entry.subject.unwrap_or_default(), entry.detail)
        };
        entries.into_iter().map(|read| line(read.entry)).collect()
    }

    pub fn lxc_path(&self) -> PathBuf {
        self.dir.path().join("lxc")
    }

    pub fn crun_root(&self) -> PathBuf {
        self.dir.path().join("crun")
    }

    /// What `lxc-info` says of the container: `RUNNING`, `STOPPED`, or nothing where there is none.
    pub fn lxc_info(&self, name: &str) -> String {
        let path = self.lxc_path();
        said(Command::new("lxc-info").arg("-P").arg(path).args(["-n", name, "-s", "-H"]))
    }

    /// What `crun state` says of the container, as JSON; null where there is none.
    pub fn crun_state(&self, id: &str) -> serde_json::Value {
        let text = said(Command::new("crun").arg("--root").arg(self.crun_root()).args(["state", id]));
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A bundle whose container runs the shell script.
    pub fn bundle(&self, name: &str, script: &str) -> PathBuf {
        make_bundle(&self.dir.path().join("bundles").join(name), script)
    }
}

async fn begin(
    dir: &Path,
    store: Store,
    more: Vec<Arc<dyn Backend>>,
    site: &Site,
) -> (AppState, Router, AbortHandle) {
    let sessions = SqliteStore::new(store.pool().clone());
    let registry = Registry::new(drivers(dir).into_iter().chain(more));
    let state = AppState::new(store, registry, Arc::new(HostRunner), "testhost");
    state.inventory.start().await;
    let router = router::build(state.clone(), sessions, site);
    let watching = futures::future::join(
        app::service::keep_watched(state.clone()),
        app::service::keep_latest(state.clone()),
    );
    let watched = tokio::spawn(watching).abort_handle();
    (state, router, watched)
}

pub fn drivers(dir: &Path) -> Vec<Arc<dyn Backend>> {
    let lxc = LxcConfig {
        lxcpath: dir.join("lxc"),
        create_config: Some(dir.join("lxc.conf")),
        skip_numeric: false,
        ..LxcConfig::of_host(dir.join("run"))
    };
    let crun = CrunConfig {
        root: dir.join("crun"),
        bundles: Some(dir.join("bundles")),
        images: dir.join("images"),
        log_dir: dir.join("run"),
    };
    vec![Arc::new(LxcDriver::new(lxc).unwrap()), Arc::new(CrunDriver::new(crun))]
}

impl Drop for Host {
    fn drop(&mut self) {
        self.watched.abort();
        end_guests(self.dir.path());
    }
}

/// Ends and deletes every guest under the directory.
pub fn end_guests(dir: &Path) {
    let names = |sub: &str| -> Vec<String> {
        let entries = std::fs::read_dir(dir.join(sub)).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    };
    for name in names("lxc") {
        for (tool, option) in [("lxc-stop", Some("-k")), ("lxc-destroy", None)] {
            let _ =
                Command::new(tool).arg("-P").arg(dir.join("lxc")).args(["-n", &name]).args(option).output();
        }
    }
    for id in names("crun") {
        let _ = Command::new("crun").arg("--root").arg(dir.join("crun")).args(["delete", "-f", &id]).output();
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The commands of an operation, as shown.
pub fn commands(page: &OperationPage) -> Vec<String> {
    use app::domain::plan::Work;
    let line = |step: &app::domain::plan::Step| match &step.work {
        Work::Command(command) => Some(command.argv.to_string()),
        Work::WaitFor { .. } | Work::Api(_) | Work::Edit(_) => None,
    };
    page.operation.plan.steps.iter().filter_map(line).collect()
}
