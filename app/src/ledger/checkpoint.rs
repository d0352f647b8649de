//! Signed words that the ledger had a given entry: in the database, in the system's journal, in exports.
//!
//! What is signed is, by the rules of [`digest`](super::digest), the bytes of a record of kind `checkpoint` (they
//! begin with `paddock-checkpoint-1` and a line feed) with the parts `seq` (integer), `hash` (hash), `at_ms` (integer)
//! and `key` (bytes). The signature is Ed25519 (RFC 8032) over these bytes.

use std::{fmt, str::FromStr};

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use super::{
    digest::{Hash, Record},
    hex::hex_text,
};

/// An Ed25519 public key. As text: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

hex_text!(PublicKey, 32);

/// An Ed25519 signature. As text: 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

hex_text!(Signature, 64);

impl PublicKey {
    /// Whether the signature is this key's over just these bytes.
    pub(super) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// At `at_ms` the ledger's entry `seq` had this hash, says the holder of the key; and so had, through the chain, all
/// before it theirs. An empty ledger is entry 0 with [`Hash::ZERO`].
///
/// As text one line, made to be found within a line of a journal:
///
/// ```text
/// paddock-checkpoint seq=12 hash=64 DIGITS at=1700000000000 key=64 DIGITS signature=128 DIGITS
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub seq: i64,
    pub hash: Hash,
    pub at_ms: i64,
    pub key: PublicKey,
    pub signature: Signature,
}

/// The text is not a checkpoint's line as Paddock writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no line of a checkpoint: it is “paddock-checkpoint seq=… hash=… at=… key=… signature=…”")]
pub struct BadCheckpoint;

const BEGIN: &str = "paddock-checkpoint ";
const SIGNATURE: &str = " signature=";

impl Checkpoint {
    pub(super) fn message(seq: i64, hash: Hash, at_ms: i64, key: PublicKey) -> Vec<u8> {
        Record::message("checkpoint").int(seq).hash(hash).int(at_ms).bytes(&key.0).into_bytes()
    }

    /// Whether the signature is that of the key named. Whose key that is, is another question.
    pub fn verify(&self) -> bool {
        self.key.verifies(&Self::message(self.seq, self.hash, self.at_ms, self.key), &self.signature)
    }

    /// The first checkpoint within a longer line, such as the journal's with its time and unit. Nothing is said of its
    /// signature: anybody may write to a journal.
    pub fn find(line: &str) -> Option<Self> {
        line.match_indices(BEGIN).find_map(|(at, _)| {
            let text = line.get(at..)?;
            // A longer text than any of 19 digits twice has no checkpoint at its beginning.
            let signature = text.find(SIGNATURE).filter(|at| *at < 300)?;
            let end = signature + SIGNATURE.len() + 128;
            let goes_on = text.get(end..)?.starts_with(|c: char| c.is_ascii_alphanumeric());
            if goes_on { None } else { text.get(..end)?.parse().ok() }
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, hash, at_ms, key, signature } = self;
        write!(f, "{BEGIN}seq={seq} hash={hash} at={at_ms} key={key}{SIGNATURE}{signature}")
    }
}

impl FromStr for Checkpoint {
    type Err = BadCheckpoint;
    fn from_str(text: &str) -> Result<Self, BadCheckpoint> {
        let parsed = parse(text).ok_or(BadCheckpoint)?;
        // What is read is what would be written: no sign, no leading zero, no further space.
        if parsed.to_string() == text { Ok(parsed) } else { Err(BadCheckpoint) }
    }
}

fn parse(text: &str) -> Option<Checkpoint> {
    let mut words = text.strip_prefix(BEGIN)?.split(' ');
    let mut value = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
    Some(Checkpoint {
        seq: value("seq")?.parse().ok()?,
        hash: value("hash")?.parse().ok()?,
        at_ms: value("at")?.parse().ok()?,
        key: value("key")?.parse().ok()?,
        signature: value("signature")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
