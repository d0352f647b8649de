//! Four places a value can come from, strongest first: an option of the command line, an environment variable, the
//! settings file, the default.

use std::ffi::OsString;

use serde::Serialize;
use toml::de::DeValue;

use super::{
    error::{Place, Problem, SettingsError},
    file::SettingsFile,
    key::{Given, Info, Key, Sample, Wrong},
};

/// What the environment says of a variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// An option of the command line that sets a key.
pub type Override = (&'static Info, OsString);

/// Looks values up in the four places and remembers what came of it.
pub struct Layers<'a> {
    pub options: &'a [Override],
    pub environment: Environment<'a>,
    pub file: Option<SettingsFile<'a>>,
    /// One for each key that was looked up, in that order.
    pub effective: Vec<Effective>,
}

/// A key's value as it is in force, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    pub key: &'static Info,
    /// As in a settings file; `None` where nobody gave one and there is no default.
    pub value: Option<toml::Value>,
    pub place: Place,
}

/// Two keys are the same if their names are.
impl PartialEq for Info {
    fn eq(&self, other: &Self) -> bool {
        (self.section, self.name) == (other.section, other.name)
    }
}

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    pub value: T,
    pub place: Place,
}

impl Layers<'_> {
    /// The value of a key that has a default.
    pub fn get<T: Serialize>(&mut self, key: &'static Key<T>) -> Result<T, SettingsError> {
        let needed_by = || "there is no default".to_owned();
        let missing =
            || at_key(Place::Default, &key.info, Problem::Missing { needed_by: needed_by() }.into());
        self.find(key)?.map(|found| found.value).ok_or_else(missing)
    }

    /// The value of a key and its place, where there is a value.
    pub fn find<T: Serialize>(&mut self, key: &'static Key<T>) -> Result<Option<Found<T>>, SettingsError> {
        let found = self.read(key)?;
        let (value, place) = match &found {
            // A path that is not text cannot be written as TOML; the drivers refuse it in their own words.
            Some(found) => (toml::Value::try_from(&found.value).ok(), found.place.clone()),
            None => (None, Place::Default),
        };
        self.effective.push(Effective { key: &key.info, value, place });
        Ok(found)
    }

    fn read<T>(&self, key: &'static Key<T>) -> Result<Option<Found<T>>, SettingsError> {
        let info = &key.info;
        let text = |given: &OsString, place: Place| {
            let text =
                given.to_str().ok_or_else(|| Problem::WrongUnseen { expected: "UTF-8".to_owned() }.into());
            let value = text.and_then(|text| (key.read)(Given::Text(text)));
            value
                .map_err(|wrong| at_key(place.clone(), info, wrong))
                .map(|value| Some(Found { value, place }))
        };
        if let Some((_, given)) = self.options.iter().find(|(option, _)| *option == info) {
            return text(given, Place::Option(format!("--{}", info.option())));
        }
        // An empty variable is how unit files and containers leave one out.
        if let Some(given) = (self.environment)(info.env).filter(|given| !given.is_empty()) {
            return text(&given, Place::Variable(info.env));
        }
        if let Some(file) = &self.file
            && let Some(given) = file.get(info)
        {
            let place = file.place(given.span().start);
            let value = (key.read)(Given::Toml(given)).map_err(|wrong| {
                let place = wrong.at.map_or_else(|| place.clone(), |at| file.place(at));
                at_key(place, info, wrong)
            })?;
            return Ok(Some(Found { value, place }));
        }
        let Sample::Default(default) = info.sample else { return Ok(None) };
        let wrong = |wrong| at_key(Place::Default, info, wrong);
        let default = DeValue::parse(default).map_err(|e| {
            wrong(Problem::Wrong { found: e.message().to_owned(), expected: "TOML".to_owned() }.into())
        })?;
        let value = (key.read)(Given::Toml(&default)).map_err(wrong)?;
        Ok(Some(Found { value, place: Place::Default }))
    }

    /// The place of a part of a value that came from this place: in a file its own line, else the whole value's.
    pub fn part(&self, place: &Place, at: Option<usize>) -> Place {
        match (place, &self.file, at) {
            (Place::Line { .. }, Some(file), Some(at)) => file.place(at),
            _ => place.clone(),
        }
    }
}

/// What is wrong with a key, as an error.
pub fn at_key(place: Place, key: &Info, wrong: Wrong) -> SettingsError {
    let key = match wrong.within.as_str() {
        "" => key.to_string(),
        within => format!("{key} ({within})"),
    };
    SettingsError::Key { place, key, problem: wrong.problem }
}
