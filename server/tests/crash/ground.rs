//! Where it happens: a host of its own with LXC, crun and a fake Proxmox VE, and the program on it.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    common::{PASSWORD, end_guests, make_bundle},
    fakepve::{FakePve, TOKEN, TOKEN_SECRET},
};

/// Names of LXC guests that are made and deleted; one more, [`DEAF`], is always there.
pub const LXC: [&str; 5] = ["l0", "l1", "l2", "l3", "l4"];
/// An LXC guest that never hears of a shut-down, so that one takes as long as it is given.
pub const DEAF: &str = "deaf";
/// crun's guests.
pub const CRUN: usize = 4;
/// The fake's containers and VMs that are always there. Those made meanwhile have VMIDs below.
pub const CONTAINERS: [u32; 3] = [501, 502, 503];
pub const VMS: [u32; 3] = [601, 602, 603];
/// What new containers are made from.
pub const TEMPLATE: &str = "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst";

pub struct Ground {
    dir: tempfile::TempDir,
    pub fake: FakePve,
}

/// A server that came up.
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
}

impl Ground {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("paddock-crash-").tempdir().unwrap();
        for name in ["lxc", "crun", "bundles", "site/pkg"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("lxc.conf"), "lxc.net.0.type = empty\n").unwrap();
        // Whoever builds meanwhile must not change what is tested.
        fs::copy(env!("CARGO_BIN_EXE_paddock"), dir.path().join("paddock")).unwrap();
        let ground = Self { dir, fake: FakePve::start() };
        ground.write_settings();
        ground.fill_fake();
        for id in ground.crun_ids() {
            let script = "trap 'exit 0' TERM; while :; do sleep 0.2 & wait $!; done";
            make_bundle(&ground.bundle(&id), script);
        }
        ground
    }

    fn write_settings(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let secret = self.path("token");
        fs::write(&secret, format!("{TOKEN_SECRET}\n")).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let fingerprint: Vec<String> =
            self.fake.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
        let text = format!(
            "[server]\ndata = \"{0}/data\"\nsite = \"{0}/site\"\n[lxc]\npath = \"{0}/lxc\"\n\
             create_config = \"{0}/lxc.conf\"\n[crun]\nroot = \"{0}/crun\"\nbundles = \"{0}/bundles\"\n\
             images = \"{0}/images\"\n[proxmox]\nendpoints = [\"https://{1}:{2}\"]\nfingerprint = \"{3}\"\n\
             token_id = \"{TOKEN}\"\ntoken_secret_file = \"{4}\"\n",
            self.dir.path().display(),
            self.fake.host,
            self.fake.port,
            fingerprint.join(":"),
            secret.display()
        );
        fs::write(self.path("paddock.toml"), text).unwrap();
    }

    /// Guests whose tasks take from 0.2 to 3 s, each guest its own time, and answers that take some time, too.
    fn fill_fake(&self) {
        let fake = &self.fake;
        let file = TEMPLATE.rsplit('/').next().unwrap();
        fake.call(
            "store_file",
            json!({"storage": "local", "name": file, "size": 1 << 20, "content": "vztmpl"}),
        );
        for (vmid, seconds) in CONTAINERS.into_iter().zip([0.2, 0.8, 3.0]) {
            let disk = json!({"rootfs": format!("local-lvm:vm-{vmid}-disk-0,size=1G")});
            fake.call(
                "add_ct",
                json!({"vmid": vmid, "name": format!("ct{vmid}"), "status": "stopped", "config": disk}),
            );
            self.slow_down(vmid, seconds);
        }
        for (vmid, seconds) in VMS.into_iter().zip([0.3, 1.2, 2.5]) {
            let disk = json!({"scsi0": format!("local-lvm:vm-{vmid}-disk-0,size=1G")});
            fake.call(
                "add_vm",
                json!({"vmid": vmid, "name": format!("vm{vmid}"), "status": "stopped", "config": disk}),
            );
            self.slow_down(vmid, seconds);
        }
        for (task, seconds) in
            [("create", 1.0), ("destroy", 0.5), ("snapshot", 0.7), ("delsnapshot", 0.4), ("rollback", 0.6)]
        {
            fake.set(&format!("ct_secs.{task}"), json!(seconds));
        }
        fake.call("slow_network", json!({"latency": 0.01, "jitter": 0.03}));
        fake.set("time_scale", json!(1));
    }

    fn slow_down(&self, vmid: u32, seconds: f64) {
        for task in ["start_secs", "stop_secs", "shutdown_secs"] {
            self.fake.set_guest(vmid, task, json!(seconds));
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ids under several roots share a control group, so each run has its own.
    pub fn crun_ids(&self) -> Vec<String> {
        (0..CRUN).map(|nth| format!("crash-{}-{nth}", std::process::id())).collect()
    }

    pub fn bundle(&self, id: &str) -> PathBuf {
        self.path("bundles").join(id)
    }

    /// The program with this ground's settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("paddock"));
        command.arg("--config").arg(self.path("paddock.toml")).args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PADDOCK_") {
                command.env_remove(name);
            }
        }
        command
    }

    fn serve(&self) -> (Child, SocketAddr) {
        // The port is free now; should another process take it first, the start fails and says so.
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command(&["serve"]);
        command.env("PADDOCK_ADDR", addr.to_string()).env("PADDOCK_ADMIN_PASSWORD", PASSWORD);
        (command.stdout(Stdio::piped()).stderr(log).spawn().unwrap(), addr)
    }

    /// What the servers said on standard error.
    pub fn log(&self) -> PathBuf {
        self.path("server.log")
    }

    /// Starts the server and kills it so long after that, up or not.
    pub fn start_in_vain(&self, after: Duration) {
        let (mut child, _) = self.serve();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts the server; also says how long it took until it answered.
    pub fn start(&self) -> (Server, Duration) {
        let begun = Instant::now();
        let (mut child, addr) = self.serve();
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        if !greeting.contains("Paddock is at") {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the server does not start: {greeting}\n{}", self.last_words());
        }
        (Server { child, addr }, begun.elapsed())
    }

    /// Puts database and log aside, for whoever looks into what went wrong.
    pub fn keep(&self) -> PathBuf {
        let kept = tempfile::Builder::new().prefix("paddock-crashed-").tempdir().unwrap().keep();
        for name in ["data/paddock.db", "data/paddock.db-wal", "server.log"] {
            let to = kept.join(self.path(name).file_name().unwrap());
            fs::copy(self.path(name), to).unwrap_or_default();
        }
        kept
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Server {
    /// At once, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end in order, and kills it if it is still there so long after that.
    pub fn end_within(&mut self, patience: Duration) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if self.child.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        end_guests(self.dir.path());
    }
}
