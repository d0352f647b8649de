//! A message that stands in the page: what happened, how things stand, what to do.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Worth knowing.
    Info,
    /// To be known before one acts.
    Warning,
    /// The same, and new since one last looked.
    Changed,
    /// Something did not work.
    Bad,
}

/// `title` says what is the matter, the children say the rest.
#[component]
pub fn Banner(tone: Tone, #[prop(into)] title: String, children: Children) -> impl IntoView {
    let (class, glyph, role) = match tone {
        Tone::Info => ("banner info", Glyph::Info, None),
        Tone::Warning => ("banner warn", Glyph::Warning, None),
        Tone::Changed => ("banner warn", Glyph::Warning, Some("alert")),
        Tone::Bad => ("banner bad", Glyph::Warning, Some("alert")),
    };
    view! {
        <div class=class role=role>
            <Icon glyph />
            <div class="banner-text">
                <p class="banner-title">{title}</p>
                {children()}
            </div>
        </div>
    }
}
