//! Values as Proxmox writes them: Perl has no types, so that a number may come as a text, a text as a number, a flag
//! as either, and anything as `null` or not at all.
//!
//! Nothing here fails because of a value's type: what cannot be understood is absent. An answer of another shape (no
//! list where one must be) is an error.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// One value that is no list and no object.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, or a list or object where none belongs.
    None,
    Flag(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// A whole number from 0 up; parts of one are cut off.
    pub fn uint(&self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Flag(flag) => Some(u64::from(*flag)),
            Self::Signed(number) => u64::try_from(*number).ok(),
            Self::Unsigned(number) => Some(*number),
            Self::Float(number) => whole(*number),
            Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
        }
    }

    /// A finite number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate or a ratio; the last digits of a huge one do not matter"
    )]
    pub fn float(&self) -> Option<f64> {
        let number = match self {
            Self::None | Self::Flag(_) => return None,
            Self::Signed(number) => *number as f64,
            Self::Unsigned(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        number.is_finite().then_some(number)
    }

    /// Whether it is true: 1, `1`, `true`, `yes`, `on`.
    pub fn flag(&self) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Text(text) => matches!(text.trim(), "1" | "true" | "yes" | "on"),
            other => other.float().is_some_and(|number| number != 0.0),
        }
    }

    /// As text that can be shown (see [`shown`]); `None` for nothing and for an empty one.
    pub fn text(self) -> Option<String> {
        let text = match self {
            Self::None => return None,
            Self::Flag(flag) => u8::from(flag).to_string(),
            Self::Signed(number) => number.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => shown(text),
        };
        (!text.is_empty()).then_some(text)
    }
}

/// Without control characters but line breaks and tabs: a terminal that it is told on must not obey it.
pub fn shown(text: String) -> String {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(is_bad) { text.replace(is_bad, "") } else { text }
}

/// The part before the point, if it is a number that a `u64` holds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "checked to be in range; cutting off the part of a whole is what is wanted"
)]
fn whole(number: f64) -> Option<u64> {
    (number.is_finite() && number >= 0.0 && number < u64::MAX as f64).then_some(number as u64)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::None)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Flag(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Signed(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Unsigned(value))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
                Ok(Scalar::Text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::None)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::None)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

pub fn uint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Scalar::deserialize(deserializer).map(|scalar| scalar.uint())
}

pub fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Scalar::deserialize(deserializer).map(|scalar| scalar.float())
}

pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Scalar::deserialize(deserializer).map(|scalar| scalar.flag())
}

pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Scalar::deserialize(deserializer).map(Scalar::text)
}

/// A list inside an object, empty where something else stands in its place.
pub fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Rows<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(Rows::deserialize(value).unwrap_or_default())
}

/// A list of objects. What is no object in it is left out; `null` is an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T>(pub Vec<T>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
            type Value = Rows<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E>(self) -> Result<Rows<T>, E> {
                Ok(Rows::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rows<T>, A::Error> {
                let mut rows = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(4096));
                while let Some(Part(row)) = seq.next_element::<Part<T>>()? {
                    rows.extend(row);
                }
                Ok(Rows(rows))
            }
        }
        deserializer.deserialize_any(List(PhantomData))
    }
}

/// An object inside another, absent where something else stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T>(pub Option<T>);

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Object<T> {
            type Value = Part<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|part| Part(Some(part)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Part<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Part(None))
            }
            fn visit_unit<E>(self) -> Result<Part<T>, E> {
                Ok(Part(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Part<T>, E> {
                Ok(Part(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Part<T>, E> {
                Ok(Part(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Part<T>, E> {
                Ok(Part(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Part<T>, E> {
                Ok(Part(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Part<T>, E> {
                Ok(Part(None))
            }
        }
        deserializer.deserialize_any(Object(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scalar(value: serde_json::Value) -> Scalar {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_text_gives_a_terminal_no_orders() {
        let text = |text: &str| Scalar::Text(text.to_owned()).text();
        assert_eq!(text("a\u{1b}[2Jb\0\r\n\tc").as_deref(), Some("a[2Jb\n\tc"));
        assert_eq!(text("\u{7f}"), None);
    }

    #[test]
    fn a_number_is_read_however_it_is_written() {
        for (value, number) in [
            (json!(7), Some(7)),
            (json!("7"), Some(7)),
            (json!(" 7 "), Some(7)),
            (json!(7.9), Some(7)),
            (json!("7.9"), Some(7)),
            (json!(true), Some(1)),
            (json!(null), None),
            (json!(-1), None),
            (json!(-5.5e-5), None),
            (json!(1e300), None),
            (json!("NaN"), None),
            (json!("seven"), None),
            (json!([7]), None),
            (json!({"a": 7}), None),
            (json!(u64::MAX), Some(u64::MAX)),
        ] {
            assert_eq!(scalar(value.clone()).uint(), number, "{value}");
        }
        assert_eq!(scalar(json!("0.25")).float(), Some(0.25));
        assert_eq!(scalar(json!("inf")).float(), None);
    }

    #[test]
    fn a_flag_is_what_perl_takes_for_true() {
        for value in [json!(1), json!("1"), json!(true), json!("yes"), json!(1.0)] {
            assert!(scalar(value.clone()).flag(), "{value}");
        }
        for value in [json!(0), json!("0"), json!(false), json!(""), json!(null), json!([]), json!("no")] {
            assert!(!scalar(value.clone()).flag(), "{value}");
        }
    }

    #[test]
    fn a_text_is_absent_where_it_is_empty() {
        assert_eq!(scalar(json!("")).text(), None);
        assert_eq!(scalar(json!(128)).text(), Some("128".into()));
        assert_eq!(scalar(json!(true)).text(), Some("1".into()));
    }

    #[test]
    fn a_list_keeps_its_objects_and_nothing_else() {
        #[derive(Debug, PartialEq, Deserialize, Default)]
        #[serde(default)]
        struct Row {
            #[serde(deserialize_with = "uint")]
            n: Option<u64>,
        }
        let rows: Rows<Row> = serde_json::from_value(
            json!([{"n": "1"}, 2, null, "x", [1, [2]], {"n": [3], "m": {}}, true, -1, 0.5]),
        )
        .unwrap();
        assert_eq!(rows.0, [Row { n: Some(1) }, Row { n: None }]);
        assert_eq!(serde_json::from_value::<Rows<Row>>(json!(null)).unwrap(), Rows::default());
        assert!(serde_json::from_value::<Rows<Row>>(json!({"n": 1})).is_err());
    }
}
