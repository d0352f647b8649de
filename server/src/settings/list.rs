//! Reads lists whose items are texts or tables, from a file or from TOML in a variable.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::Problem,
    key::{Given, Wrong},
    read,
};

/// One item of a list.
pub enum Item<'a> {
    Plain(Given<'a>),
    Table(Table<'a>),
}

/// An item that is a table.
pub struct Table<'a> {
    entries: &'a DeTable<'a>,
    /// Where it begins, if that is known.
    pub at: Option<usize>,
}

/// Whether this text of a variable is a list in TOML.
pub fn is_toml(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

/// How an item is named to a person, by its index.
pub fn number(index: usize) -> String {
    format!("number {}", index + 1)
}

/// Each item with the byte at which it begins, where it is from a settings file.
pub fn read<T>(
    given: Given<'_>,
    expected: &str,
    item: impl Fn(Item<'_>) -> Result<T, Wrong>,
) -> Result<Vec<(Option<usize>, T)>, Wrong> {
    match given {
        Given::Toml(value) => items(value, true, expected, item),
        Given::Text(text) => {
            let value = DeValue::parse(text.trim()).map_err(|_| read::wrong(given, expected))?;
            items(&value, false, expected, item)
        }
    }
}

fn items<T>(
    value: &Spanned<DeValue<'_>>,
    is_file: bool,
    expected: &str,
    item: impl Fn(Item<'_>) -> Result<T, Wrong>,
) -> Result<Vec<(Option<usize>, T)>, Wrong> {
    let array = value.get_ref().as_array().ok_or_else(|| read::wrong(Given::Toml(value), expected))?;
    array
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let at = is_file.then(|| value.span().start);
            let one = match value.get_ref().as_table() {
                Some(entries) => Item::Table(Table { entries, at }),
                None => Item::Plain(Given::Toml(value)),
            };
            item(one).map(|read| (at, read)).map_err(|wrong| wrong.inside(&number(index), at))
        })
        .collect()
}

impl Table<'_> {
    /// That it has no other keys.
    pub fn only(&self, known: &[&str]) -> Result<(), Wrong> {
        let unknown = self.entries.keys().find(|key| !known.contains(&key.get_ref().as_ref()));
        unknown.map_or(Ok(()), |key| {
            let problem = Problem::Unknown { known: format!("Its keys are {}.", known.join(", ")) };
            let within = key.get_ref().escape_debug().to_string();
            Err(Wrong::from(problem).inside(&within, self.at.map(|_| key.span().start)))
        })
    }

    /// The byte of the settings file at which the value of a key begins, where it is from one.
    pub fn begin_of(&self, key: &str) -> Option<usize> {
        self.at.and(self.entries.get(key)).map(|value| value.span().start)
    }

    pub fn not_both(&self, one: &str, other: &str) -> Result<(), Wrong> {
        if !(self.entries.contains_key(one) && self.entries.contains_key(other)) {
            return Ok(());
        }
        let problem = Problem::Wrong {
            found: format!("together with {one}"),
            expected: "alone: one of the two is enough".to_owned(),
        };
        Err(Wrong::from(problem).inside(other, self.begin_of(other)))
    }

    pub fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(Given<'_>) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        let Some(value) = self.entries.get(key) else { return Ok(None) };
        read(Given::Toml(value)).map(Some).map_err(|wrong| wrong.inside(key, self.begin_of(key)))
    }

    pub fn required<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(Given<'_>) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        self.optional(key, read)?.ok_or_else(|| {
            let problem = Problem::Missing { needed_by: format!("each must have it: {expected}") };
            Wrong::from(problem).inside(key, self.at)
        })
    }
}
