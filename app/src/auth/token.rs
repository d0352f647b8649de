//! What API tokens and known devices are recognised by: random secrets that Paddock keeps nothing but a hash of.
//!
//! A secret of 256 random bits cannot be guessed, so that SHA-256 does where a password needs Argon2.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::domain::account::{SecretHash, TokenId};

/// What every API token begins with, so that scanners for leaked secrets find it.
const MARK: &str = "pdk_";
/// Bytes of a secret.
const SECRET: usize = 32;

/// There is no randomness on this system.
#[derive(Debug, thiserror::Error)]
#[error("no random secret can be made: {0}")]
pub struct NoRandom(getrandom::Error);

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandom)?;
    Ok(bytes)
}

/// A new secret in hexadecimal, and its hash.
pub fn secret() -> Result<(String, SecretHash), NoRandom> {
    let bytes: [u8; SECRET] = random()?;
    Ok((HEXLOWER.encode(&bytes), Sha256::digest(bytes).into()))
}

/// The hash of a secret as it was told; `None` for what can be none.
pub fn hash_of(secret: &str) -> Option<SecretHash> {
    let bytes = HEXLOWER.decode(secret.as_bytes()).ok().filter(|bytes| bytes.len() == SECRET)?;
    Some(Sha256::digest(bytes).into())
}

/// What goes behind `Authorization: Bearer`: `pdk_7_0f3c…`.
pub fn bearer(id: TokenId, secret: &str) -> String {
    format!("{MARK}{id}_{secret}")
}

/// Which token it says it is, and the hash of its secret; `None` for what can be none.
pub fn read(bearer: &str) -> Option<(TokenId, SecretHash)> {
    let (id, secret) = bearer.strip_prefix(MARK)?.split_once('_')?;
    if !id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((TokenId(id.parse().ok()?), hash_of(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_told() {
        let (secret, hash) = secret().unwrap();
        assert_eq!(read(&bearer(TokenId(7), &secret)), Some((TokenId(7), hash)));
        assert_ne!(super::secret().unwrap().1, hash);
    }

    #[test]
    fn what_can_be_no_token_is_none() {
        let (secret, _) = secret().unwrap();
        for text in [
            String::new(),
            secret.clone(),
            "pdk_7".to_owned(),
            "pdk_7_".to_owned(),
            format!("pdk_-7_{secret}"),
            format!("pdk_+7_{secret}"),
            format!("pdk__{secret}"),
            format!("pdk_7_{}", secret.to_uppercase()),
            format!("pdk_7_{secret}00"),
            format!("PDK_7_{secret}"),
            format!("pdk_99999999999999999999_{secret}"),
        ] {
            assert_eq!(read(&text), None, "{text}");
        }
    }
}
