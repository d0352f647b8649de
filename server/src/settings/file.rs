//! The settings file: found, read and taken apart. What stands in it is not judged here but for keys that no one
//! knows.

use std::{fs::File, io::Read as _, path::Path};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    error::{Place, Problem, SettingsError},
    key::Info,
    keys::{self, SECTIONS},
};

/// The longest settings file, bytes.
const CAP: u64 = 1024 * 1024;

/// The text of a settings file.
pub fn read(path: &Path) -> Result<String, SettingsError> {
    let unreadable = |detail| SettingsError::Unreadable { path: path.to_owned(), detail };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(CAP + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > CAP {
        return Err(unreadable(format!("it is longer than {CAP} bytes")));
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = line_of(e.as_bytes(), e.utf8_error().valid_up_to());
        SettingsError::NotUtf8 { path: path.to_owned(), line }
    })
}

/// A settings file, taken apart.
pub struct SettingsFile<'a> {
    path: &'a Path,
    text: &'a str,
    table: DeTable<'a>,
}

impl<'a> SettingsFile<'a> {
    /// Takes the text of the file at this path apart.
    pub fn parse(path: &'a Path, text: &'a str) -> Result<Self, SettingsError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if let Some(error) = errors.first() {
            let at = error.span().map_or(0, |span| span.start);
            let line = line_of(text.as_bytes(), at);
            // The parser has no kinds of errors. Should its words change, the line is told all the same.
            if error.message() == "duplicate key" {
                let key = key_at(text, table.get_ref(), error.span().unwrap_or_default());
                let place = Place::Line { file: path.to_owned(), line };
                return Err(SettingsError::Key { place, key, problem: Problem::Twice });
            }
            let words = error.message().trim_end_matches('.').replace('\n', " ");
            return Err(SettingsError::NotToml { path: path.to_owned(), line, words });
        }
        let file = Self { path, text, table: table.into_inner() };
        match file.unknown() {
            None => Ok(file),
            Some((at, key, problem)) => Err(SettingsError::Key { place: file.place(at), key, problem }),
        }
    }

    /// The value of a key, where the file has one.
    pub fn get(&self, key: &Info) -> Option<&Spanned<DeValue<'a>>> {
        self.table.get(key.section)?.get_ref().as_table()?.get(key.name)
    }

    /// The line that holds this byte.
    pub fn place(&self, at: usize) -> Place {
        Place::Line { file: self.path.to_owned(), line: line_of(self.text.as_bytes(), at) }
    }

    /// The first thing in the file that no one knows: where, what, and why it is not known.
    fn unknown(&self) -> Option<(usize, String, Problem)> {
        let sections = self.table.iter().flat_map(|(name, value)| unknown_in_section(name, value));
        sections.min_by_key(|(at, ..)| *at)
    }
}

fn unknown_in_section(
    name: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
) -> Vec<(usize, String, Problem)> {
    let (at, section) = (name.span().start, name.get_ref().as_ref());
    let Some((section, _)) = SECTIONS.iter().find(|(known, _)| *known == section) else {
        let known = SECTIONS.map(|(name, _)| format!("[{name}]")).join(", ");
        let problem = Problem::Unknown { known: format!("There are the sections {known}.") };
        return vec![(at, section.escape_debug().to_string(), problem)];
    };
    let Some(table) = value.get_ref().as_table() else {
        let found = format!("a {}", value.get_ref().type_str());
        let expected = format!("a section: a line [{section}] with its keys below");
        return vec![(at, (*section).to_owned(), Problem::Wrong { found, expected })];
    };
    let known = || keys::ALL.iter().filter(|key| key.section == *section);
    let unknown = table.keys().filter(|key| !known().any(|known| known.name == key.get_ref().as_ref()));
    unknown
        .map(|key| {
            let names = known().map(|key| key.name).collect::<Vec<_>>().join(", ");
            let problem = Problem::Unknown { known: format!("The keys of [{section}] are {names}.") };
            (key.span().start, format!("{section}.{}", key.get_ref().escape_debug()), problem)
        })
        .collect()
}

/// The key written at this place of the text, with the section that the place is in.
fn key_at(text: &str, table: &DeTable<'_>, span: std::ops::Range<usize>) -> String {
    let name = text.get(span.clone()).unwrap_or_default();
    let line_start = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    if text.get(line_start..).is_some_and(|line| line.trim_start().starts_with('[')) {
        return name.to_owned();
    }
    let before = table.keys().filter(|section| section.span().start < span.start);
    match before.max_by_key(|section| section.span().start) {
        Some(section) => format!("{}.{name}", section.get_ref()),
        None => name.to_owned(),
    }
}

/// The number of the line that holds this byte, the first being 1.
fn line_of(text: &[u8], at: usize) -> usize {
    text.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
