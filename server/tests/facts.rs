//! What is recorded of the dashboard itself: its life and settings, who came in and who did not, and where its
//! checkpoints go.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

mod common;

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use app::{
    domain::access::BuiltIn,
    ledger::Checkpoint,
    store::{EntryKind, LedgerFilter},
};
use common::{Host, PASSWORD};
use http::StatusCode;
use serde_json::{Value, json};

/// A server takes no longer to come up or to end.
const PATIENCE: Duration = Duration::from_secs(30);

fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["lxc", "crun", "site/pkg"] {
        std::fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    dir
}

fn paddock(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paddock"));
    with_settings(&mut command, dir).args(args);
    command
}

fn with_settings<'a>(command: &'a mut Command, dir: &Path) -> &'a mut Command {
    command
        .env_remove("JOURNAL_STREAM")
        .env("PADDOCK_DATA", dir.join("data"))
        .env("PADDOCK_SITE", dir.join("site"))
        .env("PADDOCK_LXC_PATH", dir.join("lxc"))
        .env("PADDOCK_CRUN_ROOT", dir.join("crun"))
}

/// Comes up, is told to end, and says what it wrote to standard error.
fn serve_once(mut command: Command) -> String {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    command.env("PADDOCK_ADDR", addr.to_string()).env("PADDOCK_ADMIN_PASSWORD", PASSWORD);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut greeting = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let Output { status, stderr, .. } = ended(child);
    let said = String::from_utf8(stderr).unwrap();
    assert!(greeting.contains("Paddock is at") && status.success(), "{greeting}{status} {said}");
    said
}

fn ended(mut child: Child) -> Output {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// Entries as the command line lists them, oldest first.
fn ledger(dir: &Path, args: &[&str]) -> Vec<Value> {
    let output = paddock(dir, &["ledger", "--format", "jsonl"]).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    entries.reverse();
    entries
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

/// The checkpoint in a text, if there is one.
fn checkpoint(text: &str) -> Option<Checkpoint> {
    text.lines().find_map(Checkpoint::find)
}

#[test]
fn a_servers_start_changed_settings_and_end_are_recorded_and_signed_at_any_log_level() {
    let dir = directory();
    let dir = dir.path();
    let mut quiet = paddock(dir, &["serve"]);
    quiet.env("RUST_LOG", "off");
    let said = serve_once(quiet);
    let entries = ledger(dir, &[]);
    let first =
        ["ledger-begun", "server-started", "settings-changed", "user-added", "grant-added", "server-stopped"];
    assert_eq!(kinds(&entries), first);
    let witnessed = checkpoint(&said).unwrap_or_else(|| panic!("{said}"));
    assert_eq!(
        (json!(witnessed.seq), json!(witnessed.hash)),
        (entries[5]["seq"].clone(), entries[5]["hash"].clone())
    );
    assert_eq!(entries[1]["detail"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(entries[1..].iter().all(|entry| entry["actor"] == "paddock (server)"), "{entries:#?}");
    assert_eq!(entries[2]["detail"]["settings"]["lxc.path"], json!(dir.join("lxc")));

    let mut changed = paddock(dir, &["serve"]);
    changed.env("PADDOCK_HTTPS", "true");
    serve_once(changed);
    let changes = ledger(dir, &["--kind", "settings-changed"]);
    assert_eq!(changes.len(), 2);
    let change = &changes[1]["detail"]["changed"];
    assert_eq!(change["server.https"], json!({ "old": false, "new": true }));
    // Each start of these tests has a port of its own.
    let keys: Vec<&str> = change.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["server.addr", "server.https"]);
}

#[test]
fn what_the_command_line_does_and_is_refused_is_recorded_as_its_own() {
    let dir = directory();
    let dir = dir.path();
    let run = |args: &[&str]| paddock(dir, args).output().unwrap();
    let added = run(&["user", "add", "anna", "--role", "operator"]);
    assert!(added.status.success(), "{added:?}");
    assert!(run(&["user", "reset-password", "anna"]).status.success());
    assert_eq!(run(&["user", "add", "anna"]).status.code(), Some(2));
    assert_eq!(run(&["start", "lxc/nosuch"]).status.code(), Some(3));
    let entries = ledger(dir, &["--actor", "root (cli)"]);
    let done =
        ["user-added", "grant-added", "password-reset", "session-ended", "action-refused", "action-refused"];
    assert_eq!(kinds(&entries), done);
    assert_eq!(entries[4]["subject"], "user:anna");
    assert_eq!(entries[5]["detail"]["action"], "start");
    assert_eq!(entries[5]["detail"]["kind"], "not-found");

    assert_eq!(ledger(dir, &["--limit", "1"]).len(), 1);
    let older = ledger(dir, &["--before", "2"]);
    assert_eq!(kinds(&older), ["ledger-begun"]);
    assert_eq!(run(&["ledger", "--kind", "explosion"]).status.code(), Some(2));
    let table = String::from_utf8(run(&["ledger"]).stdout).unwrap();
    assert!(table.starts_with("SEQ") && table.contains("user:anna"), "{table}");
}

#[test]
fn checkpoints_reach_the_journal_and_never_the_terminal_of_a_command_line() {
    let dir = directory();
    let dir = dir.path();
    // The ninety-ninth entry: the next one is signed for good.
    serve_once(paddock(dir, &["serve"]));
    while ledger(dir, &["--limit", "1"])[0]["seq"].as_i64().unwrap() < 97 {
        assert!(paddock(dir, &["user", "reset-password", "admin"]).output().unwrap().status.success());
    }
    let journal = dir.join("journal");
    std::fs::create_dir(&journal).unwrap();
    let socket = UnixDatagram::bind(journal.join("socket")).unwrap();
    socket.set_nonblocking(true).unwrap();
    // A /run of its own, with a journal in it that is this test.
    let script = "mount -t tmpfs run /run && mkdir -p /run/systemd/journal && mount --bind \"$0\" /run/systemd/journal && exec \"$@\"";
    let in_namespace = |program: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(&journal).args(program);
        with_settings(&mut command, dir);
        command
    };
    // Each program first sends nothing at all, to find out whether there is a journal.
    let received = || loop {
        let mut buffer = vec![0; 64 * 1024];
        let length = socket.recv(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if !text.is_empty() {
            assert!(text.contains("SYSLOG_IDENTIFIER") && text.contains("paddock::checkpoint"), "{text}");
            return Some(checkpoint(&text).unwrap_or_else(|| panic!("{text}")));
        }
    };
    let program = env!("CARGO_BIN_EXE_paddock");
    let mut signed = None;
    for _ in 0..3 {
        let output = in_namespace(&[program, "user", "reset-password", "admin"])
            .env("RUST_LOG", "trace,sqlx=off")
            .output()
            .unwrap();
        assert!(output.status.success(), "this test needs the right to mount: {output:?}");
        assert_eq!(checkpoint(&String::from_utf8_lossy(&output.stderr)), None);
        assert_eq!(checkpoint(&String::from_utf8_lossy(&output.stdout)), None);
        signed = signed.or(received());
    }
    assert_eq!(signed.unwrap().seq, 100);
    // A server that writes elsewhere than to the journal, although it inherits the variable.
    let mut server = in_namespace(&[program, "serve"]);
    server.env("JOURNAL_STREAM", "8:12345");
    assert!(checkpoint(&serve_once(server)).is_some());
    assert!(received().is_some());
    assert_eq!(received(), None, "nothing else is sent there");
}

#[tokio::test]
async fn two_thousand_guesses_from_one_address_are_a_few_entries_and_a_count() {
    let host = Host::start().await;
    // At this address nobody else gets a turn, but for a browser that was here before.
    let known = host.admin().await;
    let mut browser = host.browser();
    browser.json = true;
    // Refused before it is hashed, so that the test takes seconds.
    let guess = "x".repeat(app::auth::password::LONGEST + 1);
    let size = async || {
        let filter = LedgerFilter { limit: u32::MAX, ..LedgerFilter::default() };
        host.state.store.ledger_page(&filter).await.unwrap().len()
    };
    let before = size().await;
    for nth in 0..2000 {
        let name = if nth % 2 == 0 { "admin".to_owned() } else { format!("user{nth}") };
        let status = browser.log_in(&name, &guess).await.status;
        assert!(matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS), "{status}");
    }
    let grown = size().await - before;
    assert_eq!(grown, 40, "twenty of the account and twenty of names that are none");
    let mut again = common::Browser { device: known.device.clone(), ..host.browser() };
    assert_eq!(again.log_in("admin", PASSWORD).await.location.as_deref(), Some("/"));
    // The counts, and the log-in.
    assert_eq!(size().await - before, grown + 3);
    let newest = host.state.store.newest_entry(EntryKind::LoggedIn).await.unwrap().unwrap();
    assert_eq!((newest.actor.as_deref(), newest.address.as_deref()), (Some("admin"), Some("127.0.0.1")));
}

#[tokio::test]
async fn a_browser_without_the_right_leaves_its_attempt_with_its_address() {
    let host = Host::start().await;
    let mut vera = host.person("vera", BuiltIn::Viewer).await;
    assert_eq!(vera.try_act("lxc/web1", "start").await.status, StatusCode::FORBIDDEN);
    vera.get("/guests").await;
    let entry = host.state.store.newest_entry(EntryKind::ActionDenied).await.unwrap().unwrap();
    assert_eq!(
        (entry.actor.as_deref(), entry.address.as_deref(), entry.subject.as_deref()),
        (Some("vera"), Some("127.0.0.1"), Some("lxc/web1"))
    );
    let filter = LedgerFilter { kind: Some(EntryKind::ActionDenied), limit: 10, ..LedgerFilter::default() };
    assert_eq!(host.state.store.ledger_page(&filter).await.unwrap().len(), 1);
}
