//! Reading an export to verify it: strictly, line by line, in constant memory.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::{Head, LONGEST_LINE, Line, VERSION, encode};
use crate::ledger::{
    damage::{Damage, Report},
    digest::Hash,
    verify::Verifier,
};

const CUT: &str = "the file ends within this line";

/// Looks through an export. The verifier is [`Verifier::anywhere`], or [`Verifier::after`] to ask that it continues
/// there; with the keys that are trusted, and witnesses. An error is of reading alone.
pub fn verify_export(input: impl BufRead, verifier: Verifier) -> io::Result<Report> {
    verify_export_with(input, verifier, |_, _| {})
}

/// As [`verify_export`], and shows each line that could be read to `look`, which may tell the verifier of what it finds.
pub fn verify_export_with(
    mut input: impl BufRead,
    verifier: Verifier,
    mut look: impl FnMut(&Line<'_>, &mut Verifier),
) -> io::Result<Report> {
    let mut reader = Reader::new(verifier);
    let mut line = Vec::new();
    loop {
        line.clear();
        // One byte more than the longest tells that it is longer.
        input.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(reader.finish());
        }
        if line.len() > LONGEST_LINE {
            reader.too_long();
            if line.last() != Some(&b'\n') {
                input.skip_until(b'\n')?;
            }
        } else {
            reader.line(&line, &mut look);
        }
    }
}

/// Where reading an export is.
///
/// ```text
///   first line ──► lines ──► head ──► nothing more
/// ```
#[derive(Clone)]
pub struct Reader {
    verifier: Verifier,
    /// Of all lines before the head.
    digest: Sha256,
    number: u64,
    head: Option<Head>,
    /// For what is read to be written again.
    again: Vec<u8>,
    /// The last line could not be read.
    lost: bool,
}

impl Reader {
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, digest: Sha256::new(), number: 0, head: None, again: Vec::new(), lost: false }
    }

    pub fn is_sound(&self) -> bool {
        self.verifier.is_sound()
    }

    /// The next line, with its line feed unless the file ended before it.
    pub fn line(&mut self, bytes: &[u8], look: &mut impl FnMut(&Line<'_>, &mut Verifier)) {
        self.number += 1;
        self.lost = false;
        if self.head.is_some() {
            // Told once, however much it is.
            if self.is_sound() {
                self.lost("it comes after the end".to_owned());
            }
            return;
        }
        let is_cut = !bytes.ends_with(b"\n");
        let line = match serde_json::from_slice::<Line<'_>>(bytes) {
            Ok(line) => line,
            Err(_) if is_cut => return self.lost(CUT.to_owned()),
            // The error's own words may hold what someone put there for a terminal.
            Err(e) => return self.lost(format!("it is no line of an export, from column {} on", e.column())),
        };
        if is_cut {
            self.told(CUT.to_owned());
            self.lost = true;
        } else if encode(&line, &mut self.again).is_err() || self.again != bytes {
            self.told("it says what it should, but is not written as Paddock writes it".to_owned());
        }
        if self.number == 1 && !matches!(line, Line::Begin(_)) {
            self.told("an export begins with what it continues".to_owned());
        }
        look(&line, &mut self.verifier);
        if !matches!(line, Line::Head(_)) {
            self.digest.update(bytes);
        }
        match line {
            Line::Begin(begin) if self.number > 1 || begin.version != VERSION || begin.after.seq < 0 => {
                self.lost(format!("it is not the beginning of an export of version {VERSION}"));
            }
            Line::Begin(begin) => self.verifier.begin(begin.after.seq, begin.after.hash),
            Line::Entry(entry) => self.verifier.entry(&entry),
            Line::Checkpoint(checkpoint) => self.verifier.checkpoint(&checkpoint),
            Line::Record(_) => {}
            Line::Head(head) => {
                self.verifier.head(&head.checkpoint);
                self.head = Some(head);
            }
        }
    }

    /// The next line is longer than any may be.
    pub fn too_long(&mut self) {
        self.number += 1;
        self.lost(format!("it is longer than {LONGEST_LINE} bytes"));
    }

    fn lost(&mut self, why: String) {
        self.lost = true;
        self.verifier.malformed(format!("line {}", self.number), why);
    }

    fn told(&mut self, why: String) {
        self.verifier.damage(Damage::Malformed { at: format!("line {}", self.number), why });
    }

    /// Nothing comes after this.
    pub fn finish(mut self) -> Report {
        if self.lost {
            self.verifier.head_unreadable();
        }
        let mut report = self.verifier.finish();
        // What else was found is why these do not fit.
        if let Some(head) = self.head.filter(|_| report.is_sound()) {
            if !head.verify() {
                let why = "the signature in its last line is not that of the key named there".to_owned();
                report.add(Damage::ArchiveMismatch { why });
            } else if head.digest != Hash(self.digest.finalize().into()) {
                let why = "a line was changed, removed, added or moved since it was signed".to_owned();
                report.add(Damage::ArchiveMismatch { why });
            }
        }
        report
    }
}
