//! Light or dark. Kept in a cookie so that the very first byte of a page already has the right colours.

use leptos::{prelude::*, server::SharedValue};
use serde::{Deserialize, Serialize};

/// The colours a person has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the operating system says.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As in the cookie and in the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the cookie or the form; a cookie is anybody's text, so what is not understood is the default.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text.trim()).unwrap_or_default()
    }

    /// The `data-theme` of the document; none leaves it to the operating system.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.as_str())
    }
}

/// The theme of the request, as the server provides it.
pub fn of_request() -> Theme {
    use_context().unwrap_or_default()
}

/// Hands the theme of the request on to the browser, where every page can then ask for it. It changes only with
/// a whole new document.
pub fn provide() {
    provide_context(SharedValue::new(of_request).into_inner());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_cookie_is_the_default() {
        assert_eq!(Theme::parse("dark"), Theme::Dark);
        assert_eq!(Theme::parse(" light "), Theme::Light);
        assert_eq!(Theme::parse("\"><script>"), Theme::System);
        assert_eq!(Theme::System.attribute(), None);
    }
}
