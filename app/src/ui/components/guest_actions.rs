//! The buttons of a guest: what can be done with it now, and why not the rest.

use leptos::{form::ActionForm, prelude::*};

use super::icon::{Glyph, Icon};
use crate::{
    api::guests::{Act, ActionChoice},
    domain::{
        action::{GuestAction, Refusal},
        guest::{GuestId, GuestStatus},
    },
};

/// What a person most likely wants of a guest in this state.
pub fn likely(status: GuestStatus) -> Option<GuestAction> {
    match status {
        GuestStatus::Stopped | GuestStatus::Created => Some(GuestAction::Start),
        GuestStatus::Running => Some(GuestAction::Shutdown),
        GuestStatus::Paused => Some(GuestAction::Resume),
        GuestStatus::Unknown => Some(GuestAction::Stop),
        GuestStatus::Creating | GuestStatus::Starting | GuestStatus::Stopping => None,
    }
}

pub fn glyph(action: GuestAction) -> Glyph {
    match action {
        GuestAction::Create => Glyph::Plus,
        GuestAction::Start => Glyph::Start,
        GuestAction::Shutdown => Glyph::Shutdown,
        GuestAction::Stop => Glyph::Stop,
        GuestAction::Reboot | GuestAction::Reset => Glyph::Reboot,
        GuestAction::Pause | GuestAction::Hibernate => Glyph::Pause,
        GuestAction::Resume => Glyph::Start,
        GuestAction::Exec => Glyph::Prompt,
        GuestAction::Clone | GuestAction::MakeTemplate => Glyph::Copy,
        GuestAction::Snapshot | GuestAction::Rollback | GuestAction::DeleteSnapshot | GuestAction::Backup => {
            Glyph::Keep
        }
        GuestAction::Configure | GuestAction::Resize => Glyph::Settings,
        GuestAction::Migrate => Glyph::Arrow,
        GuestAction::Unlock => Glyph::Lock,
        GuestAction::Delete => Glyph::Delete,
    }
}

/// All buttons in their one order, so that none moves when the state changes.
#[component]
pub fn GuestActions(
    guest: GuestId,
    status: GuestStatus,
    choices: Vec<ActionChoice>,
    act: ServerAction<Act>,
) -> impl IntoView {
    let button = move |choice: ActionChoice| {
        let main = likely(status) == Some(choice.action) && choice.refusal.is_none();
        let guest = guest.clone();
        let action = choice.action;
        if action == GuestAction::Delete {
            view! {
                <form class="action" method="get" action=plan_href(&guest, action)>
                    <ActionButton choice main />
                </form>
            }
            .into_any()
        } else {
            view! {
                <ActionForm action=act attr:class="action">
                    <ActFields guest action />
                    <ActionButton choice main />
                </ActionForm>
            }
            .into_any()
        }
    };
    view! {
        <div class="actions" role="group" aria-label="Actions">
            {choices.into_iter().map(button).collect_view()}
        </div>
    }
}

/// The page that shows what it would run.
fn plan_href(guest: &GuestId, action: GuestAction) -> String {
    format!("{}/plan/{action}", guest.href())
}

/// The ways to the plans of what can be done now: for those who look first.
#[component]
pub fn PlanLinks(guest: GuestId, choices: Vec<ActionChoice>) -> impl IntoView {
    // A delete is always looked at first.
    let possible = choices
        .into_iter()
        .filter(|choice| choice.refusal.is_none() && choice.action != GuestAction::Delete)
        .map(|choice| {
            view! { <a href=plan_href(&guest, choice.action)>{choice.action.label()}</a> }
        })
        .collect::<Vec<_>>();
    (!possible.is_empty()).then(|| {
        view! {
            <nav class="plans" aria-label="Plans">
                "Show the plan of "
                {possible}
            </nav>
        }
    })
}

/// What `act` must be told.
#[component]
pub fn ActFields(guest: GuestId, action: GuestAction) -> impl IntoView {
    view! {
        <input type="hidden" name="backend" value=guest.backend.as_str() />
        <input type="hidden" name="name" value=guest.name.to_string() />
        <input type="hidden" name="action" value=action.as_str() />
    }
}

/// A button that cannot be had stays where it is and can be reached: its tip says why.
#[component]
fn ActionButton(choice: ActionChoice, main: bool) -> impl IntoView {
    let ActionChoice { action, refusal } = choice;
    let tip_id = format!("tip-{action}");
    let class = match (main, action) {
        (true, _) => "button primary",
        (false, GuestAction::Delete) => "button danger-text",
        (false, _) => "button",
    };
    let refused = refusal.is_some();
    let tip = refusal.as_ref().map(why_not).or_else(|| explanation(action).map(str::to_owned));
    view! {
        <button
            class=class
            // Of type button a refused one submits nothing, with or without JavaScript.
            type=if refused { "button" } else { "submit" }
            aria-disabled=refused.then_some("true")
            aria-describedby=tip.is_some().then(|| tip_id.clone())
        >
            <Icon glyph=glyph(action) />
            {action.label()}
        </button>
        {tip
            .map(|tip| {
                view! {
                    <span class="tip" role="tooltip" id=tip_id.clone()>
                        {tip}
                    </span>
                }
            })}
    }
}

/// A refusal in advance. Unlike one that was asked for it need not say that nothing was run.
fn why_not(refusal: &Refusal) -> String {
    match refusal {
        Refusal::WrongState { status, .. } => format!("Not while it is {status}"),
        Refusal::IsTemplate { .. } => "A template is only cloned, changed and deleted".to_owned(),
        Refusal::Locked { by, .. } => format!("Locked ({by})"),
        Refusal::Unsupported { reason, .. } => reason.clone(),
        Refusal::Busy { operation, .. } => format!("Operation #{operation} is at work on it"),
        Refusal::Denied { privilege, on } => {
            format!("You lack the privilege “{privilege}” on {on}; an administrator can grant it")
        }
        other => other.to_string(),
    }
}

/// What the word on the button does not say by itself.
fn explanation(action: GuestAction) -> Option<&'static str> {
    match action {
        GuestAction::Shutdown => Some("Asks the guest to shut itself down, and waits"),
        GuestAction::Stop => Some("Pulls the plug: ends the guest at once"),
        GuestAction::Reboot => Some("Asks the guest to shut itself down, and starts it again"),
        GuestAction::Pause => Some("Freezes the guest where it is; its memory stays in use"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likely_action_is_always_an_allowed_one() {
        use GuestStatus::{Created, Creating, Paused, Running, Starting, Stopped, Stopping, Unknown};
        for status in [Created, Creating, Paused, Running, Starting, Stopped, Stopping, Unknown] {
            assert!(likely(status).is_none_or(|action| action.allowed_in(status)), "{status}");
        }
    }
}
