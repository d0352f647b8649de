//! The ledger after a crash: one unbroken chain, with the beginning and the end of every operation in it.

use std::collections::{BTreeMap, HashMap};

use app::ledger::{Checkpoint, Hash, PublicKey};
use serde_json::Value;

use crate::record::Book;

/// What is wrong with it; empty for one that is as it should be.
pub fn wrong(book: &Book, key: PublicKey) -> Vec<String> {
    let mut wrong = chain(book);
    wrong.extend(signatures(book, key));
    wrong.extend(beginnings_and_ends(book));
    wrong
}

fn chain(book: &Book) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut seq, mut previous) = (0, Hash::ZERO);
    for entry in &book.entries {
        if entry.seq != seq + 1 {
            wrong.push(format!("the ledger has entry {} after entry {seq}", entry.seq));
        }
        if entry.previous != previous {
            wrong.push(format!("entry {} does not name the one before it", entry.seq));
        }
        if entry.computed() != entry.hash {
            wrong.push(format!("entry {} does not have its hash", entry.seq));
        }
        (seq, previous) = (entry.seq, entry.hash);
    }
    wrong
}

fn signatures(book: &Book, key: PublicKey) -> Vec<String> {
    let hashes: HashMap<i64, Hash> = book.entries.iter().map(|entry| (entry.seq, entry.hash)).collect();
    let holds = |signed: &Checkpoint| {
        signed.key == key && signed.verify() && hashes.get(&signed.seq) == Some(&signed.hash)
    };
    let mut wrong: Vec<String> = book
        .checkpoints
        .iter()
        .filter(|checkpoint| !holds(checkpoint))
        .map(|checkpoint| format!("the checkpoint of entry {} does not hold", checkpoint.seq))
        .collect();
    if !holds(&book.head) || Some(book.head.seq) != book.entries.last().map(|last| last.seq) {
        wrong.push(format!("the head is signed for entry {} and does not hold", book.head.seq));
    }
    wrong
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
