//! Writes an operation's progress into the store while it runs.

use std::time::Duration;

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::AppState;
use crate::{
    backend::{Execution, RunContext, RunningTool, now_ms},
    domain::{
        operation::{OperationId, OutputChunk},
        plan::{StepOutcome, Stream},
    },
};

/// Output is gathered for so long before it is written: a chatty tool costs ten transactions a second, not
/// thousands.
const BATCH: Duration = Duration::from_millis(100);

enum Event {
    Tool(RunningTool),
    Output(OutputChunk),
    Step(usize, StepOutcome),
}

/// The [`Execution`] that keeps the record. [`close`](Self::close) it, or the last words may be missing.
pub(super) struct Recorder {
    events: mpsc::UnboundedSender<Event>,
    writer: JoinHandle<()>,
    cancel: CancellationToken,
}

impl Recorder {
    pub fn new(state: &AppState, id: OperationId, cancel: &CancellationToken) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let writer = tokio::spawn(write(state.clone(), id, inbox));
        Self { events, writer, cancel: cancel.clone() }
    }

    /// Returns when all that was told has been written.
    pub async fn close(self) {
        drop(self.events);
        if let Err(error) = self.writer.await {
            tracing::error!(error = %error, "the record of an operation's output ended early");
        }
    }
}

impl Execution for Recorder {
    fn begin(&mut self, step: usize) -> RunContext {
        let (output, mut pieces) = mpsc::unbounded_channel::<(Stream, String)>();
        let (started, mut tools) = mpsc::unbounded_channel();
        let events = self.events.clone();
        // Ends when the runner has dropped its ends of both channels.
        tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    biased;
                    Some(tool) = tools.recv() => Event::Tool(tool),
                    Some((stream, text)) = pieces.recv() => {
                        Event::Output(OutputChunk { step, stream, at_ms: now_ms(), text })
                    }
                    else => break,
                };
                if events.send(event).is_err() {
                    break;
                }
            }
        });
        RunContext { output, started, cancel: self.cancel.clone() }
    }

    fn end(&mut self, step: usize, outcome: StepOutcome) {
        // The writer outlives every sender, so this is received.
        let _ = self.events.send(Event::Step(step, outcome));
    }
}

async fn write(state: AppState, id: OperationId, mut inbox: mpsc::UnboundedReceiver<Event>) {
    let (mut output, mut outcomes) = (Vec::new(), Vec::new());
    while let Some(first) = inbox.recv().await {
        let deadline = Instant::now() + BATCH;
        let mut next = Some(first);
        while let Some(event) = next {
            match event {
                Event::Tool(tool) => {
                    if let Err(error) = state.store.note_tool(id, tool).await {
                        tracing::error!(operation = %id, error = %error, "the operation's process could not be noted");
                    }
                }
                Event::Output(chunk) => output.push(chunk),
                Event::Step(step, outcome) => outcomes.push((step, outcome)),
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
                state.inventory.announce();
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
