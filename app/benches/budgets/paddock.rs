//! The release server as a process of its own, and somebody who is logged in.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    fakepve::{FakePve, TOKEN, TOKEN_SECRET},
    http::{Connection, Events},
    measure,
};

pub const PASSWORD: &str = "a password of the benches";
/// Where the guests of the list are told.
pub const LIST: &str = "/api/guests/list";

/// What it manages. Backends without a place are switched off.
#[derive(Default)]
pub struct Setup<'a> {
    pub lxc: Option<&'a Path>,
    pub crun: Option<&'a Path>,
    pub proxmox: Option<&'a FakePve>,
}

impl Setup<'_> {
    /// Where new guests go: it must be one that is there.
    fn first(&self) -> &'static str {
        match (self.lxc, self.crun) {
            (Some(_), _) => "lxc",
            (None, Some(_)) => "crun",
            (None, None) => "proxmox-lxc",
        }
    }
}

pub struct Paddock {
    child: Child,
    /// Its database and logs.
    _dir: TempDir,
    pub port: u16,
    pub cookie: String,
    /// From its start until it listens, with all guests read.
    pub began_in: Duration,
}

/// Of the release that `make build` made.
fn program() -> PathBuf {
    match std::env::var_os("PADDOCK_PROGRAM") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/paddock"),
    }
}

impl Paddock {
    pub async fn start(setup: &Setup<'_>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program());
        let path = |name: &str| dir.path().join(name);
        command
            .arg("serve")
            .env("PADDOCK_ADDR", format!("127.0.0.1:{port}"))
            .env("PADDOCK_DATA", path("data"))
            .env("PADDOCK_ADMIN_PASSWORD", PASSWORD)
            .env("PADDOCK_LXC_ENABLED", setup.lxc.is_some().to_string())
            .env("PADDOCK_CRUN_ENABLED", setup.crun.is_some().to_string())
            .env("PADDOCK_ROUTING_DEFAULT", setup.first())
            .env("PADDOCK_CRUN_BUNDLES", path("bundles"))
            .env("PADDOCK_CRUN_IMAGES", path("images"))
            .envs(setup.lxc.map(|place| ("PADDOCK_LXC_PATH", place)))
            .envs(setup.crun.map(|place| ("PADDOCK_CRUN_ROOT", place)));
        if let Some(fake) = setup.proxmox {
            let secret = path("secret");
            std::fs::write(&secret, TOKEN_SECRET).unwrap();
            let hex: Vec<String> = fake.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
            command
                .env("PADDOCK_PROXMOX_ENDPOINTS", format!("https://{}:{}", fake.host, fake.port))
                .env("PADDOCK_PROXMOX_FINGERPRINT", hex.join(":"))
                .env("PADDOCK_PROXMOX_TOKEN_ID", TOKEN)
                .env("PADDOCK_PROXMOX_TOKEN_SECRET_FILE", &secret);
            Command::new("chmod").arg("600").arg(&secret).status().unwrap();
        }
        let log = std::fs::File::create(path("log")).unwrap();
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        if !greeting.starts_with("Paddock is at") {
            let words = std::fs::read_to_string(path("log")).unwrap();
            panic!("{} did not come up: {greeting}{words}", program().display());
        }
        let began_in = begun.elapsed();
        let mut paddock = Self { child, _dir: dir, port, cookie: String::new(), began_in };
        paddock.log_in().await;
        paddock
    }

    async fn log_in(&mut self) {
        let mut connection = Connection::open(self.port, None).await;
        let reply =
            connection.post("/api/account/log_in", &[("username", "admin"), ("password", PASSWORD)]).await;
        let cookie = reply.headers.iter().filter(|(name, _)| name == "set-cookie").find_map(|(_, value)| {
            value.split(';').next().filter(|pair| pair.starts_with("paddock=")).map(str::to_owned)
        });
        self.cookie = cookie
            .unwrap_or_else(|| panic!("no log-in: {} {:?} {}", reply.status, reply.headers, reply.text()));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn connection(&self) -> Connection {
        Connection::open(self.port, Some(&self.cookie)).await
    }

    pub async fn events(&self) -> Events {
        Events::open(self.port, &self.cookie).await
    }

    /// The list of guests, as the browser's own code asks for it.
    pub async fn list(&self, connection: &mut Connection) -> serde_json::Value {
        let reply = connection.get(LIST, "application/json").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The guest's status in the list.
    pub async fn status(&self, connection: &mut Connection, name: &str) -> Option<String> {
        let list = self.list(connection).await;
        let guests = list["guests"].as_array()?;
        let row = guests.iter().find(|row| guest_of(row)["id"]["name"] == name)?;
        guest_of(row)["status"].as_str().map(str::to_owned)
    }

    pub async fn count(&self) -> usize {
        let list = self.list(&mut self.connection().await).await;
        list["guests"].as_array().map_or(0, Vec::len)
    }

    pub fn usage(&self) -> measure::Usage {
        measure::Usage::of(self.pid())
    }
}

/// A row is a guest, or has one.
pub fn guest_of(row: &serde_json::Value) -> &serde_json::Value {
    row.get("guest").unwrap_or(row)
}

impl Drop for Paddock {
    fn drop(&mut self) {
        // It ends in order, so that nothing of its own is left behind.
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let _ = self.child.wait();
    }
}
