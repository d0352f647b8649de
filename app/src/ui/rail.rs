//! How wide the rail is. Kept in a cookie, as the theme is, so that the very first byte of a page has it right.

use leptos::{prelude::*, server::SharedValue};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// The cookie's name, the form's field, and the document's attribute behind `data-`.
pub const RAIL: &str = "rail";
/// How long a browser keeps it, seconds.
pub const KEPT: u32 = 365 * 24 * 3600;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rail {
    /// Icons and words, where there is room.
    #[default]
    Wide,
    /// Icons alone.
    Narrow,
}

impl Rail {
    /// As in the cookie and in the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }

    /// From the cookie or the form; what is not understood is the default.
    pub fn parse(text: &str) -> Self {
        if text.trim() == Self::Narrow.as_str() { Self::Narrow } else { Self::Wide }
    }

    /// The `data-rail` of the document.
    pub fn attribute(self) -> Option<&'static str> {
        (self == Self::Narrow).then(|| self.as_str())
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Wide => Self::Narrow,
            Self::Narrow => Self::Wide,
        }
    }

    /// Makes the document so, and lets the browser keep it. Only ever in the browser.
    pub fn put(self) {
        if let Some(root) = document().document_element() {
            let _unchanged = match self.attribute() {
                Some(value) => root.set_attribute("data-rail", value),
                None => root.remove_attribute("data-rail"),
            };
        }
        if let Ok(document) = document().dyn_into::<HtmlDocument>() {
            let cookie = format!("{RAIL}={}; Path=/; Max-Age={KEPT}; SameSite=Lax", self.as_str());
            let _unkept = document.set_cookie(&cookie);
        }
    }
}

/// The rail of the request, as the server provides it.
pub fn of_request() -> Rail {
    use_context().unwrap_or_default()
}

/// Hands the rail of the request on to the browser.
pub fn provide() {
    provide_context(SharedValue::new(of_request).into_inner());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_cookie_is_the_default() {
        assert_eq!(Rail::parse(" narrow "), Rail::Narrow);
        assert_eq!(Rail::parse("\"><script>"), Rail::Wide);
        assert_eq!((Rail::Wide.attribute(), Rail::Narrow.attribute()), (None, Some("narrow")));
    }
}
