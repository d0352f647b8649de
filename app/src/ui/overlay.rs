//! What can lie over the page: the command palette and the list of keys. Both are fetched when first wanted.

use leptos::{lazy, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement};

use super::components::{key_list::KeyList, palette::Palette};

/// Opens what lies over the page.
#[derive(Clone, Copy)]
pub struct Overlay {
    /// What the palette is asked for, while it is open.
    asked: RwSignal<Option<String>>,
    keys: RwSignal<bool>,
    /// Once true it stays so: what has been fetched is kept.
    is_wanted: RwSignal<bool>,
}

impl Overlay {
    pub fn provide() -> Self {
        let overlay =
            Self { asked: RwSignal::new(None), keys: RwSignal::new(false), is_wanted: RwSignal::new(false) };
        provide_context(overlay);
        overlay
    }

    /// Opens the palette with this text in it.
    pub fn find(self, text: String) {
        self.keys.set(false);
        self.asked.set(Some(text));
        self.is_wanted.set(true);
    }

    pub fn show_keys(self) {
        self.asked.set(None);
        self.keys.set(true);
        self.is_wanted.set(true);
    }

    /// The palette is wanted and still on its way: what is typed meanwhile is meant for it.
    pub fn type_ahead(self, letters: &str) -> bool {
        let is_on_its_way = self.asked.with_untracked(Option::is_some) && !is_any_open();
        if is_on_its_way {
            self.asked.update(|asked| asked.get_or_insert_default().push_str(letters));
        }
        is_on_its_way
    }

    /// It has been closed, whoever did it.
    pub fn closed(self) {
        self.asked.set(None);
        self.keys.set(false);
    }

    pub fn asked(self) -> Option<String> {
        self.asked.get()
    }

    pub fn shows_keys(self) -> bool {
        self.keys.get()
    }
}

/// Where they lie. Nothing at all until one is wanted.
#[component]
pub fn Overlays() -> impl IntoView {
    let overlay = expect_context::<Overlay>();
    view! {
        <Suspense fallback=|| ()>
            {move || overlay.is_wanted.get().then(|| Suspend::new(overlays()))}
        </Suspense>
    }
}

#[lazy]
fn overlays() -> AnyView {
    view! {
        <Palette />
        <KeyList />
    }
    .into_any()
}

fn is_any_open() -> bool {
    matches!(document().query_selector("dialog[open]"), Ok(Some(_)))
}

/// So many frames a dialog is waited for.
const PATIENCE: u8 = 60;

/// Opens the dialog over everything else, and then runs this. One that has just been made is not in the document yet, and
/// cannot be opened before.
pub fn open(dialog: HtmlDialogElement, then: impl FnOnce() + 'static) {
    open_within(PATIENCE, dialog, then);
}

fn open_within(frames: u8, dialog: HtmlDialogElement, then: impl FnOnce() + 'static) {
    if dialog.is_connected() {
        if dialog.open() || dialog.show_modal().is_ok() {
            then();
        }
    } else if frames > 0 {
        request_animation_frame(move || open_within(frames - 1, dialog, then));
    }
}

/// Closes every menu and panel that lies over the page.
pub fn close_popovers() {
    let Ok(open) = document().query_selector_all(":popover-open") else { return };
    for at in 0..open.length() {
        if let Some(popover) = open.get(at).and_then(|node| node.dyn_into::<HtmlElement>().ok()) {
            let _closed = popover.hide_popover();
        }
    }
}
