//! What will run: a plan as a person reads it before it runs. The same everywhere.

use leptos::prelude::*;

use super::{
    command::CommandLine,
    hash::ShortHash,
    icon::{Glyph, Icon},
};
use crate::domain::plan::{Plan, Step, When, Work};

/// `hash`: that of the plan.
#[component]
pub fn PlanView(plan: Plan, hash: Option<String>) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="will-run">
            <div class="panel-head">
                <h2 id="will-run">"What will run"</h2>
                {hash
                    .map(|hash| {
                        view! { <span class="meta">"Plan " <ShortHash hash /></span> }
                    })}
            </div>
            <PlanBody plan />
        </section>
    }
}

/// Its steps, what is to be known about it, and what it loses.
#[component]
pub fn PlanBody(plan: Plan) -> impl IntoView {
    view! {
        <ol class="steps">
            {plan.steps.into_iter().map(|step| view! { <StepView step /> }).collect_view()}
        </ol>
        {(!plan.notes.is_empty())
            .then(|| {
                let note = |note| view! { <li>{note}</li> };
                view! { <ul class="notes">{plan.notes.into_iter().map(note).collect_view()}</ul> }
            })}
        {(!plan.loses.is_empty()).then(|| view! { <Loses what=plan.loses /> })}
    }
}

/// One step: plain words above, the exact command below.
#[component]
fn StepView(step: Step) -> impl IntoView {
    view! {
        <li class="step">
            <p class="step-title">
                {step.title} {(step.when == When::PreviousFailed).then(|| view! { <OnlyIf /> })}
            </p>
            <WorkView work=step.work />
        </li>
    }
}

/// Marks a step that is there in case the one before it fails.
#[component]
pub fn OnlyIf() -> impl IntoView {
    view! { <span class="chip">"only if the step before fails"</span> }
}

#[component]
pub fn WorkView(work: Work) -> impl IntoView {
    match work {
        Work::Command(command) => view! { <CommandLine text=command.argv.to_string() /> }.into_any(),
        Work::WaitFor { status, timeout_ms } => view! {
            <p class="step-wait">
                {format!(
                    "Reads its state from the host until it is {status}, for {} s at most.",
                    timeout_ms / 1000,
                )}
            </p>
        }
        .into_any(),
        Work::Api(call) => view! { <CommandLine text=call.to_string() /> }.into_any(),
        Work::Edit(edit) => view! {
            <p class="step-wait">{format!("Changes {}:", edit.path)}</p>
            <pre class="mono lines">
                {edit.changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")}
            </pre>
        }
        .into_any(),
    }
}

#[component]
fn Loses(what: Vec<String>) -> impl IntoView {
    view! {
        <div class="loses">
            <h3>
                <Icon glyph=Glyph::Warning />
                "Gone for good"
            </h3>
            <ul>{what.into_iter().map(|lost| view! { <li>{lost}</li> }).collect_view()}</ul>
        </div>
    }
}
