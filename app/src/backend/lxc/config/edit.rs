//! Changes the text of a `config` file. Pure; what is not changed stays byte for byte: comments, order, includes.

use crate::domain::plan::Change;

use super::{BLANKS, setting};

/// Keys of which each line adds to a list, and an empty one clears what stood before it.
const LISTS: [&str; 1] = ["lxc.group"];
/// Keys whose empty line clears all that stood before it, in included files, too.
const CLEARABLE: [&str; 2] = ["lxc.group", "lxc.net"];
const INCLUDE: &str = "lxc.include";

/// The text with these changes, one after the other.
///
/// - A value takes the place of the key's last one. It comes to the end of the text where there is none, and where an
///   included file behind it could have the last word.
/// - For `lxc.group` each value is added at the end.
/// - `None` removes the lines of the key and of all keys below it.
///
/// The reason where a change could not be read back as what it says.
pub fn edit(text: &str, changes: &[Change]) -> Result<String, String> {
    let mut text = text.to_owned();
    for change in changes {
        check(change)?;
        text = match &change.value {
            None => removed(&text, &change.key),
            Some(value) if LISTS.contains(&change.key.as_str()) => appended(text, &change.key, value),
            Some(value) => replaced(text, &change.key, value),
        };
    }
    Ok(text)
}

fn check(change: &Change) -> Result<(), String> {
    let Change { key, value } = change;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !key.starts_with("lxc.") || !key.chars().all(plain) {
        return Err(format!("“{key}” is no key of LXC"));
    }
    let value = value.as_deref().unwrap_or_default();
    let line = format!("{key} = {value}");
    if value.contains(['\n', '\r', '\0']) || setting(&line) != Some((key, value)) {
        return Err(format!("the value of {key} would not be read back as it is"));
    }
    Ok(())
}

fn is_of(line: &str, key: &str) -> bool {
    setting(line).is_some_and(|(found, _)| found == key)
}

fn is_below(line: &str, key: &str) -> bool {
    setting(line).is_some_and(|(found, _)| found.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

fn removed(text: &str, key: &str) -> String {
    let keeps = |line: &&str| {
        let line = line.trim_end_matches('\n');
        !is_of(line, key) && !is_below(line, key)
    };
    let left: String = text.split_inclusive('\n').filter(keeps).collect();
    let includes = left.split('\n').any(|line| is_of(line, INCLUDE));
    if includes && CLEARABLE.contains(&key) { appended(left, key, "") } else { left }
}

fn appended(mut text: String, key: &str, value: &str) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(format!("{key} = {value}").trim_end_matches(BLANKS));
    text.push('\n');
    text
}

fn replaced(text: String, key: &str, value: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let last = |wanted: &str| lines.iter().rposition(|line| is_of(line.trim_end_matches('\n'), wanted));
    let Some(at) = last(key) else { return appended(text, key, value) };
    let is_overruled = last(INCLUDE).is_some_and(|include| include > at);
    let mut new = String::with_capacity(text.len() + value.len());
    for (index, line) in lines.iter().enumerate() {
        if index != at {
            new.push_str(line);
        } else if !is_overruled {
            new.push_str(&format!("{key} = {value}"));
            new.push_str(if line.ends_with('\n') { "\n" } else { "" });
        }
    }
    if is_overruled { appended(new, key, value) } else { new }
}
