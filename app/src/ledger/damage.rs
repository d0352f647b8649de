//! What can be wrong with a ledger, and the report of a look through it.

use super::{checkpoint::PublicKey, digest::Hash};

/// One thing that is not as it was recorded. Each is a sentence that names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("Entry {seq} has been changed: what it says does not have the hash stored with it.")]
    EntryChanged { seq: i64 },
    #[error("Entry {seq} does not continue the entry before it: one of the two has been replaced.")]
    ChainBroken { seq: i64 },
    #[error("{} missing.", entries(*first, *last))]
    Missing { first: i64, last: i64 },
    #[error("Entry {seq} stands where it does not belong.")]
    OutOfOrder { seq: i64 },
    /// `at` is a place such as `line 12`, `why` goes on from “cannot be read: ”.
    #[error("What is at {at} cannot be read: {why}.")]
    Malformed { at: String, why: String },
    #[error("The checkpoint of entry {seq} is forged: its signature is not that of the key it names.")]
    CheckpointForged { seq: i64 },
    /// Something changed after entry `since`, up to which all agrees with what was signed.
    #[error(
        "Entry {seq} is not the one that was signed: {} changed and all hashes after it made anew.",
        one_of(*since + 1, *seq)
    )]
    CheckpointMismatch { seq: i64, since: i64 },
    /// Signed was the ledger up to `known`, at least.
    #[error("The end is cut off: the last entry is {last}, but entry {known} was signed.")]
    CutOff { last: i64, known: i64 },
    #[error("{} after the end that was signed: added by someone without the key.", entries(*first, *last))]
    Unsigned { first: i64, last: i64 },
    #[error("The signed end is missing, so that nothing tells whether entries were cut off.")]
    HeadMissing,
    /// Where checkpoints are known to be kept at certain entries.
    #[error("The checkpoint of entry {seq} is missing.")]
    CheckpointMissing { seq: i64 },
    #[error("The checkpoint of entry {seq} is signed with another key, {key}.")]
    WrongKey { seq: i64, key: PublicKey },
    /// `which` half of its record, such as `beginning` or `end`.
    #[error("The {which} of operation {operation} is not as it was recorded in the ledger.")]
    RecordChanged { operation: i64, which: &'static str },
    #[error("Operation {operation} is in the ledger, but its record is missing.")]
    RecordMissing { operation: i64 },
    #[error("Operation {operation} has a record, but the ledger knows nothing of it.")]
    RecordUnknown { operation: i64 },
    #[error(
        "Operation {operation} is not in the history as it is recorded, so that pages show it wrongly or not at all."
    )]
    Hidden { operation: i64 },
    /// `why` is a clause that goes on from “does not fit: ”.
    #[error("The archive does not fit: {why}.")]
    ArchiveMismatch { why: String },
}

impl Damage {
    /// Which kind it is, in one word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::EntryChanged { .. } => "entry-changed",
            Self::ChainBroken { .. } => "chain-broken",
            Self::Missing { .. } => "missing",
            Self::OutOfOrder { .. } => "out-of-order",
            Self::Malformed { .. } => "malformed",
            Self::CheckpointForged { .. } => "checkpoint-forged",
            Self::CheckpointMismatch { .. } => "checkpoint-mismatch",
            Self::CutOff { .. } => "cut-off",
            Self::Unsigned { .. } => "unsigned",
            Self::HeadMissing => "head-missing",
            Self::CheckpointMissing { .. } => "checkpoint-missing",
            Self::WrongKey { .. } => "wrong-key",
            Self::RecordChanged { .. } => "record-changed",
            Self::RecordMissing { .. } => "record-missing",
            Self::RecordUnknown { .. } => "record-unknown",
            Self::Hidden { .. } => "hidden",
            Self::ArchiveMismatch { .. } => "archive-mismatch",
        }
    }
}

fn entries(first: i64, last: i64) -> String {
    if first == last { format!("Entry {first} is") } else { format!("Entries {first} to {last} are") }
}

fn one_of(first: i64, last: i64) -> String {
    if first >= last { "it was".to_owned() } else { format!("one of the entries {first} to {last} was") }
}

/// Most damages that are kept with all they say; more are only counted.
pub const KEPT: usize = 100;

/// What a look through a ledger found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub entries: u64,
    /// Those whose signature is good, the head among them.
    pub checkpoints: u64,
    /// Checkpoints kept elsewhere, that were of the right key.
    pub witnesses: u64,
    /// Where it begins: after this entry.
    pub after: Option<(i64, Hash)>,
    /// The last entry there is; as `after` if there is none.
    pub end: Option<(i64, Hash)>,
    /// Who signed. Unless it was named beforehand it is that of the first checkpoint, and for a person to recognise.
    pub key: Option<PublicKey>,
    /// In the order they were found, at most [`KEPT`].
    pub damages: Vec<Damage>,
    /// All that were found.
    pub count: u64,
}

impl Report {
    pub fn is_sound(&self) -> bool {
        self.count == 0
    }

    pub fn first(&self) -> Option<&Damage> {
        self.damages.first()
    }

    pub fn add(&mut self, damage: Damage) {
        self.count += 1;
        if self.damages.len() < KEPT {
            self.damages.push(damage);
        }
    }
}
