//! One operation: what ran, to the letter, what it said, and how it ended.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::operations::{CancelOperation, OperationPage as Page, get_operation},
    domain::{
        operation::{GuestAfter, Operation, OperationSummary, OutputChunk},
        plan::{Step, StepOutcome, StepResult, When},
        words,
    },
    ui::{
        components::{
            ago::{Ago, Elapsed},
            badge::{BackendChip, OutcomeBadge, StepShape, StepState},
            banner::{Banner, Tone},
            loaded::{ActionProblem, Loaded},
            log::Log,
            plan_view::{OnlyIf, WorkView},
        },
        live::Live,
        pages::{guest::Refresh, not_found::Missing},
        text,
    },
};

#[component]
pub fn OperationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let cancel = ServerAction::<CancelOperation>::new();
    let page =
        Resource::new(move || (id(), live.version(), cancel.version().get()), |(id, ..)| get_operation(id));
    let follow = RwSignal::new(true);
    view! {
        <Loaded reply=page let:page>
            {match page {
                Some(page) => view! { <Known page cancel follow /> }.into_any(),
                None => {
                    view! {
                        <Missing title=format!("There is no operation #{}", id())>
                            <a class="button" href="/history">
                                "Go to the history"
                            </a>
                        </Missing>
                    }
                        .into_any()
                }
            }}
        </Loaded>
    }
}

#[component]
fn Known(page: Page, cancel: ServerAction<CancelOperation>, follow: RwSignal<bool>) -> impl IntoView {
    let Page { now_ms, operation: Operation { summary, plan, outcomes, output, .. }, can_cancel, .. } = page;
    let (who, name) = (summary.who().to_owned(), summary.on_what());
    let OperationSummary { id, guest, action, state, .. } = summary.clone();
    let live = state.is_live();
    let error = Signal::derive(move || cancel.value().get().and_then(Result::err));
    let step = move |(index, step): (usize, Step)| {
        let outcome = outcomes.get(index).cloned();
        let state = state_of(outcome.as_ref(), live && index == outcomes.len());
        let said = output.iter().filter(|chunk| chunk.step == index).cloned().collect::<Vec<_>>();
        view! { <StepRow step outcome state said follow /> }
    };
    let failure = summary.failure.clone();
    let there = guest.as_ref().filter(|_| summary.guest_after != Some(GuestAfter::Gone));
    let subject = match there {
        Some(guest) => view! { <a href=guest.href()>{name.clone()}</a> }.into_any(),
        None => name.clone().into_any(),
    };
    view! {
        <Title text=format!("#{id} {} {name}", action.label()) />
        {live.then(|| view! { <Refresh /> })}
        <header class="head">
            <div class="head-words">
                <h1 class="long">{format!("{} ", action.label())} {subject}</h1>
                <p class="head-facts">
                    <OutcomeBadge state />
                    {guest.map(|guest| view! { <BackendChip kind=guest.backend /> })}
                    <span class="id">{format!("#{id}")}</span>
                </p>
            </div>
            {can_cancel
                .then(|| {
                    view! {
                        <ActionForm action=cancel>
                            <input type="hidden" name="id" value=id.to_string() />
                            <button class="button danger-text" type="submit">
                                "Cancel"
                            </button>
                        </ActionForm>
                    }
                })}
        </header>
        <ActionProblem error />
        {failure
            .map(|why| {
                view! {
                    <Banner tone=Tone::Bad title=words::sentence(&words::came_to(&action, state))>
                        <p class="long lines">{text::visible(&why)}</p>
                    </Banner>
                }
            })}
        <Facts summary who now_ms />
        <section class="panel" aria-labelledby="ran">
            <h2 id="ran">{if live { "What runs" } else { "What ran" }}</h2>
            <ol class="steps">{plan.steps.into_iter().enumerate().map(step).collect_view()}</ol>
        </section>
    }
}

#[component]
fn Facts(summary: OperationSummary, who: String, now_ms: i64) -> impl IntoView {
    let OperationSummary { address, started_ms, finished_ms, guest_after, .. } = summary;
    view! {
        <dl class="facts wide">
            <div>
                <dt>"By"</dt>
                <dd>{who}</dd>
            </div>
            {address
                .map(|address| {
                    view! {
                        <div>
                            <dt>"From"</dt>
                            <dd class="mono">{address}</dd>
                        </div>
                    }
                })}
            <div>
                <dt>"Started"</dt>
                <dd>
                    <Ago at_ms=started_ms now_ms />
                    <span class="meta">{words::exact(started_ms)}</span>
                </dd>
            </div>
            <div>
                <dt>{if finished_ms.is_some() { "Took" } else { "Running for" }}</dt>
                <dd class="figures">
                    {match finished_ms {
                        Some(finished_ms) => words::span(finished_ms - started_ms).into_any(),
                        None => view! { <Elapsed since_ms=started_ms now_ms /> }.into_any(),
                    }}
                </dd>
            </div>
            {guest_after
                .map(|after| {
                    view! {
                        <div>
                            <dt>"Guest afterwards"</dt>
                            <dd>{words::after(after)}</dd>
                        </div>
                    }
                })}
        </dl>
    }
}

fn state_of(outcome: Option<&StepOutcome>, running: bool) -> StepState {
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
fn StepRow(
    step: Step,
    outcome: Option<StepOutcome>,
    state: StepState,
    said: Vec<OutputChunk>,
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
            {(!said.is_empty())
                .then(|| view! { <Log chunks=said dropped_bytes live=running follow /> })}
        </li>
    }
}
