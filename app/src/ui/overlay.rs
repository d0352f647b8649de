//! What can lie over the page: the command palette and the list of keys. Both are fetched when first wanted.

use leptos::{lazy, prelude::*};

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
