//! How a filter could go on: columns by their names, and what stands in them.

use std::collections::BTreeMap;

use super::{Filter, Part};
use crate::domain::guest::Guest;

/// More than these nobody reads; typing on is quicker.
const MOST: usize = 8;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What stands there instead of the last word: `tag:` or `tag:lab`.
    pub word: String,
    /// Of a column: what it is for.
    pub about: &'static str,
    /// How many guests the whole filter would then find; `None` for a column alone.
    pub count: Option<usize>,
}

impl Suggestion {
    /// The filter with this in place of the last word. After a whole word one can type the next at once.
    pub fn taken(&self, text: &str) -> String {
        let before = text.len() - last_word(text).len();
        let after = if self.count.is_some() { " " } else { "" };
        format!("{}{}{after}", &text[..before], self.word)
    }
}

/// How `text` could go on, given these guests: what finds the most of them first. Nothing where the last word is as good
/// as it gets.
pub fn suggest<'a>(text: &str, guests: impl Iterator<Item = &'a Guest>) -> Vec<Suggestion> {
    let (before, word) = text.split_at(text.len() - last_word(text).len());
    let word = word.to_lowercase();
    let column = |part: Part| Suggestion { word: part.prefix().to_owned(), about: part.about(), count: None };
    let is_offered = |part: &Part| part.prefix().starts_with(&word) && part.prefix() != word;
    let columns = Part::ALL.into_iter().filter(is_offered).map(column);
    let mut found: Vec<Suggestion> = columns.collect();
    if word.is_empty() {
        return found;
    }
    let others = Filter::parse(before);
    let mut counts = BTreeMap::<String, usize>::new();
    for guest in guests.filter(|guest| others.matches(guest)) {
        let values = [
            (Part::Status, Some(guest.status.as_str())),
            (Part::Backend, Some(guest.id.backend.as_str())),
            (Part::Node, guest.node.as_deref()),
        ];
        let values = values.into_iter().filter_map(|(part, value)| Some((part, value?)));
        for (part, value) in values.chain(guest.tags.iter().map(|tag| (Part::Tag, tag.as_str()))) {
            let whole = format!("{}{value}", part.prefix());
            // By its column, or by the value alone.
            if whole.to_lowercase().starts_with(&word) || value.to_lowercase().starts_with(&word) {
                *counts.entry(whole).or_default() += 1;
            }
        }
    }
    let mut values: Vec<_> = counts.into_iter().collect();
    values.sort_by(|(a, fewer), (b, more)| more.cmp(fewer).then(a.cmp(b)));
    let value = |(word, count)| Suggestion { word, about: "", count: Some(count) };
    found.extend(values.into_iter().map(value));
    found.truncate(MOST);
    match found.as_slice() {
        [only] if only.word.to_lowercase() == word => Vec::new(),
        _ => found,
    }
}

/// The word at the end, empty after a blank.
fn last_word(text: &str) -> &str {
    text.rsplit(char::is_whitespace).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guest::{GuestId, GuestStatus};

    fn guests() -> Vec<Guest> {
        let guest = |backend: &str, name: &str, status, tags: &[&str], node: Option<&str>| Guest {
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            node: node.map(str::to_owned),
            ..Guest::new(GuestId::parse(backend, name).unwrap(), status)
        };
        vec![
            guest("lxc", "web", GuestStatus::Running, &["lab", "Front"], None),
            guest("lxc", "db", GuestStatus::Stopped, &["lab"], None),
            guest("proxmox-lxc", "101", GuestStatus::Running, &["prod"], Some("pve1")),
        ]
    }

    fn words(text: &str) -> Vec<String> {
        let told = |it: Suggestion| match it.count {
            Some(count) => format!("{} {count}", it.word),
            None => it.word,
        };
        suggest(text, guests().iter()).into_iter().map(told).collect()
    }

    #[test]
    fn columns_come_first_then_what_stands_in_them_the_most_frequent_first() {
        assert_eq!(words(""), ["status:", "tag:", "node:", "backend:", "name:", "address:"]);
        assert_eq!(words("st"), ["status:", "status:running 2", "status:stopped 1"]);
        assert_eq!(words("tag:"), ["tag:lab 2", "tag:Front 1", "tag:prod 1"]);
        assert_eq!(words("la"), ["tag:lab 2"]);
        assert_eq!(words("FRO"), ["tag:Front 1"]);
        assert_eq!(words("node:p"), ["node:pve1 1"]);
        assert_eq!(words("no-such-thing"), [""; 0]);
    }

    #[test]
    fn what_stands_before_the_last_word_narrows_the_counts() {
        assert_eq!(words("status:running tag:l"), ["tag:lab 1"]);
        assert_eq!(words("status:running tag:lab"), [""; 0], "nothing better than what stands there");
        assert_eq!(words("status:running "), words(""));
    }

    #[test]
    fn the_last_word_is_replaced_and_no_other() {
        let tag = |count| Suggestion { word: "tag:lab".to_owned(), about: "", count };
        assert_eq!(tag(Some(2)).taken("status:running la"), "status:running tag:lab ");
        assert_eq!(tag(Some(2)).taken(""), "tag:lab ");
        assert_eq!(tag(None).taken("Ünd la"), "Ünd tag:lab", "a column is typed on at");
    }
}
