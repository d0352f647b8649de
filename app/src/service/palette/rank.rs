//! How well something fits what was typed: as a whole, at its start, at the start of a word, somewhere, or letter by
//! letter with others between.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use crate::domain::guest::Guest;

/// The best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    fit: Fit,
    /// Of two that fit alike: guests and pages before what leads off them, and that before the past.
    kind: u8,
    /// The fewer letters lie between and around those that were typed, the better.
    loose: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    Start,
    Word,
    Within,
    Scattered,
}

impl Rank {
    pub const EXACT: Self = Self { fit: Fit::Whole, kind: 0, loose: 0 };

    /// It begins with what was typed.
    pub fn is_start(self) -> bool {
        self.fit <= Fit::Start
    }

    /// Behind what it belongs to.
    pub fn beside(self) -> Self {
        Self { kind: 1, ..self }
    }

    /// Its verb was typed, too: before what only looks alike.
    pub fn asked_for(self) -> Self {
        Self { fit: self.fit.min(Fit::Start), ..self }
    }

    pub fn as_past(self) -> Self {
        Self { kind: 2, fit: self.fit.max(Fit::Word), ..self }
    }
}

/// Compares things to one text. Its memory is used again for each.
pub struct Ranker {
    /// In small letters.
    text: String,
    pattern: Pattern,
    matcher: Matcher,
    letters: Vec<char>,
}

impl Ranker {
    /// `text`: trimmed and in small letters.
    pub fn new(text: &str) -> Self {
        let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        Self { text: text.to_owned(), pattern, matcher: Matcher::new(Config::DEFAULT), letters: Vec::new() }
    }

    /// By what people call it, its id, its tags and its addresses. Everything fits an empty text.
    pub fn guest(&mut self, guest: &Guest) -> Option<Rank> {
        let id = guest.title.as_ref().and_then(|_| self.exactly(guest.id.name.as_str()));
        let rank = self.words(guest.label(), "").into_iter().chain(id).min();
        // Figures and tags that only have these letters somewhere are nobody's meaning.
        let exact = guest.tags.iter().chain(&guest.addresses).filter_map(|text| self.exactly(text)).min();
        rank.into_iter().chain(exact.map(|exact| Rank { fit: exact.fit.max(Fit::Word), ..exact })).min()
    }

    /// By a title, else by other words for it.
    pub fn words(&mut self, title: &str, others: &str) -> Option<Rank> {
        let exact = self.exactly(title);
        let other = || others.split(' ').any(|word| !word.is_empty() && word.starts_with(&self.text));
        let word = Rank { fit: Fit::Word, kind: 0, loose: 64 };
        exact.or_else(|| other().then_some(word)).or_else(|| self.scattered(title))
    }

    /// Where all of the text stands in it as it was typed.
    fn exactly(&self, whole: &str) -> Option<Rank> {
        let small = whole.to_lowercase();
        let at = small.find(&self.text)?;
        let is_word = |at: usize| at == 0 || !small[..at].ends_with(char::is_alphanumeric);
        let fit = if small.len() == self.text.len() {
            Fit::Whole
        } else if at == 0 {
            Fit::Start
        } else if small.match_indices(&self.text).any(|(at, _)| is_word(at)) {
            Fit::Word
        } else {
            Fit::Within
        };
        Some(Rank { fit, kind: 0, loose: u32::try_from(small.len() - self.text.len()).unwrap_or(u32::MAX) })
    }

    /// Each word's letters in their order, with others between.
    fn scattered(&mut self, whole: &str) -> Option<Rank> {
        let letters = Utf32Str::new(whole, &mut self.letters);
        let score = self.pattern.score(letters, &mut self.matcher)?;
        Some(Rank { fit: Fit::Scattered, kind: 0, loose: u32::MAX - score })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guest::{GuestId, GuestStatus};

    fn order<'a>(text: &str, names: &[&'a str]) -> Vec<&'a str> {
        let mut ranker = Ranker::new(text);
        let mut found: Vec<_> =
            names.iter().filter_map(|name| Some((ranker.words(name, "")?, *name))).collect();
        found.sort();
        found.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn the_whole_comes_before_a_start_a_word_a_part_and_scattered_letters() {
        let names = ["wxexb", "cobweb", "old-web", "web1", "web", "db1"];
        assert_eq!(order("web", &names), ["web", "web1", "old-web", "cobweb", "wxexb"]);
    }

    #[test]
    fn of_two_that_fit_alike_the_shorter_comes_first() {
        assert_eq!(order("web", &["web-backup-2", "web1", "Web-12"]), ["web1", "Web-12", "web-backup-2"]);
        assert_eq!(order("wb2", &["worker-bench-extra-2", "web2"]), ["web2", "worker-bench-extra-2"]);
    }

    #[test]
    fn every_word_must_be_there_in_any_order() {
        assert_eq!(order("web prod", &["prod-web-1", "web-1", "prod-db"]), ["prod-web-1"]);
    }

    #[test]
    fn a_guest_is_found_by_name_number_tag_and_address() {
        let guest = Guest {
            title: Some("Mailer".to_owned()),
            tags: vec!["prod".to_owned()],
            addresses: vec!["10.0.3.7".to_owned()],
            ..Guest::new(GuestId::parse("proxmox-lxc", "1042").unwrap(), GuestStatus::Running)
        };
        let fits = |text: &str| Ranker::new(text).guest(&guest).is_some();
        for text in ["mail", "mlr", "1042", "104", "prod", "10.0.3", "3.7", ""] {
            assert!(fits(text), "{text:?}");
        }
        for text in ["web", "142", "pod", "1037"] {
            assert!(!fits(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_a_letter_is_found_as_it_stands() {
        assert_eq!(order("é", &["café", "cafe"]), ["café"]);
        assert_eq!(order("^a", &["a", "^a"]), ["^a"]);
    }
}
