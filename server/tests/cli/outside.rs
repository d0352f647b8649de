//! A server that keeps the record of what happens outside, with the command line and other people beside it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use app::{
    domain::{
        guest::GuestStatus,
        history::HistoryFilter,
        operation::{Deed, OperationId, OperationSummary, Origin, Seen},
    },
    store::Store,
};

use crate::{
    another::{BOB, by_another},
    lab::{Lab, signal, unique},
    proxmox::Cluster,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// `paddock serve`, killed when dropped.
struct Serving {
    child: Child,
    /// Open, so that what it says is heard.
    _said: BufReader<ChildStdout>,
}

impl Serving {
    fn start(lab: &Lab) -> Self {
        let mut command = lab.command(&["serve"]);
        command.env("PADDOCK_ADDR", "127.0.0.1:0").env("PADDOCK_ADMIN_PASSWORD", "a password of the tests");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        said.read_line(&mut greeting).unwrap();
        assert!(greeting.contains("Paddock is at"), "{greeting}");
        Self { child, _said: said }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn store(lab: &Lab) -> Store {
    Store::open(&lab.path("data/paddock.db")).await.unwrap()
}

/// All of this origin, in the order in which they were recorded.
async fn history(store: &Store, origin: Origin) -> Vec<OperationSummary> {
    let all = store.history(&HistoryFilter::default(), 100_000).await.unwrap().operations;
    let mut all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    all.retain(|operation| operation.origin == origin);
    all.sort_by_key(|operation| operation.id);
    all
}

async fn sees(store: &Store, origin: Origin, count: usize) -> Vec<OperationSummary> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let all = history(store, origin).await;
        if all.iter().filter(|operation| !operation.state.is_live()).count() >= count {
            return all;
        }
        assert!(Instant::now() < deadline, "{count}: {all:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn notes(store: &Store, id: OperationId) -> Vec<String> {
    store.operation(id).await.unwrap().unwrap().plan.notes
}

/// A tool by hand. What its container inherits must not be a pipe that this test waits on.
fn by_hand(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn lxc(lab: &Lab, tool: &str, name: &str, more: &str) {
    by_hand(Command::new(tool).arg("-P").arg(lab.path("lxc")).args(["-n", name, more]));
}

#[tokio::test]
async fn what_is_done_by_hand_after_a_kill_9_is_seen_at_the_next_start_and_the_command_line_is_known() {
    let lab = Lab::new();
    for name in ["web1", "web2"] {
        lab.must(&["create", name, "--template", "busybox"]);
    }
    let server = Serving::start(&lab);
    let store = store(&lab).await;
    lxc(&lab, "lxc-start", "web2", "-d");
    sees(&store, Origin::Observed, 1).await;
    // Beside the server, another process of Paddock.
    lab.must(&["start", "web1"]);
    lab.must(&["reboot", "web1"]);
    signal(&server.child, "KILL");
    drop(server);

    lab.must(&["stop", "web1"]);
    lxc(&lab, "lxc-stop", "web2", "-k");
    let job = unique("job");
    let bundle = lab.bundle("job", "sleep 100");
    by_hand(
        Command::new("crun").arg("--root").arg(lab.path("crun")).args(["run", "-d", "-b", &bundle, &job]),
    );
    let server = Serving::start(&lab);
    let all = sees(&store, Origin::Observed, 3).await;
    lxc(&lab, "lxc-start", "web2", "-d");
    let all_then = sees(&store, Origin::Observed, 4).await;
    let told: Vec<String> =
        all_then.iter().map(|operation| format!("{} {}", operation.on_what(), operation.action)).collect();
    let became = |status| Deed::Observed(Seen::Became(status)).to_string();
    let mut expected = vec![
        format!("web2 {}", became(GuestStatus::Running)),
        format!("web2 {}", became(GuestStatus::Stopped)),
        format!("{job} observed:appeared"),
    ];
    assert_eq!(told[0], expected[0]);
    assert_eq!(told[3], expected[0], "it goes on watching");
    assert_eq!(told.len(), 4, "{told:?}");
    let (mut middle, mut both) = (told[1..3].to_vec(), expected.split_off(1));
    middle.sort();
    both.sort();
    assert_eq!(middle, both);
    for operation in &all[1..3] {
        assert_eq!((operation.who(), operation.address.as_deref()), ("unknown", None));
        let notes = notes(&store, operation.id).await;
        assert!(notes[0].contains("it happened between 20"), "{notes:?}");
    }
    drop(server);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_lines_beside_the_server_are_not_taken_for_others_and_others_are_seen() {
    let Cluster { fake, lab } = Cluster::new();
    for vmid in 300..304 {
        fake.add_ct(vmid, &format!("ct{vmid}"), "stopped");
    }
    // So long that the server looks while they are at work.
    fake.set("time_scale", serde_json::json!(0.5));
    let server = Serving::start(&lab);
    let store = store(&lab).await;
    for round in 0..4_usize {
        let word = if round % 2 == 0 { "start" } else { "stop" };
        let lines: Vec<Child> = (300..304)
            .map(|vmid| lab.command(&[word, &format!("ct{vmid}")]).stdout(Stdio::null()).spawn().unwrap())
            .collect();
        by_another(&fake, &format!("/nodes/pve1/lxc/101/status/{word}")).await;
        let begun = Instant::now();
        sees(&store, Origin::Task, round + 1).await;
        println!("round {round}: the other's task ended and is in the history after {:?}", begun.elapsed());
        for mut line in lines {
            assert!(line.wait().unwrap().success());
        }
    }
    let before = fake.count("GET", "/cluster/tasks");
    assert!(fake.sees("GET", "/cluster/tasks", before + 2).await);
    assert_eq!(history(&store, Origin::Paddock).await.len(), 16);
    let all = history(&store, Origin::Task).await;
    assert_eq!(all.len(), 4, "{all:#?}");
    assert!(all.iter().all(|operation| operation.who() == BOB && operation.title.as_deref() == Some("web1")));
    drop(server);
    store.close().await;
}
