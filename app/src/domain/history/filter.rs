//! What a filter means, and what is wrong with one that means nothing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{HistoryField, HistoryQuery, moment};
use crate::domain::{
    action::GuestAction,
    guest::{BackendKind, GuestId},
    name::GuestName,
};

/// Most characters of any field.
pub const LONGEST_TEXT: usize = 200;
/// Most characters of what was typed that a message repeats.
const LONGEST_QUOTE: usize = 40;

/// The states of an operation, as the field `result` takes them.
pub const STATE_WORDS: [&str; 7] =
    ["planned", "running", "succeeded", "failed", "cancelled", "timed-out", "interrupted"];
/// Words for several states at once. The first two are one: no end is reached yet.
const GROUPS: [(&str, &[&str]); 3] = [
    ("live", &["planned", "running"]),
    ("unfinished", &["planned", "running"]),
    ("bad", &["failed", "timed-out", "interrupted"]),
];

/// What of the history is asked for. All of it must hold of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// The whole name, VMID or title. A backend in front of it (`lxc/web1`) stands in `backend`.
    pub guest: Option<String>,
    pub backend: Option<BackendKind>,
    pub user: Option<UserFilter>,
    pub action: Option<ActionFilter>,
    pub results: Option<EndFilter>,
    /// The first millisecond since 1970 that belongs to it.
    pub from_ms: Option<i64>,
    /// The first that no longer does.
    pub to_ms: Option<i64>,
    pub text: Option<String>,
    /// Only what comes after this row, newest first.
    pub after: Option<Cursor>,
    /// What may be seen at all; `None` for everything. Nobody types this.
    pub within: Option<Within>,
}

/// The operations on these guests, and on all guests of these backends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Within {
    pub backends: Vec<BackendKind>,
    pub guests: Vec<GuestId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserFilter {
    /// The whole name.
    Named(String),
    /// Whoever did it is not known. Written `unknown`.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionFilter {
    /// Of Paddock.
    Action(GuestAction),
    /// Any Proxmox task that Paddock did not begin. Written `task`.
    AnyTask,
    /// One of this type, in Proxmox's word. Written `task:vncproxy`.
    Task(String),
    /// A change of state that was seen and not made. Written `observed`.
    Observed,
}

/// The states that an operation may be in, each one of [`STATE_WORDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndFilter {
    One(&'static str),
    /// A group by its word, and its states.
    Group(&'static str, &'static [&'static str]),
}

impl EndFilter {
    pub fn states(&self) -> &[&'static str] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Group(_, words) => words,
        }
    }
}

/// A row of the history, as the place where a page ended. Written `1700000000000-42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When it began, milliseconds since 1970.
    pub started_ms: i64,
    pub id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.started_ms, self.id)
    }
}

/// The text is no place in the history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("This is no place in the history.")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        // A number's own parser takes a plus sign, too.
        let number = |digits: &str| {
            let is_plain = digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|_| is_plain).ok_or(BadCursor)
        };
        let (started_ms, id) = text.split_once('-').ok_or(BadCursor)?;
        Ok(Self { started_ms: number(started_ms)?, id: number(id)? })
    }
}

/// Why a filter makes no sense: what is wrong and what the field takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// `None` for a key that is no field; the message names it.
    pub field: Option<HistoryField>,
    pub message: String,
}

/// What was typed, as a message repeats it: short, and without what a screen would not show.
fn quoted(text: &str) -> String {
    let cut = if text.chars().nth(LONGEST_QUOTE).is_some() { "…" } else { "" };
    let shown = text.chars().take(LONGEST_QUOTE).map(|c| if c.is_control() { '\u{fffd}' } else { c });
    format!("“{}{cut}”", shown.collect::<String>())
}

/// "a, b or c"
fn choice<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

impl HistoryQuery {
    /// What it means at this time (milliseconds since 1970), or all that is wrong with it.
    pub fn read(&self, now_ms: i64) -> Result<HistoryFilter, Vec<FilterError>> {
        let mut reading = Reading { query: self, errors: Vec::new() };
        let filter = reading.filter(now_ms);
        for (key, _) in &self.stray {
            reading.errors.push(stray(key));
        }
        if reading.errors.is_empty() { Ok(filter) } else { Err(reading.errors) }
    }
}

fn stray(key: &str) -> FilterError {
    match HistoryField::ALL.into_iter().find(|field| field.as_str() == key) {
        Some(field) => {
            let message = format!("{} is given more than once. Leave one.", field.as_str());
            FilterError { field: Some(field), message }
        }
        None => {
            let fields = choice(HistoryField::ALL.map(HistoryField::as_str));
            let message = format!("The history has no filter {}. Take {fields}.", quoted(key));
            FilterError { field: None, message }
        }
    }
}

struct Reading<'a> {
    query: &'a HistoryQuery,
    errors: Vec<FilterError>,
}

impl Reading<'_> {
    fn filter(&mut self, now_ms: i64) -> HistoryFilter {
        use HistoryField::{Action, After, Backend, From, Guest, Result, Text, To, User};
        let (in_guest, guest) = self.field(Guest, guest).unzip();
        let backend = self.field(Backend, |text| {
            let unknown = |_| {
                let kinds = choice(BackendKind::ALL.map(BackendKind::as_str));
                format!("There is no backend {}. Take {kinds}.", quoted(text))
            };
            text.parse::<BackendKind>().map_err(unknown)
        });
        let in_guest = in_guest.flatten();
        if let (Some(this), Some(that)) = (in_guest, backend)
            && this != that
        {
            self.wrong(Guest, format!("This guest is one of {this}, and the backend asked for is {that}."));
        }
        let backend = backend.or(in_guest);
        let user = self.field(User, |name| {
            Ok(if name == "unknown" { UserFilter::Unknown } else { UserFilter::Named(name.to_owned()) })
        });
        let action = self.field(Action, action);
        let results = self.field(Result, ends);
        self.agree(backend, action.as_ref(), results);
        let from_ms = self.field(From, |text| moment::read(text, now_ms)).map(|span| span.start_ms);
        let to_ms = self.field(To, |text| moment::read(text, now_ms)).map(|span| span.end_ms);
        if let (Some(from), Some(to)) = (from_ms, to_ms)
            && from >= to
        {
            self.wrong(From, "The beginning is not before the end; nothing could lie between.".to_owned());
        }
        let text = self.field(Text, |text| Ok(text.to_owned()));
        let after = self.field(After, |text| {
            let what = |_| format!("{} is no place in the history. Begin at its first page.", quoted(text));
            text.parse::<Cursor>().map_err(what)
        });
        HistoryFilter { guest, backend, user, action, results, from_ms, to_ms, text, after, within: None }
    }

    /// What a field means, `None` if it asks for nothing or means nothing.
    fn field<T>(
        &mut self,
        field: HistoryField,
        meaning: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.query.get(field);
        // Not trimmed before: some control characters are blanks.
        let read = if text.chars().any(char::is_control) {
            Err(format!("{} holds a control character. Take it out.", quoted(text)))
        } else if text.trim().chars().nth(LONGEST_TEXT).is_some() {
            Err(format!("This is longer than {LONGEST_TEXT} characters. Shorten it."))
        } else if text.trim().is_empty() {
            return None;
        } else {
            meaning(text.trim())
        };
        read.map_err(|message| self.wrong(field, message)).ok()
    }

    fn wrong(&mut self, field: HistoryField, message: String) {
        self.errors.push(FilterError { field: Some(field), message });
    }

    /// What can be together in no row is a mistake, not an empty list.
    fn agree(
        &mut self,
        backend: Option<BackendKind>,
        action: Option<&ActionFilter>,
        results: Option<EndFilter>,
    ) {
        match (action, backend, results) {
            (
                Some(ActionFilter::AnyTask | ActionFilter::Task(_)),
                Some(kind @ (BackendKind::Lxc | BackendKind::Crun)),
                _,
            ) => {
                let message = format!("{} has no tasks. Take another backend or action.", kind.label());
                self.wrong(HistoryField::Action, message);
            }
            (Some(ActionFilter::Observed), _, Some(_)) => {
                let message = "What was only observed has no result. Leave one of the two empty.";
                self.wrong(HistoryField::Result, message.to_owned());
            }
            _ => {}
        }
    }
}

fn guest(text: &str) -> Result<(Option<BackendKind>, String), String> {
    let (backend, name) = match text.split_once('/') {
        Some((backend, name)) => {
            let kinds = choice(BackendKind::ALL.map(BackendKind::as_str));
            let unknown = |_| format!("There is no backend {}. Take {kinds}.", quoted(backend));
            (Some(backend.parse::<BackendKind>().map_err(unknown)?), name)
        }
        None => (None, text),
    };
    match GuestName::found(name) {
        Ok(name) => Ok((backend, name.into())),
        Err(e) => {
            Err(format!("No guest is called so: {e} Take its whole name, its VMID, or as in lxc/web1."))
        }
    }
}

fn action(text: &str) -> Result<ActionFilter, String> {
    match text.split_once(':') {
        None if text == "task" => Ok(ActionFilter::AnyTask),
        None if text == "observed" => Ok(ActionFilter::Observed),
        Some(("task", kind))
            if !kind.is_empty()
                && kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) =>
        {
            Ok(ActionFilter::Task(kind.to_owned()))
        }
        Some(("task", kind)) => {
            Err(format!("{} is no type of a Proxmox task. Take its word, as in task:vncproxy.", quoted(kind)))
        }
        _ => text.parse().map(ActionFilter::Action).map_err(|_| {
            let actions = GuestAction::ALL.map(GuestAction::as_str);
            let words = choice(actions.into_iter().chain(["task", "task:TYPE", "observed"]));
            format!("There is no action {}. Take {words}.", quoted(text))
        }),
    }
}

fn ends(text: &str) -> Result<EndFilter, String> {
    let one = STATE_WORDS.into_iter().find(|word| *word == text).map(EndFilter::One);
    let group =
        || GROUPS.into_iter().find(|group| group.0 == text).map(|(word, of)| EndFilter::Group(word, of));
    one.or_else(group).ok_or_else(|| {
        let words = choice(STATE_WORDS.into_iter().chain(GROUPS.map(|group| group.0)));
        format!("There is no result {}. Take {words}.", quoted(text))
    })
}
