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

/// A password takes at least so many guesses, as a power of ten: more than anybody makes at a log-in.
const GUESSES_LOG10: f64 = 8.0;

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

/// Whether it is among those that are guessed first: known passwords, names, dates, keyboard rows and what is put together of a
/// few of them, or of the user's own name. The estimate and its lists are zxcvbn's
/// (<https://www.usenix.org/conference/usenixsecurity16/technical-sessions/presentation/wheeler>).
pub fn is_known_bad(password: &str, username: &str) -> bool {
    // What it makes of more than this costs time and changes nothing.
    let start: String = password.chars().take(100).collect();
    zxcvbn::zxcvbn(&start, &[username, "paddock", "proxmox"]).guesses_log10() < GUESSES_LOG10
}

/// Whether the hash was made with other parameters than those of today.
pub fn is_outdated(hash: &str) -> bool {
    let today = Argon2::default();
    PasswordHash::new(hash).is_ok_and(|parsed| {
        let same = |name: &str, wanted: u32| parsed.params.get_decimal(name) == Some(wanted);
        let params = today.params();
        !(parsed.algorithm == argon2::ARGON2ID_IDENT
            && same("m", params.m_cost())
            && same("t", params.t_cost())
            && same("p", params.p_cost()))
    })
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
    fn what_is_guessed_first_is_known_and_what_is_not_stays_free() {
        for bad in [
            "1234567890",
            "password123",
            "Passw0rd123!",
            "qwertyuiop",
            "aaaaaaaaaaaaaa",
            "abcdefghijkl",
            "jennifer1990",
            "anna.schmidt",
            "anna.schmidt1",
            "proxmox2024",
            "iloveyou1234",
        ] {
            assert!(is_known_bad(bad, "anna.schmidt"), "{bad}");
        }
        for good in ["kettle fern orbit", "dX9#fkq2Lw", "in the yard at noon", &one_time()] {
            assert!(!is_known_bad(good, "anna.schmidt"), "{good}");
        }
        assert!(!is_known_bad(&"x y z ".repeat(5000), "anna"), "a long one is looked at in no time");
    }

    #[test]
    fn a_hash_of_other_parameters_is_outdated() {
        assert!(!is_outdated(&hash("correct horse").unwrap()));
        for old in [
            "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
        ] {
            assert!(is_outdated(old), "{old}");
        }
    }

    #[test]
    fn one_time_passwords_differ() {
        let (a, b) = (one_time(), one_time());
        assert_ne!(a, b);
        assert_eq!(a.len(), 23);
    }
}
