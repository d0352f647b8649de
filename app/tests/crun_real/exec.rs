//! Commands in a container.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use app::{
    backend::{Error, ExecutionEnd},
    domain::{
        action::ActionRequest,
        guest::GuestStatus::Running,
        plan::{Exit, StepResult, Stream},
    },
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{STUBBORN, crun::World, is_alive};

fn exec(words: &[&str], timeout_seconds: u32) -> ActionRequest {
    ActionRequest::Exec { command: words.iter().map(|&word| word.to_owned()).collect(), timeout_seconds }
}

async fn running(world: &World) -> (app::domain::name::GuestName, String) {
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create_and_start(&name, &bundle).await;
    world.written(&bundle, "ready").await;
    (name, bundle)
}

#[tokio::test]
async fn a_commands_two_streams_and_its_end_are_told_apart() {
    let world = World::new();
    let (name, _) = running(&world).await;
    let begun = Instant::now();
    let (end, mut told) = world.act(&name, exec(&["sh", "-c", "echo out; echo err >&2"], 20)).await;
    println!("exec: {:?}", begun.elapsed());
    assert_eq!(end, ExecutionEnd::Done);
    assert_eq!(told.said_by(Stream::Stdout), "out\n");
    for (script, code) in
        [("exit 37", 37), ("kill -9 $$", 137), ("exit 1", 1), ("exit 255", 255), ("exit 127", 127)]
    {
        let (end, mut told) =
            world.act(&name, exec(&["sh", "-c", &format!("echo no >&2; {script}")], 20)).await;
        let exit = Exit::Code(code);
        assert_eq!(end, ExecutionEnd::Failed(Error::CommandFailed { exit: exit.clone() }), "{script}");
        assert_eq!(told.outcomes[0].result, StepResult::Exited(exit));
        assert_eq!(told.said_by(Stream::Stderr), "no\n");
    }
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn words_reach_the_command_as_they_are() {
    let world = World::new();
    let (name, bundle) = running(&world).await;
    std::os::unix::fs::symlink("busybox", Path::new(&bundle).join("rootfs/bin/printf")).unwrap();
    let words = ["printf", "<%s>", "a b", "", "$HOME", "*", "-n", "--", "--help", "é\n'\""];
    let (end, mut told) = world.act(&name, exec(&words, 20)).await;
    assert_eq!(end, ExecutionEnd::Done);
    let wanted: String = words[2..].iter().map(|word| format!("<{word}>")).collect();
    assert_eq!(told.said_by(Stream::Stdout), wanted);
    // What looks like an option is a program that is not there, and no option of crun.
    let (end, _) = world.act(&name, exec(&["--detach", "x"], 20)).await;
    assert_eq!(end, ExecutionEnd::Failed(Error::CommandFailed { exit: Exit::Code(127) }));
}

#[tokio::test]
async fn it_has_the_containers_environment_and_none_of_paddocks() {
    let world = World::new();
    let bundle = world.bundle_with("b", |config| {
        config["process"]["env"] = json!(["PATH=/bin", "WHO=container"]);
    });
    std::os::unix::fs::symlink("busybox", Path::new(&bundle).join("rootfs/bin/env")).unwrap();
    let name = world.name("web1");
    world.create_and_start(&name, &bundle).await;
    let (end, mut told) = world.act(&name, exec(&["env"], 20)).await;
    assert_eq!(end, ExecutionEnd::Done);
    let said = told.said_by(Stream::Stdout);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    // crun takes the home from the container's own /etc/passwd, and there is none.
    assert_eq!(lines, ["HOME=/", "PATH=/bin", "WHO=container"]);
}

#[tokio::test]
async fn a_program_that_is_missing_or_cannot_run_is_told_as_a_shell_tells_it() {
    let world = World::new();
    let (name, bundle) = running(&world).await;
    let bin = Path::new(&bundle).join("rootfs/bin");
    fs::write(bin.join("plain"), "x").unwrap();
    for (program, code) in
        [("nosuch", 127), ("/no/such", 127), ("/bin", 126), ("/bin/plain", 126), ("plain", 126)]
    {
        let (end, mut told) = world.act(&name, exec(&[program], 20)).await;
        assert_eq!(
            end,
            ExecutionEnd::Failed(Error::CommandFailed { exit: Exit::Code(code) }),
            "{program}: {}",
            told.words()
        );
        assert_eq!(
            told.outcomes[0].result,
            StepResult::Exited(Exit::Code(255)),
            "crun's own code stays seen"
        );
    }
}

#[tokio::test]
async fn one_that_is_paused_stopped_or_gone_says_so() {
    let world = World::new();
    let (name, _) = running(&world).await;
    world.act_ok(&name, ActionRequest::Pause).await;
    let (end, _) = world.act(&name, exec(&["true"], 20)).await;
    assert!(
        matches!(&end, ExecutionEnd::Failed(Error::WrongState { words }) if words.contains("paused")),
        "{end:?}"
    );
    world.act_ok(&name, ActionRequest::Stop).await;
    let plan = world.plan(&name, &exec(&["true"], 20)).await.unwrap();
    let (end, _) = world.execute(&name, &plan, CancellationToken::new()).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::WrongState { .. })), "{end:?}");
    world.act_ok(&name, ActionRequest::Delete { purge: false }).await;
    let (end, _) = world.execute(&name, &plan, CancellationToken::new()).await;
    assert!(matches!(&end, ExecutionEnd::Failed(Error::NotFound(guest)) if guest.name == name), "{end:?}");
    assert!(matches!(world.plan(&name, &exec(&["true"], 20)).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn one_that_waits_for_its_start_takes_commands_already() {
    let world = World::new();
    let (name, bundle) = (world.name("web1"), world.bundle("b", STUBBORN));
    world.create(&name, &bundle).await;
    let (end, mut told) = world.act(&name, exec(&["sh", "-c", "echo early"], 20)).await;
    assert_eq!((end, told.said_by(Stream::Stdout).as_str()), (ExecutionEnd::Done, "early\n"));
}

/// Ignores SIGTERM, has a child, and tells by files who they are on the host: the container's pid namespace would
/// number them anew, so each is told by a name that nothing else has.
fn stubborn_command(mark: &str) -> Vec<String> {
    let script =
        format!("trap '' TERM; sleep {mark} & echo started > /exec-started; while :; do sleep 0.05; done");
    ["sh", "-c", &script].map(str::to_owned).to_vec()
}

/// Processes of the host whose command line holds this.
fn with(mark: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(mark))
        })
        .collect()
}

#[tokio::test]
async fn a_command_whose_time_is_up_does_not_run_on_inside() {
    let world = World::new();
    let (name, bundle) = running(&world).await;
    let mark = format!("7{:07}", std::process::id());
    let begun = Instant::now();
    let request = ActionRequest::Exec { command: stubborn_command(&mark), timeout_seconds: 1 };
    let (end, told) = world.act(&name, request).await;
    println!("exec, ended after its second: {:?}", begun.elapsed());
    assert!(matches!(&end, ExecutionEnd::Failed(Error::TimedOut { .. })), "{end:?}");
    assert_eq!(told.outcomes[0].result, StepResult::Exited(Exit::TimedOut));
    world.written(&bundle, "exec-started").await;
    assert_eq!(with(&mark), Vec::<u32>::new());
    assert_eq!(world.agreed(&name).await, Running, "the container itself goes on");
}

#[tokio::test]
async fn a_cancelled_command_does_not_run_on_inside() {
    let world = World::new();
    let (name, bundle) = running(&world).await;
    let mark = format!("8{:07}", std::process::id());
    let request = ActionRequest::Exec { command: stubborn_command(&mark), timeout_seconds: 600 };
    let cancel = CancellationToken::new();
    let ((end, _), seen) = tokio::join!(world.act_until(&name, request, cancel.clone()), async {
        world.written(&bundle, "exec-started").await;
        let seen = with(&mark);
        cancel.cancel();
        seen
    });
    assert_eq!(end, ExecutionEnd::Cancelled);
    assert!(seen.len() >= 2, "it did run: {seen:?}");
    assert!(!seen.iter().any(|pid| is_alive(*pid)) && with(&mark).is_empty());
    assert_eq!(world.agreed(&name).await, Running);
}

#[tokio::test]
async fn one_that_obeys_ends_at_once() {
    let world = World::new();
    let (name, _) = running(&world).await;
    let cancel = CancellationToken::new();
    let begun = Instant::now();
    let ((end, _), ()) =
        tokio::join!(world.act_until(&name, exec(&["sleep", "600"], 600), cancel.clone()), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cancel.cancel();
        });
    assert_eq!(end, ExecutionEnd::Cancelled);
    assert!(begun.elapsed() < Duration::from_millis(1800), "{:?}", begun.elapsed());
}
