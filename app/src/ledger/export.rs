//! A ledger, or a part of it, as a file that proves itself: JSON Lines.
//!
//! ```text
//! {"paddock-ledger":{"version":1,"after":{"seq":0,"hash":"00…"}}}     the first line: what it continues
//! {"entry":{"seq":1,"at_ms":…,"kind":…,"actor":…,"address":…,"subject":…,"operation":…,"detail":…,"previous":…,"hash":…}}
//! {"checkpoint":{"seq":1,"hash":…,"at_ms":…,"key":…,"signature":…}}   after the entry that it signs
//! {"record":{"kind":"operation","id":7,"json":"{…}"}}                 what an entry's hashes are of, if archived
//! {"head":{"checkpoint":{…},"digest":…,"signature":…}}                the last line
//! ```
//!
//! There is one way to write each line: no space between the parts, keys in this order, absent values as `null`, in
//! texts only `"`, `\` and control characters escaped (as `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`, else as `\u00` and
//! two lower-case digits), a line feed at the end of each line, the last one too. `detail` and `json` are texts that
//! hold JSON, so that what is hashed is not what some other program makes of it.
//!
//! The `checkpoint` in the last line signs the last entry (that of `after` if there is none). `digest` is the SHA-256
//! of all bytes before that line. `signature` is by the checkpoint's key over the bytes of a record (see
//! [`digest`](super::digest)) of kind `export` with the parts `digest` (hash), the checkpoint's `hash` (hash) and its
//! `seq` (integer): so not a byte of the file can be changed unseen, whatever line it is in.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    checkpoint::{Checkpoint, Signature},
    digest::{Hash, Record},
    entry::Entry,
    sign::Signer,
};

mod read;
#[cfg(test)]
mod tests;

pub use read::{verify_export, verify_export_with};

/// Longest line, with its line feed, bytes.
pub const LONGEST_LINE: usize = 16 * 1024 * 1024;

const VERSION: u8 = 1;

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line<'a> {
    #[serde(rename = "paddock-ledger")]
    Begin(Begin),
    Entry(Cow<'a, Entry>),
    Checkpoint(Checkpoint),
    Record(RecordLine<'a>),
    Head(Head),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    version: u8,
    pub after: After,
}

/// The entry that the first one continues; 0 and [`Hash::ZERO`] if it is the very first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    pub seq: i64,
    pub hash: Hash,
}

/// A record that entries tell of, such as an operation with its plan and output. Nothing is known here of its hash:
/// who takes such records in holds them against the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine<'a> {
    pub kind: Cow<'a, str>,
    pub id: i64,
    pub json: Cow<'a, str>,
}

/// The last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub checkpoint: Checkpoint,
    pub digest: Hash,
    pub signature: Signature,
}

impl Head {
    fn message(digest: Hash, checkpoint: &Checkpoint) -> Vec<u8> {
        Record::message("export").hash(digest).hash(checkpoint.hash).int(checkpoint.seq).into_bytes()
    }

    /// Whether the file's own signature is that of the key of its checkpoint.
    fn verify(&self) -> bool {
        self.checkpoint.key.verifies(&Self::message(self.digest, &self.checkpoint), &self.signature)
    }
}

/// Writes an export line by line, in constant memory. Without [`Exporter::finish`] the file is not one, and is
/// reported as cut off.
pub struct Exporter<W> {
    out: W,
    digest: Sha256,
    line: Vec<u8>,
}

impl<W: Write> Exporter<W> {
    /// The first entry that follows continues the entry `seq` with this hash; 0 and [`Hash::ZERO`] if it is the first.
    pub fn new(out: W, seq: i64, hash: Hash) -> io::Result<Self> {
        let mut exporter = Self { out, digest: Sha256::new(), line: Vec::new() };
        exporter.line(&Line::Begin(Begin { version: VERSION, after: After { seq, hash } }))?;
        Ok(exporter)
    }

    pub fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.line(&Line::Entry(Cow::Borrowed(entry)))
    }

    /// Just after the entry that it signs.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        self.line(&Line::Checkpoint(*checkpoint))
    }

    pub fn record(&mut self, kind: &str, id: i64, json: &str) -> io::Result<()> {
        self.line(&Line::Record(RecordLine { kind: Cow::Borrowed(kind), id, json: Cow::Borrowed(json) }))
    }

    /// `head` is the checkpoint of the last entry written, of the signer's own key.
    pub fn finish(mut self, signer: &Signer, head: &Checkpoint) -> io::Result<W> {
        let digest = Hash(self.digest.clone().finalize().into());
        let signature = signer.sign(&Head::message(digest, head));
        self.line(&Line::Head(Head { checkpoint: *head, digest, signature }))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        encode(line, &mut self.line)?;
        if self.line.len() > LONGEST_LINE {
            let why = format!("a line of {} bytes is longer than an export's may be", self.line.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.digest.update(&self.line);
        self.out.write_all(&self.line)
    }
}

/// The one way to write it.
fn encode(line: &Line<'_>, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    serde_json::to_writer(&mut *bytes, line)?;
    bytes.push(b'\n');
    Ok(())
}
