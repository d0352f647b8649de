//! A whole Paddock on real tools in a directory of its own, and a browser without JavaScript to use it.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]
#![expect(dead_code, reason = "each test program uses a part of this")]

mod bundle;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use app::{
    api::operations::OperationPage,
    backend::{
        Backend, HostRunner, Registry,
        crun::{CrunConfig, CrunDriver},
        lxc::{LxcConfig, LxcDriver},
    },
    domain::{access::BuiltIn, operation::OperationState},
    service::{AppState, accounts},
    store::{By, LedgerFilter, NewUser, Store},
};
use axum::{
    Router,
    body::{Body, BodyDataStream},
    extract::ConnectInfo,
    response::Response,
};
use http::{Request, StatusCode, header};
use server::router::{self, Front, Limits, Site};
use tempfile::TempDir;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_sessions_sqlx_store::SqliteStore;

pub use bundle::make_bundle;

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let watched = tokio::spawn(app::service::keep_watched(state.clone())).abort_handle();
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

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub location: Option<String>,
    pub headers: http::HeaderMap,
    pub body: String,
}

/// Keeps its session's cookie, follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    pub router: Router,
    pub cookie: Option<String>,
    /// The cookie by which it is known when somebody logs in again.
    pub device: Option<String>,
    /// Asks as the wasm client does instead of as a plain form.
    pub json: bool,
    /// The `Origin` it tells; a request without is as from a tool.
    pub origin: Option<&'static str>,
    /// Where it asks from.
    pub address: String,
    /// An API token that it sends.
    pub token: Option<String>,
    /// What it sends besides, or a proxy in front.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// The same session, asking as the wasm client does.
    pub fn wasm(&self) -> Self {
        Self { json: true, ..self.clone() }
    }

    pub async fn log_in(&mut self, username: &str, password: &str) -> Reply {
        self.post("/login", "/api/account/log_in", &[("username", username), ("password", password)]).await
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send(Request::get(path), Body::empty()).await
    }

    /// Sends a form that stands on `page`.
    pub async fn post(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let request = Request::post(action)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::REFERER, format!("http://paddock.test{page}"));
        self.send(request, Body::from(pairs.join("&"))).await
    }

    /// The pieces of an answer's body, each taken when it is asked for.
    pub async fn body(&self, path: &str) -> BodyDataStream {
        let response = self.answer(Request::get(path), Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.into_body().into_data_stream()
    }

    /// How an answer begins that has no end if it is a success: its status, and the body of a failure.
    pub async fn begin(&self, path: &str) -> Reply {
        let response = self.answer(Request::get(path), Body::empty()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match status {
            StatusCode::OK => String::new(),
            _ => {
                let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        Reply { status, location: None, headers, body }
    }

    async fn send(&mut self, request: http::request::Builder, body: Body) -> Reply {
        let response = self.answer(request, body).await;
        let headers = response.headers().clone();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            if pair.starts_with("paddock=") {
                self.cookie = Some(pair.to_owned());
            } else if pair.starts_with("paddock-device=") {
                self.device = Some(pair.to_owned());
            }
        }
        let location = headers
            .get(header::LOCATION)
            .map(|value| value.to_str().unwrap().trim_start_matches("http://paddock.test").to_owned());
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 16 * 1024 * 1024).await.unwrap();
        Reply { status, location, headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn answer(&self, mut request: http::request::Builder, body: Body) -> Response {
        let accept = if self.json { "application/json" } else { "text/html" };
        request = request.header(header::ACCEPT, accept).header(header::HOST, "paddock.test");
        let cookies: Vec<&str> =
            [&self.cookie, &self.device].into_iter().flatten().map(String::as_str).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(origin) = self.origin {
            request = request.header(header::ORIGIN, origin);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut request = request.body(body).unwrap();
        let address: SocketAddr = format!("{}:40000", self.address).parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        let at = request.uri().clone();
        let answer = tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await;
        answer.unwrap_or_else(|_| panic!("{at} is not answered")).unwrap()
    }

    /// As the wasm client: begins an action and says which operation it is.
    pub async fn act(&mut self, guest: &str, action: &str) -> i64 {
        let reply = self.try_act(guest, action).await;
        assert_eq!(reply.status, StatusCode::OK, "{action} {guest}: {}", reply.body);
        reply.body.trim().parse().unwrap()
    }

    pub async fn try_act(&mut self, guest: &str, action: &str) -> Reply {
        let (backend, name) = guest.split_once('/').unwrap();
        let mut client = self.wasm();
        let fields = [("backend", backend), ("name", name), ("action", action), ("confirm", name)];
        client.post("/guests", "/api/guests/act", &fields).await
    }

    /// Waits for the operation's end and returns it whole.
    pub async fn ended(&mut self, id: i64) -> OperationPage {
        let mut client = self.wasm();
        for _ in 0..1200 {
            let reply = client.get(&format!("/api/operations/get?id={id}")).await;
            let page: Option<OperationPage> = serde_json::from_str(&reply.body).unwrap();
            let page = page.unwrap_or_else(|| panic!("no operation {id}"));
            if !page.operation.summary.state.is_live() {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("operation {id} does not end");
    }

    /// Acts, waits, and insists on success.
    pub async fn succeed(&mut self, guest: &str, action: &str) -> OperationPage {
        let id = self.act(guest, action).await;
        let page = self.ended(id).await;
        assert_eq!(page.operation.summary.state, OperationState::Succeeded, "{action} {guest}: {page:#?}");
        page
    }

    /// Creates as the wasm client does, waits, and insists on success.
    pub async fn create(&mut self, fields: &[(&str, &str)]) -> OperationPage {
        let mut client = self.wasm();
        let reply = client.post("/guests/new", "/api/guests/create", fields).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        let page = self.ended(reply.body.trim().parse().unwrap()).await;
        assert_eq!(page.operation.summary.state, OperationState::Succeeded, "{page:#?}");
        page
    }
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
