//! Choosing several guests for one action.
//!
//! The boxes belong to a GET form that stands beside the table, as the rows have forms of their own. It leads to the page
//! that shows what the action would do. That the form shows only once something is chosen, and how much, is the style
//! sheet's: so it is the same without JavaScript.

use leptos::prelude::*;

use crate::{
    domain::{action::GuestAction, guest::GuestId},
    ui::components::{frame::Me, guest_actions::glyph, icon::Icon},
};

/// What can be asked of many guests here. A delete is not: each is named by itself.
const OFFERED: [GuestAction; 4] =
    [GuestAction::Start, GuestAction::Shutdown, GuestAction::Reboot, GuestAction::Stop];
const FORM: &str = "choose";

/// The guests that are chosen, each as `BACKEND/NAME`. Kept here and not in the boxes, as a row shows another guest once
/// one before it comes or goes.
#[derive(Clone, Copy)]
pub struct Chosen(RwSignal<Vec<String>>);

impl Chosen {
    pub fn none() -> Self {
        Self(RwSignal::new(Vec::new()))
    }

    fn choose(self, guests: &[String], wanted: bool) {
        self.0.update(|chosen| {
            chosen.retain(|chosen| !guests.contains(chosen));
            if wanted {
                chosen.extend_from_slice(guests);
            }
        });
    }

    fn holds_all(self, guests: &[String]) -> bool {
        let chosen = self.0.read();
        guests.iter().all(|guest| chosen.contains(guest))
    }
}

#[component]
pub fn Choose(guest: GuestId, label: String, chosen: Chosen) -> impl IntoView {
    let value = guest.to_string();
    view! { <Box label=format!("Choose {label}") value=value.clone() of=vec![value] chosen /> }
}

/// Chooses every guest that the filter found; hidden by the style sheet without JavaScript.
#[component]
pub fn ChooseAll(found: Vec<String>, chosen: Chosen) -> impl IntoView {
    view! { <Box label="Choose all that are shown".to_owned() of=found chosen /> }
}

/// Chooses the guests `of`. `value`: what the form sends.
#[component]
fn Box(label: String, #[prop(optional)] value: String, of: Vec<String>, chosen: Chosen) -> impl IntoView {
    let sent = !value.is_empty();
    let mine = of.clone();
    view! {
        <label class="choose">
            <input
                type="checkbox"
                name=sent.then_some("guest")
                value=sent.then_some(value)
                form=sent.then_some(FORM)
                autocomplete="off"
                aria-label=label
                prop:checked=move || chosen.holds_all(&mine)
                on:change:target=move |event| chosen.choose(&of, event.target().checked())
            />
        </label>
    }
}

/// What to do with them. After the boxes in the document, as the style sheet counts these.
#[component]
pub fn Actions(chosen: Chosen) -> impl IntoView {
    let me = expect_context::<Me>();
    let button = |action: GuestAction| {
        view! {
            <button class="button" type="submit" name="action" value=action.as_str()>
                <Icon glyph=glyph(action) />
                {action.label()}
                "…"
            </button>
        }
    };
    let buttons =
        move || OFFERED.into_iter().filter(|action| me.holds(action.privilege())).map(button).collect_view();
    view! {
        <form
            class="chosen"
            id=FORM
            method="get"
            action="/guests/plan"
            aria-label="Chosen guests"
            on:reset=move |_| chosen.0.set(Vec::new())
        >
            <span class="chosen-count figures"></span>
            <button class="button quiet" type="reset">
                "Clear"
            </button>
            {buttons}
        </form>
    }
}
