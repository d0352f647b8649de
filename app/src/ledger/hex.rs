//! Bytes as text: lower-case hexadecimal, and no other way to write the same bytes.

use data_encoding::HEXLOWER;

/// A text that is not exactly so many lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not {digits} hexadecimal digits in lower case")]
pub struct BadHex {
    pub digits: usize,
}

pub fn parse<const N: usize>(text: &str) -> Result<[u8; N], BadHex> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).is_err() {
        return Err(BadHex { digits: 2 * N });
    }
    Ok(bytes)
}

/// Gives a type around an array of bytes its one text form, for people and for JSON.
macro_rules! hex_text {
    ($name:ident, $bytes:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                data_encoding::HEXLOWER.encode_display(&self.0).fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ledger::BadHex;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::ledger::hex::parse::<$bytes>(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use hex_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_text_and_no_other() {
        assert_eq!(parse::<2>("00ff"), Ok([0, 255]));
        for other in ["00FF", "0ff", "00ff0", "00ff00", " 00ff", "0x00ff", "00fg", "", "00f\u{e9}"] {
            assert_eq!(parse::<2>(other), Err(BadHex { digits: 4 }), "{other:?}");
        }
    }
}
