//! Lists of guests: which are shown, in what order, and under what headings. The same rules run on the server, for the first
//! page, and in the browser.

pub mod saved;

use std::{cmp::Ordering, collections::BTreeMap, str::FromStr, sync::Arc};

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};

use super::{
    filter::Filter,
    guest::{Guest, GuestStatus},
    history::QUERY,
    usage::Sample,
};

/// What can stand in a list.
pub trait Listed {
    fn guest(&self) -> &Guest;
    /// When something was done with it last, milliseconds since 1970.
    fn last_ms(&self) -> Option<i64>;
    /// What it uses now.
    fn sample(&self) -> Option<&Sample>;
}

impl<T: Listed> Listed for Arc<T> {
    fn guest(&self) -> &Guest {
        T::guest(self)
    }

    fn last_ms(&self) -> Option<i64> {
        T::last_ms(self)
    }

    fn sample(&self) -> Option<&Sample> {
        T::sample(self)
    }
}

/// By what guests are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    #[default]
    Name,
    Status,
    Backend,
    Node,
    Cpu,
    Memory,
    Address,
    Uptime,
    Last,
}

impl Column {
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Status,
        Self::Backend,
        Self::Node,
        Self::Cpu,
        Self::Memory,
        Self::Address,
        Self::Uptime,
        Self::Last,
    ];

    /// As in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::Backend => "backend",
            Self::Node => "node",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Address => "address",
            Self::Uptime => "uptime",
            Self::Last => "last",
        }
    }
}

/// A column and its direction: `name`, `-uptime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sort {
    pub column: Column,
    pub is_down: bool,
}

impl Sort {
    /// As in addresses.
    pub fn word(self) -> String {
        format!("{}{}", if self.is_down { "-" } else { "" }, self.column.as_str())
    }

    /// The other direction of the column it is by already, else that column upwards.
    pub fn by(self, column: Column) -> Self {
        Self { column, is_down: self.column == column && !self.is_down }
    }
}

/// What guests are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    #[default]
    None,
    Status,
    Backend,
    Node,
    Tag,
    Pool,
}

impl Group {
    pub const ALL: [Self; 6] = [Self::None, Self::Status, Self::Backend, Self::Node, Self::Tag, Self::Pool];

    /// As in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Status => "status",
            Self::Backend => "backend",
            Self::Node => "node",
            Self::Tag => "tag",
            Self::Pool => "pool",
        }
    }

    /// For people, in a list of choices.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "No groups",
            Self::Status => "By state",
            Self::Backend => "By backend",
            Self::Node => "By node",
            Self::Tag => "By tag",
            Self::Pool => "By pool",
        }
    }

    /// The headings that a guest is under: one, but for tags.
    fn headings(self, guest: &Guest) -> Vec<String> {
        let or = |text: &Option<String>, none: &str| vec![text.clone().unwrap_or_else(|| none.to_owned())];
        match self {
            Self::None => vec![String::new()],
            Self::Status => vec![guest.status.to_string()],
            Self::Backend => vec![guest.id.backend.label().to_owned()],
            Self::Node => or(&guest.node, "this host"),
            Self::Tag if guest.tags.is_empty() => vec!["no tag".to_owned()],
            Self::Tag => guest.tags.clone(),
            Self::Pool => or(&guest.pool, "no pool"),
        }
    }
}

/// What of the guests is asked for. A word in an address that means nothing is the default: an old link still shows
/// something.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// As typed; see [`Filter`].
    pub q: String,
    pub sort: Sort,
    pub group: Group,
}

impl ListQuery {
    /// From the words of an address.
    pub fn of(q: &str, sort: &str, group: &str) -> Self {
        let (is_down, column) = match sort.strip_prefix('-') {
            Some(column) => (true, column),
            None => (false, sort),
        };
        let column = Column::ALL.into_iter().find(|known| known.as_str() == column);
        let sort = column.map(|column| Sort { column, is_down }).unwrap_or_default();
        let group = Group::ALL.into_iter().find(|known| known.as_str() == group).unwrap_or_default();
        Self { q: q.to_owned(), sort, group }
    }

    /// The same with one blank between words and none around them.
    pub fn tidy(&self) -> Self {
        let words: Vec<&str> = self.q.split_whitespace().collect();
        Self { q: words.join(" "), ..self.clone() }
    }

    /// The part of an address after its `?`, with the `?`; empty for the default. `page` counts from 1.
    pub fn search(&self, page: usize) -> String {
        let mut words = Vec::new();
        let sort = if self.sort == Sort::default() { String::new() } else { self.sort.word() };
        let page = if page > 1 { page.to_string() } else { String::new() };
        for (key, value) in
            [("q", self.q.trim()), ("sort", &sort), ("group", self.group.as_str()), ("page", &page)]
        {
            if !value.is_empty() {
                words.push(format!("{key}={}", utf8_percent_encode(value, QUERY)));
            }
        }
        if words.is_empty() { String::new() } else { format!("?{}", words.join("&")) }
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListLine {
    Heading(Heading),
    /// The guest's index in what was arranged.
    Guest(usize),
}

/// What stands over guests that are put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    pub title: String,
    /// How many are in which state; those of which there are none are left out.
    pub counts: Vec<(GuestStatus, usize)>,
}

/// What is shown of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Arranged {
    pub lines: Vec<ListLine>,
    /// How many guests the filter lets through. Under tags one may have several lines.
    pub found: usize,
}

/// Filters, groups and sorts. `all` comes sorted by name, which is what decides between equals.
pub fn arrange<T: Listed>(all: &[T], query: &ListQuery) -> Arranged {
    let filter = Filter::parse(&query.q);
    let mut found: Vec<usize> = (0..all.len()).filter(|at| filter.matches(all[*at].guest())).collect();
    if query.sort != Sort::default() {
        found.sort_by(|a, b| compare(&all[*a], &all[*b], query.sort));
    }
    let count = found.len();
    if query.group == Group::None {
        return Arranged { lines: found.into_iter().map(ListLine::Guest).collect(), found: count };
    }
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in found {
        for heading in query.group.headings(all[at].guest()) {
            groups.entry(heading).or_default().push(at);
        }
    }
    let mut lines = Vec::with_capacity(count + groups.len());
    for (title, members) in groups {
        let of = |status| members.iter().filter(|at| all[**at].guest().status == status).count();
        let counts = GuestStatus::ALL.into_iter().map(|status| (status, of(status)));
        let counts = counts.filter(|(_, count)| *count > 0).collect();
        lines.push(ListLine::Heading(Heading { title, counts }));
        lines.extend(members.into_iter().map(ListLine::Guest));
    }
    Arranged { lines, found: count }
}

/// What has no value comes last, whatever the direction.
fn compare<T: Listed>(a: &T, b: &T, sort: Sort) -> Ordering {
    let (x, y) = (a.guest(), b.guest());
    let directed = |order: Ordering| if sort.is_down { order.reverse() } else { order };
    fn some_first<V: Ord>(x: Option<V>, y: Option<V>, directed: impl Fn(Ordering) -> Ordering) -> Ordering {
        match (x, y) {
            (Some(x), Some(y)) => directed(x.cmp(&y)),
            (x, y) => y.is_some().cmp(&x.is_some()),
        }
    }
    match sort.column {
        Column::Name => directed((x.label(), &x.id).cmp(&(y.label(), &y.id))),
        Column::Status => directed(place(x.status).cmp(&place(y.status))),
        Column::Backend => directed(x.id.backend.cmp(&y.id.backend)),
        Column::Node => some_first(x.node.as_ref(), y.node.as_ref(), directed),
        // The most first is what is wanted first.
        Column::Cpu => {
            let cpu = |item: &T| item.sample().and_then(|sample| sample.cpu).map(|cpus| cpus.0);
            some_first(cpu(a), cpu(b), |order| directed(order.reverse()))
        }
        Column::Memory => {
            let memory = |item: &T| item.sample().and_then(|sample| sample.memory);
            some_first(memory(a), memory(b), |order| directed(order.reverse()))
        }
        Column::Address => {
            let first = |guest: &Guest| guest.addresses.first().map(|text| address(text));
            some_first(first(x), first(y), directed)
        }
        // The longest uptime has the earliest start.
        Column::Uptime => some_first(x.started_ms, y.started_ms, |order| directed(order.reverse())),
        // The newest first is what is wanted first.
        Column::Last => some_first(a.last_ms(), b.last_ms(), |order| directed(order.reverse())),
    }
}

/// 10.0.0.9 comes before 10.0.0.10.
fn address(text: &str) -> (Option<std::net::IpAddr>, String) {
    (std::net::IpAddr::from_str(text).ok(), text.to_owned())
}

/// The order of [`GuestStatus::ALL`]: what works first.
fn place(status: GuestStatus) -> usize {
    GuestStatus::ALL.into_iter().position(|known| known == status).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
