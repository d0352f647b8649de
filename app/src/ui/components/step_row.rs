//! One step of an operation: what ran, to the letter, how it ended, and what it said.

use leptos::prelude::*;

use super::{
    badge::{StepShape, StepState},
    log::Log,
    plan_view::{OnlyIf, WorkView},
};
use crate::domain::{
    operation::OutputChunk,
    plan::{Step, StepOutcome, StepResult, When},
    words,
};

/// `running`: it is at work now.
pub fn state_of(outcome: Option<&StepOutcome>, running: bool) -> StepState {
    match outcome.map(|outcome| &outcome.result) {
        None if running => StepState::Running,
        None => StepState::Ahead,
        Some(StepResult::Exited(exit)) if exit.is_success() => StepState::Done,
        Some(StepResult::Reached(_) | StepResult::Edited) => StepState::Done,
        Some(StepResult::Answered { status, end, .. }) if is_good(*status, end.as_deref()) => StepState::Done,
        Some(
            StepResult::Exited(_)
            | StepResult::NotReached(_)
            | StepResult::Answered { .. }
            | StepResult::NotAnswered { .. }
            | StepResult::NotEdited,
        ) => StepState::Failed,
        Some(StepResult::Skipped) => StepState::Skipped,
    }
}

/// An answer is good if its task ended well, too: with a process in the guest that is an exit of 0.
fn is_good(status: u16, end: Option<&str>) -> bool {
    let ended = end.is_none_or(|end| matches!(end, "OK" | "0") || end.starts_with("WARNINGS"));
    (200..300).contains(&status) && ended
}

/// How a step ended, in a word or two.
fn ending(result: &StepResult) -> String {
    match result {
        StepResult::Exited(exit) => exit.to_string(),
        StepResult::Reached(status) => format!("it is {status}"),
        StepResult::NotReached(Some(status)) => format!("it is still {status}"),
        StepResult::NotReached(None) => "it is gone".to_owned(),
        StepResult::Answered { end: Some(end), .. } => end.clone(),
        StepResult::Answered { status, .. } => status.to_string(),
        StepResult::NotAnswered { .. } => "no answer".to_owned(),
        StepResult::Edited => "changed".to_owned(),
        StepResult::NotEdited => "not changed".to_owned(),
        StepResult::Skipped => "not needed".to_owned(),
    }
}

#[component]
pub fn StepRow(
    step: Step,
    outcome: Option<StepOutcome>,
    state: StepState,
    #[prop(into)] said: Signal<Vec<OutputChunk>>,
    follow: RwSignal<bool>,
) -> impl IntoView {
    let running = state == StepState::Running;
    let ended = outcome.as_ref().map(|outcome| {
        let took =
            outcome.started_ms.map(|_| words::span(i64::try_from(outcome.duration_ms).unwrap_or(i64::MAX)));
        view! {
            <span class="step-end figures">
                <span class=if state == StepState::Failed {
                    "exit bad"
                } else {
                    "exit"
                }>{ending(&outcome.result)}</span>
                {took.map(|took| view! { <span class="meta">{took}</span> })}
            </span>
        }
    });
    let dropped_bytes = outcome.map_or(0, |outcome| outcome.dropped_bytes);
    let dim = matches!(state, StepState::Skipped | StepState::Ahead);
    view! {
        <li class=if dim { "step dim" } else { "step" }>
            <p class="step-title">
                <span class="step-words">
                    <StepShape state />
                    <span>{step.title}</span>
                </span>
                {(step.when == When::PreviousFailed).then(|| view! { <OnlyIf /> })}
                {ended}
            </p>
            <WorkView work=step.work />
            <Log chunks=said dropped_bytes live=running follow />
        </li>
    }
}
