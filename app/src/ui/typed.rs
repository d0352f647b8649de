//! What is being typed into a form, as it is checked meanwhile.

use leptos::{ev, prelude::*};
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use crate::domain::{
    action::Field,
    form::{Typed, Wrong},
};

/// A form's fields: what they started with, what stands there now, and what is wrong with that.
#[derive(Clone, Copy)]
pub struct Typing {
    start: StoredValue<Typed>,
    pub typed: RwSignal<Typed>,
    wrong: Signal<Vec<Wrong>>,
    /// All that is wrong is told, and not only of what one has typed.
    sent: RwSignal<bool>,
}

impl Typing {
    /// `start` is what the form starts with, `check` tells all that is wrong with what stands there.
    pub fn new(start: Typed, check: impl Fn(&Typed) -> Vec<Wrong> + Send + Sync + 'static) -> Self {
        let typed = RwSignal::new(start.clone());
        Self {
            start: StoredValue::new(start),
            typed,
            wrong: Memo::new(move |_| typed.with(&check)).into(),
            sent: RwSignal::new(false),
        }
    }

    /// What the form starts with.
    pub fn start(self) -> Typed {
        self.start.get_value()
    }

    /// What is wrong with this field; of one that nobody has typed into only once the form was sent.
    pub fn wrong(self, field: Field) -> Signal<Option<String>> {
        Signal::derive(move || {
            let is_told = self.sent.get()
                || self
                    .typed
                    .with(|typed| self.start.with_value(|start| typed.get(field) != start.get(field)));
            let wrong = self.wrong.read();
            wrong.iter().find(|wrong| is_told && wrong.field == field).map(|wrong| wrong.message.clone())
        })
    }

    /// Reads the form that this came from.
    pub fn on_input(self, event: &ev::Event) {
        if let Some(form) = event.current_target().and_then(|target| target.dyn_into().ok()) {
            self.typed.set(of_form(&form));
        }
    }

    /// As [`on_submit`](Self::on_submit), for a form of one step.
    pub fn check(self, event: &ev::SubmitEvent) {
        let _first = self.on_submit(event);
    }

    /// From now on all that is wrong is told; whether anything is.
    pub fn tell_all(self) -> bool {
        self.sent.set(true);
        self.wrong.with_untracked(|wrong| !wrong.is_empty())
    }

    /// Keeps a form that is wrong from being sent, and leads to the first field that is: that is answered.
    pub fn on_submit(self, event: &ev::SubmitEvent) -> Option<Field> {
        self.sent.set(true);
        let first = self.wrong.with_untracked(|wrong| wrong.first().map(|wrong| wrong.field));
        if let Some(field) = first {
            event.prevent_default();
            crate::ui::keys::focus(field.as_str());
        }
        first
    }

    /// Tells what is wrong among these fields, and leads to the first; whether there is any.
    pub fn tell(self, among: impl Fn(Field) -> bool) -> bool {
        let first = self
            .wrong
            .with_untracked(|wrong| wrong.iter().map(|wrong| wrong.field).find(|field| among(*field)));
        self.sent.set(first.is_some());
        first.is_some_and(|field| {
            crate::ui::keys::focus(field.as_str());
            true
        })
    }

    /// The form is made anew, with this in it.
    pub fn restart(self, start: Typed) {
        self.start.set_value(start.clone());
        self.typed.set(start);
    }
}

/// Names and values as the form would send them; `fields[name]` is told as `name`.
fn of_form(form: &HtmlFormElement) -> Typed {
    let Ok(data) = FormData::new_with_form(form) else { return Typed::default() };
    let names = Field::ALL.into_iter().flat_map(|field| {
        let name = field.as_str();
        [name.to_owned(), format!("fields[{name}]"), format!("form[{name}]")].map(|sent| (name, sent))
    });
    Typed::from_pairs(names.filter_map(|(name, sent)| Some((name, data.get(&sent).as_string()?))))
}

/// What the address asks for: what a form started with, or what is to be planned.
pub fn of_address() -> Memo<Typed> {
    // As the browser has it: the router's own pairs are decoded twice.
    let search = use_location().search;
    Memo::new(move |_| {
        Typed::of_fields(form_urlencoded::parse(search.read().trim_start_matches('?').as_bytes()))
    })
}
