//! What a live operation says, as it says it.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

use crate::domain::operation::{Operation, OperationId, OutputChunk};

/// Up to where a page was told of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    id: OperationId,
    after: i64,
    steps: usize,
}

/// What was said since a page was told of the operation, and how often it has changed in another way.
#[derive(Clone, Copy)]
pub struct Saying {
    /// The live operation; `None` while there is none to listen to.
    of: RwSignal<Option<OperationId>>,
    heard: StoredValue<Option<Heard>>,
    pieces: RwSignal<Vec<(i64, OutputChunk)>>,
    changed: RwSignal<u64>,
}

impl Saying {
    /// Listens for as long as the current owner lives, once there is something to listen to.
    pub fn listen() -> Self {
        let saying = Self {
            of: RwSignal::new(None),
            heard: StoredValue::new(None),
            pieces: RwSignal::new(Vec::new()),
            changed: RwSignal::new(0),
        };
        Effect::new(move |_| {
            let _id = saying.of.get();
            let Some(heard) = saying.heard.get_value() else { return };
            // Owned by the effect: another operation, or leaving the page, drops it and so closes it.
            let _owned = Stream::open(saying, heard).map(StoredValue::new_local);
        });
        saying
    }

    /// The page was told this of an operation.
    pub fn page_is(self, operation: &Operation) {
        let id = operation.summary.id;
        let is_live = operation.summary.state.is_live();
        let heard = Heard { id, after: operation.output_end, steps: operation.outcomes.len() };
        self.heard.set_value(is_live.then_some(heard));
        let of = is_live.then_some(id);
        if self.of.get_untracked() != of {
            self.of.set(of);
        }
    }

    /// Not tracked.
    pub fn is_listening(self) -> bool {
        self.of.get_untracked().is_some()
    }

    /// Counts up when the page is to be read again.
    pub fn changed(self) -> u64 {
        self.changed.get()
    }

    /// What was said after what the page has.
    pub fn since(self, end: i64) -> Vec<OutputChunk> {
        let pieces = self.pieces.read();
        pieces.iter().filter(|(number, _)| *number > end).map(|(_, piece)| piece.clone()).collect()
    }

    /// Nothing more comes: what changes is found out as on every other page.
    fn gone(self) {
        if self.of.try_set(None).is_none() {
            self.bump();
        }
    }

    fn bump(self) {
        let _gone = self.changed.try_update(|count| *count = count.wrapping_add(1));
    }

    fn take(self, event: &MessageEvent) {
        let Some(text) = event.data().as_string() else { return };
        let Ok(pieces) = serde_json::from_slice::<Vec<(i64, OutputChunk)>>(text.as_bytes()) else { return };
        let _gone = self.pieces.try_update(|known| {
            let last = known.last().map_or(0, |(number, _)| *number);
            known.extend(pieces.into_iter().filter(|(number, _)| *number > last));
        });
    }
}

struct Stream {
    source: EventSource,
    _on_error: Closure<dyn FnMut()>,
    _handlers: [Closure<dyn FnMut(MessageEvent)>; 3],
}

impl Stream {
    fn open(saying: Saying, heard: Heard) -> Option<Self> {
        let Heard { id, after, steps } = heard;
        let source =
            EventSource::new(&format!("/events/operations/{id}?after={after}&steps={steps}")).ok()?;
        let output = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| saying.take(&event));
        let changed = Closure::<dyn FnMut(MessageEvent)>::new(move |_| saying.bump());
        let ended = Closure::<dyn FnMut(MessageEvent)>::new({
            let source = source.clone();
            move |_| {
                // Or the browser would ask again.
                source.close();
                saying.bump();
            }
        });
        let on_error = Closure::<dyn FnMut()>::new({
            let source = source.clone();
            move || {
                // In every other state the browser tries again by itself.
                if source.ready_state() == EventSource::CLOSED {
                    saying.gone();
                }
            }
        });
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        for (name, handler) in [("output", &output), ("changed", &changed), ("ended", &ended)] {
            source.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref()).ok()?;
        }
        Some(Self { source, _on_error: on_error, _handlers: [output, changed, ended] })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}
