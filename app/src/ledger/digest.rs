//! Hashes of records: one way to write each record down as bytes, so that different records never give the same.
//!
//! The bytes of a record of kind `K` are `paddock-K-1` and a line feed, then its parts in their order:
//!
//! | part | bytes |
//! |---|---|
//! | integer | 8, two's complement, big-endian |
//! | flag | 1: 0 or 1 |
//! | text, bytes | their length as an integer, then they themselves; text is UTF-8 as it is, never normalised |
//! | hash | as bytes: the integer 32, then the 32 bytes |
//! | optional part | 1: 0 if it is absent; or 1, then the part |
//! | list | the number of items as an integer, then each item's parts |
//!
//! A record's hash is the SHA-256 of these bytes; what is signed is the bytes themselves.

use sha2::{Digest as _, Sha256};

use super::hex::hex_text;

/// A SHA-256. As text: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

hex_text!(Hash, 32);

impl Hash {
    /// What the first entry of a ledger names as the one before it.
    pub const ZERO: Self = Self([0; 32]);
}

/// Where a record's bytes go.
pub trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A record being written down, part by part.
///
/// ```
/// use app::ledger::Record;
/// let hash = Record::new("operation-begin").int(12).text("lxc/web1").optional_text(None).finish();
/// assert_ne!(hash, Record::new("operation-end").int(12).text("lxc/web1").optional_text(None).finish());
/// ```
#[must_use]
pub struct Record<S = Sha256>(S);

impl Record<Sha256> {
    /// `kind` is of letters, digits and dashes; each kind has its own fixed order of parts.
    pub fn new(kind: &'static str) -> Self {
        Self::begin(Sha256::new(), kind)
    }

    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

impl Record<Vec<u8>> {
    /// The bytes themselves, for a signature.
    pub(super) fn message(kind: &'static str) -> Self {
        Self::begin(Vec::new(), kind)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<S: Sink> Record<S> {
    fn begin(sink: S, kind: &'static str) -> Self {
        Self(sink).put(b"paddock-").put(kind.as_bytes()).put(b"-1\n")
    }

    fn put(mut self, bytes: &[u8]) -> Self {
        self.0.put(bytes);
        self
    }

    pub fn int(self, value: i64) -> Self {
        self.put(&value.to_be_bytes())
    }

    pub fn flag(self, value: bool) -> Self {
        self.put(&[u8::from(value)])
    }

    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.count(bytes.len()).put(bytes)
    }

    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub fn hash(self, hash: Hash) -> Self {
        self.bytes(&hash.0)
    }

    /// `part` writes the value down if there is one.
    pub fn optional<T>(self, value: Option<T>, part: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            None => self.flag(false),
            Some(value) => part(self.flag(true), value),
        }
    }

    pub fn optional_int(self, value: Option<i64>) -> Self {
        self.optional(value, Self::int)
    }

    pub fn optional_text(self, text: Option<&str>) -> Self {
        self.optional(text, Self::text)
    }

    pub fn optional_hash(self, hash: Option<Hash>) -> Self {
        self.optional(hash, Self::hash)
    }

    /// `each` writes the parts of one item down.
    pub fn list<T>(self, items: &[T], each: impl FnMut(Self, &T) -> Self) -> Self {
        let counted = self.count(items.len());
        items.iter().fold(counted, each)
    }

    fn count(self, count: usize) -> Self {
        // The same eight bytes as an integer's; no length in memory reaches a sign bit.
        self.put(&(count as u64).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(write: impl FnOnce(Record<Vec<u8>>) -> Record<Vec<u8>>) -> Vec<u8> {
        write(Record::message("x")).into_bytes()
    }

    #[test]
    fn a_records_bytes_are_those_of_the_table() {
        let bytes = bytes_of(|r| {
            r.int(-2)
                .flag(true)
                .text("\u{e9}")
                .optional_text(None)
                .optional_int(Some(3))
                .list(&["a", ""], |r, item| r.text(item))
        });
        let mut expected = b"paddock-x-1\n".to_vec();
        expected.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 1]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 2, 0xc3, 0xa9, 0]);
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes, expected);
        assert_eq!(Record::new("x").finish(), Hash(Sha256::digest(b"paddock-x-1\n").into()));
    }

    #[test]
    fn moving_a_character_from_one_part_to_the_next_makes_another_record() {
        assert_ne!(bytes_of(|r| r.text("ab").text("c")), bytes_of(|r| r.text("a").text("bc")));
        assert_ne!(bytes_of(|r| r.optional_text(Some(""))), bytes_of(|r| r.optional_text(None)));
        let list = |items: &[&str], next: &[&str]| {
            bytes_of(|r| r.list(items, |r, t| r.text(t)).list(next, |r, t| r.text(t)))
        };
        assert_ne!(list(&["a", "b"], &[]), list(&["a"], &["b"]));
    }

    #[test]
    fn a_hash_is_read_back_from_its_text_only() {
        let hash = Record::new("x").finish();
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!(hash.to_string().to_uppercase().parse::<Hash>().is_err());
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    }
}
