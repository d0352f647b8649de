//! The ledger after a crash: proven, and with the beginning and the end of every operation in it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{ground::Ground, load::Told, record::Book};

/// What is wrong with it; empty for one that is as it should be.
pub fn wrong(ground: &Ground, book: &Book, told: &Told) -> Vec<String> {
    let mut wrong: Vec<String> = proven(ground).into_iter().collect();
    wrong.extend(beginnings_and_ends(book));
    let log_ins = book.entries.iter().filter(|entry| entry.kind == "logged-in").count();
    if log_ins < told.sessions.len() {
        wrong.push(format!("{} log-ins were answered, and {log_ins} are in the ledger", told.sessions.len()));
    }
    wrong
}

/// By the program itself, with what the servers wrote into their log as witnesses.
fn proven(ground: &Ground) -> Option<String> {
    let log = ground.log().display().to_string();
    let said = ground.command(&["verify", "--journal", &log]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (!said.status.success())
        .then(|| format!("the record is not proven: {}{}", text(&said.stdout), text(&said.stderr)))
}

/// Read in the order of the ledger, which is the order of the transactions: on no guest does an operation begin before
/// the one there has ended.
fn beginnings_and_ends(book: &Book) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut live: BTreeMap<String, i64> = BTreeMap::new();
    let mut open: BTreeMap<i64, Option<String>> = BTreeMap::new();
    let mut ended: BTreeMap<i64, String> = BTreeMap::new();
    for entry in &book.entries {
        let Some(id) = entry.operation else { continue };
        let detail: Value = serde_json::from_str(&entry.detail).unwrap();
        if book.operations.get(&id).is_none_or(|operation| operation.origin != "paddock") {
            continue;
        }
        match entry.kind.as_str() {
            "operation-begun" | "operation-moved" => {
                let before = open.insert(id, entry.subject.clone());
                if before.is_some() != (entry.kind == "operation-moved") || ended.contains_key(&id) {
                    wrong.push(format!("#{id} has an entry {} too many", entry.kind));
                }
                if let Some(Some(subject)) = before {
                    live.remove(&subject);
                }
                if let Some(subject) = &entry.subject
                    && let Some(other) = live.insert(subject.clone(), id)
                {
                    wrong.push(format!("#{id} began on {subject} while #{other} was live there"));
                }
            }
            "operation-ended" => {
                match open.remove(&id) {
                    Some(Some(subject)) => drop(live.remove(&subject)),
                    Some(None) => {}
                    None => wrong.push(format!("#{id} has an end in the ledger and no beginning before it")),
                }
                ended.insert(id, detail["state"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    for operation in book.operations.values().filter(|operation| operation.origin == "paddock") {
        if ended.get(&operation.id) != Some(&operation.state) {
            wrong.push(format!(
                "#{} is {}, and in the ledger {:?}",
                operation.id,
                operation.state,
                ended.get(&operation.id)
            ));
        }
    }
    wrong
}
