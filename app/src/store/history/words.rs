//! What a filter asks of a kind, an actor, a subject and a failure, as SQL. Every value is bound.

use sqlx::{QueryBuilder, Sqlite};

use crate::domain::{
    action::GuestAction,
    history::{ActionFilter, HistoryFilter, UserFilter},
    operation::Origin,
};

pub(super) type Query<'q> = QueryBuilder<'q, Sqlite>;

/// Letters of one word of the indexes of names and failures.
const LETTERS: usize = 3;

/// The names of subjects that hold the text, while a connection searches for them.
pub(super) const NAMES: &str = "temp.history_found_names";

/// Which of the kinds, actors or subjects that the filter asks for, its text aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Those that hold its text.
    Holding,
    /// Kinds that can have a failure.
    Failed,
}

/// A part of a text, as SQLite can look for it: its `lower()` knows the letters of ASCII alone, so that the others are looked
/// for both ways.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    small: String,
    /// `None` where it has no letter beyond ASCII.
    large: Option<String>,
    /// Actions that people read under another name.
    actions: Vec<&'static str>,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        let (mut small, mut large) = (String::new(), String::new());
        for c in text.chars() {
            small.extend(c.to_lowercase());
            if c.is_ascii() {
                large.push(c.to_ascii_lowercase());
            } else {
                large.extend(c.to_uppercase());
            }
        }
        let called = |action: &GuestAction| action.label().to_lowercase().contains(&small);
        let actions = GuestAction::ALL.into_iter().filter(called).map(GuestAction::as_str).collect();
        let large = Some(large).filter(|large| *large != small);
        Self { small, large, actions }
    }

    /// One of the columns holds it.
    fn push(&self, query: &mut Query<'_>, columns: &[&str]) {
        let mut any = query.separated(" OR ");
        for column in columns {
            for text in std::iter::once(&self.small).chain(&self.large) {
                any.push(format_args!("instr(lower({column}), "));
                any.push_bind_unseparated(text.clone()).push_unseparated(") > 0");
            }
        }
    }

    /// Of a failure's sentence.
    pub(super) fn push_failure(&self, query: &mut Query<'_>) {
        query.push(" (");
        self.push(query, &["f.failure"]);
        query.push(")");
    }

    /// Of a subject's names.
    pub(super) fn push_names(&self, query: &mut Query<'_>, table: &str) {
        let columns = ["guest", "title", "node"].map(|column| format!("{table}.{column}"));
        query.push(" (");
        self.push(query, &columns.each_ref().map(String::as_str));
        query.push(")");
    }

    /// As an index takes it whole; `None` if it is too short for that.
    pub(super) fn phrase(&self) -> Option<String> {
        let is_long = self.small.chars().nth(LETTERS - 1).is_some();
        is_long.then(|| quoted(&self.small))
    }

    /// The first and the last of the words that begin with it, where it is a word of an index but for its last letter.
    pub(super) fn words(&self) -> Option<(String, String)> {
        let is_short = self.small.chars().count() == LETTERS - 1;
        is_short.then(|| (self.small.clone(), format!("{}{}", self.small, char::MAX)))
    }

    /// What an index finds need not be looked at again: it knows letters beyond ASCII as alike that are not the same.
    pub(super) fn is_plain(&self) -> bool {
        self.small.is_ascii()
    }
}

/// A text as an index takes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// What is asked for, in the terms of the tables that are searched.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'f> {
    pub filter: &'f HistoryFilter,
    pub needle: Option<Needle>,
}

impl<'f> Wanted<'f> {
    pub(super) fn new(filter: &'f HistoryFilter) -> Self {
        Self { filter, needle: filter.text.as_deref().map(Needle::new) }
    }

    /// Whether it asks anything of kinds, the text aside.
    pub(super) fn of_kinds(&self) -> bool {
        let HistoryFilter { backend, action, results, .. } = self.filter;
        backend.is_some() || action.is_some() || results.is_some()
    }

    /// Whether it asks anything of actors, the text aside.
    pub(super) fn of_actors(&self) -> bool {
        self.filter.user.is_some()
    }

    /// Whether it asks anything of subjects, the text aside.
    pub(super) fn of_subjects(&self) -> bool {
        self.filter.guest.is_some() || self.filter.within.is_some()
    }

    /// Whether there is anything but a time that it asks for.
    pub(super) fn asks_anything(&self) -> bool {
        self.asks_more_than_text() || self.needle.is_some()
    }

    /// Whether there is anything but a time and a text that it asks for.
    pub(super) fn asks_more_than_text(&self) -> bool {
        self.of_kinds() || self.of_actors() || self.of_subjects()
    }

    /// `FROM history_kinds …` for the kinds asked for.
    pub(super) fn push_kinds(&self, query: &mut Query<'_>, part: Part) {
        query.push(" FROM history_kinds WHERE n > 0");
        if let Some(backend) = self.filter.backend {
            query.push(" AND backend = ").push_bind(backend.as_str());
        }
        match &self.filter.action {
            Some(ActionFilter::Action(action)) => {
                query.push(" AND action = ").push_bind(action.as_str());
            }
            Some(ActionFilter::Task(kind)) => {
                query.push(" AND action = ").push_bind(format!("task:{kind}"));
            }
            Some(ActionFilter::AnyTask) => {
                query.push(" AND origin = ").push_bind(Origin::Task.as_str());
            }
            Some(ActionFilter::Observed) => {
                query.push(" AND origin = ").push_bind(Origin::Observed.as_str());
            }
            None => {}
        }
        if let Some(results) = &self.filter.results {
            push_list(query, " AND state IN (", results.states());
        }
        if part == Part::Failed {
            query.push(" AND state NOT IN ('planned', 'running', 'succeeded')");
        }
        if let (Part::Holding, Some(needle)) = (part, &self.needle) {
            query.push(" AND (");
            needle.push(query, &["action"]);
            if !needle.actions.is_empty() {
                push_list(query, " OR action IN (", &needle.actions);
            }
            query.push(")");
        }
    }

    /// `FROM history_actors …` for the actors asked for.
    pub(super) fn push_actors(&self, query: &mut Query<'_>, part: Part) {
        query.push(" FROM history_actors WHERE n > 0");
        match &self.filter.user {
            Some(UserFilter::Named(name)) => {
                query.push(" AND name = ").push_bind(name.clone());
            }
            Some(UserFilter::Unknown) => {
                query.push(" AND name = ''");
            }
            None => {}
        }
        if let (Part::Holding, Some(needle)) = (part, &self.needle) {
            query.push(" AND (");
            needle.push(query, &["name"]);
            query.push(")");
        }
    }

    /// `FROM history_subjects …` for the subjects asked for; those that hold the text must stand in [`NAMES`].
    pub(super) fn push_subjects(&self, query: &mut Query<'_>, part: Part) {
        let is_holding = part == Part::Holding && self.needle.is_some();
        // Of a guest, or of what may be seen, there are few enough to look at each name.
        if is_holding && !self.of_subjects() {
            query.push(format_args!(" FROM {NAMES} AS s CROSS JOIN history_subjects USING (id) WHERE true"));
        } else {
            query.push(" FROM history_subjects WHERE n > 0");
        }
        if let Some(guest) = &self.filter.guest {
            query.push(" AND (guest = ").push_bind(guest.clone());
            query.push(" OR title = ").push_bind(guest.clone()).push(")");
        }
        // The operation's kind has it, too; this makes lists fewer.
        if let Some(backend) = self.filter.backend {
            query.push(" AND +backend = ").push_bind(backend.as_str());
        }
        self.push_within(query);
        if let (true, true, Some(needle)) = (is_holding, self.of_subjects(), &self.needle) {
            query.push(" AND");
            needle.push_names(query, "history_subjects");
        }
    }

    /// Of subjects: that they may be seen at all.
    fn push_within(&self, query: &mut Query<'_>) {
        if let Some(within) = &self.filter.within {
            let guests: Vec<String> = within.guests.iter().map(ToString::to_string).collect();
            push_list(
                query,
                " AND (backend IN (",
                &within.backends.iter().map(|b| b.as_str()).collect::<Vec<_>>(),
            );
            query.push(" OR backend || '/' || guest IN (SELECT value FROM json_each(");
            query.push_bind(serde_json::json!(guests).to_string()).push(")))");
        }
    }
}

fn push_list(query: &mut Query<'_>, before: &str, words: &[&'static str]) {
    query.push(before);
    let mut list = query.separated(", ");
    for word in words {
        list.push_bind(*word);
    }
    query.push(")");
}
