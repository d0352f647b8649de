//! Routing: which backend makes a new guest when nobody names one.
//!
//! An ordered list of rules on the guest's name, the first that matches decides, and a backend for all other names.
//! Pure: nothing is read here, and whether the chosen backend works is not asked.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};

use crate::domain::{guest::BackendKind, name::GuestName};

/// Most memory that one compiled pattern may take, bytes: a count such as `(a{999}){999}` is refused, not built.
const PATTERN_CAP: usize = 1024 * 1024;

/// What a rule compares a guest's name with, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A regular expression that is found anywhere in the name unless it is anchored: `^web-`.
    Regex(String),
    /// A pattern that fits the whole name: `db-*`, `{web,app}-?`.
    Glob(String),
}

impl Pattern {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Regex(text) | Self::Glob(text) => text,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Regex(_) => "regular expression",
            Self::Glob(_) => "glob",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names that match the pattern go to the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub pattern: Pattern,
    pub backend: BackendKind,
}

/// Why rules cannot be used. Each names the rule by its number, the first being 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    #[error(
        "Routing rule {number} has an empty {}. Write what it shall match, or remove the rule.", .pattern.kind()
    )]
    Empty { number: usize, pattern: Pattern },
    /// `words` are those of the library, on one line.
    #[error("Routing rule {number} ({pattern}) is no {}: {words}.", .pattern.kind())]
    Bad { number: usize, pattern: Pattern, words: String },
}

impl RoutingError {
    /// The number of the rule that is wrong, the first being 1.
    pub fn number(&self) -> usize {
        match self {
            Self::Empty { number, .. } | Self::Bad { number, .. } => *number,
        }
    }
}

/// The rules, ready to be asked. Cheap to ask: names are short and every pattern is matched in linear time.
#[derive(Debug, Clone)]
pub struct Routing {
    rules: Vec<(Rule, Matcher)>,
    default: BackendKind,
}

#[derive(Debug, Clone)]
enum Matcher {
    Regex(Regex),
    Glob(GlobMatcher),
}

impl Routing {
    /// Compiles the rules, which are asked in this order. `default` is for names that none of them matches.
    pub fn new(rules: impl IntoIterator<Item = Rule>, default: BackendKind) -> Result<Self, RoutingError> {
        let compiled = rules.into_iter().enumerate().map(|(index, rule)| {
            let matcher = compile(index + 1, &rule.pattern)?;
            Ok((rule, matcher))
        });
        Ok(Self { rules: compiled.collect::<Result<_, _>>()?, default })
    }

    /// The backend for a new guest of this name, and what chose it.
    pub fn route(&self, name: &GuestName) -> Route {
        let matching = self.rules.iter().enumerate().find(|(_, (_, matcher))| matcher.is_match(name));
        match matching {
            Some((index, (rule, _))) => Route {
                backend: rule.backend,
                by: ChosenBy::Rule { number: index + 1, pattern: rule.pattern.clone() },
            },
            None => Route { backend: self.default, by: ChosenBy::Default },
        }
    }

    /// In the order in which they are asked.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|(rule, _)| rule)
    }

    /// The backend for names that no rule matches.
    pub fn default_backend(&self) -> BackendKind {
        self.default
    }
}

/// Two are the same if they say the same: what is compiled follows from what was written.
impl PartialEq for Routing {
    fn eq(&self, other: &Self) -> bool {
        self.default == other.default && self.rules().eq(other.rules())
    }
}

fn compile(number: usize, pattern: &Pattern) -> Result<Matcher, RoutingError> {
    if pattern.as_str().is_empty() {
        return Err(RoutingError::Empty { number, pattern: pattern.clone() });
    }
    let matcher = match pattern {
        Pattern::Regex(text) => {
            RegexBuilder::new(text).size_limit(PATTERN_CAP).build().map(Matcher::Regex).map_err(one_line)
        }
        // A backslash means the same on every host: the character after it as it is.
        Pattern::Glob(text) => GlobBuilder::new(text)
            .backslash_escape(true)
            .build()
            .map(|glob| Matcher::Glob(glob.compile_matcher()))
            .map_err(|error| one_line(error.kind())),
    };
    matcher.map_err(|words| RoutingError::Bad { number, pattern: pattern.clone(), words })
}

/// The library's words without its drawing: of several lines, the one that says what is wrong is the last.
fn one_line(error: impl fmt::Display) -> String {
    let words = error.to_string();
    let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).trim_end_matches('.').to_owned()
}

impl Matcher {
    fn is_match(&self, name: &GuestName) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(name.as_str()),
            Self::Glob(glob) => glob.is_match(name.as_str()),
        }
    }
}

/// Where a new guest goes. Its text is the sentence for the plan: `Backend lxc: rule 2 (^web-) chose it.`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub backend: BackendKind,
    pub by: ChosenBy,
}

/// What chose a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenBy {
    Default,
    /// The number of the rule, the first being 1.
    Rule {
        number: usize,
        pattern: Pattern,
    },
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            ChosenBy::Default => write!(f, "Backend {}: the default.", self.backend),
            ChosenBy::Rule { number, pattern } => {
                write!(f, "Backend {}: rule {number} ({pattern}) chose it.", self.backend)
            }
        }
    }
}

#[cfg(test)]
mod tests;
