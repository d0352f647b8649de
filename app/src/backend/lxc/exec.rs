//! The plan of a command in a container.

use crate::{
    backend::Error,
    domain::{
        action::{Field, LONGEST_EXEC_SECONDS},
        name::GuestName,
        plan::{Output, Plan},
    },
};

use super::{
    facts::Place,
    plan::{command, step, tool},
};

const MOST_WORDS: usize = 1024;
/// The kernel takes no longer word, its final zero included, bytes.
const LONGEST_WORD: usize = 128 * 1024 - 1;
/// The kernel takes no longer command, by far enough for the environment, bytes.
const LONGEST_COMMAND: usize = 1024 * 1024;
const LONGEST_TITLE: usize = 60;
/// What many programs cannot do without, where the container's own configuration sets nothing. lxc-attach itself
/// gives a PATH.
const ENVIRONMENT: [(&str, &str); 2] = [("HOME", "/root"), ("TERM", "dumb")];

/// Judges the command by itself.
pub fn check(words: &[String], timeout_seconds: u32) -> Result<(), Error> {
    let invalid = |field, message: String| Err(Error::Invalid { field, message });
    if words.first().is_none_or(String::is_empty) {
        return invalid(Field::Command, "Enter the program to run.".to_owned());
    }
    if words.len() > MOST_WORDS {
        return invalid(
            Field::Command,
            format!("The command has {} words; {MOST_WORDS} is the most.", words.len()),
        );
    }
    if words.iter().any(|word| word.contains('\0')) {
        return invalid(Field::Command, "A command cannot contain the character of code 0.".to_owned());
    }
    let length: usize = words.iter().map(|word| word.len() + 1).sum();
    if length > LONGEST_COMMAND || words.iter().any(|word| word.len() > LONGEST_WORD) {
        return invalid(
            Field::Command,
            format!(
                "The command is too long: a word has at most {LONGEST_WORD} bytes, the whole {LONGEST_COMMAND}."
            ),
        );
    }
    if !(1..=LONGEST_EXEC_SECONDS).contains(&timeout_seconds) {
        return invalid(Field::Timeout, format!("Give it between 1 and {LONGEST_EXEC_SECONDS} seconds."));
    }
    Ok(())
}

/// The plan, for a command that has passed [`check`]. `environment`: the variables that the container sets itself.
///
/// The command is in lxc-attach's process group, so it ends with it when its time is up; but what it has put into a
/// session of its own goes on.
pub fn exec(
    place: &Place,
    name: &GuestName,
    words: &[String],
    timeout_seconds: u32,
    environment: &[String],
) -> Plan {
    // Without --clear-env the guest would see all of the caller's environment.
    let mut argv = tool(place, "lxc-attach", name).arg("--clear-env");
    for (variable, value) in ENVIRONMENT {
        if !environment.iter().any(|set| set == variable) {
            argv = argv.arg("-v").arg(format!("{variable}={value}"));
        }
    }
    let argv = argv.arg("--").args(words);
    let title = format!("Run “{}” in the guest, for at most {timeout_seconds} s", title(words));
    let step = step(title, command(argv, u64::from(timeout_seconds) * 1000, Output::Piped));
    // Nothing is expected: the command may well be one that ends the guest.
    Plan { steps: vec![step], ..Plan::default() }
}

fn title(words: &[String]) -> String {
    let all = words.join(" ");
    let readable = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = all.chars().take(LONGEST_TITLE).map(readable).collect();
    if all.chars().nth(LONGEST_TITLE).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn planned(command: &[&str], environment: &[&str]) -> Plan {
        let place = Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() };
        let name = GuestName::new("web1").unwrap();
        exec(&place, &name, &words(command), 60, &words(environment))
    }

    #[test]
    fn a_command_sees_nothing_of_the_callers_environment() {
        assert_eq!(
            planned(&["sh", "-c", "echo $HOME"], &[]).steps[0].work.to_string(),
            "lxc-attach -P /var/lib/lxc -n web1 --clear-env -v HOME=/root -v TERM=dumb -- sh -c 'echo $HOME'"
        );
        let line = planned(&["-n", "x"], &["HOME"]).steps[0].work.to_string();
        assert!(line.ends_with("--clear-env -v TERM=dumb -- -n x"), "what the container sets counts: {line}");
    }

    #[test]
    fn a_long_command_has_a_short_title_in_one_line() {
        let title = planned(&["echo", "a\nb", &"x".repeat(100)], &[]).steps[0].title.clone();
        assert!(title.starts_with("Run “echo a b xxx") && title.contains('…'), "{title}");
    }

    #[test]
    fn hostile_commands_are_refused() {
        let (long, all) = ("x".repeat(LONGEST_WORD + 1), vec!["x"; MOST_WORDS + 1]);
        let whole = vec!["y".repeat(LONGEST_WORD); 9];
        for command in [&[][..], &[""], &["", "x"], &["a\0"], &["a", "\0"], &[&long], &all] {
            let error = check(&words(command), 60).unwrap_err();
            assert!(matches!(error, Error::Invalid { field: Field::Command, .. }), "{error}");
        }
        assert!(check(&whole, 60).is_err());
        for seconds in [0, LONGEST_EXEC_SECONDS + 1, u32::MAX] {
            let error = check(&words(&["true"]), seconds).unwrap_err();
            assert!(matches!(error, Error::Invalid { field: Field::Timeout, .. }), "{error}");
        }
        assert_eq!(check(&words(&["sh", "-c", "a\nb; ü", "--", "-n"]), 1), Ok(()));
    }
}
