//! A fake Proxmox VE for one test: the peer `fakepve` in a process of its own on loopback, changed while it runs.
//!
//! `fakepve_host.py` beside this file says what can be asked of it. The interpreter that has `fakepve` is the one of
//! `PADDOCK_FAKEPVE_PYTHON`, else where `make unit` installs it.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use app::{
    backend::proxmox::{Client, Credentials, Endpoint, ProxmoxConfig, Trust},
    domain::secret::Secret,
};
use serde_json::{Value, json};

/// Long enough for a busy machine; no test waits for it unless it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The API token that the fake takes, of root.
pub const TOKEN: &str = "root@pam!paddock";
/// Its secret.
pub const TOKEN_SECRET: &str = "right";
/// The password of `root@pam`.
pub const PASSWORD: &str = "secret";

/// One fake cluster, ended with this.
pub struct FakePve {
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    pub host: String,
    pub port: u16,
    /// Its certificate, and so its own authority.
    pub ca: PathBuf,
    /// A certificate that it does not have.
    pub other_ca: PathBuf,
    pub fingerprint: [u8; 32],
}

impl FakePve {
    /// One node `pve1`, no guests, tasks over before their request is answered (`time_scale` 0).
    pub fn start() -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../app/tests/common/fakepve_host.py");
        let python = python();
        let mut process = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {}: {e}; `make unit` installs it", python.display()));
        let stdin = process.stdin.take().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let hello = read_line(&mut stdout);
        let text = |key: &str| hello[key].as_str().unwrap().to_owned();
        let fingerprint = text("fingerprint");
        let byte = |at: usize| u8::from_str_radix(&fingerprint[2 * at..2 * at + 2], 16).unwrap();
        Self {
            host: text("host"),
            port: u16::try_from(hello["port"].as_u64().unwrap()).unwrap(),
            ca: text("ca").into(),
            other_ca: text("other_ca").into(),
            fingerprint: std::array::from_fn(byte),
            pipes: Mutex::new((stdin, stdout)),
            process,
        }
    }

    /// Tasks and delays take their time: so many real seconds each of Proxmox's.
    pub fn with_time(time_scale: f64) -> Self {
        let fake = Self::start();
        fake.set("time_scale", json!(time_scale));
        fake
    }

    /// What the command answers; the fake's own words where it fails.
    pub fn ask(&self, command: &Value) -> Result<Value, String> {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{command}").unwrap();
        let answer = read_line(&mut pipes.1);
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }

    fn told(&self, command: &Value) -> Value {
        self.ask(command).unwrap_or_else(|e| panic!("the fake does not take {command}: {e}"))
    }

    /// A method of the fake with these arguments in order: an array, or an object of named ones.
    pub fn call(&self, name: &str, arguments: Value) -> Value {
        let key = if arguments.is_object() { "kwargs" } else { "args" };
        self.told(&json!({"do": "call", "name": name, key: arguments}))
    }

    pub fn set(&self, name: &str, value: Value) {
        self.told(&json!({"do": "set", "name": name, "value": value}));
    }

    pub fn get(&self, name: &str) -> Value {
        self.told(&json!({"do": "get", "name": name}))
    }

    /// An attribute of one guest: `shutdown_secs`, `lock`, `agent`, `status`, ...
    pub fn set_guest(&self, vmid: u32, name: &str, value: Value) {
        self.told(&json!({"do": "set", "guest": vmid, "name": name, "value": value}));
    }

    pub fn get_guest(&self, vmid: u32, name: &str) -> Value {
        self.told(&json!({"do": "get", "guest": vmid, "name": name}))
    }

    /// A container: `status` is `running` or `stopped`.
    pub fn add_ct(&self, vmid: u32, name: &str, status: &str) {
        self.call("add_ct", json!({"vmid": vmid, "name": name, "status": status}));
    }

    /// A VM: `status` is `running` or `stopped`.
    pub fn add_vm(&self, vmid: u32, name: &str, status: &str) {
        self.call("add_vm", json!({"vmid": vmid, "name": name, "status": status}));
    }

    /// Requests of this method whose path ends so are answered by the error of this name in the peer's catalogue of
    /// Proxmox's own errors.
    pub fn fail(&self, method: &str, suffix: &str, error: &str) {
        self.call("fail", json!({"method": method, "suffix": suffix, "error": error}));
    }

    /// The next `times` requests of this method whose path ends so are spoilt in this way: `drop`, `swallow`, `cut`,
    /// `hang`, `raw`; the rest of what `spoil` takes is in `more`.
    pub fn spoil(&self, method: &str, suffix: &str, how: &str, times: u32, more: Value) {
        let mut arguments = json!({"method": method, "suffix": suffix, "how": how, "times": times});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("spoil", arguments);
    }

    /// How many requests of this method have come whose path ends so.
    pub fn count(&self, method: &str, suffix: &str) -> u64 {
        self.call("count", json!([method, suffix])).as_u64().unwrap()
    }

    /// One more address of the same cluster; its port.
    pub fn listen(&self) -> u16 {
        u16::try_from(self.call("listen", json!([])).as_u64().unwrap()).unwrap()
    }

    /// Nobody listens at that port any more, and its connections are cut.
    pub fn shut(&self, port: u16) {
        self.call("shut", json!([port]));
    }

    pub fn reopen(&self, port: u16) {
        self.call("reopen", json!([port]));
    }

    /// Its address with the certificate pinned.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint_at(self.port)
    }

    pub fn endpoint_at(&self, port: u16) -> Endpoint {
        Endpoint { host: self.host.clone(), port, trust: Trust::Fingerprint(self.fingerprint) }
    }

    /// With the token of root.
    pub fn config(&self) -> ProxmoxConfig {
        let credentials = Credentials::Token { id: TOKEN.to_owned(), secret: Secret::new(TOKEN_SECRET) };
        ProxmoxConfig::of(self.endpoint(), credentials)
    }

    /// With the password of root.
    pub fn password_config(&self) -> ProxmoxConfig {
        let credentials =
            Credentials::Password { user: "root@pam".to_owned(), password: Secret::new(PASSWORD) };
        ProxmoxConfig { credentials, ..self.config() }
    }

    pub fn client(&self) -> Client {
        Client::new(&self.config()).unwrap()
    }

    /// Waits until so many requests have come, and says whether they did.
    pub async fn sees(&self, method: &str, suffix: &str, requests: u64) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while self.count(method, suffix) < requests {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }
}

impl Drop for FakePve {
    fn drop(&mut self) {
        // It ends with its standard input, too; this way nothing waits for it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Killed, it could not remove its keys.
        if let Some(keys) = self.ca.parent() {
            let _ = std::fs::remove_dir_all(keys);
        }
    }
}

fn python() -> PathBuf {
    match env::var_os("PADDOCK_FAKEPVE_PYTHON") {
        Some(python) => PathBuf::from(python),
        None => PathBuf::from(env::var_os("HOME").unwrap()).join(".cache/paddock/tools/fakepve/bin/python"),
    }
}

fn read_line(stdout: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("the fake said {line:?}: {e}"))
}
