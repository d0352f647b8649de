//! A plan, and the form that agrees to it: the same piece before every action that is looked at first.

use leptos::prelude::*;

use super::{
    banner::{Banner, Tone},
    field::TextField,
    guest_actions::glyph,
    icon::Icon,
    loaded::ActionProblem,
    plan_view::PlanView,
};
use crate::{
    api::ApiError,
    domain::{
        action::{Field, GuestAction, Refusal},
        plan::Plan,
    },
};

/// What is shown and agreed to.
pub struct Agreement {
    pub action: GuestAction,
    /// What has to be typed to agree to it: a name.
    pub confirm: Option<String>,
    pub plan: Result<Plan, Refusal>,
    pub hash: Option<String>,
    /// Where *Cancel* leads.
    pub back: String,
}

/// What was typed to agree was something else: that is told at its field, and nothing else has to change.
pub fn is_about_confirm(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(refusal) if refusal.field() == Some(Field::Confirm))
}

/// `problem`: why it could not be begun. `form` puts the fields into the form that posts them.
pub fn agree(
    agreement: Agreement,
    problem: Signal<Option<ApiError>>,
    form: impl FnOnce(AnyView) -> AnyView,
) -> AnyView {
    let Agreement { action, confirm, plan, hash, back } = agreement;
    let plan = match plan {
        Ok(plan) => plan,
        Err(refusal) => return view! { <Refused refusal back /> }.into_any(),
    };
    let at_field =
        Signal::derive(move || problem.get().filter(is_about_confirm).map(|error| error.to_string()));
    let elsewhere = Signal::derive(move || {
        problem.get().filter(|error| !is_about_confirm(error) && !is_about_plan(error))
    });
    let changed = move || problem.get().filter(is_about_plan).map(|_| view! { <Changed /> });
    // What loses something is a red button, and Enter alone never presses it: where a name has to be typed, an empty field
    // is refused, and else the focus has to be on the button itself.
    let (class, word) = match (&confirm, plan.loses.is_empty()) {
        (Some(_), _) => ("button danger", action.label()),
        (None, false) => ("button danger", "Run"),
        (None, true) => ("button primary", "Run"),
    };
    let confirm = confirm.map(|name| {
        view! {
            <TextField
                id="confirm"
                name="confirm"
                label=format!("Type “{name}” to confirm")
                mono=true
                error=at_field
            />
        }
    });
    let fields = view! {
        <input type="hidden" name="plan" value=hash.clone() />
        {confirm}
        <div class="buttons">
            <button class=class type="submit">
                <Icon glyph=glyph(action) />
                {word}
            </button>
            <a class="button" href=back>
                "Cancel"
            </a>
        </div>
    }
    .into_any();
    view! {
        {changed}
        <ActionProblem error=elsewhere />
        <PlanView plan hash />
        {form(fields)}
    }
    .into_any()
}

/// What was agreed to is not what would be run by now.
pub fn is_about_plan(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(Refusal::PlanChanged { .. }))
}

#[component]
pub fn Changed() -> impl IntoView {
    view! {
        <Banner tone=Tone::Changed title="The guest has changed since; this is the plan now">
            <p>"Nothing was run. Look at it once more."</p>
        </Banner>
    }
}

#[component]
fn Refused(refusal: Refusal, back: String) -> impl IntoView {
    view! {
        <Banner tone=Tone::Warning title="This cannot be done now">
            <p>{refusal.to_string()}</p>
        </Banner>
        <div class="buttons">
            <a class="button" href=back>
                "Back"
            </a>
        </div>
    }
}
