//! States: each a shape, a colour and a word, so that none of the three is ever needed alone.

use leptos::prelude::*;

use crate::domain::{
    guest::{BackendKind, GuestStatus},
    host::NodeState,
    operation::OperationState,
};

/// A shape on a 12 by 12 grid. Its colour is that of the class it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Disc,
    Ring,
    Dashed,
    Bars,
    Arc,
    Diamond,
    Query,
    Check,
    Slash,
}

impl Shape {
    fn draw(self) -> (&'static str, &'static str) {
        match self {
            Self::Disc => ("shape solid", "M6 10.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z"),
            Self::Ring => ("shape", "M6 10a4 4 0 1 0 0-8 4 4 0 0 0 0 8z"),
            Self::Dashed => ("shape dashed", "M6 10a4 4 0 1 0 0-8 4 4 0 0 0 0 8z"),
            Self::Bars => ("shape solid", "M2.5 2h2.5v8h-2.5zM7 2h2.5v8h-2.5z"),
            Self::Arc => ("shape turning", "M10 6a4 4 0 1 1-4-4"),
            Self::Diamond => ("shape solid", "M6 .8L11.2 6 6 11.2.8 6z"),
            Self::Query => {
                ("shape", "M1.5 1.5h9v9h-9zM4.7 4.8c0-1.7 2.6-1.7 2.6 0 0 .9-1.3.9-1.3 1.8M6 8.4h.01")
            }
            Self::Check => ("shape", "M2 6.4l2.7 2.7L10 3.4"),
            Self::Slash => ("shape", "M6 10a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM3.3 8.7l5.4-5.4"),
        }
    }
}

fn drawn(shape: Shape) -> impl IntoView {
    let (class, path) = shape.draw();
    view! {
        <svg class=class viewBox="0 0 12 12" aria-hidden="true">
            <path d=path />
        </svg>
    }
}

/// How a guest is.
#[component]
pub fn StatusBadge(status: GuestStatus) -> impl IntoView {
    let (shape, tone) = match status {
        GuestStatus::Running => (Shape::Disc, "good"),
        GuestStatus::Stopped => (Shape::Ring, "quiet"),
        GuestStatus::Created => (Shape::Dashed, "quiet"),
        GuestStatus::Paused => (Shape::Bars, "warn"),
        GuestStatus::Creating | GuestStatus::Starting | GuestStatus::Stopping => (Shape::Arc, "busy"),
        GuestStatus::Unknown => (Shape::Query, "warn"),
    };
    view! { <span class=format!("state {tone}")>{drawn(shape)} {status.as_str()}</span> }
}

/// Whether a machine is up.
#[component]
pub fn NodeBadge(state: NodeState) -> impl IntoView {
    let (shape, tone, word) = match state {
        NodeState::Online => (Shape::Disc, "good", "up"),
        NodeState::Silent => (Shape::Query, "warn", "no news"),
        NodeState::Offline => (Shape::Diamond, "bad", "down"),
    };
    view! { <span class=format!("state {tone}")>{drawn(shape)} {word}</span> }
}

/// Where an operation is in its life.
#[component]
pub fn OutcomeBadge(state: OperationState) -> impl IntoView {
    let (shape, tone) = match state {
        OperationState::Planned => (Shape::Dashed, "quiet"),
        OperationState::Running => (Shape::Arc, "busy"),
        OperationState::Succeeded => (Shape::Check, "good"),
        OperationState::Failed => (Shape::Diamond, "bad"),
        OperationState::Cancelled => (Shape::Slash, "quiet"),
        OperationState::TimedOut | OperationState::Interrupted => (Shape::Dashed, "warn"),
    };
    view! {
        <span class=format!(
            "state {tone}",
        )>{drawn(shape)} {state.label().to_ascii_lowercase()}</span>
    }
}

/// Where an account is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    Active,
    /// Nobody has chosen a password yet.
    New,
    Disabled,
    Over,
}

#[component]
pub fn AccountBadge(state: AccountState, words: String) -> impl IntoView {
    let (shape, tone) = match state {
        AccountState::Active => (Shape::Disc, "good"),
        AccountState::New => (Shape::Dashed, "warn"),
        AccountState::Disabled => (Shape::Slash, "quiet"),
        AccountState::Over => (Shape::Ring, "quiet"),
    };
    view! { <span class=format!("state {tone}")>{drawn(shape)} {words}</span> }
}

/// A change that nobody asked Paddock for, in the place of an outcome.
#[component]
pub fn SeenBadge() -> impl IntoView {
    view! { <span class="state quiet">{drawn(Shape::Ring)} "seen"</span> }
}

/// A record that somebody else than Paddock wrote to, in the place of an outcome.
#[component]
pub fn DamagedBadge() -> impl IntoView {
    view! { <span class="state bad">{drawn(Shape::Query)} "damaged"</span> }
}

/// How one step of an operation is: its shape alone, as the word stands at the end of its line.
#[component]
pub fn StepShape(#[prop(into)] state: StepState) -> impl IntoView {
    let (shape, tone) = match state {
        StepState::Ahead => (Shape::Ring, "quiet"),
        StepState::Running => (Shape::Arc, "busy"),
        StepState::Done => (Shape::Check, "good"),
        StepState::Failed => (Shape::Diamond, "bad"),
        StepState::Skipped => (Shape::Slash, "quiet"),
    };
    view! { <span class=format!("state {tone}")>{drawn(shape)}</span> }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Ahead,
    Running,
    Done,
    Failed,
    Skipped,
}

/// A turning arc beside words that say what is going on.
#[component]
pub fn Spinner() -> impl IntoView {
    view! { <span class="state busy">{drawn(Shape::Arc)}</span> }
}

/// The backend that runs a guest, as a chip; short where the guest's name needs the room.
#[component]
pub fn BackendChip(kind: BackendKind, #[prop(optional)] short: bool) -> impl IntoView {
    let (words, title) = if short { (kind.short_label(), Some(kind.label())) } else { (kind.label(), None) };
    view! {
        <span class=format!("chip backend-{kind}") title=title>
            {words}
        </span>
    }
}
