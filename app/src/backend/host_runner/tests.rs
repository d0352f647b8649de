//! Every test here runs real processes.

use std::{fs, time::Duration};

use rustix::process::test_kill_process;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::backend::now_ms;

/// Long enough for a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

struct Watch {
    output: UnboundedReceiver<(Stream, String)>,
    started: UnboundedReceiver<Started>,
    cancel: CancellationToken,
}

fn context() -> (RunContext, Watch) {
    let (output, seen) = unbounded_channel();
    let (started, tools) = unbounded_channel();
    let cancel = CancellationToken::new();
    (RunContext { output, started, cancel: cancel.clone() }, Watch { output: seen, started: tools, cancel })
}

fn command(words: &[&str]) -> Command {
    let argv = Argv::new(words[0]).args(words[1..].iter().copied());
    Command { argv, timeout_ms: 20_000, output: Output::Piped }
}

fn sh(script: &str) -> Command {
    command(&["sh", "-c", script])
}

async fn run(command: &Command) -> CommandOutput {
    let (context, _watch) = context();
    HostRunner.run(command, &context).await
}

async fn gone(pid: u32) {
    let proc = Proc::default();
    let deadline = Instant::now() + PATIENCE;
    while proc.stat(pid).is_some_and(|s| s.is_alive()) {
        assert!(Instant::now() < deadline, "process {pid} still runs");
        sleep(POLL).await;
    }
}

/// The next whole line of output.
async fn line(watch: &mut Watch) -> String {
    let mut line = String::new();
    while !line.ends_with('\n') {
        let next = timeout(PATIENCE, watch.output.recv()).await;
        line += &next.expect("output in time").expect("more output").1;
    }
    line.trim().to_owned()
}

#[tokio::test]
async fn exit_code_and_signal_are_kept_apart() {
    assert_eq!(run(&command(&["true"])).await.exit, Exit::Code(0));
    assert_eq!(run(&sh("exit 137")).await.exit, Exit::Code(137));
    assert_eq!(run(&sh("kill -9 $$")).await.exit, Exit::Signal(9));
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let words = ["a b", "", "$HOME", "*", "'\"", "line\nbreak", "-n"];
    let output = run(&command(&[&["printf", "<%s>"][..], &words].concat())).await;
    assert_eq!(output.stdout, words.map(|w| format!("<{w}>")).concat());
}

#[tokio::test]
async fn both_streams_are_kept_apart_and_streamed() {
    let (context, mut watch) = context();
    let output = HostRunner.run(&sh("echo out; echo err >&2"), &context).await;
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
    let mut seen = [watch.output.try_recv().unwrap(), watch.output.try_recv().unwrap()];
    seen.sort_by_key(|(stream, _)| stream.as_str());
    assert_eq!(seen, [(Stream::Stderr, "err\n".to_owned()), (Stream::Stdout, "out\n".to_owned())]);
}

#[tokio::test]
async fn output_arrives_while_the_command_runs() {
    let (context, mut watch) = context();
    let child = sh("echo ready; sleep 60");
    let running = HostRunner.run(&child, &context);
    let cancel = watch.cancel.clone();
    let (output, said) = tokio::join!(running, async {
        let said = line(&mut watch).await;
        cancel.cancel();
        said
    });
    assert_eq!((said.as_str(), output.exit), ("ready", Exit::Cancelled));
}

#[tokio::test]
async fn a_missing_program_is_not_started() {
    for name in ["no-such-program-here", "/no/such/program", "/etc/passwd", ""] {
        assert!(matches!(run(&command(&[name])).await.exit, Exit::NotStarted(_)), "{name:?}");
    }
    let with_nul = run(&command(&["true", "a\0b"])).await.exit;
    assert!(matches!(with_nul, Exit::NotStarted(_)), "{with_nul:?}");
}

#[tokio::test]
async fn the_time_limit_ends_grandchildren_too() {
    let (context, mut watch) = context();
    let limit = 2_000;
    let child = Command { timeout_ms: limit, ..sh("sleep 300 & echo $!; wait") };
    let output = HostRunner.run(&child, &context).await;
    assert_eq!(output.exit, Exit::TimedOut);
    gone(line(&mut watch).await.parse().unwrap()).await;
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_killed_after_the_grace() {
    let (context, mut watch) = context();
    let begun = Instant::now();
    let child = Command {
        timeout_ms: 1_500,
        ..sh("trap '' TERM; (while :; do sleep 1; done) & echo $!; wait; wait")
    };
    let output = HostRunner.run(&child, &context).await;
    assert_eq!(output.exit, Exit::TimedOut);
    assert!(begun.elapsed() >= GRACE, "it had its time to end by itself");
    gone(line(&mut watch).await.parse().unwrap()).await;
}

#[tokio::test]
async fn cancelling_ends_the_whole_group() {
    let (context, mut watch) = context();
    let child = sh("sleep 300 & echo $!; wait");
    let cancel = watch.cancel.clone();
    let (output, grandchild) = tokio::join!(HostRunner.run(&child, &context), async {
        let pid = line(&mut watch).await;
        cancel.cancel();
        pid
    });
    assert_eq!(output.exit, Exit::Cancelled);
    gone(grandchild.parse().unwrap()).await;
}

/// A tool whose child is in a session of its own and runs on when it is asked to end, like a command in a guest.
fn with_a_stubborn_child_elsewhere(tool: &str) -> Command {
    let child = "trap '' TERM; echo $$; while :; do sleep 1; done";
    command(&["sh", "-c", tool, "sh", child])
}

#[tokio::test]
async fn what_a_tool_started_outside_of_its_group_is_ended_with_it() {
    // One that waits for its child whatever happens, and one that ends at once and leaves it.
    for tool in [
        "trap '' TERM; setsid sh -c \"$1\" & while :; do wait; sleep 0.05; done",
        "setsid sh -c \"$1\" & wait",
    ] {
        let (context, mut watch) = context();
        let child = with_a_stubborn_child_elsewhere(tool);
        let cancel = watch.cancel.clone();
        let (output, elsewhere) = tokio::join!(HostRunner.run(&child, &context), async {
            let pid = line(&mut watch).await;
            cancel.cancel();
            pid
        });
        assert_eq!(output.exit, Exit::Cancelled);
        let elsewhere = elsewhere.parse().unwrap();
        assert!(Proc::default().stat(elsewhere).is_none_or(|s| !s.is_alive()), "{tool}");
    }
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing_outside_of_its_group_either() {
    let (context, mut watch) = context();
    let child = with_a_stubborn_child_elsewhere("setsid sh -c \"$1\" & wait");
    let task = tokio::spawn(async move { HostRunner.run(&child, &context).await });
    let elsewhere = line(&mut watch).await.parse().unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    gone(elsewhere).await;
}

#[tokio::test]
async fn a_run_cancelled_before_it_began_starts_nothing() {
    let (context, mut watch) = context();
    watch.cancel.cancel();
    assert_eq!(HostRunner.run(&command(&["true"]), &context).await.exit, Exit::Cancelled);
    assert!(watch.started.try_recv().is_err());
}

#[tokio::test]
async fn a_dropped_run_leaves_no_process() {
    let (context, mut watch) = context();
    let child = sh("trap '' TERM; sleep 300 & echo $!; wait");
    let task = tokio::spawn(async move { HostRunner.run(&child, &context).await });
    let grandchild = line(&mut watch).await.parse().unwrap();
    let Some(Started::Process(tool)) = watch.started.recv().await else { panic!("not told") };
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    gone(grandchild).await;
    gone(tool.pid).await;
}

#[tokio::test]
async fn endless_output_is_capped_and_the_rest_counted() {
    let limit = 4_000;
    let output = run(&Command { timeout_ms: limit, ..command(&["yes"]) }).await;
    assert_eq!(output.exit, Exit::TimedOut);
    assert_eq!(output.stdout.len(), OUTPUT_CAP);
    assert!(output.dropped_bytes > 0);
}

#[tokio::test]
async fn more_than_the_cap_does_not_block_the_tool() {
    let output =
        run(&sh("head -c 3000000 /dev/zero | tr '\\0' x; head -c 1500000 /dev/zero | tr '\\0' y >&2")).await;
    assert_eq!(output.exit, Exit::Code(0));
    assert_eq!((output.stdout.len(), output.stderr.len()), (OUTPUT_CAP, OUTPUT_CAP));
    assert_eq!(output.dropped_bytes, 4_500_000 - 2 * OUTPUT_CAP as u64);
}

#[tokio::test]
async fn standard_input_is_closed() {
    assert_eq!(run(&command(&["cat"])).await.exit, Exit::Code(0));
}

#[tokio::test]
async fn a_tool_sees_a_clean_environment_and_the_root_directory() {
    // Cargo sets variables for every test: they stand for the secrets in Paddock's own environment.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "run this test by cargo");
    let output = run(&command(&["env"])).await;
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["HOME=/root", "LC_ALL=C.UTF-8", &format!("PATH={TOOL_PATH}")]);
    assert_eq!(run(&command(&["pwd"])).await.stdout, "/\n");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(run(&command(&["printf", r"a\377b"])).await.stdout, "a\u{fffd}b");
}

#[tokio::test]
async fn a_character_written_in_two_halves_is_one() {
    let (context, mut watch) = context();
    let output = HostRunner.run(&sh(r"printf '\342'; sleep 0.2; printf '\202\254'"), &context).await;
    assert_eq!(output.stdout, "€");
    assert_eq!(watch.output.try_recv(), Ok((Stream::Stdout, "€".to_owned())));
}

#[tokio::test]
async fn a_background_process_that_holds_the_pipe_is_not_waited_for() {
    let begun = Instant::now();
    let output = run(&sh("sleep 300 & echo $!")).await;
    assert_eq!(output.exit, Exit::Code(0));
    let left = output.stdout.trim().parse().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "waited {:?}", begun.elapsed());
    let left = group(left).unwrap();
    assert!(test_kill_process(left).is_ok(), "what a tool leaves on purpose goes on");
    rustix::process::kill_process(left, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_tools_words_come_from_its_log_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made/for/it.log");
    let log = |script: String| Command { output: Output::LogFile(path.display().to_string()), ..sh(&script) };
    let file = path.display();
    let (context, mut watch) = context();
    let output =
        HostRunner.run(&log(format!("echo lost; echo lost >&2; echo kept > {file}; exit 3")), &context).await;
    assert_eq!((output.exit, output.stdout.as_str(), output.stderr.as_str()), (Exit::Code(3), "", ""));
    assert_eq!(output.log, "kept\n");
    assert_eq!(watch.output.try_recv(), Ok((Stream::Log, "kept\n".to_owned())));
    assert!(!path.exists());

    fs::write(&path, "of an earlier run").unwrap();
    assert_eq!(run(&log("true".to_owned())).await.log, "");

    let long = run(&log(format!("head -c {} /dev/zero | tr '\\0' x > {file}", OUTPUT_CAP + 5))).await;
    assert_eq!((long.log.len(), long.dropped_bytes), (OUTPUT_CAP, 5));
}

#[tokio::test]
async fn a_log_file_that_cannot_be_made_starts_nothing() {
    let output = Output::LogFile("/proc/nowhere/it.log".into());
    let exit = run(&Command { output, ..command(&["true"]) }).await.exit;
    assert!(matches!(&exit, Exit::NotStarted(why) if why.contains("log file")), "{exit:?}");
}

#[tokio::test]
async fn a_left_over_tool_is_ended_with_its_group_and_only_by_its_start() {
    let (context, mut watch) = context();
    let child = sh("sleep 300 & echo $!; wait");
    let (output, grandchild) = tokio::join!(HostRunner.run(&child, &context), async {
        let grandchild: u32 = line(&mut watch).await.parse().unwrap();
        let Some(Started::Process(tool)) = watch.started.recv().await else { panic!("not told") };
        let later = RunningTool { start_ticks: tool.start_ticks + 1, ..tool };
        assert!(!end_left_over(later).await, "another process that got the same pid");
        assert!(end_left_over(tool).await);
        assert!(!end_left_over(tool).await, "it is gone by now");
        grandchild
    });
    assert_eq!(output.exit, Exit::Signal(15));
    gone(grandchild).await;
}

#[tokio::test]
async fn a_left_over_tool_that_was_not_noted_is_found_by_its_words_and_its_time() {
    let (context, mut watch) = context();
    // No other test's: there are several at once.
    let words = ["sleep", "300.0625"];
    let argv = Argv::new(words[0]).arg(words[1]);
    let before_ms = now_ms();
    let found = async {
        let Some(Started::Process(tool)) = watch.started.recv().await else { panic!("not told") };
        assert_eq!(find_left_over(&argv, before_ms), Some(tool));
        assert_eq!(find_left_over(&argv, before_ms + 60_000), None, "an older one is somebody else's");
        assert_eq!(find_left_over(&Argv::new("sleep").arg("300.06"), before_ms), None);
        assert!(end_left_over(tool).await);
        assert_eq!(find_left_over(&argv, before_ms), None);
    };
    let sleeper = command(&words);
    tokio::join!(HostRunner.run(&sleeper, &context), found);
}

#[test]
fn a_scripts_line_begins_with_its_interpreter() {
    let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let words = line("lxc-tool -n web1");
    assert!(is_line_of(&line("lxc-tool -n web1"), &words));
    assert!(is_line_of(&line("/bin/sh /usr/bin/lxc-tool -n web1"), &words));
    for other in
        ["lxc-tool -n web2", "lxc-tool -n web1 -k", "vi /usr/bin/lxc-tool", "sh lxc-tool -n web11", ""]
    {
        assert!(!is_line_of(&line(other), &words), "{other}");
    }
    assert!(!is_line_of(&[], &[]));
    assert!(!is_line_of(&line("/bin/sh /usr/bin/lxc-tool"), &line("lxc-tool")), "any script would do");
}

#[tokio::test]
async fn init_and_no_process_at_all_are_never_ended() {
    for pid in [0, 1, u32::MAX] {
        let start_ticks = Proc::default().stat(pid).map_or(0, |s| s.start_ticks);
        assert!(!end_left_over(RunningTool { pid, start_ticks }).await);
    }
}

#[test]
fn tools_are_found_only_where_tools_are() {
    assert!(find_tool("sh").is_some_and(|path| path.is_absolute()));
    assert_eq!(find_tool("no-such-program-here"), None);
    assert_eq!(find_tool(""), None);
    assert_eq!(find_tool("/etc/passwd"), None);
}
