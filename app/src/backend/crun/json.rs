//! Changes of a `config.json`, keyed by JSON pointers (RFC 6901). Pure.
//!
//! A change's value is JSON text. Objects that are missing on the way are made. In an array a part of the key is
//!
//! - the number of an entry that is there;
//! - `-`, a new entry at the end; or
//! - `NAME=`, the entry that is a text beginning so, as in `/process/env/PATH=`: replaced if it is there, added if
//!   not. Further entries of that beginning go, as programs take the first and people read the last.
//!
//! Removing what is not there is no failure. The order of everything else stays; the layout becomes serde_json's.

use serde_json::{Map, Value};

use crate::domain::plan::Change;

/// Most parts of a key.
const DEEPEST: usize = 32;

/// The text with these changes made, in this order; the reason where one cannot be, as a part of a sentence.
pub fn edit(text: &str, changes: &[Change]) -> Result<String, String> {
    let mut root: Value = serde_json::from_str(text).map_err(|e| format!("it is no JSON ({e})"))?;
    for change in changes {
        let parts = parts(&change.key)?;
        let Some((last, way)) = parts.split_last() else { return Err(no_key(&change.key)) };
        let cannot = |why: String| format!("{} cannot be changed: {why}", change.key);
        match &change.value {
            Some(value) => {
                let value = serde_json::from_str(value)
                    .map_err(|e| format!("the new {} is no JSON ({e})", change.key))?;
                set(make_way(&mut root, way, last).map_err(cannot)?, last, value).map_err(cannot)?;
            }
            None => {
                if let Some(parent) = find(&mut root, way) {
                    remove(parent, last);
                }
            }
        }
    }
    let mut text = serde_json::to_string_pretty(&root).map_err(|e| e.to_string())?;
    // Both halves are within serde_json's bound on nesting; together they may not be.
    serde_json::from_str::<Value>(&text).map_err(|e| format!("it could not be read any more ({e})"))?;
    text.push('\n');
    Ok(text)
}

fn no_key(key: &str) -> String {
    format!("“{key}” is no key of a setting")
}

fn parts(key: &str) -> Result<Vec<String>, String> {
    let rest = key.strip_prefix('/').ok_or_else(|| no_key(key))?;
    let parts: Vec<String> = rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    if parts.len() > DEEPEST { Err(no_key(key)) } else { Ok(parts) }
}

/// A text as one part of a key.
pub fn part(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

/// The value that holds `last`, with everything missing on the way made.
fn make_way<'a>(root: &'a mut Value, way: &[String], last: &str) -> Result<&'a mut Value, String> {
    let mut at = root;
    for (i, part) in way.iter().enumerate() {
        make_holder(at, part)?;
        let next = way.get(i + 1).map_or(last, String::as_str);
        at = match at {
            Value::Object(map) => map.entry(part.as_str()).or_insert(Value::Null),
            other => child(other, part).ok_or_else(|| format!("there is no “{part}”"))?,
        };
        make_holder(at, next)?;
    }
    make_holder(at, last)?;
    Ok(at)
}

/// What is missing becomes what can hold this part.
fn make_holder(value: &mut Value, part: &str) -> Result<(), String> {
    match value {
        Value::Object(_) | Value::Array(_) => {}
        Value::Null if part == "-" || part.ends_with('=') => *value = Value::Array(Vec::new()),
        Value::Null => *value = Value::Object(Map::new()),
        _ => return Err(format!("what should hold “{part}” is neither an object nor an array")),
    }
    Ok(())
}

fn find<'a>(root: &'a mut Value, way: &[String]) -> Option<&'a mut Value> {
    way.iter().try_fold(root, |at, part| child(at, part))
}

fn child<'a>(value: &'a mut Value, part: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(map) => map.get_mut(part),
        Value::Array(entries) => entries.get_mut(index(part)?),
        _ => None,
    }
}

/// Digits alone, without a zero before them.
fn index(part: &str) -> Option<usize> {
    let is_plain = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    is_plain.then(|| part.parse().ok())?
}

fn set(holder: &mut Value, part: &str, value: Value) -> Result<(), String> {
    match holder {
        Value::Object(map) => {
            map.insert(part.to_owned(), value);
        }
        Value::Array(entries) if part == "-" => entries.push(value),
        Value::Array(entries) if part.ends_with('=') => {
            if !value.as_str().is_some_and(|text| text.starts_with(part)) {
                return Err(format!("the new entry must be a text that begins with {part}"));
            }
            match entries.iter().position(|entry| begins(entry, part)) {
                Some(first) => {
                    let mut at = 0;
                    entries.retain(|entry| {
                        at += 1;
                        at <= first + 1 || !begins(entry, part)
                    });
                    if let Some(entry) = entries.get_mut(first) {
                        *entry = value;
                    }
                }
                None => entries.push(value),
            }
        }
        Value::Array(entries) => {
            let entry = index(part).and_then(|index| entries.get_mut(index));
            *entry.ok_or_else(|| format!("there is no entry {part}"))? = value;
        }
        _ => return Err(format!("what should hold “{part}” is neither an object nor an array")),
    }
    Ok(())
}

fn remove(holder: &mut Value, part: &str) {
    match holder {
        Value::Object(map) => {
            // The other way to remove moves the last one into the gap.
            map.shift_remove(part);
        }
        Value::Array(entries) if part.ends_with('=') => entries.retain(|entry| !begins(entry, part)),
        Value::Array(entries) => {
            if let Some(index) = index(part).filter(|index| *index < entries.len()) {
                entries.remove(index);
            }
        }
        _ => {}
    }
}

fn begins(entry: &Value, with: &str) -> bool {
    entry.as_str().is_some_and(|text| text.starts_with(with))
}

#[cfg(test)]
mod tests;
