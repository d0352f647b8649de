//! Executes a plan: the one place where plans become processes, API calls and changed files.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::domain::{
    guest::GuestStatus,
    name::GuestName,
    plan::{ApiCall, Command, Exit, Expectation, FileEdit, Plan, StepOutcome, StepResult, When, Work},
    secret::Secrets,
};

use super::{Backend, Error, RunContext, Runner, edit};

/// How long after its last step a plan's expectation may take to show: the kernel cleans up after the tool.
const SETTLE: Duration = Duration::from_secs(3);

/// How a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionEnd {
    Done,
    Failed(Error),
    Cancelled,
}

/// What an execution tells while it goes on.
pub trait Execution: Send {
    /// The step of this index begins; its output goes to what is returned.
    fn begin(&mut self, step: usize) -> RunContext;
    /// The step of this index is over, or was skipped. Called once for each step, in order.
    fn end(&mut self, step: usize, outcome: StepOutcome);
}

/// Where a plan is executed: by which driver and runner, on which guest, with which secrets.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    pub backend: &'a dyn Backend,
    pub runner: &'a dyn Runner,
    /// The guest's id.
    pub guest: &'a GuestName,
    pub secrets: &'a Secrets,
}

/// Runs the plan's steps in order until one fails for good, then checks what the plan expects of the guest.
pub async fn execute(
    site: Site<'_>,
    plan: &Plan,
    cancel: &CancellationToken,
    execution: &mut dyn Execution,
) -> ExecutionEnd {
    let mut so_far = Ok(());
    // A failure is final once the step after it was not there to answer it, or once a person wants the end.
    let mut is_over = false;
    for (index, step) in plan.steps.iter().enumerate() {
        let would_run = match step.when {
            When::Always | When::Unparted => so_far.is_ok(),
            When::PreviousFailed => so_far.is_err(),
        };
        if would_run && !is_over && step.when != When::Unparted && cancel.is_cancelled() {
            so_far = Err(Error::Cancelled);
        }
        is_over |= so_far == Err(Error::Cancelled) || (so_far.is_err() && !would_run);
        if is_over || !would_run {
            execution.end(index, skipped());
            continue;
        }
        let started_ms = now_ms();
        let begun = Instant::now();
        let mut context = execution.begin(index);
        if is_unparted(plan, index) {
            context.cancel = CancellationToken::new();
        }
        let (result, dropped_bytes, step_end) = match &step.work {
            Work::Command(command) => run(site, command, &context).await,
            Work::WaitFor { status, timeout_ms } => {
                let (result, end) =
                    wait_for(site, *status, Duration::from_millis(*timeout_ms), &context.cancel).await;
                (result, 0, end)
            }
            Work::Api(call) => {
                let (result, end) = ask(site, call, &context).await;
                (result, 0, end)
            }
            Work::Edit(change) => {
                let (result, end) = edit_file(site.backend, change);
                (result, 0, end)
            }
        };
        so_far = step_end;
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        execution
            .end(index, StepOutcome { result, started_ms: Some(started_ms), duration_ms, dropped_bytes });
    }
    ended(site, plan, so_far).await
}

async fn ended(site: Site<'_>, plan: &Plan, steps: Result<(), Error>) -> ExecutionEnd {
    let result = match steps {
        Ok(()) => expected(site, plan.expect.as_ref()).await,
        failed => failed,
    };
    match result {
        Ok(()) => ExecutionEnd::Done,
        Err(Error::Cancelled) => ExecutionEnd::Cancelled,
        Err(error) => ExecutionEnd::Failed(error),
    }
}

/// How a plan ended whose step of this index has come to this result, seen by somebody else than the one who executed
/// it. `None` if a further step would have run: then the plan was cut off.
pub async fn conclude(
    site: Site<'_>,
    plan: &Plan,
    step: usize,
    result: Result<(), Error>,
) -> Option<ExecutionEnd> {
    let goes_on = plan.steps.iter().skip(step + 1).any(|later| match later.when {
        When::Always | When::Unparted => result.is_ok(),
        When::PreviousFailed => false,
    });
    let answered = plan.steps.get(step + 1).is_some_and(|next| next.when == When::PreviousFailed);
    if goes_on || (result.is_err() && answered) {
        return None;
    }
    Some(ended(site, plan, result).await)
}

/// Whether the step must not be cut off from the one before it or the one after it.
fn is_unparted(plan: &Plan, index: usize) -> bool {
    [index, index + 1].into_iter().any(|i| plan.steps.get(i).is_some_and(|step| step.when == When::Unparted))
}

fn skipped() -> StepOutcome {
    StepOutcome { result: StepResult::Skipped, started_ms: None, duration_ms: 0, dropped_bytes: 0 }
}

async fn run(
    site: Site<'_>,
    command: &Command,
    context: &RunContext,
) -> (StepResult, u64, Result<(), Error>) {
    let output = site.runner.run(command, context).await;
    let end = match &output.exit {
        Exit::TimedOut => Err(Error::TimedOut { words: output.words().to_owned() }),
        Exit::Cancelled => Err(Error::Cancelled),
        // There are no words to understand.
        Exit::NotStarted(_) => Err(Error::ToolFailed {
            program: command.argv.program().to_owned(),
            exit: output.exit.clone(),
            words: String::new(),
        }),
        _ => site.backend.parse(command, &output),
    };
    (StepResult::Exited(output.exit), output.dropped_bytes, end)
}

async fn ask(site: Site<'_>, call: &ApiCall, context: &RunContext) -> (StepResult, Result<(), Error>) {
    let Some(api) = site.backend.api() else {
        let error = Error::Garbled {
            source_name: "The plan".to_owned(),
            detail: format!("it calls an API, and {} has none", site.backend.kind().label()),
        };
        return (StepResult::NotAnswered { upid: None }, Err(error));
    };
    let output = api.call(call, site.secrets, context).await;
    let result = match output.status {
        Some(status) => StepResult::Answered { status, upid: output.upid, end: output.end },
        None => StepResult::NotAnswered { upid: output.upid },
    };
    (result, output.result.map(drop))
}

fn edit_file(backend: &dyn Backend, change: &FileEdit) -> (StepResult, Result<(), Error>) {
    match edit::apply(change, |text| backend.edit(text, &change.changes)) {
        Ok(()) => (StepResult::Edited, Ok(())),
        Err(detail) => (StepResult::NotEdited, Err(Error::NotEdited { path: change.path.clone(), detail })),
    }
}

async fn wait_for(
    site: Site<'_>,
    wanted: GuestStatus,
    timeout: Duration,
    cancel: &CancellationToken,
) -> (StepResult, Result<(), Error>) {
    let deadline = Instant::now() + timeout;
    let mut last_read = None;
    let mut pauses = pauses(site.backend.poll_interval());
    loop {
        let found = match site.backend.guest(site.guest).await {
            Ok(guest) => guest.map(|guest| guest.status),
            Err(error) => return (StepResult::NotReached(last_read), Err(error)),
        };
        last_read = found;
        if found == Some(wanted) {
            return (StepResult::Reached(wanted), Ok(()));
        }
        // A guest that is gone will not come back by waiting.
        if found.is_none() || Instant::now() >= deadline {
            return (StepResult::NotReached(found), Err(Error::NotReached { wanted, found }));
        }
        tokio::select! {
            () = pause(&mut pauses) => {}
            () = cancel.cancelled() => return (StepResult::NotReached(found), Err(Error::Cancelled)),
        }
    }
}

async fn expected(site: Site<'_>, expect: Option<&Expectation>) -> Result<(), Error> {
    let Some(expect) = expect else { return Ok(()) };
    let guest = match expect {
        Expectation::OtherExists(other) => other,
        _ => site.guest,
    };
    let deadline = Instant::now() + SETTLE;
    let mut pauses = pauses(site.backend.poll_interval());
    loop {
        let found = site.backend.guest(guest).await?.map(|guest| guest.status);
        let holds = match expect {
            Expectation::Status(status) => found == Some(*status),
            Expectation::Exists | Expectation::OtherExists(_) => found.is_some(),
            Expectation::Gone => found.is_none(),
        };
        if holds {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let who = match expect {
                Expectation::OtherExists(other) => other.as_str(),
                _ => "the guest",
            };
            let what = match found {
                Some(status) => format!("{who} is {status}"),
                None => format!("{who} is not there"),
            };
            return Err(Error::NotDone { what });
        }
        pause(&mut pauses).await;
    }
}

/// From a tenth of the longest to that: what a tool has just done mostly shows within a few milliseconds.
fn pauses(longest: Duration) -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(longest / 10), move |last| Some((*last * 2).min(longest)))
}

async fn pause(pauses: &mut impl Iterator<Item = Duration>) {
    sleep(pauses.next().unwrap_or_default()).await;
}

/// Milliseconds since 1970 by the host's clock.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

mod recall;

pub use recall::{Past, recall};

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
