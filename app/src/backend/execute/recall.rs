//! The end of an execution that nobody saw, told from what was recorded of its steps.

use crate::{
    backend::{CommandOutput, Error},
    domain::{
        operation::OutputChunk,
        plan::{ApiCall, Exit, Plan, StepOutcome, StepResult, Stream, When, Work},
        task::TaskResult,
    },
};

use super::{ExecutionEnd, Site, ended};

/// What is recorded of an execution.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// One for each step that is over, in order.
    pub outcomes: &'a [StepOutcome],
    pub output: &'a [OutputChunk],
    /// Somebody wanted its end.
    pub is_cancel_wanted: bool,
}

/// How the execution ended whose steps are all over: as [`execute`](super::execute) would have said it, had it not been
/// cut off just then. `None` if a step has no outcome, or one that tells too little.
pub async fn recall(site: Site<'_>, plan: &Plan, past: Past<'_>) -> Option<ExecutionEnd> {
    if past.outcomes.len() != plan.steps.len() {
        return None;
    }
    let mut so_far = Ok(());
    let mut is_over = false;
    for (index, (step, outcome)) in plan.steps.iter().zip(past.outcomes).enumerate() {
        let would_run = match step.when {
            When::Always | When::Unparted => so_far.is_ok(),
            When::PreviousFailed => so_far.is_err(),
        };
        so_far = match (&outcome.result, &step.work) {
            // Nothing else keeps back a step whose turn it is.
            (StepResult::Skipped, _) if would_run && !is_over => Err(Error::Cancelled),
            (StepResult::Skipped, _) => so_far,
            (StepResult::Exited(exit), Work::Command(command)) => match exit {
                Exit::TimedOut => {
                    Err(Error::TimedOut { words: past.of_command(index, exit).words().to_owned() })
                }
                Exit::Cancelled => Err(Error::Cancelled),
                Exit::NotStarted(_) => Err(Error::ToolFailed {
                    program: command.argv.program().to_owned(),
                    exit: exit.clone(),
                    words: String::new(),
                }),
                _ => site.backend.parse(command, &past.of_command(index, exit)),
            },
            (StepResult::Answered { status, upid, end }, Work::Api(call)) => {
                past.of_call(site, call, outcome, (*status, upid.as_deref(), end.as_deref()))?
            }
            (StepResult::Reached(_) | StepResult::Edited, _) => Ok(()),
            (StepResult::NotReached(_), Work::WaitFor { .. }) if past.is_cancel_wanted => {
                Err(Error::Cancelled)
            }
            // It could not be read any more, and why is not recorded.
            (StepResult::NotReached(Some(_)), Work::WaitFor { timeout_ms, .. })
                if outcome.duration_ms < *timeout_ms =>
            {
                return None;
            }
            (StepResult::NotReached(found), Work::WaitFor { status, .. }) => {
                Err(Error::NotReached { wanted: *status, found: *found })
            }
            (StepResult::NotEdited, Work::Edit(edit)) => {
                Err(Error::NotEdited { path: edit.path.clone(), detail: NO_WORDS.to_owned() })
            }
            // What became of a call without an answer is not told by that.
            _ => return None,
        };
        is_over |= so_far == Err(Error::Cancelled) || (so_far.is_err() && !would_run);
    }
    Some(ended(site, plan, so_far).await)
}

const NO_WORDS: &str = "the reason was not recorded, as Paddock was ended just then";

impl Past<'_> {
    fn of_command(self, step: usize, exit: &Exit) -> CommandOutput {
        let text = |stream: Stream| {
            let of_stream = |chunk: &&OutputChunk| chunk.step == step && chunk.stream == stream;
            self.output.iter().filter(of_stream).map(|chunk| chunk.text.as_str()).collect()
        };
        CommandOutput {
            exit: exit.clone(),
            stdout: text(Stream::Stdout),
            stderr: text(Stream::Stderr),
            log: text(Stream::Log),
            dropped_bytes: 0,
        }
    }

    fn of_call(
        self,
        site: Site<'_>,
        call: &ApiCall,
        outcome: &StepOutcome,
        (status, upid, end): (u16, Option<&str>, Option<&str>),
    ) -> Option<Result<(), Error>> {
        let service = || site.backend.kind().label().to_owned();
        Some(match (upid, end) {
            (Some(upid), Some(words)) => {
                let is_ended = matches!(TaskResult::of(words), TaskResult::Cancelled(_));
                match site.backend.task_ended(upid, words) {
                    Err(_) if is_ended && self.is_cancel_wanted => Err(Error::Cancelled),
                    Err(_) if is_ended && outcome.duration_ms >= call.timeout_ms => {
                        Err(Error::TimedOut { words: format!("the task {upid} was ended ({words})") })
                    }
                    told => told,
                }
            }
            // It was not seen to end.
            (Some(_), None) => return None,
            (None, Some("0")) => Ok(()),
            (None, Some(code)) => match code.parse() {
                Ok(code) => Err(Error::CommandFailed { exit: Exit::Code(code) }),
                Err(_) => return None,
            },
            (None, None) if (200..300).contains(&status) => Ok(()),
            (None, None) => Err(Error::ServiceFailed {
                service: service(),
                words: format!("it answered with status {status}; {NO_WORDS}"),
            }),
        })
    }
}
