//! What was found, in words and for programs.

use std::path::Path;

use app::{domain::words, ledger::Damage, store::Proof};
use serde::Serialize;

use super::{CliError, KeyFrom, Kind};
use crate::cli::{
    act::cannot_print,
    output::{self, Format, visible},
};

/// Of one file.
#[derive(Debug, Serialize)]
pub struct Verdict {
    file: String,
    kind: Kind,
    sound: bool,
    /// How many entries of the ledger were read, and the numbers of the first and the last.
    entries: u64,
    first: Option<i64>,
    last: Option<i64>,
    /// When the last one was written, milliseconds since 1970.
    last_ms: Option<i64>,
    /// Operations that are as they were recorded.
    operations: u64,
    /// Operations that are older than the ledger.
    unbound_operations: u64,
    /// Archives that older parts were moved into.
    archives: u64,
    /// Good signatures.
    checkpoints: u64,
    /// Good signatures of the journal; `null` if none was given.
    journal_checkpoints: Option<u64>,
    public_key: Option<String>,
    public_key_from: KeyFrom,
    /// All that were found, of which the first hundred are told.
    damage_count: u64,
    damages: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    kind: &'static str,
    sentence: String,
}

impl Verdict {
    pub fn new(path: &Path, kind: Kind, proof: &Proof, from: &KeyFrom, has_journal: bool) -> Self {
        let report = &proof.report;
        let told = |damage: &Damage| Told { kind: damage.kind(), sentence: damage.to_string() };
        Self {
            file: path.display().to_string(),
            kind,
            sound: report.is_sound(),
            entries: report.entries,
            first: report.after.map(|(seq, _)| seq.saturating_add(1)).filter(|_| report.entries > 0),
            last: report.end.map(|(seq, _)| seq).filter(|_| report.entries > 0),
            last_ms: proof.last_ms,
            operations: proof.operations,
            unbound_operations: proof.unbound,
            archives: proof.archives,
            checkpoints: report.checkpoints,
            journal_checkpoints: has_journal.then_some(report.witnesses),
            public_key: report.key.map(|key| key.to_string()),
            public_key_from: from.clone(),
            damage_count: report.count,
            damages: report.damages.iter().map(told).collect(),
        }
    }

    pub fn is_sound(&self) -> bool {
        self.sound
    }

    fn words(&self) -> String {
        let mut lines = if self.sound { self.sound_words() } else { self.damage_words() };
        if self.unbound_operations > 0 {
            let count = counted(self.unbound_operations, "operation is", "operations are");
            lines.push(format!("{count} older than the ledger, so that nothing proves them."));
        }
        if self.archives > 0 {
            let count = counted(self.archives, "archive", "archives");
            lines.push(format!("What is older is in {count}; name them before the database to prove all."));
        }
        lines.extend(self.journal_words());
        lines.extend(self.key_words());
        lines.into_iter().map(|line| visible(&line) + "\n").collect()
    }

    fn sound_words(&self) -> Vec<String> {
        let until = self.last_ms.map(|ms| format!(", up to {}", words::exact(ms))).unwrap_or_default();
        let range = match (self.first, self.last) {
            (Some(first), Some(last)) if last > first => format!(" ({first} to {last})"),
            _ => String::new(),
        };
        let entries = counted(self.entries, "entry", "entries");
        let operations = counted(self.operations, "operation", "operations");
        let held = if self.kind == Kind::Database || self.operations > 0 {
            format!(" and {operations}")
        } else {
            String::new()
        };
        vec![
            format!("{} is sound: {entries}{range}{held}, as they were recorded{until}.", self.file),
            format!("{} good.", counted(self.checkpoints, "signature is", "signatures are")),
        ]
    }

    fn damage_words(&self) -> Vec<String> {
        let mut lines = vec![format!("{} is not as it was recorded.", self.file)];
        lines.extend(self.damages.first().map(|first| first.sentence.clone()));
        if self.damage_count > 1 {
            let more = counted(self.damage_count - 1, "more damage was", "more damages were");
            lines.push(format!("{more} found; --format json tells the first hundred."));
        }
        lines
    }

    fn journal_words(&self) -> Option<String> {
        Some(match self.journal_checkpoints? {
            0 => "The journal holds no checkpoint of this key, so that it proves nothing.".to_owned(),
            count => {
                let count = counted(count, "checkpoint", "checkpoints");
                if self.sound {
                    format!("{count} of the journal agree.")
                } else {
                    format!("{count} of the journal were held against it.")
                }
            }
        })
    }

    fn key_words(&self) -> Option<String> {
        let key = self.public_key.as_ref()?;
        Some(match &self.public_key_from {
            KeyFrom::Given => format!("Signed with the key given, {key}."),
            KeyFrom::Beside(file) => format!("Signed with the key in {}, {key}.", file.display()),
            KeyFrom::Itself => format!(
                "Signed with {key}, as the file itself says: compare that with what you know of this host's key, or name it with --public-key. Whoever replaces the whole file can sign it with a key of their own."
            ),
        })
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[derive(Serialize)]
struct All<'a> {
    sound: bool,
    files: &'a [Verdict],
}

pub fn show(format: Format, verdicts: &[Verdict]) -> Result<(), CliError> {
    match format {
        Format::Table => output::print(&verdicts.iter().map(Verdict::words).collect::<Vec<_>>().join("\n")),
        format => {
            let sound = verdicts.iter().all(Verdict::is_sound);
            output::one(format, &All { sound, files: verdicts }, &[])
        }
    }
    .map_err(cannot_print)
}
