//! The time between a page's arrival and its being taken over.
//!
//! The router follows links from the moment it exists, but a page is taken over only once its own WebAssembly has come. A
//! link followed in between would change the address under it: the old page's document would be read as the new page's,
//! which ends the program. So until then the browser follows links by itself, as it does without scripts.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event};

type Handler = Closure<dyn FnMut(Event)>;

/// Keeps the router from hearing of links, and of the way back, until it is dropped.
pub struct TakingOver {
    handlers: [(&'static str, Handler); 2],
}

impl TakingOver {
    pub fn begin() -> Self {
        let link = Handler::new(|event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if target.is_some_and(|target| matches!(target.closest("a[href]"), Ok(Some(_)))) {
                event.stop_immediate_propagation();
            }
        });
        let back = Handler::new(|event: Event| {
            event.stop_immediate_propagation();
            // The address has changed already, and the document has not.
            let _blocked = window().location().reload();
        });
        let handlers = [("click", link), ("popstate", back)];
        for (name, handler) in &handlers {
            let handler = handler.as_ref().unchecked_ref();
            // While it is on its way down, so before everybody else.
            let _refused = window().add_event_listener_with_callback_and_bool(name, handler, true);
        }
        Self { handlers }
    }
}

impl Drop for TakingOver {
    fn drop(&mut self) {
        for (name, handler) in &self.handlers {
            let handler = handler.as_ref().unchecked_ref();
            let _refused = window().remove_event_listener_with_callback_and_bool(name, handler, true);
        }
    }
}
