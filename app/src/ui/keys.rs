//! Keys: ways to pages and through lists without a mouse. None fires while somebody types or while a dialog is open, but
//! for Ctrl+K, which is the palette's everywhere.
//!
//! Whatever has the attribute `data-row` is a row, in the order of the document; the attribute's value is the address of
//! its page. Which row one is at is told by the focus, which stands on the row's link (`a.cover`): so Enter opens it, a
//! screen reader says its name, and a list that draws only some of its rows need not know of any of this. A row is chosen
//! by its checkbox.

use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

use super::overlay::Overlay;

/// The `id` of a page's filter field.
pub const FILTER: &str = "filter";

/// All of them, as they are shown: the keys, and what they do.
pub const KEYS: [(&[&str], &str); 15] = [
    (&["Ctrl", "K"], "Find a guest, an action or a page"),
    (&["/"], "To the filter; where there is none, find anything"),
    (&["?"], "All keys"),
    (&["g", "d"], "Dashboard"),
    (&["g", "g"], "Guests"),
    (&["g", "h"], "History"),
    (&["g", "n"], "Nodes"),
    (&["j"], "Next row"),
    (&["k"], "Row before"),
    (&["Enter"], "Open the row"),
    (&["x"], "Choose the row"),
    (&["Shift", "j"], "Choose the next row, too; with k the one before"),
    (&["s"], "Start the row’s guest, after a look at the plan"),
    (&["d"], "Shut it down, after a look at the plan"),
    (&["Esc"], "Back out"),
];

/// Listens for as long as the current owner lives.
pub fn listen() {
    let navigate = use_navigate();
    let overlay = expect_context::<Overlay>();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let go = move |path: &str| navigate(path, NavigateOptions::default());
        let after_g = StoredValue::new(false);
        let listener = window_event_listener(ev::keydown, move |event| {
            if is_palette(&event) {
                event.prevent_default();
                overlay.find(String::new());
                return;
            }
            let is_shortcut = event.ctrl_key() || event.alt_key() || event.meta_key();
            let key = event.key();
            // A letter is its own name, every other key has a longer one.
            if !is_shortcut && key.chars().count() == 1 && overlay.type_ahead(&key) {
                event.prevent_default();
                return;
            }
            if is_shortcut || event.default_prevented() || is_typing(&event) || is_covered() {
                return;
            }
            let second = after_g.get_value();
            after_g.set_value(false);
            if second {
                match key.as_str() {
                    "d" => go("/"),
                    "g" => go("/guests"),
                    "h" => go("/history"),
                    "n" => go("/nodes"),
                    _ => {}
                }
                return;
            }
            let is_used = match key.as_str() {
                "g" => {
                    after_g.set_value(true);
                    true
                }
                "/" => {
                    if !focus(FILTER) {
                        overlay.find(String::new());
                    }
                    true
                }
                "?" => {
                    overlay.show_keys();
                    true
                }
                "j" => step(Step::Next),
                "k" => step(Step::Before),
                "J" => extend(Step::Next),
                "K" => extend(Step::Before),
                "x" => current().is_some_and(|row| choose(&row, None)),
                "s" => plan("start").map(|path| go(&path)).is_some(),
                "d" => plan("shutdown").map(|path| go(&path)).is_some(),
                "Escape" => leave_row() || parent().map(|path| go(&path)).is_some(),
                _ => false,
            };
            if is_used {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
}

fn is_palette(event: &KeyboardEvent) -> bool {
    let is_k = event.key().eq_ignore_ascii_case("k");
    is_k && (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key()
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let Some(at) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    match at.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => true,
        "INPUT" => !at.dyn_ref::<HtmlInputElement>().is_some_and(is_box),
        _ => false,
    }
}

/// Nothing can be typed into it.
fn is_box(input: &HtmlInputElement) -> bool {
    matches!(input.type_().as_str(), "checkbox" | "radio" | "button" | "submit" | "reset")
}

/// A dialog or a menu is open, and the keys are its own.
fn is_covered() -> bool {
    matches!(document().query_selector("dialog[open], :popover-open"), Ok(Some(_)))
}

/// Moves the focus to the element of this `id`, if there is one.
pub fn focus(id: &str) -> bool {
    document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
        .is_some_and(|element| element.focus().is_ok())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    Before,
}

fn rows() -> Vec<Element> {
    let Ok(list) = document().query_selector_all("[data-row]") else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.get(at)?.dyn_into().ok()).collect()
}

/// The row that has the focus.
fn current() -> Option<Element> {
    document().active_element()?.closest("[data-row]").ok().flatten()
}

/// To the next row, or the first. False where there are no rows.
fn step(step: Step) -> bool {
    let rows = rows();
    let at = current().and_then(|row| rows.iter().position(|other| *other == row));
    let next = match (at, step) {
        (None, Step::Next) => 0,
        (None, Step::Before) => rows.len().saturating_sub(1),
        (Some(at), Step::Next) => (at + 1).min(rows.len().saturating_sub(1)),
        (Some(at), Step::Before) => at.saturating_sub(1),
    };
    let link = rows.get(next).and_then(|row| row.query_selector("a.cover").ok().flatten());
    link.and_then(|link| link.dyn_into::<HtmlElement>().ok()).is_some_and(|link| link.focus().is_ok())
}

/// Chooses the row one is at and the next one.
fn extend(to: Step) -> bool {
    let was_at = current().is_some_and(|row| choose(&row, Some(true)));
    let is_there = step(to) && current().is_some_and(|row| choose(&row, Some(true)));
    was_at || is_there
}

/// Chooses the row, or no longer; turns it over where neither is said.
fn choose(row: &Element, wanted: Option<bool>) -> bool {
    let found = row.query_selector("input[type=checkbox]").ok().flatten();
    let Some(input) = found.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) else { return false };
    if wanted != Some(input.checked()) {
        input.click();
    }
    true
}

/// The page of what the action would run on the guest whose row one is at.
fn plan(action: &str) -> Option<String> {
    let page = current()?.get_attribute("data-row").filter(|page| page.starts_with("/guests/"))?;
    Some(format!("{page}/plan/{action}"))
}

fn leave_row() -> bool {
    let is_in_row = current().is_some();
    let focused = document().active_element().filter(|_| is_in_row);
    focused.and_then(|at| at.dyn_into::<HtmlElement>().ok()).is_some_and(|at| at.blur().is_ok())
}

/// The page above this one, by its breadcrumb; `None` where something typed would be left behind.
fn parent() -> Option<String> {
    let links = document().query_selector_all(".crumbs a").ok().filter(|_| !has_typed())?;
    let last = links.get(links.length().checked_sub(1)?)?;
    last.dyn_into::<Element>().ok()?.get_attribute("href")
}

fn has_typed() -> bool {
    let Ok(list) = document().query_selector_all("main input") else { return false };
    let inputs = (0..list.length()).filter_map(|at| list.get(at)?.dyn_into::<HtmlInputElement>().ok());
    inputs.filter(|input| !is_box(input)).any(|input| input.value() != input.default_value())
}
