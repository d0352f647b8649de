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
    /// What people call the guest.
    pub name: String,
    pub plan: Result<Plan, Refusal>,
    pub hash: Option<String>,
    /// Where *Cancel* leads.
    pub back: String,
}

/// The name typed for a delete was another one: that is told at its field, and nothing else has to change.
pub fn is_about_confirm(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(refusal) if refusal.field() == Some(Field::Confirm))
}

/// `problem`: why it could not be begun. `form` puts the fields into the form that posts them.
pub fn agree(
    agreement: Agreement,
    problem: Signal<Option<ApiError>>,
    form: impl FnOnce(AnyView) -> AnyView,
) -> AnyView {
    let Agreement { action, name, plan, hash, back } = agreement;
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
    let confirm = (action == GuestAction::Delete).then(|| {
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
    let (class, word) = match action {
        GuestAction::Delete => ("button danger", action.label()),
        _ => ("button primary", "Run"),
    };
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
