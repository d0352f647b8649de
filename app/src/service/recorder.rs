//! Writes an operation's progress into the store while it runs.

use std::time::Duration;

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::AppState;
use crate::{
    backend::{Execution, RunContext, Started, now_ms},
    domain::{
        operation::{OperationId, OutputChunk},
        plan::{StepOutcome, Stream},
    },
};

/// Output is gathered for so long before it is written: a chatty tool costs ten transactions a second, not
/// thousands.
const BATCH: Duration = Duration::from_millis(100);

enum Event {
    Started(usize, Started),
    Output(OutputChunk),
    Step(usize, StepOutcome),
}

/// The [`Execution`] that keeps the record. [`close`](Self::close) it, or the last words may be missing.
pub(super) struct Recorder {
    events: mpsc::UnboundedSender<Event>,
    ends: mpsc::UnboundedSender<Ended>,
    /// Hands on what the step at work says.
    telling: Option<JoinHandle<()>>,
    writer: JoinHandle<()>,
    cancel: CancellationToken,
    listener: Option<Listener>,
}

/// A step that is over, and what hands on the last of its words.
struct Ended {
    step: usize,
    outcome: StepOutcome,
    telling: Option<JoinHandle<()>>,
}

/// Hears what the tools say while they say it, besides the record.
pub type Listener = mpsc::UnboundedSender<OutputChunk>;

impl Recorder {
    pub fn new(
        state: &AppState,
        id: OperationId,
        cancel: &CancellationToken,
        listener: Option<Listener>,
    ) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let writer = tokio::spawn(write(state.clone(), id, inbox));
        let (ends, ended) = mpsc::unbounded_channel();
        tokio::spawn(end_in_order(ended, events.clone()));
        Self { events, ends, telling: None, writer, cancel: cancel.clone(), listener }
    }

    /// Returns when all that was told has been written.
    pub async fn close(self) {
        drop((self.events, self.ends));
        if let Err(error) = self.writer.await {
            tracing::error!(error = %error, "the record of an operation's output ended early");
        }
    }
}

impl Execution for Recorder {
    fn begin(&mut self, step: usize) -> RunContext {
        let (output, mut pieces) = mpsc::unbounded_channel::<(Stream, String)>();
        let (started, mut begun) = mpsc::unbounded_channel();
        let (events, listener) = (self.events.clone(), self.listener.clone());
        // Ends when the runner has dropped its ends of both channels.
        self.telling = Some(tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    biased;
                    Some(what) = begun.recv() => Event::Started(step, what),
                    Some((stream, text)) = pieces.recv() => {
                        let chunk = OutputChunk { step, stream, at_ms: now_ms(), text };
                        if let Some(listener) = &listener {
                            // One who has gone misses nothing: it is all recorded.
                            let _ = listener.send(chunk.clone());
                        }
                        Event::Output(chunk)
                    }
                    else => break,
                };
                if events.send(event).is_err() {
                    break;
                }
            }
        }));
        RunContext { output, started, cancel: self.cancel.clone() }
    }

    fn end(&mut self, step: usize, outcome: StepOutcome) {
        // Its receiver outlives every sender, so this is received.
        let _ = self.ends.send(Ended { step, outcome, telling: self.telling.take() });
    }
}

/// An outcome is recorded after all that its step said: whoever finds it after a crash finds the whole.
async fn end_in_order(mut ended: mpsc::UnboundedReceiver<Ended>, events: mpsc::UnboundedSender<Event>) {
    while let Some(Ended { step, outcome, telling }) = ended.recv().await {
        if let Some(telling) = telling {
            // That it failed is no reason to lose the outcome, too.
            let _ = telling.await;
        }
        // The writer outlives every sender.
        let _ = events.send(Event::Step(step, outcome));
    }
}

async fn write(state: AppState, id: OperationId, mut inbox: mpsc::UnboundedReceiver<Event>) {
    let (mut output, mut outcomes) = (Vec::new(), Vec::new());
    while let Some(first) = inbox.recv().await {
        let deadline = Instant::now() + BATCH;
        let mut next = Some(first);
        while let Some(event) = next {
            match event {
                Event::Started(step, what) => {
                    if let Err(error) = state.store.note_started(id, step, &what).await {
                        tracing::error!(operation = %id, error = %error, "the operation's process could not be noted");
                    }
                }
                Event::Output(chunk) => output.push(chunk),
                // At once: how a step ended is what a crash would lose for good.
                Event::Step(step, outcome) => {
                    outcomes.push((step, outcome));
                    break;
                }
            }
            next = tokio::time::timeout_at(deadline, inbox.recv()).await.ok().flatten();
        }
        if output.is_empty() && outcomes.is_empty() {
            continue;
        }
        match state.store.record_progress(id, &output, &outcomes).await {
            Ok(()) => {
                output.clear();
                outcomes.clear();
                state.output.ring();
            }
            // Kept, and tried again with the next batch.
            Err(error) => {
                tracing::error!(operation = %id, error = %error, "the operation's output could not be written");
            }
        }
    }
    // What the last try could not write.
    if !(output.is_empty() && outcomes.is_empty())
        && let Err(error) = state.store.record_progress(id, &output, &outcomes).await
    {
        tracing::error!(operation = %id, error = %error, "the end of the operation's output is lost");
    }
}
