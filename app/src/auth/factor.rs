//! Second factors of Paddock's own accounts: codes by the time (RFC 6238), and recovery codes.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use totp_rs::{Algorithm, TOTP};

use super::token::{NoRandom, random};
use crate::domain::account::SecretHash;

/// How long a code is the code of now, seconds. With SHA-1 and six digits it is what every authenticator knows.
const STEP_S: u64 = 30;
const DIGITS: usize = 6;
/// Bytes of what codes are reckoned from: what RFC 4226 recommends.
const SECRET: usize = 20;
/// Recovery codes that one gets.
const RECOVERY_CODES: usize = 10;
/// Bytes of one: 80 bits are not found again from their hash.
const RECOVERY: usize = 10;

/// What codes are reckoned from. Shows itself to nobody by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorSecret([u8; SECRET]);

impl fmt::Debug for FactorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FactorSecret").finish_non_exhaustive()
    }
}

impl FactorSecret {
    pub fn new() -> Result<Self, NoRandom> {
        random().map(Self)
    }

    /// As it was [`expose`](Self::expose)d; `None` where these bytes can be none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// As one types it into an authenticator: base 32 in groups of four.
    pub fn typed(&self) -> String {
        in_groups(&BASE32_NOPAD.encode(&self.0))
    }

    /// As an authenticator reads it from a QR code
    /// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
    pub fn address(&self, issuer: &str, account: &str) -> String {
        let [issuer, account] = [issuer, account].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
        let secret = BASE32_NOPAD.encode(&self.0);
        format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}")
    }

    /// The step of time whose code this is: that of now, or the one before or after, as clocks differ and people are slow.
    pub fn step_of(&self, code: &str, now_ms: i64) -> Option<i64> {
        let code = bare(code);
        let now = u64::try_from(now_ms).ok()? / 1000 / STEP_S;
        [now, now.checked_sub(1)?, now + 1].into_iter().find_map(|step| {
            let is_it = self.code(step * STEP_S).is_some_and(|right| right == code);
            if is_it { i64::try_from(step).ok() } else { None }
        })
    }

    /// The code at that second since 1970.
    fn code(&self, at_s: u64) -> Option<String> {
        let totp = TOTP::new(Algorithm::SHA1, DIGITS, 0, STEP_S, self.0.to_vec()).ok()?;
        Some(totp.generate(at_s))
    }
}

/// Fresh recovery codes, `abcd-efgh-ijkl-mnop`, each with its hash.
pub fn recovery_codes() -> Result<Vec<(String, SecretHash)>, NoRandom> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let bytes: [u8; RECOVERY] = random()?;
            let code = BASE32_NOPAD.encode(&bytes).to_lowercase();
            Ok((in_groups(&code).replace(' ', "-"), Sha256::digest(bytes).into()))
        })
        .collect()
}

/// The hash of a recovery code as it was typed; `None` for what can be none.
pub fn recovery_hash(typed: &str) -> Option<SecretHash> {
    let code = bare(typed).to_uppercase();
    let bytes = BASE32_NOPAD.decode(code.as_bytes()).ok().filter(|bytes| bytes.len() == RECOVERY)?;
    Some(Sha256::digest(bytes).into())
}

/// Without what people put between the characters.
fn bare(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}

fn in_groups(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 6238, appendix B.
    const RFC: FactorSecret = FactorSecret(*b"12345678901234567890");

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // The last six of its eight digits.
        for (at_s, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(RFC.code(at_s).as_deref(), Some(code));
            let step = i64::try_from(at_s / STEP_S).unwrap();
            let now_ms = i64::try_from(at_s).unwrap() * 1000;
            assert_eq!(RFC.step_of(code, now_ms), Some(step));
            assert_eq!(RFC.step_of(&format!(" {}-{} ", &code[..3], &code[3..]), now_ms), Some(step));
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_before_and_after_and_no_longer() {
        let at = |s: i64| RFC.step_of("005924", s * 1000);
        let step = 1_234_567_890 / 30;
        for s in [step * 30, step * 30 + 29, (step - 1) * 30, (step + 1) * 30 + 29] {
            assert_eq!(at(s), Some(step), "{s}");
        }
        assert_eq!(at((step - 1) * 30 - 1), None);
        assert_eq!(at((step + 2) * 30), None);
    }

    #[test]
    fn what_is_no_code_is_none() {
        for typed in ["", "0", "00592", "0059245", "００５９２４", "abcdef", &"0".repeat(100_000)] {
            assert_eq!(RFC.step_of(typed, 1_234_567_890_000), None);
        }
        assert_eq!(RFC.step_of("287082", -1), None);
    }

    #[test]
    fn an_authenticator_is_told_whose_it_is() {
        assert_eq!(
            RFC.address("Paddock pve 1", "Jörg&x=y"),
            "otpauth://totp/Paddock%20pve%201:J%C3%B6rg%26x%3Dy?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&\
             issuer=Paddock%20pve%201"
        );
        assert_eq!(RFC.typed(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(format!("{RFC:?}"), "FactorSecret { .. }");
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        for (code, hash) in &codes {
            assert_eq!(code.len(), 19);
            for typed in [
                code.clone(),
                code.to_uppercase(),
                code.replace('-', ""),
                format!(" {} ", code.replace('-', " ")),
            ] {
                assert_eq!(recovery_hash(&typed), Some(*hash), "{typed}");
            }
        }
        assert_ne!(codes[0].1, codes[1].1);
        for none in ["", "123456", "abcd-efgh-ijkl", "abcd-efgh-ijkl-mno1", "abcd-efgh-ijkl-mnop-qrst-uvwx"] {
            assert_eq!(recovery_hash(none), None, "{none}");
        }
    }
}
