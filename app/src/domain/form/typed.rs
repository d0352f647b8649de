//! What was typed into a form.

use std::collections::BTreeMap;

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};

use crate::domain::{action::Field, history::QUERY};

/// Texts by the names of their fields. A field that is absent was not asked for: that is not the same as an empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Typed(BTreeMap<String, String>);

impl Typed {
    /// From an address, or the names and values of a form.
    pub fn from_pairs<K: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.into())).collect())
    }

    /// Only what is a form's field: an address holds other things, too.
    pub fn of_fields<K: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let is_field = |key: &str| Field::ALL.iter().any(|field| field.as_str() == key);
        Self::from_pairs(pairs.into_iter().filter(|(key, _)| is_field(key.as_ref())))
    }

    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.0.insert(field.as_str().to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn without(mut self, field: Field) -> Self {
        self.0.remove(field.as_str());
        self
    }

    /// As typed; `None` where there is no such field.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0.get(field.as_str()).map(String::as_str)
    }

    /// Without blanks around it; empty where there is no such field.
    pub fn text(&self, field: Field) -> &str {
        self.get(field).unwrap_or_default().trim()
    }

    /// A switch that is on.
    pub fn is_on(&self, field: Field) -> bool {
        matches!(self.text(field), "true" | "on" | "1" | "yes")
    }

    /// Name and value of each field, by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it stands in an address behind the question mark.
    pub fn to_query(&self) -> String {
        let encoded = |text| utf8_percent_encode(text, QUERY);
        let pairs = self.pairs().map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// `path` with all this behind it.
    pub fn at(&self, path: &str) -> String {
        if self.is_empty() { path.to_owned() } else { format!("{path}?{}", self.to_query()) }
    }
}
