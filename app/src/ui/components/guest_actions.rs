//! The buttons of a guest: what can be done with it now, and why not the rest.

use leptos::{form::ActionForm, prelude::*};

use super::{
    icon::{Glyph, Icon},
    menu::{Entry, Menu},
};
use crate::{
    api::guests::{Act, ActionChoice},
    domain::{
        action::{GuestAction, Refusal},
        form,
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

/// The buttons, in their one order, so that none moves when the state changes. Pause and resume share a place.
const BUTTONS: [GuestAction; 7] = [
    GuestAction::Start,
    GuestAction::Shutdown,
    GuestAction::Reboot,
    GuestAction::Pause,
    GuestAction::Resume,
    GuestAction::Stop,
    GuestAction::Delete,
];

/// What stands in the menu beside them. What has a tab of its own is in neither.
const MENU: [GuestAction; 8] = [
    GuestAction::Clone,
    GuestAction::Backup,
    GuestAction::Migrate,
    GuestAction::Resize,
    GuestAction::Reset,
    GuestAction::Hibernate,
    GuestAction::MakeTemplate,
    GuestAction::Unlock,
];

/// Those of these that the backend has, of a guest in this state.
fn offered(order: &[GuestAction], status: GuestStatus, choices: &[ActionChoice]) -> Vec<ActionChoice> {
    let hidden = if status == GuestStatus::Paused { GuestAction::Pause } else { GuestAction::Resume };
    let lacks = |choice: &&ActionChoice| matches!(choice.refusal, Some(Refusal::Unsupported { .. }));
    let choice = |action: &GuestAction| choices.iter().find(|choice| choice.action == *action);
    let shown = order.iter().filter(|action| **action != hidden).filter_map(choice);
    shown.filter(|choice| !lacks(choice)).cloned().collect()
}

/// The buttons, and the menu of what is wanted less often.
#[component]
pub fn GuestActions(
    guest: GuestId,
    status: GuestStatus,
    choices: Vec<ActionChoice>,
    act: ServerAction<Act>,
) -> impl IntoView {
    let entry = |choice: ActionChoice| {
        let ActionChoice { action, refusal } = choice;
        Entry { action, href: ask_href(&guest, action), refusal }
    };
    let menu: Vec<Entry> = offered(&MENU, status, &choices).into_iter().map(entry).collect();
    let buttons = offered(&BUTTONS, status, &choices);
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
            {buttons.into_iter().map(button).collect_view()}
            {(!menu.is_empty()).then(|| view! { <Menu label="More" entries=menu /> })}
        </div>
    }
}

/// The page that shows what it would run.
pub fn plan_href(guest: &GuestId, action: GuestAction) -> String {
    format!("{}/plan/{action}", guest.href())
}

/// Where one says what an action needs to know; the plan itself, for one that needs no more than the guest.
pub fn ask_href(guest: &GuestId, action: GuestAction) -> String {
    let tab = match action {
        GuestAction::Configure => "configuration",
        GuestAction::Snapshot | GuestAction::Rollback | GuestAction::DeleteSnapshot => "snapshots",
        GuestAction::Exec => "exec",
        _ if form::parameters(guest.backend, action).is_empty() => return plan_href(guest, action),
        _ => return format!("{}/do/{action}", guest.href()),
    };
    format!("{}/{tab}", guest.href())
}

/// The ways to the plans of what can be done now: for those who look first.
#[component]
pub fn PlanLinks(guest: GuestId, status: GuestStatus, choices: Vec<ActionChoice>) -> impl IntoView {
    // A delete is always looked at first.
    let possible = offered(&BUTTONS, status, &choices)
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
pub fn ActionButton(
    choice: ActionChoice,
    main: bool,
    /// Tells its tip from that of another button for the same action.
    #[prop(optional, into)]
    of: String,
    /// In place of the action's own.
    #[prop(optional)]
    label: Option<&'static str>,
) -> impl IntoView {
    let ActionChoice { action, refusal } = choice;
    let tip_id = format!("tip-{action}{of}");
    let class = match (main, action) {
        (true, _) => "button primary",
        (false, GuestAction::Delete | GuestAction::DeleteSnapshot) => "button danger-text",
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
            {label.unwrap_or(action.label())}
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
pub fn why_not(refusal: &Refusal) -> String {
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
