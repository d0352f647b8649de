//! Saved views: what somebody asks of the list again and again, under a name.

use serde::{Deserialize, Serialize};

use super::ListQuery;
use crate::domain::{action::Refusal, field::Field, name};

/// Longest name of a view, characters.
pub const LONGEST_NAME: usize = 40;
/// Longest filter that is kept, characters.
pub const LONGEST_FILTER: usize = 500;
/// Views that one person may have: more tabs than these nobody finds anything in.
pub const MOST: usize = 20;

/// The number of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewId(pub i64);

/// One person's own view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    pub id: ViewId,
    pub name: String,
    pub query: ListQuery,
}

impl SavedView {
    /// Its address on this site.
    pub fn href(&self) -> String {
        format!("/guests{}", self.query.search(1))
    }
}

/// What somebody wants saved, fit to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewView {
    pub name: String,
    pub query: ListQuery,
}

impl NewView {
    /// Checks what was typed. Every refusal says what to change.
    pub fn checked(name: &str, query: &ListQuery) -> Result<Self, Refusal> {
        let refused = |field, message| Err(Refusal::Field { field, message });
        let Some(name) = name::label(name, LONGEST_NAME) else {
            let message = format!(
                "The name of a view has 1 to {LONGEST_NAME} letters, digits, blanks, dots, underscores and dashes. Nothing \
                 was saved."
            );
            return refused(Field::Name, message);
        };
        let query = query.tidy();
        if query == ListQuery::default() {
            let message = "This is the list of all guests, which needs no view. Nothing was saved; filter, sort or group \
                           it first.";
            return refused(Field::View, message.to_owned());
        }
        if query.q.chars().count() > LONGEST_FILTER {
            let message = format!(
                "A saved view has a filter of at most {LONGEST_FILTER} characters. Nothing was saved; make it shorter."
            );
            return refused(Field::View, message);
        }
        Ok(Self { name: name.to_owned(), query })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, q: &str) -> Result<NewView, Option<Field>> {
        NewView::checked(name, &ListQuery::of(q, "", "")).map_err(|refusal| refusal.field())
    }

    #[test]
    fn a_view_has_a_name_and_is_more_than_all_guests() {
        let view = field(" Lab all of it ", "  tag:lab   status:running ").unwrap();
        assert_eq!((view.name.as_str(), view.query.q.as_str()), ("Lab all of it", "tag:lab status:running"));
        for name in ["", "  ", "a\nb", "<b>", &"x".repeat(LONGEST_NAME + 1)] {
            assert_eq!(field(name, "tag:lab"), Err(Some(Field::Name)), "{name:?}");
        }
        assert_eq!(field("All", "  "), Err(Some(Field::View)));
        assert_eq!(field("Long", &"x".repeat(LONGEST_FILTER + 1)), Err(Some(Field::View)));
        assert!(field(&"ä".repeat(LONGEST_NAME), &"ä".repeat(LONGEST_FILTER)).is_ok());
    }

    #[test]
    fn a_view_leads_to_where_it_was_saved() {
        let query = ListQuery::of("tag:lab", "-cpu", "node");
        let view = SavedView { id: ViewId(1), name: "Lab".to_owned(), query };
        assert_eq!(view.href(), "/guests?q=tag%3Alab&sort=-cpu&group=node");
    }
}
