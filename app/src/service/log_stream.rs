//! What one operation says while somebody looks: its output piece by piece, and that something else of it has changed.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

use super::{AppState, Error, Standing, seen};
use crate::{
    auth::Caller,
    domain::{
        event::Said,
        operation::{OperationId, OperationState},
    },
    store::Progress,
};

/// Between two tellings.
const GATHER: Duration = Duration::from_millis(50);
/// Pieces of output in one telling at most.
const PIECES: u32 = 500;

/// How far a page was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Heard {
    /// The number of the last piece of output.
    pub after: i64,
    /// How many steps had an outcome.
    pub steps: usize,
}

/// One operation, for one open page.
pub struct LogStream {
    state: AppState,
    caller: Caller,
    standing: Standing,
    id: OperationId,
    heard: Heard,
    known: Option<OperationState>,
    output: watch::Receiver<u64>,
    operations: watch::Receiver<u64>,
    others: watch::Receiver<u64>,
    is_over: bool,
}

impl LogStream {
    /// `None` where there is no such operation, or not for this caller.
    pub async fn begin(
        state: &AppState,
        caller: &Caller,
        id: OperationId,
        heard: Heard,
    ) -> Result<Option<Self>, Error> {
        let stream = Self {
            standing: Standing::of(state, caller),
            state: state.clone(),
            caller: caller.clone(),
            id,
            heard,
            known: None,
            output: state.output.hear(),
            operations: state.latest.changes(),
            others: state.access_changes.hear(),
            is_over: false,
        };
        Ok(stream.is_seen().await?.then_some(stream))
    }

    async fn is_seen(&self) -> Result<bool, Error> {
        // What its record says of the rest is for its page to find out.
        let Some(Ok(operation)) = self.state.store.operation_line(self.id).await? else { return Ok(false) };
        Ok(seen::is_seen(&self.state, &self.caller, &operation))
    }

    /// Waits until there is something to tell. `None` once the operation has ended and all is told, and when it is to be seen
    /// no more.
    pub async fn next(&mut self) -> Option<Vec<Said>> {
        while !self.is_over {
            match self.tell().await {
                Ok(told) if !told.is_empty() => return Some(told),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(operation = %self.id, %error, "what an operation says cannot be read");
                    return None;
                }
            }
            self.wait().await?;
        }
        None
    }

    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            biased;
            () = self.standing.over.cancelled() => return None,
            _ = self.standing.rights.changed() => {
                self.caller.rights = self.standing.rights.borrow_and_update().clone();
                return self.is_seen().await.is_ok_and(|seen| seen).then_some(());
            }
            _ = self.output.changed() => {}
            _ = self.operations.changed() => {}
            // The command line runs operations, too.
            _ = self.others.changed() => {}
        }
        sleep(GATHER).await;
        Some(())
    }

    async fn tell(&mut self) -> Result<Vec<Said>, Error> {
        // First, so that all that was said before the end is told with it.
        let Some(Progress { state, steps }) = self.state.store.progress_of(self.id).await? else {
            self.is_over = true;
            return Ok(Vec::new());
        };
        let pieces = self.state.store.output_after(self.id, self.heard.after, PIECES).await?;
        let is_all = u32::try_from(pieces.len()).is_ok_and(|count| count < PIECES);
        let mut told = Vec::new();
        if let Some((last, _)) = pieces.last() {
            self.heard.after = *last;
            told.push(Said::Output(pieces));
        }
        let before = self.known.replace(state);
        // One in line may have come nearer to its turn.
        let is_changed = before.is_some_and(|before| before != state) || state == OperationState::Planned;
        if is_changed || steps != self.heard.steps {
            told.push(Said::Changed);
        }
        self.heard.steps = steps;
        if is_all && !state.is_live() {
            self.is_over = true;
            told.push(Said::Ended);
        }
        Ok(told)
    }
}
