//! Seals what Paddock must be able to read again, so that a copy of the database alone, as an auditor gets one, tells nothing.
//!
//! XChaCha20-Poly1305 with a random nonce before the text; what the text belongs to is bound in, so that one row's cannot be put
//! into another.

use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};

use super::token::{NoRandom, random};

const NONCE: usize = 24;

/// Who seals. Never shows its key.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

/// It could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Random(#[from] NoRandom),
    #[error("a secret could not be sealed")]
    TooLong,
}

impl Sealer {
    pub fn new(key: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }

    /// `of`: what the text belongs to.
    pub fn seal(&self, text: &[u8], of: &str) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload { msg: text, aad: of.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::TooLong)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None` for what was sealed with another key or for something else, and for what was changed since.
    pub fn open(&self, sealed: &[u8], of: &str) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
        self.0.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: of.as_bytes() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_by_the_same_key_for_the_same_thing_alone() {
        let sealer = Sealer::new([7; 32]);
        let sealed = sealer.seal(b"secret", "user:1").unwrap();
        assert_eq!(sealer.open(&sealed, "user:1").as_deref(), Some(b"secret".as_slice()));
        assert_eq!(sealer.open(&sealed, "user:2"), None);
        assert_eq!(Sealer::new([8; 32]).open(&sealed, "user:1"), None);
        assert_ne!(sealer.seal(b"secret", "user:1").unwrap(), sealed);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
    }

    #[test]
    fn a_changed_byte_or_a_cut_end_is_seen() {
        let sealer = Sealer::new([7; 32]);
        let sealed = sealer.seal(b"secret", "user:1").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open(&changed, "user:1"), None, "{at}");
            assert_eq!(sealer.open(&sealed[..at], "user:1"), None, "{at}");
        }
    }
}
