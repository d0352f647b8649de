//! The proof of an export or of an archive: the chain and the file's own signature, and the operations that are in it.
//!
//! An archive has each operation's rows after the entry of its end, so that no more is kept in memory than of those that
//! are under way at one place of the file.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::{Proof, ProveError, Trust};
use crate::{
    ledger::{
        Checkpoint, Damage, Entry, Hash, Verifier,
        export::{Line, verify_export_with},
    },
    store::{
        archives::rows::{OPERATION, OUTPUT, OperationRow, PieceRow, STEP, StepRow},
        entry_kind::EntryKind,
        operations::digest::EndRecord,
    },
};

/// What the file continues: the last entry of what came before it.
pub type After = (i64, Hash);

/// Longest last line that is looked for, bytes.
const HEAD_CAP: u64 = 4096;

/// Proves a file of an export. A part of a ledger is asked to continue `after`, if that is known.
pub fn prove_export(path: &Path, trust: &Trust, after: Option<After>) -> Result<Proof, ProveError> {
    let unreadable =
        |error: io::Error| ProveError::Unreadable { path: path.to_owned(), detail: error.to_string() };
    let mut file = File::open(path).map_err(unreadable)?;
    let end = signed_end(&mut file).map_err(unreadable)?;
    let verifier = after.map_or_else(Verifier::anywhere, |(seq, hash)| Verifier::after(seq, hash));
    let mut verifier = trust.keys.iter().fold(verifier, |verifier, key| verifier.trust(*key));
    if trust.keys.is_empty()
        && let Some(head) = end.filter(Checkpoint::verify)
    {
        verifier = verifier.trust(head.key);
    }
    for witness in &trust.witnesses {
        // What was signed after the file was written is no part of it.
        if end.is_none_or(|end| witness.seq <= end.seq) {
            verifier.witness(witness);
        }
    }
    let mut look = Look::default();
    let report =
        verify_export_with(BufReader::new(file), verifier, |line, verifier| look.line(line, verifier))
            .map_err(unreadable)?;
    Ok(Proof { report, operations: look.sound, unbound: look.unbound, archives: 0, last_ms: look.last_ms })
}

/// The checkpoint in the last line, whatever it is worth.
fn signed_end(file: &mut File) -> io::Result<Option<Checkpoint>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(HEAD_CAP)))?;
    let mut tail = Vec::new();
    file.take(HEAD_CAP).read_to_end(&mut tail)?;
    file.rewind()?;
    let last = tail.strip_suffix(b"\n").and_then(|tail| tail.rsplit(|byte| *byte == b'\n').next());
    Ok(match last.and_then(|line| serde_json::from_slice::<Line<'_>>(line).ok()) {
        Some(Line::Head(head)) => Some(head.checkpoint),
        _ => None,
    })
}

/// What entries tell of one operation.
#[derive(Default)]
struct Told {
    begun: Option<Hash>,
    ended: Option<Hash>,
}

/// An operation whose rows are being read.
struct Open {
    id: i64,
    told: Told,
    /// `None` once something of it could not be read.
    record: Option<EndRecord>,
}

#[derive(Default)]
struct Look {
    /// Of operations whose rows have not come yet.
    told: HashMap<i64, Told>,
    open: Option<Open>,
    sound: u64,
    unbound: u64,
    last_ms: Option<i64>,
}

impl Look {
    fn line(&mut self, line: &Line<'_>, verifier: &mut Verifier) {
        match line {
            Line::Record(record) => match &*record.kind {
                OPERATION => {
                    self.close(verifier);
                    self.begin(record.id, &record.json, verifier);
                }
                STEP => self.add(record.id, verifier, |end| {
                    let row: StepRow<'_> = serde_json::from_str(&record.json).ok()?;
                    Some(end.step(row.step, &row.outcome))
                }),
                OUTPUT => self.add(record.id, verifier, |end| {
                    let row: PieceRow<'_> = serde_json::from_str(&record.json).ok()?;
                    Some(end.piece(row.step, &row.stream, row.at_ms, &row.text))
                }),
                // Of a newer Paddock; the file's signature binds it all the same.
                _ => {}
            },
            other => {
                self.close(verifier);
                if let Line::Entry(entry) = other {
                    self.entry(entry);
                }
            }
        }
    }

    fn entry(&mut self, entry: &Entry) {
        #[derive(serde::Deserialize)]
        struct Detail {
            record: Hash,
        }
        self.last_ms = Some(entry.at_ms);
        let kinds = [EntryKind::OperationBegun, EntryKind::OperationMoved, EntryKind::OperationEnded];
        let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == entry.kind) else { return };
        let Some((id, detail)) = entry.operation.zip(serde_json::from_str::<Detail>(&entry.detail).ok())
        else {
            return;
        };
        let told = self.told.entry(id).or_default();
        if kind == EntryKind::OperationEnded {
            told.ended = Some(detail.record);
        } else {
            told.begun = Some(detail.record);
        }
    }

    fn begin(&mut self, id: i64, json: &str, verifier: &mut Verifier) {
        let told = self.told.remove(&id).unwrap_or_default();
        let record = match serde_json::from_str::<OperationRow<'_>>(json) {
            Ok(row) => {
                if told.begun.is_some_and(|told| told != row.beginning(id).record()) {
                    verifier.damage(Damage::RecordChanged { operation: id, which: "beginning" });
                    None
                } else {
                    Some(row.ended(id).record())
                }
            }
            Err(_) => {
                let why = "it is not as Paddock writes it".to_owned();
                verifier.damage(Damage::Malformed { at: format!("operation {id}"), why });
                None
            }
        };
        self.open = Some(Open { id, told, record });
    }

    fn add(&mut self, id: i64, verifier: &mut Verifier, add: impl FnOnce(EndRecord) -> Option<EndRecord>) {
        let at = format!("a row of operation {id}");
        let Some(open) = self.open.as_mut().filter(|open| open.id == id) else {
            let why = "it does not stand with its operation".to_owned();
            return verifier.damage(Damage::Malformed { at, why });
        };
        let Some(record) = open.record.take() else { return };
        open.record = add(record);
        if open.record.is_none() {
            verifier.damage(Damage::Malformed { at, why: "it is not as Paddock writes it".to_owned() });
        }
    }

    /// All rows of the operation have been read.
    fn close(&mut self, verifier: &mut Verifier) {
        let Some(Open { id, told, record: Some(record) }) = self.open.take() else { return };
        match told.ended {
            Some(ended) if ended == record.finish() => self.sound += 1,
            Some(_) => verifier.damage(Damage::RecordChanged { operation: id, which: "end" }),
            // It is older than the ledger.
            None => self.unbound += 1,
        }
    }
}
