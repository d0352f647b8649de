//! What a filter asks of a deed, of a subject and of a failure, as SQL. Every value is bound.

use sqlx::{QueryBuilder, Sqlite};

use crate::domain::{
    action::GuestAction,
    history::{ActionFilter, HistoryFilter, UserFilter},
    operation::Origin,
};

pub(super) type Query<'q> = QueryBuilder<'q, Sqlite>;

/// How many letters the index of failures needs to find any.
const FEWEST_LETTERS: usize = 3;

/// Which of the deeds or subjects that the filter asks for, its text aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Those that hold its text.
    Holding,
    /// Deeds that can have a failure.
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

    /// As the index of failures takes it; `None` if it is too short for that.
    pub(super) fn phrase(&self) -> Option<String> {
        let is_long = self.small.chars().nth(FEWEST_LETTERS - 1).is_some();
        is_long.then(|| format!("\"{}\"", self.small.replace('"', "\"\"")))
    }
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

    /// Whether it asks anything of deeds, the text aside.
    pub(super) fn of_deeds(&self) -> bool {
        let HistoryFilter { backend, user, action, results, .. } = self.filter;
        backend.is_some() || user.is_some() || action.is_some() || results.is_some()
    }

    /// Whether it asks anything of subjects, the text aside.
    pub(super) fn of_subjects(&self) -> bool {
        self.filter.guest.is_some() || self.filter.within.is_some()
    }

    /// Whether there is anything but a time that it asks for.
    pub(super) fn asks_anything(&self) -> bool {
        self.of_deeds() || self.of_subjects() || self.needle.is_some()
    }

    /// `FROM history_deeds …` for the deeds asked for.
    pub(super) fn push_deeds(&self, query: &mut Query<'_>, part: Part) {
        query.push(" FROM history_deeds WHERE n > 0");
        if let Some(backend) = self.filter.backend {
            query.push(" AND backend = ").push_bind(backend.as_str());
        }
        match &self.filter.user {
            Some(UserFilter::Named(name)) => {
                query.push(" AND actor = ").push_bind(name.clone());
            }
            Some(UserFilter::Unknown) => {
                query.push(" AND actor = ''");
            }
            None => {}
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
            needle.push(query, &["action", "actor"]);
            if !needle.actions.is_empty() {
                push_list(query, " OR action IN (", &needle.actions);
            }
            query.push(")");
        }
    }

    /// `FROM history_subjects …` for the subjects asked for.
    pub(super) fn push_subjects(&self, query: &mut Query<'_>, part: Part) {
        query.push(" FROM history_subjects WHERE n > 0");
        if let Some(backend) = self.filter.backend {
            query.push(" AND backend = ").push_bind(backend.as_str());
        }
        if let Some(guest) = &self.filter.guest {
            query.push(" AND (guest = ").push_bind(guest.clone());
            query.push(" OR title = ").push_bind(guest.clone()).push(")");
        }
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
        if let (Part::Holding, Some(needle)) = (part, &self.needle) {
            query.push(" AND (");
            needle.push(query, &["guest", "title", "node"]);
            query.push(")");
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
