//! Choosing several guests for one action.
//!
//! The boxes belong to a GET form that stands beside the table, as the rows have forms of their own. It leads to the page
//! that shows what the action would do. Without JavaScript the boxes are its fields, and that it shows only once something is
//! chosen, and how much, is the style sheet's. With it only some rows exist at a time, so the form has a hidden field for
//! every guest that is chosen.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::{
    domain::{action::GuestAction, guest::GuestId},
    ui::components::{frame::Me, guest_actions::glyph, icon::Icon},
};

/// What can be asked of many guests here. A delete is not: each is named by itself.
const OFFERED: [GuestAction; 4] =
    [GuestAction::Start, GuestAction::Shutdown, GuestAction::Reboot, GuestAction::Stop];
const FORM: &str = "choose";

/// The guests that are chosen. Kept here and not in the boxes, as a row shows another guest once one before it comes or goes.
#[derive(Clone, Copy)]
pub struct Chosen {
    guests: RwSignal<BTreeSet<GuestId>>,
    /// The box that was used last: with Shift all between it and the next one are meant.
    last: StoredValue<Option<GuestId>>,
    /// Scripts are at work here.
    is_scripted: RwSignal<bool>,
}

impl Chosen {
    pub fn none() -> Self {
        let is_scripted = RwSignal::new(false);
        Effect::new(move |_| is_scripted.set(true));
        Self { guests: RwSignal::new(BTreeSet::new()), last: StoredValue::new(None), is_scripted }
    }

    fn choose(self, guests: impl IntoIterator<Item = GuestId>, wanted: bool) {
        self.guests.update(|chosen| {
            for guest in guests {
                if wanted {
                    chosen.insert(guest);
                } else {
                    chosen.remove(&guest);
                }
            }
        });
    }

    fn holds(self, guest: &GuestId) -> bool {
        self.guests.read().contains(guest)
    }

    /// Those that are gone, or not to be seen any more, are not chosen either.
    pub fn keep(self, is_there: impl Fn(&GuestId) -> bool) {
        if self.guests.read_untracked().iter().any(|guest| !is_there(guest)) {
            self.guests.update(|chosen| chosen.retain(|guest| is_there(guest)));
        }
    }
}

/// `all` are the guests in the order shown.
#[component]
pub fn Choose(
    guest: GuestId,
    label: String,
    chosen: Chosen,
    #[prop(into)] all: Signal<Vec<GuestId>>,
) -> impl IntoView {
    let value = guest.to_string();
    let name = move || (!chosen.is_scripted.get()).then_some("guest");
    let (of, mine) = (guest.clone(), guest);
    let with_shift = StoredValue::new(false);
    view! {
        <label class="choose">
            <input
                type="checkbox"
                name=name
                value=value
                form=FORM
                autocomplete="off"
                aria-label=format!("Choose {label}")
                prop:checked=move || chosen.holds(&mine)
                on:click=move |event| with_shift.set_value(event.shift_key())
                on:change:target=move |event| {
                    let wanted = event.target().checked();
                    let from = chosen.last.get_value().filter(|_| with_shift.get_value());
                    chosen.choose(between(&all.read_untracked(), from.as_ref(), &of), wanted);
                    chosen.last.set_value(Some(of.clone()));
                }
            />
        </label>
    }
}

/// All that are shown from one to the other, both included; where there is no such one, the other alone.
fn between(all: &[GuestId], from: Option<&GuestId>, to: &GuestId) -> Vec<GuestId> {
    let place = |guest: &GuestId| all.iter().position(|known| known == guest);
    match (from.and_then(place), place(to)) {
        (Some(a), Some(b)) => all[a.min(b)..=a.max(b)].to_vec(),
        _ => vec![to.clone()],
    }
}

/// Chooses every guest that the filter found; hidden by the style sheet without JavaScript.
#[component]
pub fn ChooseAll(chosen: Chosen, #[prop(into)] all: Signal<Vec<GuestId>>) -> impl IntoView {
    let holds_all = move || {
        let all = all.read();
        !all.is_empty() && all.iter().all(|guest| chosen.holds(guest))
    };
    view! {
        <label class="choose">
            <input
                type="checkbox"
                autocomplete="off"
                aria-label="Choose all that are shown"
                prop:checked=holds_all
                on:change:target=move |event| {
                    chosen.choose(all.get_untracked(), event.target().checked());
                }
            />
        </label>
    }
}

/// What to do with them. After the boxes in the document, as the style sheet counts these without JavaScript.
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
    let fields = move || {
        let guests = chosen.guests.read();
        let field = |guest: &GuestId| {
            view! { <input type="hidden" name="guest" value=guest.to_string() /> }
        };
        guests.iter().map(field).collect_view()
    };
    let count = move || {
        let count = chosen.guests.read().len();
        (count > 0).then(|| format!("{count} chosen"))
    };
    view! {
        <form
            class="chosen"
            class:is-open=move || !chosen.guests.read().is_empty()
            id=FORM
            method="get"
            action="/guests/plan"
            aria-label="Chosen guests"
            on:reset=move |_| chosen.guests.set(BTreeSet::new())
        >
            {fields}
            <span class="chosen-count figures" role="status">
                {count}
            </span>
            <button class="button quiet" type="reset">
                "Clear"
            </button>
            <Transition>{buttons}</Transition>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_shift_all_between_two_boxes_are_meant_in_either_direction() {
        let guests: Vec<GuestId> =
            ["a", "b", "c", "d"].iter().map(|name| GuestId::parse("lxc", name).unwrap()).collect();
        let named =
            |from: Option<usize>, to: usize| between(&guests, from.map(|at| &guests[at]), &guests[to]);
        assert_eq!(named(Some(0), 2), guests[0..=2]);
        assert_eq!(named(Some(3), 1), guests[1..=3]);
        assert_eq!(named(None, 1), [guests[1].clone()]);
        let gone = GuestId::parse("lxc", "gone").unwrap();
        assert_eq!(between(&guests, Some(&gone), &guests[1]), [guests[1].clone()]);
    }
}
