//! What a key is: its names, its meaning and how its value is read.

use std::fmt;

use toml::{Spanned, de::DeValue};

use super::error::Problem;

/// All that is to know of a key besides its value.
#[derive(Debug)]
pub struct Info {
    pub section: &'static str,
    pub name: &'static str,
    /// The environment variable. Its option is written the same way: `PADDOCK_LXC_PATH` is `--lxc-path`.
    pub env: &'static str,
    /// What it means, in whole sentences, one line each.
    pub doc: &'static str,
    pub sample: Sample,
    /// It is true or false, so its option needs no value.
    pub is_flag: bool,
}

/// The value that stands in the sample, in TOML.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    /// It holds where nobody says otherwise.
    Default(&'static str),
    /// The key has no default.
    Example(&'static str),
}

impl Sample {
    pub fn text(self) -> &'static str {
        match self {
            Self::Default(text) | Self::Example(text) => text,
        }
    }
}

impl Info {
    /// The name of its option, without the dashes.
    pub fn option(&self) -> String {
        self.env.trim_start_matches("PADDOCK_").to_lowercase().replace('_', "-")
    }
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section, self.name)
    }
}

/// A key whose value is a `T`.
pub struct Key<T: 'static> {
    pub info: Info,
    pub read: fn(Given<'_>) -> Result<T, Wrong>,
}

/// A value as somebody gave it.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// In a settings file, or as a default.
    Toml(&'a Spanned<DeValue<'a>>),
    /// In a variable or an option.
    Text(&'a str),
}

/// What is wrong with a value.
#[derive(Debug)]
pub struct Wrong {
    /// Where inside it, for a person: `number 2, fingerprint`. Empty for the value as a whole.
    pub within: String,
    /// The byte of the settings file at which it begins, where it is from one and that is not the value's own begin.
    pub at: Option<usize>,
    pub problem: Problem,
}

impl From<Problem> for Wrong {
    fn from(problem: Problem) -> Self {
        Self { within: String::new(), at: None, problem }
    }
}

impl Wrong {
    /// The same inside a larger value: `at` this byte of it, unless it is known better.
    pub fn inside(mut self, within: &str, at: Option<usize>) -> Self {
        self.within = match self.within.as_str() {
            "" => within.to_owned(),
            inner => format!("{within}, {inner}"),
        };
        self.at = self.at.or(at);
        self
    }
}
