//! A plan as a POSIX shell script, for a person who wants to do by hand what Paddock did or would do.
//!
//! Nothing of a plan is trusted: a word stays one word, a title stays within its comment, and a secret is a variable
//! that the person sets. What a script cannot see or do, it asks the person about, and it ends where nobody answers.

mod call;

use std::fmt::Write as _;

use super::plan::{Answer, Argv, Command, Expectation, FileEdit, Output, Plan, Step, When, Work};
use call::Variables;

/// Asks what a script cannot see. Ends the script where nobody answers, so that it goes on by guess nowhere.
const ASK: &str = r#"
# Asks what only you can see.
ask() {
    while printf '%s [y/n] ' "$1" >&2 && read -r answer; do
        case $answer in
        y) return 0 ;;
        n) return 1 ;;
        esac
    done
    echo 'Nobody answered; nothing more is done.' >&2
    exit 1
}
"#;

/// As the host's runner does it. Whatever fails here fails by `return`: beside `||` a shell does not stop by itself.
const LOGGED: &str = r#"
# Runs a command whose guest inherits its output and would hold it open; what it says is in the log file $1.
logged() {
    log=$1
    shift
    (umask 077 && mkdir -p -- "${log%/*}/") || return 1
    rm -f -- "$log" || return 1
    code=0
    "$@" </dev/null >/dev/null 2>&1 || code=$?
    [ ! -f "$log" ] || cat -- "$log" >&2
    rm -f -- "$log"
    return "$code"
}
"#;

/// What stands for a step that Paddock itself would refuse to run.
const REFUSED: &str = "{ echo 'This step is damaged and cannot be run.' >&2; false; }";

/// The whole script.
pub fn shell(plan: &Plan) -> String {
    let variables = Variables::of(plan);
    let mut body = String::new();
    let mut was_skipped = true;
    for (index, step) in plan.steps.iter().enumerate() {
        let _ = write!(body, "\n{}", comment(&format!("{}. {}", index + 1, step.title)));
        // Without a step before it that could fail, it never runs; nor does the next of its kind.
        was_skipped &= step.when == When::PreviousFailed;
        if was_skipped {
            body.push_str("# Only if a step before this one fails, and there is none.\n");
            continue;
        }
        body.push_str(match step.when {
            When::Always => "",
            When::PreviousFailed => "# Only because the step before this one failed.\n",
            When::Unparted => {
                "# Do not stop between the step before and this one: the guest would be lost.\n"
            }
        });
        body.push_str(&hints(plan, &step.work));
        let code = code(&step.work, &variables);
        // No word of a process can hold one, and a shell would leave it out in silence.
        body.push_str(if code.contains('\0') { REFUSED } else { &code });
        body.push_str(if is_answered(plan, index) { " ||\n" } else { "\n" });
    }
    format!("{}{body}{}", head(plan, &body, &variables), foot(plan))
}

/// Whether the next step is there for the failure of this one.
fn is_answered(plan: &Plan, index: usize) -> bool {
    plan.steps.get(index + 1).is_some_and(|next: &Step| next.when == When::PreviousFailed)
}

fn head(plan: &Plan, body: &str, variables: &Variables<'_>) -> String {
    let mut head = "#!/bin/sh\n# A plan of Paddock, to be run by hand.\n".to_owned();
    for note in &plan.notes {
        head.push_str(&comment(note));
    }
    for lost in &plan.loses {
        head.push_str(&comment(&format!("Gone for good after this: {lost}")));
    }
    if plan.steps.iter().any(|step| matches!(step.work, Work::Command(_))) {
        head.push_str(
            "# Paddock runs each command with PATH, HOME=/root and LC_ALL=C.UTF-8 as its whole environment.\n",
        );
    }
    head.push_str(&variables.explained());
    head.push_str("\nset -eu\n");
    head.push_str(&variables.checked());
    head.push_str("cd /\n");
    let asks = body.lines().any(|line| line.starts_with("ask ") || line.starts_with("begun "));
    for (is_used, function) in [
        (asks, ASK),
        (body.lines().any(|line| line.starts_with("begun ")), call::BEGUN),
        (body.lines().any(|line| line.starts_with("logged ")), LOGGED),
        (body.lines().any(|line| line.starts_with("task ")), call::TASK),
    ] {
        if is_used {
            head.push_str(function);
        }
    }
    head
}

fn foot(plan: &Plan) -> String {
    let what = match &plan.expect {
        None => return String::new(),
        Some(Expectation::Status(status)) => format!("the guest must be {status}"),
        Some(Expectation::Exists) => "the guest must be there".to_owned(),
        Some(Expectation::Gone) => "the guest must be gone".to_owned(),
        Some(Expectation::OtherExists(name)) => format!("the guest {name} must be there"),
    };
    let why = "Several tools exit 0 although they did nothing.";
    format!("\n{}{}", comment(&format!("Afterwards {what}. {why}")), comment(&look(plan)))
}

/// What a person must know for a step, as comments.
fn hints(plan: &Plan, work: &Work) -> String {
    match work {
        Work::Command(_) => String::new(),
        Work::WaitFor { status, timeout_ms } => {
            let seconds = seconds(*timeout_ms);
            comment(&format!("Wait until the guest is {status}, at most {seconds} s. {}", look(plan)))
        }
        Work::Api(call) => match call.answer {
            Answer::Plain | Answer::Task => String::new(),
            Answer::GuestProcess => comment(&format!(
                "The answer holds a pid. How that process ends is told by GET {}-status with this pid.",
                call.path
            )),
        },
        Work::Edit(edit) => edit_hints(edit),
    }
}

fn edit_hints(edit: &FileEdit) -> String {
    let mut text = comment(&format!("Change the file {} so:", edit.path));
    for change in &edit.changes {
        text.push_str(&comment(&format!("    {change}")));
    }
    if let Some(digest) = &edit.digest {
        text.push_str(&comment(&format!(
            "Only if it is still the one that was planned with, SHA-256 {digest}"
        )));
    }
    text
}

/// Where a person sees how the guest is.
fn look(plan: &Plan) -> String {
    let calls = |start: &str| {
        plan.steps.iter().any(|step| match &step.work {
            Work::Command(command) => {
                command.argv.program().rsplit('/').next().is_some_and(|name| name.starts_with(start))
            }
            _ => false,
        })
    };
    let tools = [("lxc-", "lxc-info -s -n NAME"), ("crun", "crun state NAME")];
    let seen_by = tools.into_iter().find(|(start, _)| calls(start)).map(|(_, tool)| tool);
    format!("Look at it with: {}", seen_by.unwrap_or("pct status VMID, or qm status VMID"))
}

/// One simple command, so that its failure ends the script or is answered by what follows `||`.
fn code(work: &Work, variables: &Variables<'_>) -> String {
    match work {
        Work::Command(command) if command.argv.program().is_empty() => REFUSED.to_owned(),
        Work::Command(command) => run(command),
        Work::WaitFor { status, .. } => format!("ask {}", quote(&format!("Is the guest {status}?"))),
        Work::Api(call) => call::curl(call, variables).unwrap_or_else(|| REFUSED.to_owned()),
        Work::Edit(_) => "ask 'Is the file changed as it says above?'".to_owned(),
    }
}

fn run(command: &Command) -> String {
    // The runner, too, lets a process group 2 s to end by itself. Behind `timeout`, no word is a keyword, an
    // assignment or a builtin of the shell.
    let timed = format!("timeout -k 2 {} {}", seconds(command.timeout_ms), command.argv);
    match &command.output {
        // In a process group of its own, it would be stopped for ever at its first read from the terminal.
        Output::Piped => format!("{timed} </dev/null"),
        Output::LogFile(path) => format!("logged {} {timed}", quote(path)),
    }
}

/// As `timeout` and `curl` take it. Never 0, which both take for "for ever".
fn seconds(ms: u64) -> String {
    match (ms.max(1) / 1000, ms.max(1) % 1000) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{rest:03}"),
    }
}

/// As one word of the shell.
fn quote(text: &str) -> String {
    Argv::new(text).to_string()
}

/// As one line that the shell passes over. What would end the line, or show as something else, is escaped.
fn comment(text: &str) -> String {
    let mut line = "# ".to_owned();
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line + "\n"
}

#[cfg(test)]
mod tests;
