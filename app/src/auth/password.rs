//! Passwords: Argon2id hashes, one-time passwords.
//!
//! All functions here are slow on purpose (tens of milliseconds of one core); call them off the async threads.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{
        PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString,
        rand_core::{OsRng, RngCore as _},
    },
};

/// Shortest password that a person may choose, characters.
pub const SHORTEST: usize = 10;
/// Longest that is hashed, bytes: nobody makes the server hash a novel.
pub const LONGEST: usize = 1024;

/// The password could not be hashed; nothing of it is in the message.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// Argon2id with the crate's parameters (19 MiB, 2 passes, 1 lane: the OWASP recommendation) and a random salt, in
/// PHC string format.
pub fn hash(password: &str) -> Result<String, HashError> {
    let salt = SaltString::generate(&mut OsRng);
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(HashError)?.to_string())
}

/// Whether this is the password of that hash. With no hash, for an unknown user, it takes as long and says no.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| self::hash("nobody's password").ok());
    if password.len() > LONGEST {
        return false;
    }
    let Some(text) = hash.or(NOBODY.as_deref()) else { return false };
    let matches = PasswordHash::new(text)
        .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
    matches && hash.is_some()
}

/// A random password of 20 characters, about 100 bits, easy to read and to type: no look-alikes.
pub fn one_time() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
    let mut bytes = [0u8; 20];
    OsRng.fill_bytes(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect();
    letters.chunks(5).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_and_no_other() {
        let hash = hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("correct horse", Some(&hash)));
        assert!(!verify("correct horse ", Some(&hash)));
        assert!(!verify("", Some(&hash)));
    }

    #[test]
    fn nobody_logs_in_without_a_hash_or_with_a_broken_one() {
        assert!(!verify("nobody's password", None));
        assert!(!verify("x", Some("not a hash")));
        assert!(!verify(&"x".repeat(LONGEST + 1), Some("not a hash")));
    }

    #[test]
    fn one_time_passwords_differ() {
        let (a, b) = (one_time(), one_time());
        assert_ne!(a, b);
        assert_eq!(a.len(), 23);
    }
}
