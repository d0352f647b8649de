//! Reading fields one by one: what is wrong with each is noted, and the rest is read all the same.

use serde::{Deserialize, Serialize};

use super::{Typed, split};
use crate::domain::{
    action::{Field, Refusal},
    limits::Cpus,
    name::GuestName,
    size,
};

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    pub field: Field,
    pub message: String,
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Field { field: wrong.field, message: wrong.message }
    }
}

/// Each reading is `None` for an empty field and for a wrong one; the latter is noted.
#[derive(Debug)]
pub struct Reader<'a> {
    pub typed: &'a Typed,
    wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    pub fn new(typed: &'a Typed) -> Self {
        Self { typed, wrong: Vec::new() }
    }

    pub fn note(&mut self, field: Field, message: impl Into<String>) {
        self.wrong.push(Wrong { field, message: message.into() });
    }

    /// Nothing is wrong so far.
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    /// What was read, unless something is wrong.
    pub fn end<T>(self, read: Option<T>) -> Result<T, Vec<Wrong>> {
        match read {
            Some(read) if self.wrong.is_empty() => Ok(read),
            _ => Err(self.wrong),
        }
    }

    pub fn text(&self, field: Field) -> Option<String> {
        Some(self.typed.text(field).to_owned()).filter(|text| !text.is_empty())
    }

    /// Something has to be there.
    pub fn needed(&mut self, field: Field, empty: &str) -> Option<String> {
        let text = self.text(field);
        if text.is_none() {
            self.note(field, empty);
        }
        text
    }

    pub fn parsed<T>(&mut self, field: Field, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match parse(&self.text(field)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.note(field, message);
                None
            }
        }
    }

    /// Bytes: `512M`.
    pub fn size(&mut self, field: Field) -> Option<u64> {
        self.parsed(field, |text| size::parse(text).map_err(|e| e.to_string()))
    }

    pub fn cpus(&mut self, field: Field) -> Option<Cpus> {
        self.parsed(field, |text| text.parse::<Cpus>().map_err(|e| e.to_string()))
    }

    /// A whole number from `least` to `most`.
    pub fn number(&mut self, field: Field, least: u64, most: u64) -> Option<u64> {
        self.parsed(field, |text| {
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("Enter a whole number from {least} to {most}."))
        })
    }

    /// As [`number`](Self::number).
    pub fn number32(&mut self, field: Field, least: u32, most: u32) -> Option<u32> {
        let number = self.number(field, u64::from(least), u64::from(most));
        number.and_then(|number| u32::try_from(number).ok())
    }

    /// The name of a guest that is to be made.
    pub fn new_name(&mut self, field: Field) -> Option<GuestName> {
        match GuestName::new(self.typed.text(field)) {
            Ok(name) => Some(name),
            Err(why) => {
                self.note(field, why.to_string());
                None
            }
        }
    }

    /// The words of a command.
    pub fn words(&mut self, field: Field) -> Vec<String> {
        self.parsed(field, |text| split(text).map_err(str::to_owned)).unwrap_or_default()
    }

    /// What stands between commas, or each on its line.
    pub fn list(&self, field: Field) -> Vec<String> {
        let parts = self.typed.text(field).split([',', '\n']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// Each line that is not empty.
    pub fn lines(&self, field: Field) -> Vec<String> {
        let lines = self.typed.text(field).lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}
