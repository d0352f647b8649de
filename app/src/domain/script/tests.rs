//! Scripts that are really run by `/bin/sh`.

mod calls;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::Path,
    process::{Output as Ended, Stdio},
};

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::domain::{
    guest::GuestStatus,
    plan::{ApiCall, Change, Method, Param},
};

/// Says each of its words on a line that ends with a zero.
const SAY: &str = r#"for word do printf '%s\0' "$word"; done"#;
const SAYING_CURL: &str = r#"curl() { for word do printf '%s\0' "$word"; done; }
"#;

fn step(title: &str, work: Work) -> Step {
    Step { title: title.into(), when: When::Always, work }
}

fn sh(words: &[&str]) -> Command {
    Command { argv: Argv::new("sh").args(words.iter().copied()), timeout_ms: 20_000, output: Output::Piped }
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan { steps, ..Plan::default() }
}

fn call(method: Method, path: &str, params: &[(&str, Param)], answer: Answer) -> Work {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Work::Api(ApiCall { method, path: path.into(), params, answer, timeout_ms: 30_000 })
}

fn text(value: &str) -> Param {
    Param::Text(value.into())
}

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Runs the script behind these lines, with what a person types.
    fn run(&self, before: &str, script: &str, typed: &str) -> Ended {
        let file = self.dir().join("script.sh");
        fs::write(&file, format!("{before}{script}")).unwrap();
        let mut child = std::process::Command::new("/bin/sh")
            .arg(&file)
            .env("PVE_URL", "https://pve1:8006")
            .env("PVE_TOKEN", "root@pam!t=u u")
            .env("PADDOCK_PVE_CA", "/ca file")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    }
}

fn words(said: &[u8]) -> Vec<String> {
    let mut words: Vec<String> =
        String::from_utf8(said.to_vec()).unwrap().split('\0').map(str::to_owned).collect();
    assert_eq!(words.pop().as_deref(), Some(""), "what was said ends with a zero");
    words
}

fn stdout(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

fn stderr(ended: &Ended) -> String {
    String::from_utf8(ended.stderr.clone()).unwrap()
}

#[test]
fn a_script_reads_as_the_plan_does() {
    let start = Command {
        argv: Argv::new("lxc-start").args(["-n", "web1", "-o", "/run/p/web1.log"]),
        timeout_ms: 1500,
        output: Output::LogFile("/run/p/web1.log".into()),
    };
    let ask = |seconds: u64| Command {
        argv: Argv::new("lxc-stop").args(["-n", "web1"]),
        timeout_ms: seconds * 1000,
        output: Output::Piped,
    };
    let edit = FileEdit {
        path: "/etc/lxc/web1/config".into(),
        changes: vec![Change { key: "lxc.cgroup2.memory.max".into(), value: Some("1G".into()) }],
        digest: Some("00ff".into()),
    };
    let plan = Plan {
        steps: vec![
            step("Ask it", Work::Command(ask(20))),
            Step { when: When::PreviousFailed, ..step("Ask again", Work::Command(ask(40))) },
            step("Wait", Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: 5000 }),
            step("Limit memory", Work::Edit(edit)),
            Step { when: When::Unparted, ..step("Start", Work::Command(start)) },
        ],
        expect: Some(Expectation::Status(GuestStatus::Running)),
        loses: vec!["The snapshot old.".into()],
        notes: vec![],
    };
    let script = shell(&plan);
    let (head, body) = script.split_once("\n# 1. ").unwrap();
    assert!(head.contains("# Gone for good after this: The snapshot old.\n"), "{head}");
    assert!(head.contains("\nset -eu\n") && !head.contains("PVE_"), "{head}");
    assert_eq!(
        body,
        "Ask it
timeout -k 2 20 lxc-stop -n web1 </dev/null ||

# 2. Ask again
# Only because the step before this one failed.
timeout -k 2 40 lxc-stop -n web1 </dev/null

# 3. Wait
# Wait until the guest is stopped, at most 5 s. Look at it with: lxc-info -s -n NAME
ask 'Is the guest stopped?'

# 4. Limit memory
# Change the file /etc/lxc/web1/config so:
#     lxc.cgroup2.memory.max = 1G
# Only if it is still the one that was planned with, SHA-256 00ff
ask 'Is the file changed as it says above?'

# 5. Start
# Do not stop between the step before and this one: the guest would be lost.
logged /run/p/web1.log timeout -k 2 1.500 lxc-start -n web1 -o /run/p/web1.log

# Afterwards the guest must be running. Several tools exit 0 although they did nothing.
# Look at it with: lxc-info -s -n NAME
"
    );
}

#[test]
fn a_script_asks_and_goes_on_only_as_answered() {
    let bench = Bench::new();
    let wait = step("Wait", Work::WaitFor { status: GuestStatus::Stopped, timeout_ms: 5 });
    let say = |word| step(word, Work::Command(sh(&["-c", &format!("echo {word}")])));
    let plain = shell(&plan(vec![wait.clone(), say("next")]));
    let answered =
        shell(&plan(vec![wait, Step { when: When::PreviousFailed, ..say("fallback") }, say("next")]));
    for (script, typed, said, is_success) in [
        (&plain, "y\n", "next\n", true),
        (&plain, "what?\ny\n", "next\n", true),
        (&plain, "n\n", "", false),
        (&plain, "", "", false),
        (&answered, "y\n", "next\n", true),
        (&answered, "n\n", "fallback\nnext\n", true),
        // Nobody said that it is not stopped: nothing may be killed for that.
        (&answered, "", "", false),
    ] {
        let ended = bench.run("", script, typed);
        assert_eq!((stdout(&ended).as_str(), ended.status.success()), (said, is_success), "{typed:?}");
    }
}

#[test]
fn a_log_file_is_made_shown_and_removed() {
    let bench = Bench::new();
    let log = bench.dir().join("made/for it.log");
    let file = log.to_str().unwrap();
    let run = |script: &str, log: &str| {
        let command = sh(&["-c", script, "sh", file]);
        let work = Work::Command(Command { output: Output::LogFile(log.into()), ..command });
        bench.run("", &shell(&plan(vec![step("Log", work)])), "")
    };
    let ended = run(r#"echo lost; echo lost >&2; echo kept >"$1"; exit 3"#, file);
    assert_eq!((ended.status.code(), ended.stdout.len(), stderr(&ended).as_str()), (Some(3), 0, "kept\n"));
    assert!(!log.exists());
    fs::write(&log, "of an earlier run").unwrap();
    let ended = run("true", file);
    assert_eq!((ended.status.code(), stderr(&ended).as_str()), (Some(0), ""));
    let ended = run("touch \"$1\"", "/proc/nowhere/x.log");
    assert!(!ended.status.success() && !log.exists(), "what cannot be logged does not run");
}

#[test]
fn time_ends_a_command() {
    let command = Command { timeout_ms: 50, ..sh(&["-c", "exec sleep 100"]) };
    let ended = Bench::new().run("", &shell(&plan(vec![step("Sleep", Work::Command(command))])), "");
    assert_eq!(ended.status.code(), Some(124));
    assert_eq!(
        [0, 1, 999, 1000, u64::MAX].map(seconds),
        ["0.001", "0.001", "0.999", "1", "18446744073709551.615"]
    );
}

#[test]
fn what_paddock_would_not_run_ends_the_script() {
    let nul = Command { argv: Argv::new("echo").arg("a\0b"), timeout_ms: 1, output: Output::Piped };
    let none = Command { argv: serde_json::from_str("[]").unwrap(), ..nul.clone() };
    let mut damaged = vec![Work::Command(nul), Work::Command(none)];
    for path in ["", "x", "//", "/a/../b", "/a/%2E.", "/a b", "/a\"$(x)", "/a?x=1", "/[1-9]"] {
        damaged.push(call(Method::Get, path, &[], Answer::Plain));
    }
    damaged.push(call(Method::Get, "/version", &[("x", Param::Secret("s".into()))], Answer::Plain));
    for work in damaged {
        let after = step("After", Work::Command(sh(&["-c", "echo ran"])));
        let script = shell(&plan(vec![step("Damaged", work.clone()), after]));
        let ended = Bench::new().run(&format!("SECRET_s=x\n{SAYING_CURL}"), &script, "");
        assert!(!ended.status.success() && ended.stdout.is_empty(), "{work:?}: {script}");
    }
}

#[test]
fn nothing_hostile_gets_out_of_its_place() {
    let bench = Bench::new();
    let canary = bench.dir().join("canary");
    let touch = format!("touch {}", canary.display());
    for hostile in [
        format!("x\n{touch}\n"),
        format!("x\r\n{touch}\r\n"),
        format!("'; {touch}; '"),
        format!("\"; {touch}; \""),
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("x}}\"; {touch}; \"${{y"),
        format!("\\\n{touch}"),
        format!("' || {touch} #"),
        format!("\u{85}{touch}\u{2028}{touch}"),
    ] {
        let h = hostile.as_str();
        let edit = FileEdit {
            path: h.into(),
            changes: vec![Change { key: h.into(), value: Some(h.into()) }],
            digest: Some(h.into()),
        };
        let log = format!("{}/log{h}", bench.dir().display());
        let params = [(h, text(h)), (h, Param::Secret(h.into()))];
        let steps = vec![
            step(h, Work::Command(sh(&["-c", "true", h]))),
            step(h, Work::Command(Command { output: Output::LogFile(log), ..sh(&["-c", "true"]) })),
            step(h, Work::Edit(edit)),
            step(h, call(Method::Post, "/version", &params, Answer::Plain)),
            step(h, call(Method::Post, &format!("/{h}"), &params, Answer::GuestProcess)),
        ];
        let plan = Plan { steps, loses: vec![h.into()], notes: vec![h.into()], ..Plan::default() };
        let script = shell(&plan);
        let variable = script.lines().find_map(|line| line.split_once(r#"CA:?}" "${"#)).unwrap().1;
        let variable = variable.trim_end_matches("?}\"");
        let ended = bench.run(&format!("{variable}=kept\n{SAYING_CURL}"), &script, "y\n");
        assert!(!canary.exists(), "{script}");
        assert!(
            stderr(&ended).contains("This step is damaged"),
            "it came to the last step: {}",
            stderr(&ended)
        );
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~\n\t]{0,12}", "['\"$`\\\\!~#&|;<>(){}*?= \n-]{0,8}"]
        .prop_map(|word| word.replace('\0', ""))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_word_arrives_as_it_was(
        given in prop::collection::vec(word(), 0..6),
        program in "[ -.0-~\n]{1,12}",
        title in word(),
    ) {
        let bench = Bench::new();
        let path = bench.dir().join(format!("={program}"));
        symlink("/bin/sh", &path).unwrap();
        let argv = Argv::new(path.to_str().unwrap()).args(["-c", SAY, "say"]).args(given.clone());
        let work = Work::Command(Command { argv, timeout_ms: 20_000, output: Output::Piped });
        let ended = bench.run("", &shell(&plan(vec![step(&title, work)])), "");
        prop_assert!(ended.status.success(), "{}", stderr(&ended));
        let mut said = ended.stdout.clone();
        if given.is_empty() {
            prop_assert!(said.is_empty());
            said.push(0);
        }
        prop_assert_eq!(words(&said), if given.is_empty() { vec![String::new()] } else { given });
    }

    /// The same steps run as in `backend::execute`, and the script succeeds where the plan does.
    #[test]
    fn steps_run_as_the_plan_says(steps in prop::collection::vec((0..4u8, any::<bool>()), 1..9)) {
        let kinds = [When::Always, When::PreviousFailed, When::PreviousFailed, When::Unparted];
        let (mut is_ok, mut is_over, mut ran) = (true, false, String::new());
        let mut plan = Plan::default();
        for (index, (kind, succeeds)) in steps.into_iter().enumerate() {
            let when = kinds[usize::from(kind)];
            let would_run = is_ok != (when == When::PreviousFailed);
            is_over |= !is_ok && !would_run;
            if would_run && !is_over {
                ran += &format!("{index}\n");
                is_ok = succeeds;
            }
            let work = Work::Command(sh(&["-c", &format!("echo {index}; {succeeds}")]));
            plan.steps.push(Step { when, ..step("Say", work) });
        }
        let ended = Bench::new().run("", &shell(&plan), "");
        prop_assert_eq!(stdout(&ended), ran);
        prop_assert_eq!(ended.status.success(), is_ok);
    }
}
