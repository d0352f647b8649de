//! What is filtered by, each to be taken off again.

use super::filters::{choices, href, label};
use crate::{
    domain::history::{FilterError, HistoryField, HistoryQuery},
    ui::components::chips::Chip,
};

/// Fields, and what else stands in the address.
pub fn active(query: &HistoryQuery, errors: &[FilterError]) -> Vec<Chip> {
    let is_set = |field: &HistoryField| *field != HistoryField::After && !query.get(*field).is_empty();
    let of_field = |field: HistoryField| {
        let value = query.get(field);
        let named = choices(field).into_iter().find(|(word, _)| *word == value).map(|(_, name)| name);
        Chip {
            words: format!("{}: {}", label(field), named.unwrap_or(value)),
            without: href(&query.with(field, "")),
            is_wrong: errors.iter().any(|error| error.field == Some(field)),
        }
    };
    let of_stray = |(index, (key, value)): (usize, &(String, String))| {
        let mut without = query.clone();
        without.stray.remove(index);
        Chip { words: format!("{key}: {value}"), without: href(&without), is_wrong: true }
    };
    let fields = HistoryField::ALL.into_iter().filter(is_set).map(of_field);
    fields.chain(query.stray.iter().enumerate().map(of_stray)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let query = HistoryQuery::from_pairs(pairs.iter().copied());
        active(&query, &[]).into_iter().map(|one| (one.words, one.without)).collect()
    }

    #[test]
    fn each_filter_is_told_in_words_and_can_be_taken_off_alone() {
        let pair = |words: &str, without: &str| (words.to_owned(), without.to_owned());
        let chips = of(&[("guest", "web1"), ("result", "timed-out"), ("after", "1-2")]);
        assert_eq!(
            chips,
            [
                pair("Guest: web1", "/history?result=timed-out"),
                pair("Result: Timed out", "/history?guest=web1"),
            ]
        );
        assert_eq!(of(&[("action", "task:vncproxy")]), [pair("Action: task:vncproxy", "/history")]);
    }

    #[test]
    fn what_is_no_filter_is_shown_and_can_be_taken_off_too() {
        let chips = of(&[("colour", "red"), ("guest", "web1"), ("guest", "web2")]);
        let words: Vec<_> = chips.iter().map(|(words, _)| words.as_str()).collect();
        assert_eq!(words, ["Guest: web1", "colour: red", "guest: web2"]);
        assert_eq!(chips[1].1, "/history?guest=web1&guest=web2");
    }
}
