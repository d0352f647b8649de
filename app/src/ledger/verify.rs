//! A look through a ledger, entry by entry, in constant memory.
//!
//! ```text
//!   Verifier::after(0, ZERO)  .trust(key)
//!        │  witness(c)      checkpoints kept elsewhere; any number, before the entries
//!        │  head(c)         the signed end; before the entries or after them
//!        ▼
//!   ┌─► entry(e) ──► checkpoint(c)   of that entry, or of a later one
//!   └────────┴────────────┘
//!        ▼
//!   finish() -> Report
//! ```
//!
//! Remembered are the last entry's number and hashes, and of each checkpoint that came before its entry the number and
//! the hash. Each entry is looked at by itself (does it have its hash), with the one before (does it continue it) and
//! with what was signed. A damage is told once: its consequences for what comes after it are not damages of their own.

use std::collections::BTreeSet;

use super::{
    checkpoint::{Checkpoint, PublicKey},
    damage::{Damage, Report},
    digest::Hash,
    entry::Entry,
};

/// See the module.
#[derive(Debug, Clone)]
pub struct Verifier {
    trusted: Vec<PublicKey>,
    /// The last entry of the chain: what the next one should continue. `None` if the first may be any.
    last: Option<Link>,
    /// The last entry that stood where it does not belong, which may be the first of several that do.
    stray: Option<Link>,
    /// Whether the last entry looked at was the stray one.
    astray: bool,
    /// Signed, of entries that have not been seen yet.
    expected: BTreeSet<(i64, Hash)>,
    /// The last entry of which all agreed with what was signed.
    agreed: i64,
    /// A checkpoint did not fit, and none has since.
    forked: bool,
    /// Things that could not be read since the last entry: each may have been one.
    unreadable: i64,
    head: Head,
    report: Report,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    seq: i64,
    stored: Hash,
    computed: Hash,
    /// A change of this entry has been reported.
    changed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Missing,
    /// One was there, and what is wrong with it has been reported.
    Bad,
    At(i64),
}

impl Link {
    fn has(&self, hash: Hash) -> bool {
        hash == self.stored || hash == self.computed
    }
}

impl Verifier {
    /// For a ledger whose earlier entries, up to `seq` with `hash`, are elsewhere; `after(0, Hash::ZERO)` for a whole
    /// one.
    pub fn after(seq: i64, hash: Hash) -> Self {
        let mut verifier = Self::anywhere();
        verifier.begin(seq, hash);
        verifier
    }

    /// For a ledger that begins wherever its first line or entry says; the report tells where that is.
    pub fn anywhere() -> Self {
        Self {
            trusted: Vec::new(),
            last: None,
            stray: None,
            astray: false,
            expected: BTreeSet::new(),
            agreed: 0,
            forked: false,
            unreadable: 0,
            head: Head::Missing,
            report: Report::default(),
        }
    }

    /// Takes signatures of this key, and no longer those of whatever key comes first. May be called for several keys.
    #[must_use]
    pub fn trust(mut self, key: PublicKey) -> Self {
        self.trusted.push(key);
        self
    }

    /// Where it begins, if that was not known before.
    pub(super) fn begin(&mut self, seq: i64, hash: Hash) {
        match self.report.after {
            None => {
                self.report.after = Some((seq, hash));
                self.agreed = seq;
                self.last = Some(Link { seq, stored: hash, computed: hash, changed: false });
            }
            Some(known) if known == (seq, hash) => {}
            Some((known, _)) if known == seq => self.damage(Damage::ArchiveMismatch {
                why: format!("entry {seq}, after which it begins, has another hash"),
            }),
            Some((known, _)) => self.damage(Damage::ArchiveMismatch {
                why: format!("it begins after entry {seq}, not after entry {known}"),
            }),
        }
    }

    /// A checkpoint that was kept elsewhere, such as in the journal. `false` if it is not one of a trusted key, or none
    /// is known yet: anybody may write to a journal, so that this is no damage.
    pub fn witness(&mut self, checkpoint: &Checkpoint) -> bool {
        let taken = self.trusted.contains(&checkpoint.key) && checkpoint.verify();
        if taken {
            self.report.witnesses += 1;
            self.compare(checkpoint);
        }
        taken
    }

    /// The signed end.
    pub fn head(&mut self, checkpoint: &Checkpoint) {
        if self.accept(checkpoint) {
            self.compare(checkpoint);
            self.head = Head::At(checkpoint.seq);
        } else {
            self.head = Head::Bad;
        }
    }

    /// A checkpoint among the entries: before that which it signs, or just after it.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        // Where entries are missing or out of place, it has no place either.
        if self.accept(checkpoint) && !self.compare(checkpoint) && self.is_sound() {
            self.damage(Damage::Malformed {
                at: format!("the checkpoint of entry {}", checkpoint.seq),
                why: "it comes long after that entry".to_owned(),
            });
        }
    }

    /// Something stands where an entry or a checkpoint should, and is none.
    pub fn malformed(&mut self, at: String, why: String) {
        self.damage(Damage::Malformed { at, why });
        self.unreadable += 1;
    }

    /// Something that was found out by other means.
    pub fn damage(&mut self, damage: Damage) {
        self.report.add(damage);
    }

    /// What should be the signed end could not be read, which has been told.
    pub fn head_unreadable(&mut self) {
        if self.head == Head::Missing {
            self.head = Head::Bad;
        }
    }

    pub fn is_sound(&self) -> bool {
        self.report.is_sound()
    }

    /// The next entry in the order they are stored.
    pub fn entry(&mut self, entry: &Entry) {
        self.report.entries += 1;
        let (seq, changed, computed) = self.content(entry);
        let link = Link { seq, stored: entry.hash, computed, changed };
        let before = self.place(seq, entry.previous, changed);
        if let Some(before) = before
            && !changed
            && !before.changed
            && !before.has(entry.previous)
        {
            self.damage(Damage::ChainBroken { seq });
        }
        self.unreadable = 0;
        if self.astray {
            self.stray = Some(link);
        } else {
            self.last = Some(link);
        }
        while let Some(signed) = self.expected.first().copied().filter(|(at, _)| *at <= seq && !self.astray) {
            self.expected.remove(&signed);
            // Those before it are of entries that are known to be missing.
            if signed.0 == seq {
                self.agrees(link, signed.1);
            }
        }
    }

    /// What has the entry's hash? Its number as it should be, whether anything was changed, and the hash.
    fn content(&mut self, entry: &Entry) -> (i64, bool, Hash) {
        let computed = entry.computed();
        if computed == entry.hash {
            return (entry.seq, false, computed);
        }
        // If it is the next one but for its number, then that was changed, and nothing is missing before it.
        let (seq, computed) = match self.last {
            Some(last) if last.has(entry.previous) => {
                let due = last.seq.saturating_add(1);
                (due, entry.computed_at(due))
            }
            _ => (entry.seq, computed),
        };
        self.damage(Damage::EntryChanged { seq });
        (seq, true, computed)
    }

    /// Finds the entry's place in the chain, and the entry just before it if that is the one seen before.
    fn place(&mut self, seq: i64, previous: Hash, changed: bool) -> Option<Link> {
        let Some(last) = self.last else {
            self.begin(seq.saturating_sub(1), previous);
            self.astray = false;
            return None;
        };
        let due = last.seq.saturating_add(1);
        if seq == due {
            self.astray = false;
            return Some(last);
        }
        if seq > due {
            self.astray = false;
            if seq.saturating_sub(due) > self.unreadable {
                self.damage(Damage::Missing { first: due, last: seq - 1 });
            }
            return None;
        }
        self.astray = true;
        if let Some(stray) = self.stray.filter(|stray| stray.seq.checked_add(1) == Some(seq)) {
            return Some(stray);
        }
        self.out_of_order(seq, changed);
        None
    }

    fn out_of_order(&mut self, seq: i64, changed: bool) {
        // Two neighbours that changed places are one damage, not a missing entry and one too many.
        if let Some(damage) = self.report.damages.last_mut()
            && *damage == (Damage::Missing { first: seq, last: seq })
        {
            *damage = Damage::OutOfOrder { seq };
        } else if !changed {
            self.damage(Damage::OutOfOrder { seq });
        }
    }

    /// Whether it is signed by the right key.
    fn accept(&mut self, checkpoint: &Checkpoint) -> bool {
        let Checkpoint { seq, key, .. } = *checkpoint;
        if !checkpoint.verify() {
            self.damage(Damage::CheckpointForged { seq });
            return false;
        }
        if self.trusted.is_empty() {
            self.trusted.push(key);
        }
        if !self.trusted.contains(&key) {
            self.damage(Damage::WrongKey { seq, key });
            return false;
        }
        self.report.key = Some(key);
        self.report.checkpoints += 1;
        true
    }

    /// Holds the last entry against what was signed, or keeps that for an entry to come. `false` if it came too late.
    fn compare(&mut self, checkpoint: &Checkpoint) -> bool {
        let Checkpoint { seq, hash, .. } = *checkpoint;
        let stray = self.stray.filter(|_| self.astray);
        if let Some(entry) = [stray, self.last].into_iter().flatten().find(|entry| entry.seq == seq) {
            self.agrees(entry, hash);
        } else if self.last.is_some_and(|last| seq < last.seq) {
            // What was signed of an archived part is held against that.
            return self.report.after.is_some_and(|(after, _)| seq <= after);
        } else {
            self.expected.insert((seq, hash));
        }
        true
    }

    fn agrees(&mut self, entry: Link, signed: Hash) {
        if entry.has(signed) {
            (self.forked, self.agreed) = (false, entry.seq);
        } else if !entry.changed && !self.forked {
            self.forked = true;
            self.damage(Damage::CheckpointMismatch { seq: entry.seq, since: self.agreed });
        }
    }

    /// Nothing comes after this.
    pub fn finish(mut self) -> Report {
        let last = self.last.map_or(0, |last| last.seq);
        self.report.end = self.last.map(|last| (last.seq, last.stored));
        // What could not be read at the very end may have been the entry that was signed.
        let known = self.expected.last().map_or(last, |(seq, _)| *seq);
        if known.saturating_sub(last) > self.unreadable {
            self.damage(Damage::CutOff { last, known });
        }
        match self.head {
            Head::Missing => self.damage(Damage::HeadMissing),
            Head::At(head) if head < last => {
                self.damage(Damage::Unsigned { first: head.saturating_add(1), last });
            }
            Head::At(_) | Head::Bad => {}
        }
        self.report
    }
}

#[cfg(test)]
mod tests;
