//! Operations of a process that is gone, whose Proxmox task goes on: followed to their true end.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    AppState, Error,
    cut_off::{self, Begun},
    job::{end_of, read_after, watch_for_cancel, write_end},
    recorder::Recorder,
    settle::Patience,
};
use crate::{
    backend::{
        Backend, Error as BackendError, Execution as _, Followed, RunContext, Site, conclude, now_ms,
        own_process,
    },
    domain::{
        guest::GuestId,
        operation::{EndState, GuestAfter, Operation, OperationId, OutputChunk},
        plan::{StepOutcome, StepResult, Stream, Work},
        secret::Secrets,
        task::TaskResult,
    },
    store::{End, LiveOperation},
};

/// How long a task is followed that its plan does not limit.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How often it is looked whether a call was made after the task, and the pause in between: longer than such a call could
/// still be under way.
const LOOKS: u32 = 20;
const AGAIN: Duration = Duration::from_millis(500);

/// What became of the look at a task.
pub(super) enum Seen {
    /// It is followed now, or left to the next look.
    Left,
    /// Its end will never be known; why, for people.
    Lost(String),
}

/// Looks at the task and, if it can be told how it ends, follows it in the background.
pub(super) async fn adopt(
    state: &AppState,
    operation: &LiveOperation,
    step: usize,
    upid: &str,
    patience: Patience,
) -> Result<Seen, Error> {
    let lost = |why: &str| {
        Ok(Seen::Lost(format!(
            "Paddock was ended while this was at work, and {why}, so its outcome is not known. Check the guest, then \
             begin again."
        )))
    };
    let Some(guest) = &operation.guest else { return lost("no guest is recorded with it") };
    let Some(driver) = state.registry.get(guest.backend) else {
        return lost("its backend is not in the settings any more");
    };
    let is_running = match driver.task(upid).await {
        Ok(Some(task)) => task.is_running(),
        Ok(None) => return lost("its node does not know its task any more"),
        Err(error) => {
            // It stays live: the next look may be luckier, and until then nothing else begins on this guest.
            tracing::warn!(operation = %operation.id, upid, %error, "cannot see how a task is that was cut off");
            return Ok(Seen::Left);
        }
    };
    if is_running && patience == Patience::Leave {
        return Ok(Seen::Left);
    }
    let Some(whole) = state.store.operation(operation.id).await? else { return Ok(Seen::Left) };
    if !state.store.adopt_operation(operation.id, operation.owner, own_process()).await? {
        return Ok(Seen::Left);
    }
    tracing::info!(operation = %operation.id, upid, "following a task that was cut off");
    let adopted = Adopted {
        state: state.clone(),
        guest: guest.clone(),
        step,
        upid: upid.to_owned(),
        cancel: state.supervisor.enlist(operation.id),
        operation: whole,
    };
    if is_running {
        state.supervisor.spawn(adopted.finish());
    } else {
        adopted.finish().await;
    }
    Ok(Seen::Left)
}

struct Adopted {
    state: AppState,
    guest: GuestId,
    operation: Operation,
    step: usize,
    upid: String,
    cancel: CancellationToken,
}

impl Adopted {
    fn id(&self) -> OperationId {
        self.operation.summary.id
    }

    /// Follows the task, and what was begun after it, and writes the operation's end.
    async fn finish(mut self) {
        let Some(driver) = self.state.registry.get(self.guest.backend).cloned() else { return };
        let watch = tokio::spawn(watch_for_cancel(self.state.clone(), self.id(), self.cancel.clone()));
        // Nothing is begun here, so nothing is left that a secret would go into.
        let secrets = Secrets::new();
        let end = loop {
            let result = self.follow(driver.as_ref()).await;
            let words = result.as_ref().err().map(ToString::to_string);
            let (runner, guest) = (self.state.runner.as_ref(), &self.guest.name);
            let site = Site { backend: driver.as_ref(), runner, guest, secrets: &secrets };
            let end = conclude(site, &self.operation.plan, self.step, result).await;
            if end.is_none() && words.is_none() && self.goes_on(driver.as_ref()).await {
                continue;
            }
            let guest_after = read_after(driver.as_ref(), &self.guest).await;
            break match end {
                Some(end) => end_of(Ok(end), guest_after),
                None => cut_short(words, guest_after),
            };
        };
        watch.abort();
        write_end(&self.state, self.id(), &end).await;
        self.state.inventory.operation_ended(&self.guest, end.guest_after);
        self.state.supervisor.leave(self.id());
        self.state.inventory.refresh(driver.as_ref()).await;
        self.state.latest.written();
        tracing::info!(operation = %self.id(), failure = end.failure.as_deref(), "task that was cut off has ended");
    }

    /// Follows the task to its end and records that as its step's outcome.
    async fn follow(&mut self, driver: &dyn Backend) -> Result<(), BackendError> {
        let (begun, started_ms) = (Instant::now(), now_ms());
        let mut recorder = Recorder::new(&self.state, self.id(), &self.cancel, None);
        let told = told_by(&self.operation.output, self.step);
        let context = skipping(recorder.begin(self.step), told);
        let Followed { end, result } = driver.follow(&self.upid, self.limit(), &context).await;
        drop(context);
        let is_cancel_wanted = self.state.store.is_cancel_wanted(self.id()).await.unwrap_or(false);
        let result = match &end {
            // It was told to end by the process that is gone.
            Some(words) if is_cancel_wanted && matches!(TaskResult::of(words), TaskResult::Cancelled(_)) => {
                Err(BackendError::Cancelled)
            }
            _ => result,
        };
        // The task's own times, where its node still tells them: it was at work before anybody followed it here.
        let task = driver.task(&self.upid).await.ok().flatten();
        let ended_ms = task.as_ref().and_then(|task| task.end.as_ref()?.at_ms);
        let (started_ms, duration_ms) = match (task, ended_ms) {
            (Some(task), Some(ended_ms)) => {
                (task.started_ms, u64::try_from(ended_ms - task.started_ms).unwrap_or_default())
            }
            _ => (started_ms, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)),
        };
        let outcome = StepOutcome {
            result: StepResult::Answered { status: 200, upid: Some(self.upid.clone()), end },
            started_ms: Some(started_ms),
            duration_ms,
            dropped_bytes: 0,
        };
        recorder.end(self.step, outcome.clone());
        recorder.close().await;
        self.operation.outcomes.truncate(self.step);
        self.operation.outcomes.push(outcome);
        result
    }

    /// Whether the step after it had been begun, too, without anybody noting that.
    async fn goes_on(&mut self, driver: &dyn Backend) -> bool {
        for _ in 0..LOOKS {
            match cut_off::begun(&self.state, driver, &self.guest, &self.operation, self.step + 1).await {
                Ok(Begun::Task(step, upid)) => {
                    (self.step, self.upid) = (step, upid);
                    return true;
                }
                Ok(Begun::NotYet) => tokio::time::sleep(AGAIN).await,
                Ok(Begun::Nothing) => return false,
                Err(error) => {
                    tracing::error!(operation = %self.id(), %error, "cannot tell what was begun after a task that was cut off");
                    return false;
                }
            }
        }
        false
    }

    /// As long as the plan allows, counted anew: nobody waited meanwhile.
    fn limit(&self) -> Duration {
        match self.operation.plan.steps.get(self.step).map(|step| &step.work) {
            Some(Work::Api(call)) => Duration::from_millis(call.timeout_ms),
            _ => LONGEST,
        }
    }
}

/// The task has ended, but it was not the plan's last.
fn cut_short(words: Option<String>, guest_after: GuestAfter) -> End {
    let how = words.map_or_else(|| "ended well".to_owned(), |words| format!("failed ({words})"));
    let failure = format!(
        "Paddock was ended while this was at work. The task at work then {how}; the steps after it were not begun. Check \
         the guest, then begin again."
    );
    End {
        state: EndState::Interrupted,
        failure: Some(failure),
        failure_kind: None,
        guest_after,
        finished_ms: now_ms(),
    }
}

/// How much of the task's log is recorded already, bytes.
fn told_by(output: &[OutputChunk], step: usize) -> usize {
    let of_task = |chunk: &&OutputChunk| chunk.step == step && chunk.stream == Stream::Log;
    output.iter().filter(of_task).map(|chunk| chunk.text.len()).sum()
}

/// The same context without the first so many bytes of output: a task's log is told from its beginning.
fn skipping(context: RunContext, mut bytes: usize) -> RunContext {
    let (output, mut pieces) = mpsc::unbounded_channel::<(Stream, String)>();
    let RunContext { output: to, started, cancel } = context;
    tokio::spawn(async move {
        while let Some((stream, text)) = pieces.recv().await {
            let skipped = bytes.min(text.len());
            bytes -= skipped;
            // What was recorded ended at a character's end, so this does, too; a log that differs is told whole.
            let rest = text.get(skipped..).unwrap_or(&text);
            if !rest.is_empty() && to.send((stream, rest.to_owned())).is_err() {
                break;
            }
        }
    });
    RunContext { output, started, cancel }
}
