//! The history's filter: as it stands in the address, and as the store takes it.
//!
//! A [`HistoryQuery`] holds what was typed, right or wrong, so that a form shows it again and a link repeats it. Only
//! [`read`](HistoryQuery::read) turns it into a [`HistoryFilter`], whole or not at all: a filter that left out what it
//! did not understand would show rows that nobody asked for.

mod filter;
pub mod moment;

pub use filter::{
    ActionFilter, Cursor, EndFilter, FilterError, HistoryFilter, LONGEST_TEXT, STATE_WORDS, UserFilter,
    Within,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// What needs no escape in a query, whoever decodes it: a blank is `%20`, as not everybody takes `+` for one.
pub(in crate::domain) const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A field of the filter. Its text is the key in the address, the field's `name` in HTML and the option on the
/// command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryField {
    Guest,
    Backend,
    User,
    Action,
    Result,
    From,
    To,
    Text,
    After,
}

impl HistoryField {
    /// In the order in which an address has them.
    pub const ALL: [Self; 9] = [
        Self::Guest,
        Self::Backend,
        Self::User,
        Self::Action,
        Self::Result,
        Self::From,
        Self::To,
        Self::Text,
        Self::After,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Backend => "backend",
            Self::User => "user",
            Self::Action => "action",
            Self::Result => "result",
            Self::From => "from",
            Self::To => "to",
            Self::Text => "text",
            Self::After => "after",
        }
    }
}

/// The filter as typed. An empty field, or one of blanks, asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryQuery {
    pub guest: String,
    pub backend: String,
    pub user: String,
    pub action: String,
    pub result: String,
    pub from: String,
    pub to: String,
    pub text: String,
    /// Where the page before this one ended.
    pub after: String,
    /// What else stood in the address, in its order: keys that are none, and second values of those that are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stray: Vec<(String, String)>,
}

impl HistoryQuery {
    /// From the decoded pairs of an address or a form.
    pub fn from_pairs<K: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut query = Self::default();
        for (key, value) in pairs {
            let (key, value) = (key.as_ref(), value.into());
            match HistoryField::ALL.into_iter().find(|field| field.as_str() == key) {
                // A form sends its empty fields, too.
                Some(_) if value.is_empty() => {}
                Some(field) if query.get(field).is_empty() => *query.get_mut(field) = value,
                _ => query.stray.push((key.to_owned(), value)),
            }
        }
        query
    }

    /// As it stands in an address behind the question mark; empty if nothing is asked for.
    pub fn to_query(&self) -> String {
        let fields = HistoryField::ALL.into_iter().map(|field| (field.as_str(), self.get(field)));
        let fields = fields.filter(|(_, value)| !value.is_empty());
        let stray = self.stray.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let encoded = |text| utf8_percent_encode(text, QUERY);
        let pairs = fields.chain(stray).map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    pub fn get(&self, field: HistoryField) -> &str {
        match field {
            HistoryField::Guest => &self.guest,
            HistoryField::Backend => &self.backend,
            HistoryField::User => &self.user,
            HistoryField::Action => &self.action,
            HistoryField::Result => &self.result,
            HistoryField::From => &self.from,
            HistoryField::To => &self.to,
            HistoryField::Text => &self.text,
            HistoryField::After => &self.after,
        }
    }

    fn get_mut(&mut self, field: HistoryField) -> &mut String {
        match field {
            HistoryField::Guest => &mut self.guest,
            HistoryField::Backend => &mut self.backend,
            HistoryField::User => &mut self.user,
            HistoryField::Action => &mut self.action,
            HistoryField::Result => &mut self.result,
            HistoryField::From => &mut self.from,
            HistoryField::To => &mut self.to,
            HistoryField::Text => &mut self.text,
            HistoryField::After => &mut self.after,
        }
    }

    /// The same with one field changed, from its first page on: a place in one list is none in another.
    #[must_use]
    pub fn with(&self, field: HistoryField, value: impl Into<String>) -> Self {
        let mut query = Self { after: String::new(), ..self.clone() };
        *query.get_mut(field) = value.into();
        query
    }

    /// Whether it asks for the whole history, on whichever page.
    pub fn is_all(&self) -> bool {
        let is_blank = |field: &HistoryField| self.get(*field).trim().is_empty();
        self.stray.is_empty()
            && HistoryField::ALL.iter().filter(|field| **field != HistoryField::After).all(is_blank)
    }
}

#[cfg(test)]
mod tests;
