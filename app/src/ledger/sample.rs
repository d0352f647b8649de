//! A ledger to damage, for tests.

use super::{Checkpoint, Damage, Entry, Exporter, Hash, NewEntry, Report, Signer, Verifier};

pub const ENTRIES: i64 = 40;
pub const EVERY: i64 = 10;

/// All that may trip a parser, an escape or a length.
const TEXTS: [&str; 10] = [
    "anna",
    "",
    "O\u{2019}Brien \u{1f411} \u{e9}\u{65e5}\u{672c}",
    "quotes \" and \\ and '",
    "lines\nand\r\nreturns\ttabs",
    "\u{0}\u{1}\u{7f}\u{1b}[31m",
    "}{\"entry\":{",
    "\u{2028}\u{feff}\u{10ffff}",
    "-0012",
    "null",
];

fn text(nth: i64) -> &'static str {
    TEXTS[usize::try_from(nth).unwrap() % TEXTS.len()]
}

#[derive(Clone)]
pub struct Sample {
    pub entries: Vec<Entry>,
    pub checkpoints: Vec<Checkpoint>,
    pub head: Option<Checkpoint>,
    pub witnesses: Vec<Checkpoint>,
}

pub fn signer() -> Signer {
    Signer::from_seed([7; 32])
}

impl Sample {
    pub fn new() -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for seq in 1..=ENTRIES {
            let some = |nth: i64| (nth % 3 != 0).then(|| text(nth));
            let detail = serde_json::json!({ "said": text(seq), "n": seq }).to_string();
            let entry = NewEntry {
                at_ms: 1_700_000_000_000 + seq * 7,
                kind: ["operation-begin", "operation-end", "log-in-failed"]
                    [usize::try_from(seq % 3).unwrap()],
                actor: some(seq),
                address: some(seq + 1),
                subject: some(seq + 2),
                operation: (seq % 2 == 0).then_some(seq / 2),
                detail: &detail,
            };
            let previous = entries.last().map_or(Hash::ZERO, |last| last.hash);
            entries.push(entry.seal(seq, previous));
        }
        Self::signed(entries)
    }

    /// With checkpoints and a head for whatever the entries are.
    pub fn signed(entries: Vec<Entry>) -> Self {
        let of = |entry: &Entry| signer().checkpoint(entry.seq, entry.hash, entry.at_ms + 1);
        let checkpoints = entries.iter().filter(|entry| entry.seq % EVERY == 0).map(of).collect();
        let head = entries.last().map(of);
        Self { entries, checkpoints, head, witnesses: Vec::new() }
    }

    /// What someone without the key can do: makes all hashes fit again, from the entry at this index on.
    pub fn reseal(&mut self, from: usize) {
        for at in from..self.entries.len() {
            let previous = if at == 0 { Hash::ZERO } else { self.entries[at - 1].hash };
            let entry = &mut self.entries[at];
            entry.previous = previous;
            entry.hash = entry.computed();
        }
    }

    /// As a reader of two tables does it: each checkpoint after its entry, the head at the end.
    pub fn report(&self) -> Report {
        let mut verifier = Verifier::after(0, Hash::ZERO).trust(signer().public_key());
        self.feed(&mut verifier);
        verifier.finish()
    }

    pub fn feed(&self, verifier: &mut Verifier) {
        for witness in &self.witnesses {
            assert!(verifier.witness(witness));
        }
        let mut checkpoints = self.checkpoints.iter().peekable();
        for entry in &self.entries {
            while let Some(earlier) = checkpoints.next_if(|next| next.seq < entry.seq) {
                verifier.checkpoint(earlier);
            }
            verifier.entry(entry);
        }
        checkpoints.for_each(|left| verifier.checkpoint(left));
        if let Some(head) = &self.head {
            verifier.head(head);
        }
    }

    /// The other way: all that is signed first.
    pub fn report_signed_first(&self) -> Report {
        let mut verifier = Verifier::after(0, Hash::ZERO).trust(signer().public_key());
        if let Some(head) = &self.head {
            verifier.head(head);
        }
        self.witnesses.iter().for_each(|witness| assert!(verifier.witness(witness)));
        self.checkpoints.iter().rev().for_each(|checkpoint| verifier.checkpoint(checkpoint));
        self.entries.iter().for_each(|entry| verifier.entry(entry));
        verifier.finish()
    }

    /// With a record line after each tenth entry.
    pub fn export(&self) -> Vec<u8> {
        let mut exporter = Exporter::new(Vec::new(), 0, Hash::ZERO).unwrap();
        let mut checkpoints = self.checkpoints.iter().peekable();
        for entry in &self.entries {
            exporter.entry(entry).unwrap();
            if let Some(checkpoint) = checkpoints.next_if(|next| next.seq == entry.seq) {
                exporter.checkpoint(checkpoint).unwrap();
                exporter.record("operation", entry.seq, "{\"output\":\"\u{e9}\\n\"}").unwrap();
            }
        }
        exporter.finish(&signer(), &self.head.unwrap()).unwrap()
    }
}

/// The entries among which the damage says it is; all for one that cannot say.
pub fn place(damage: &Damage) -> std::ops::RangeInclusive<i64> {
    match *damage {
        Damage::EntryChanged { seq } | Damage::OutOfOrder { seq } => seq..=seq,
        Damage::ChainBroken { seq } => seq - 1..=seq,
        Damage::Missing { first, last } | Damage::Unsigned { first, last } => first..=last,
        Damage::CheckpointMismatch { seq, since } => since + 1..=seq,
        Damage::CutOff { last, known } => last + 1..=known,
        _ => 0..=i64::MAX,
    }
}
