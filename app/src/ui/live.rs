//! What changes on the host appears by itself: the server tells small changes, lists take them in, and other pages ask again
//! when something they show has changed.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

use super::board::Board;

/// Changes closer together than this are one: a tool that prints a thousand lines is not a thousand requests.
const GATHER: Duration = Duration::from_millis(250);
/// Until the next try, once the browser itself has given up.
const RETRY: Duration = Duration::from_secs(3);
/// A page that nobody has looked at for so long hears nothing until somebody does: a browser opens only six connections to
/// one place, and the host has better things to do.
const OUT_OF_SIGHT: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    Connecting,
    Live,
    Lost,
}

/// What takes in what is told: the kind of the event and its text. Handed in by the pages that do, so that a first visit does
/// not carry the reading of what it does not show.
pub type Taker = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Whether the browser hears of changes, and how many it has heard of.
#[derive(Clone, Copy)]
pub struct Live {
    version: RwSignal<u64>,
    connection: RwSignal<Connection>,
    /// Up to where the page was told, if it was.
    at: StoredValue<Option<String>>,
    /// The page's first answer is there.
    is_begun: RwSignal<bool>,
    board: Board,
    taker: StoredValue<Option<Taker>>,
    is_in_sight: RwSignal<bool>,
}

impl Live {
    pub fn provide() {
        provide_context(Self {
            version: RwSignal::new(0),
            connection: RwSignal::new(Connection::Connecting),
            at: StoredValue::new(None),
            is_begun: RwSignal::new(false),
            board: Board::empty(),
            taker: StoredValue::new(None),
            is_in_sight: RwSignal::new(true),
        });
    }

    /// Counts up with every change. Part of the source of each resource that shows the host.
    pub fn version(self) -> u64 {
        self.version.get()
    }

    pub fn connection(self) -> Connection {
        self.connection.get()
    }

    pub fn board(self) -> Board {
        self.board
    }

    /// Everything that is told from now on is told to it, too.
    pub fn tell(self, taker: Taker) {
        self.taker.set_value(Some(taker));
    }

    fn told(self, kind: &str, text: &str) {
        if let Some(taker) = self.taker.try_get_value().flatten() {
            taker(kind, text);
        }
    }

    /// Up to where the page was told when it was made, if it was told anything. Only the first call counts.
    pub fn begin_at(self, at: Option<String>) {
        if !self.is_begun.get_untracked() {
            self.at.set_value(at);
            self.is_begun.set(true);
        }
    }

    /// Listens for as long as the current owner lives. Only ever in the browser, as effects run nowhere else.
    pub fn listen(self) {
        let attempt = RwSignal::new(0_u32);
        self.look_whether_in_sight();
        Effect::new(move |_| {
            attempt.track();
            if !(self.is_begun.get() && self.is_in_sight.get()) {
                return;
            }
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

    fn look_whether_in_sight(self) {
        Effect::new(move |_| {
            let leaving = StoredValue::new(None::<TimeoutHandle>);
            let listener = window_event_listener(ev::visibilitychange, move |_| {
                if let Some(leaving) = leaving.try_update_value(Option::take).flatten() {
                    leaving.clear();
                }
                if document().hidden() {
                    let leave = move || {
                        let _gone = self.is_in_sight.try_set(false);
                    };
                    leaving.set_value(set_timeout_with_handle(leave, OUT_OF_SIGHT).ok());
                } else if !self.is_in_sight.get_untracked() {
                    // Small changes are caught up with; what was used meanwhile is read.
                    self.told("reset", "");
                    self.is_in_sight.set(true);
                }
            });
            on_cleanup(move || listener.remove());
        });
    }

    /// Pages ask again. The frame may have gone while a timer ran.
    pub fn bump(self) {
        let _gone = self.version.try_update(|n| *n = n.wrapping_add(1));
    }

    fn set(self, connection: Connection) {
        let _gone = self.connection.try_set(connection);
    }

    fn heard(self, event: &MessageEvent) {
        let at = event.last_event_id();
        if !at.is_empty() {
            let _gone = self.at.try_set_value(Some(at));
        }
    }

    fn address(self) -> String {
        match self.at.try_get_value().flatten() {
            Some(at) => format!("/events?since={at}"),
            None => "/events".to_owned(),
        }
    }
}

type Handler = Closure<dyn FnMut(MessageEvent)>;

/// An open event stream with its handlers.
struct Stream {
    source: EventSource,
    _on_open: Closure<dyn FnMut()>,
    _on_error: Closure<dyn FnMut()>,
    _handlers: Vec<Handler>,
}

impl Stream {
    fn open(live: Live, again: impl Fn() + 'static) -> Option<Self> {
        let source = EventSource::new(&live.address()).ok()?;
        let on_open = Closure::<dyn FnMut()>::new(move || live.set(Connection::Live));
        let on_error = Closure::<dyn FnMut()>::new({
            let source = source.clone();
            move || {
                live.set(Connection::Lost);
                // In every other state the browser tries again by itself, from the last event that it has heard.
                if source.ready_state() == EventSource::CLOSED {
                    again();
                }
            }
        });
        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));

        let bump = gather(move || live.bump());
        let mut handlers = Vec::new();
        // Of usage alone lists are told: no page is asked for anew because of it.
        for (name, is_asked) in
            [("reset", true), ("guests", true), ("operations", true), ("usage", false), ("news", true)]
        {
            let bump = bump.clone();
            let handler = Handler::new(move |event: MessageEvent| {
                live.told(name, &event.data().as_string().unwrap_or_default());
                live.heard(&event);
                if is_asked {
                    bump();
                }
            });
            source.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref()).ok()?;
            handlers.push(handler);
        }
        Some(Self { source, _on_open: on_open, _on_error: on_error, _handlers: handlers })
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
fn gather(run: impl Fn() + 'static) -> Rc<dyn Fn()> {
    let run: Rc<dyn Fn()> = Rc::new(run);
    let resting = Rc::new(Cell::new(false));
    let missed = Rc::new(Cell::new(false));
    Rc::new(move || call(&run, &resting, &missed))
}

fn call(run: &Rc<dyn Fn()>, resting: &Rc<Cell<bool>>, missed: &Rc<Cell<bool>>) {
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
