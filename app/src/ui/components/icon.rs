//! The icons: one path each on a 16 by 16 grid, drawn with a line of 1.5 in the colour of the text.

use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Guests,
    History,
    Account,
    Search,
    Plus,
    Copy,
    Check,
    Chevron,
    Key,
    Exit,
    Sun,
    Moon,
    Screen,
    Start,
    Shutdown,
    Stop,
    Reboot,
    Pause,
    Prompt,
    Keep,
    Settings,
    Delete,
    Warning,
    Info,
    Lock,
    Arrow,
    Cross,
    Dashboard,
    Node,
    Rail,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Self::Guests => "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
            Self::History => "M2.6 8a5.4 5.4 0 1 0 1.7-3.9L2.6 5.6M2.6 2.6v3h3M8 5.2V8l2 1.4",
            Self::Account => "M8 8.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.9 13.6a5.2 5.2 0 0 1 10.2 0",
            Self::Search => "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
            Self::Check => "M3 8.5l3.2 3.2L13 4.8",
            Self::Chevron => "M6 3.5L10.5 8 6 12.5",
            Self::Key => "M5.5 13a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM7.5 8.2L13 2.7M10.8 4.9l1.8 1.8",
            Self::Exit => "M6.5 13.5h-4v-11h4M6.5 8h7M10.8 5.2L13.5 8l-2.7 2.8",
            Self::Sun => {
                "M8 10.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7"
            }
            Self::Moon => "M13.4 9.3A5.6 5.6 0 0 1 6.7 2.6a5.6 5.6 0 1 0 6.7 6.7z",
            Self::Screen => "M2 3h12v8.5H2zM5.5 14h5",
            Self::Start => "M4.5 2.8l8 5.2-8 5.2z",
            Self::Shutdown => "M8 2v5.5M4.6 4.3a5.3 5.3 0 1 0 6.8 0",
            Self::Stop => "M3.5 3.5h9v9h-9z",
            Self::Reboot => "M13.4 8a5.4 5.4 0 1 1-1.7-3.9l1.7 1.5M13.4 2.6v3h-3",
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::Prompt => "M3 4l4 4-4 4M8.5 12.5h5",
            Self::Keep => {
                "M2.5 5h2.6l1-1.8h3.8l1 1.8h2.6v8h-11zM8 11.2a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8z"
            }
            Self::Settings => "M2.5 5h6M11.5 5h2M10 3.5v3M2.5 11h2M7.5 11h6M6 9.5v3",
            Self::Delete => "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4",
            Self::Warning => "M8 2.2l6.3 11.3H1.7zM8 6.5v3.2M8 11.6h.01",
            Self::Info => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.3v3.6M8 5h.01",
            Self::Lock => "M3.5 7.2h9v6.3h-9zM5.5 7.2V5a2.5 2.5 0 0 1 5 0v2.2",
            Self::Arrow => "M3 8h10M9.3 4.3L13 8l-3.7 3.7",
            Self::Cross => "M4.5 4.5l7 7M11.5 4.5l-7 7",
            Self::Dashboard => {
                "M2.5 2.5h4.5v6h-4.5zM9 2.5h4.5v3.5h-4.5zM9 8h4.5v5.5h-4.5zM2.5 10.5h4.5v3h-4.5z"
            }
            Self::Node => "M3.5 2h9v12h-9zM6 5h4M6 7.5h4M8 11.2h.01",
            Self::Rail => "M2.5 3h11v10h-11zM6.3 3v10",
        }
    }
}

/// An icon beside a word; it says nothing that the word does not, so it is hidden from screen readers.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=glyph.path() />
        </svg>
    }
}

/// Paddock's own mark: a fence with its gate.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark-icon" viewBox="0 0 24 24" aria-hidden="true">
            <rect class="mark-ground" width="24" height="24" rx="6" />
            <path class="mark-line" d="M6.5 5.5v13M17.5 5.5v13M6.5 9.5h11M6.5 14.5h11M12 9.5v5" />
        </svg>
    }
}
