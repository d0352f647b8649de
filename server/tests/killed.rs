//! The program itself: first start, a kill in the middle of an operation, and the start after it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]

mod common;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{PASSWORD, end_guests};

struct Server {
    child: Child,
    addr: SocketAddr,
    greeting: String,
}

impl Server {
    fn start(dir: &Path, password: Option<&str>) -> Self {
        // The port is free now; should another process take it first, the start fails and says so.
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Self::command(dir, addr);
        if let Some(password) = password {
            command.env("PADDOCK_ADMIN_PASSWORD", password);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        lines.read_line(&mut greeting).unwrap();
        assert!(greeting.contains("Paddock is at"), "{greeting}");
        if password.is_none() {
            lines.read_line(&mut greeting).unwrap();
        }
        Self { child, addr, greeting }
    }

    fn command(dir: &Path, addr: SocketAddr) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paddock"));
        command
            .arg("serve")
            .env("PADDOCK_ADDR", addr.to_string())
            .env("PADDOCK_DATA", dir.join("data"))
            .env("PADDOCK_SITE", dir.join("site"))
            .env("PADDOCK_LXC_PATH", dir.join("lxc"))
            .env("PADDOCK_LXC_CREATE_CONFIG", dir.join("lxc.conf"))
            .env("PADDOCK_CRUN_ROOT", dir.join("crun"));
        command
    }

    /// One request; the reply as text, headers and all.
    fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept: application/json\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.addr,
            body.len()
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }

    fn log_in(&self) -> String {
        let body = format!("username=admin&password={}", PASSWORD.replace(' ', "+"));
        let reply = self.ask("POST", "/api/account/log_in", "", &body);
        let cookie = reply
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: ").filter(|it| it.starts_with("paddock=")))
            .expect(&reply);
        cookie.split(';').next().unwrap().to_owned()
    }

    /// The operation's JSON once it has ended.
    fn ended(&self, cookie: &str, id: i64) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let reply = self.ask("GET", &format!("/api/operations/get?id={id}"), cookie, "");
            if ![r#""state":"running""#, r#""state":"planned""#].iter().any(|live| reply.contains(live)) {
                return reply;
            }
            assert!(Instant::now() < deadline, "operation {id} does not end: {reply}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn begin(&self, cookie: &str, path: &str, body: &str) -> i64 {
        let reply = self.ask("POST", path, cookie, body);
        let number = reply.lines().last().unwrap_or_default();
        number.parse().unwrap_or_else(|_| panic!("{reply}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it says when it does not come up. One that does come up is a failure of the test, not a wait for ever.
fn fails(mut command: Command) -> String {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it came up");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["lxc", "crun", "site/pkg"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("lxc.conf"), "lxc.net.0.type = empty\n").unwrap();
        Self(dir)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        end_guests(self.0.path());
    }
}

#[test]
fn an_operation_cut_off_by_kill_9_is_interrupted_with_the_guests_real_state() {
    let directory = Directory::new();
    let dir = directory.0.path();
    let mut server = Server::start(dir, Some(PASSWORD));
    let cookie = server.log_in();
    let body = "form[backend]=lxc&form[source]=template&form[template]=busybox&form[name]=slow";
    let created = server.begin(&cookie, "/api/guests/create", body);
    assert!(server.ended(&cookie, created).contains(r#""state":"succeeded""#));
    // busybox init halts at SIGUSR1; with another signal it never hears of the shutdown, so that takes its time.
    let config = dir.join("lxc/slow/config");
    let text = std::fs::read_to_string(&config).unwrap();
    let deaf: Vec<&str> = text.lines().filter(|line| !line.starts_with("lxc.signal.halt")).collect();
    std::fs::write(&config, format!("{}\nlxc.signal.halt = SIGURG\n", deaf.join("\n"))).unwrap();
    let started = server.begin(&cookie, "/api/guests/act", "backend=lxc&name=slow&action=start");
    assert!(server.ended(&cookie, started).contains(r#""state":"succeeded""#));
    let slow = server.begin(&cookie, "/api/guests/act", "backend=lxc&name=slow&action=shutdown&timeout=50");
    std::thread::sleep(Duration::from_millis(700));

    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = Server::start(dir, Some(PASSWORD));

    let page = server.ask("GET", &format!("/api/operations/get?id={slow}"), &cookie, "");
    assert!(page.contains(r#""state":"interrupted""#), "{page}");
    assert!(page.contains(r#""guest_after":{"status":"running"}"#), "{page}");
    assert!(page.contains("Its tool was still running and has been ended"), "{page}");
    let pgrep =
        Command::new("pgrep").args(["-f", &format!("lxc-stop -P {}", dir.join("lxc").display())]).output();
    assert!(pgrep.unwrap().stdout.is_empty(), "no tool is left at work on the guest");
    // The guest is free again.
    let stop = server.begin(&cookie, "/api/guests/act", "backend=lxc&name=slow&action=stop");
    assert!(server.ended(&cookie, stop).contains(r#""state":"succeeded""#));
}

#[test]
fn the_very_first_start_prints_a_one_time_password_and_no_later_one_does() {
    let directory = Directory::new();
    let server = Server::start(directory.0.path(), None);
    assert!(server.greeting.contains("one-time password"), "{}", server.greeting);
    let password = server.greeting.trim().rsplit(' ').next().unwrap().to_owned();
    let reply = server.ask("POST", "/api/account/log_in", "", &format!("username=admin&password={password}"));
    assert!(reply.contains("location: /account/password"), "{reply}");
    drop(server);
    // A password given now is ignored: the account exists.
    let server = Server::start(directory.0.path(), Some("something else entirely"));
    let reply =
        server.ask("POST", "/api/account/log_in", "", "username=admin&password=something+else+entirely");
    assert!(reply.contains("401"), "{reply}");
}

#[test]
fn a_start_that_cannot_be_says_why_and_changes_nothing() {
    let directory = Directory::new();
    let dir = directory.0.path();
    let addr: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let fails = |dir: &Path| fails(Server::command(dir, addr));
    std::fs::create_dir(dir.join("data")).unwrap();
    let database = dir.join("data/paddock.db");
    std::fs::write(&database, "not a database".repeat(500)).unwrap();
    let said = fails(dir);
    assert!(said.contains("is no intact database"), "{said}");
    assert_eq!(std::fs::read_to_string(&database).unwrap(), "not a database".repeat(500));
    std::fs::remove_file(&database).unwrap();

    let server = Server::start(dir, Some(PASSWORD));
    let said = fails(dir);
    assert!(said.contains("Another Paddock is running"), "{said}");
    drop(server);

    std::fs::remove_dir_all(dir.join("site")).unwrap();
    let said = fails(dir);
    assert!(said.contains("make build"), "{said}");
}

#[test]
fn a_full_disk_is_named_and_nothing_is_overwritten() {
    let directory = Directory::new();
    let dir = directory.0.path();
    let data = dir.join("data");
    std::fs::create_dir(&data).unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "full"]).arg(&data).status().unwrap();
    assert!(mounted.success(), "this test needs the right to mount");
    let said = fails(Server::command(dir, "127.0.0.1:0".parse().unwrap()));
    Command::new("umount").arg(&data).status().unwrap();
    assert!(said.contains("is full"), "{said}");
}

#[test]
fn told_to_end_it_ends_in_order() {
    let directory = Directory::new();
    let mut server = Server::start(directory.0.path(), Some(PASSWORD));
    Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{status}");
}
