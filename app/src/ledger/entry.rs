//! One entry of the ledger, and its hash.
//!
//! # How an entry is hashed
//!
//! By the rules of [`digest`](super::digest) as a record of kind `ledger`, whose parts are, in this order:
//!
//! 1. `seq`: integer
//! 2. `at_ms`: integer
//! 3. `kind`: text
//! 4. `actor`: optional text
//! 5. `address`: optional text
//! 6. `subject`: optional text
//! 7. `operation`: optional integer
//! 8. `detail`: text, exactly as it is stored
//! 9. `previous`: hash; 32 zero bytes for the first entry
//!
//! For the first entry of a ledger, made at 1700000000000 by `anna` from no known address on `lxc/web1` as operation
//! 7, of kind `operation-begin`, with the detail `{"plan":"é"}`, these are 157 bytes, shown in hexadecimal:
//!
//! ```text
//! 706164646f636b2d6c65646765722d310a                          paddock-ledger-1 and a line feed
//! 0000000000000001                                            seq 1
//! 0000018bcfe56800                                            at_ms 1700000000000
//! 000000000000000f 6f7065726174696f6e2d626567696e             kind, 15 bytes
//! 01 0000000000000004 616e6e61                                actor, 4 bytes
//! 00                                                          no address
//! 01 0000000000000008 6c78632f77656231                        subject, 8 bytes
//! 01 0000000000000007                                         operation 7
//! 000000000000000d 7b22706c616e223a22c3a9227d                 detail, 13 bytes
//! 0000000000000020 00000000000000000000000000000000           previous, 32 bytes
//!                  00000000000000000000000000000000
//! ```
//!
//! and the entry's hash is `e305332622c8d7302f5d5669df8934d734fa3a20fe17f8d26d309a23eddb70d2`.
//!
//! # What the entries of an operation tell
//!
//! Those with an `operation` say in `detail` what binds its record, and in which table's columns that stands
//! (`store/operations/digest.rs` has the order of the parts):
//!
//! | kind | `detail` |
//! |---|---|
//! | `operation-begun` | `record`: the hash of the operation's beginning; `plan`: that of its plan |
//! | `operation-moved` | the same, in place of what was told before |
//! | `cancel-requested` | nothing; for a part of a bulk action, `with`: the operation whose end was asked for |
//! | `operation-ended` | `record`: the hash of the operation's end; `unreadable` in its place: somebody had written into it |
//!
//! `actor` and `address` of `cancel-requested` are those of whoever asked first for the operation's end; there is at most one
//! for each operation. Entries of any other kind bind no record: they are what they say.

use serde::{Deserialize, Serialize};

use super::digest::{Hash, Record};

/// One thing that was recorded, bound to all that was recorded before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts up from 1 without a gap.
    pub seq: i64,
    /// Since 1970, milliseconds.
    pub at_ms: i64,
    /// What happened, such as `operation-ended`, `cancel-requested` or `log-in-failed`.
    pub kind: String,
    pub actor: Option<String>,
    /// Where the actor came from.
    pub address: Option<String>,
    /// What it was done to, such as `lxc/web1` or `user:anna`.
    pub subject: Option<String>,
    pub operation: Option<i64>,
    /// The text of a JSON object.
    pub detail: String,
    /// The hash of the entry before, [`Hash::ZERO`] in the first.
    pub previous: Hash,
    /// As it was stored; what it should be is [`Entry::computed`].
    pub hash: Hash,
}

/// What is to be recorded, before it has its place in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEntry<'a> {
    pub at_ms: i64,
    pub kind: &'a str,
    pub actor: Option<&'a str>,
    pub address: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub operation: Option<i64>,
    pub detail: &'a str,
}

impl NewEntry<'_> {
    /// The entry in its place: after the one with the hash `previous`.
    pub fn seal(self, seq: i64, previous: Hash) -> Entry {
        Entry {
            seq,
            at_ms: self.at_ms,
            kind: self.kind.to_owned(),
            actor: self.actor.map(str::to_owned),
            address: self.address.map(str::to_owned),
            subject: self.subject.map(str::to_owned),
            operation: self.operation,
            detail: self.detail.to_owned(),
            previous,
            hash: self.hash(seq, previous),
        }
    }

    fn hash(self, seq: i64, previous: Hash) -> Hash {
        Record::new("ledger")
            .int(seq)
            .int(self.at_ms)
            .text(self.kind)
            .optional_text(self.actor)
            .optional_text(self.address)
            .optional_text(self.subject)
            .optional_int(self.operation)
            .text(self.detail)
            .hash(previous)
            .finish()
    }
}

impl Entry {
    /// The hash of what the entry says, whatever hash is stored with it.
    pub fn computed(&self) -> Hash {
        self.computed_at(self.seq)
    }

    /// As [`computed`](Self::computed), were it at another place.
    pub(super) fn computed_at(&self, seq: i64) -> Hash {
        self.content().hash(seq, self.previous)
    }

    fn content(&self) -> NewEntry<'_> {
        NewEntry {
            at_ms: self.at_ms,
            kind: &self.kind,
            actor: self.actor.as_deref(),
            address: self.address.as_deref(),
            subject: self.subject.as_deref(),
            operation: self.operation,
            detail: &self.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    const EXAMPLE: NewEntry<'_> = NewEntry {
        at_ms: 1_700_000_000_000,
        kind: "operation-begin",
        actor: Some("anna"),
        address: None,
        subject: Some("lxc/web1"),
        operation: Some(7),
        detail: "{\"plan\":\"\u{e9}\"}",
    };

    /// The example in this file's own docs: its hexadecimal digits, and the hash that it is said to have.
    fn documented() -> (String, String) {
        let docs = include_str!("entry.rs");
        let block = docs.split("```text\n").nth(1).unwrap().split("//! ```").next().unwrap();
        let digits = block
            .lines()
            // The words beside the digits are set apart by more than one space.
            .filter_map(|line| line.trim_start_matches("//!").trim().split("  ").next())
            .flat_map(str::split_whitespace)
            .collect();
        let hash = docs.split("the entry's hash is `").nth(1).unwrap().split('`').next().unwrap();
        (digits, hash.to_owned())
    }

    #[test]
    fn the_documented_example_is_what_is_hashed() {
        let mut bytes = b"paddock-ledger-1\n".to_vec();
        let int = |bytes: &mut Vec<u8>, value: u64| bytes.extend(value.to_be_bytes());
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        };
        int(&mut bytes, 1);
        int(&mut bytes, 1_700_000_000_000);
        text(&mut bytes, "operation-begin");
        bytes.push(1);
        text(&mut bytes, "anna");
        bytes.push(0);
        bytes.push(1);
        text(&mut bytes, "lxc/web1");
        bytes.push(1);
        int(&mut bytes, 7);
        text(&mut bytes, "{\"plan\":\"\u{e9}\"}");
        int(&mut bytes, 32);
        bytes.extend([0; 32]);

        let (digits, hash) = documented();
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes), digits);
        assert_eq!(bytes.len(), 157);
        let sealed = EXAMPLE.seal(1, Hash::ZERO);
        assert_eq!(sealed.hash, Hash(Sha256::digest(&bytes).into()));
        assert_eq!(sealed.hash.to_string(), hash);
        assert_eq!(sealed.computed(), sealed.hash);
    }

    #[test]
    fn each_field_counts() {
        let sealed = EXAMPLE.seal(2, Hash([1; 32]));
        let changes: [fn(&mut Entry); 10] = [
            |e| e.seq += 1,
            |e| e.at_ms -= 1,
            |e| e.kind.push(' '),
            |e| e.actor = None,
            |e| e.address = Some(String::new()),
            |e| e.subject = Some("lxc/web2".to_owned()),
            |e| e.operation = None,
            |e| e.detail.push('\n'),
            |e| e.previous.0[31] ^= 1,
            // The same letters, shifted from one field into the next.
            |e| (e.actor, e.address) = (Some("ann".to_owned()), Some("a".to_owned())),
        ];
        for (nth, change) in changes.into_iter().enumerate() {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert_ne!(changed.computed(), sealed.hash, "change {nth}");
        }
    }
}
