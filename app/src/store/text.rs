//! Texts that may be none: SQLite keeps whatever bytes a hand wrote into a column.

use std::borrow::Cow;

use sqlx::{
    Decode, Sqlite, Type, ValueRef as _,
    error::BoxDynError,
    sqlite::{SqliteTypeInfo, SqliteValueRef},
};

/// The value of a column that Paddock writes texts into. Reading it never fails, so that one damaged row does not take all
/// others of its query along; what it is worth is asked afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(Result<String, Bad>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bad {
    Missing,
    /// With what cannot be read replaced.
    Bytes(String),
}

impl Text {
    /// The text, where it is one. `column` is for the clause that says what is wrong.
    pub fn read(self, column: &str) -> Result<String, String> {
        self.0.map_err(|bad| match bad {
            Bad::Missing => format!("its {column} is missing"),
            Bad::Bytes(_) => format!("its {column} is no text"),
        })
    }

    /// As much of it as is text.
    pub fn legible(self) -> String {
        match self.0 {
            Ok(text) | Err(Bad::Bytes(text)) => text,
            Err(Bad::Missing) => String::new(),
        }
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            Ok(text) | Err(Bad::Bytes(text)) => text,
            Err(Bad::Missing) => "",
        }
    }

    pub fn is_text(&self) -> bool {
        self.0.is_ok()
    }
}

impl Type<Sqlite> for Text {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl<'r> Decode<'r, Sqlite> for Text {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.is_null() {
            return Ok(Self(Err(Bad::Missing)));
        }
        let bytes = <&[u8] as Decode<Sqlite>>::decode(value)?;
        Ok(Self(match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => Ok(text.to_owned()),
            Cow::Owned(legible) => Err(Bad::Bytes(legible)),
        }))
    }
}
