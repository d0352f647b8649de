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

    /// Keeps a form that is wrong from being sent, and leads to the first field that is.
    pub fn on_submit(self, event: &ev::SubmitEvent) {
        self.sent.set(true);
        let first = self.wrong.with_untracked(|wrong| wrong.first().map(|wrong| wrong.field));
        if let Some(field) = first {
            event.prevent_default();
            crate::ui::keys::focus(field.as_str());
        }
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
        Typed::from_pairs(form_urlencoded::parse(search.read().trim_start_matches('?').as_bytes()))
    })
}
