//! What changes on the host appears by itself: the server says that something changed, and the pages ask again.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::EventSource;

/// Changes closer together than this are one: a tool that prints a thousand lines is not a thousand requests.
const GATHER: Duration = Duration::from_millis(250);
/// Until the next try, once the browser itself has given up.
const RETRY: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    Connecting,
    Live,
    Lost,
}

/// Whether the browser hears of changes, and how many it has heard of.
#[derive(Clone, Copy)]
pub struct Live {
    version: RwSignal<u64>,
    connection: RwSignal<Connection>,
}

impl Live {
    pub fn provide() {
        provide_context(Self {
            version: RwSignal::new(0),
            connection: RwSignal::new(Connection::Connecting),
        });
    }

    /// Counts up with every change. Part of the source of each resource that shows the host.
    pub fn version(self) -> u64 {
        self.version.get()
    }

    pub fn connection(self) -> Connection {
        self.connection.get()
    }

    /// Listens for as long as the current owner lives. Only ever in the browser, as effects run nowhere else.
    pub fn listen(self) {
        let attempt = RwSignal::new(0_u32);
        Effect::new(move |_| {
            attempt.track();
            let again = move || {
                set_timeout(
                    move || {
                        let _gone = attempt.try_update(|n| *n = n.wrapping_add(1));
                    },
                    RETRY,
                );
            };
            // Owned by the effect: the next attempt, or leaving the frame, drops it and so closes it.
            match Stream::open(self, again) {
                Some(stream) => {
                    let _owned = StoredValue::new_local(stream);
                }
                None => self.connection.set(Connection::Lost),
            }
        });
    }

    fn bump(self) {
        // The frame may have gone while a timer ran.
        let _gone = self.version.try_update(|n| *n = n.wrapping_add(1));
    }

    fn set(self, connection: Connection) {
        let _gone = self.connection.try_set(connection);
    }
}

/// An open event stream with its handlers.
struct Stream {
    source: EventSource,
    _handlers: [Closure<dyn FnMut()>; 3],
}

impl Stream {
    fn open(live: Live, again: impl Fn() + 'static) -> Option<Self> {
        let source = EventSource::new("/events").ok()?;

        let on_open = Closure::<dyn FnMut()>::new(move || {
            if live.connection.try_get_untracked() == Some(Connection::Lost) {
                // What happened meanwhile was not heard of.
                live.bump();
            }
            live.set(Connection::Live);
        });
        let on_change = Closure::<dyn FnMut()>::new(gather(move || live.bump()));
        let on_error = Closure::<dyn FnMut()>::new({
            let source = source.clone();
            move || {
                live.set(Connection::Lost);
                // In every other state the browser tries again by itself.
                if source.ready_state() == EventSource::CLOSED {
                    again();
                }
            }
        });

        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        source.add_event_listener_with_callback("change", on_change.as_ref().unchecked_ref()).ok()?;
        Some(Self { source, _handlers: [on_open, on_change, on_error] })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}

/// Runs the first call at once; those within [`GATHER`] of it become one call at its end.
fn gather(run: impl Fn() + 'static) -> impl FnMut() + 'static {
    let run = Rc::new(run);
    let resting = Rc::new(Cell::new(false));
    let missed = Rc::new(Cell::new(false));
    move || call(&run, &resting, &missed)
}

fn call(run: &Rc<impl Fn() + 'static>, resting: &Rc<Cell<bool>>, missed: &Rc<Cell<bool>>) {
    if resting.replace(true) {
        missed.set(true);
        return;
    }
    run();
    let (run, resting, missed) = (Rc::clone(run), Rc::clone(resting), Rc::clone(missed));
    set_timeout(
        move || {
            resting.set(false);
            if missed.replace(false) {
                call(&run, &resting, &missed);
            }
        },
        GATHER,
    );
}
