//! From a request to its end, as a verb does it: plan and print, or begin, follow and tell how it ended.

use std::process::ExitCode;

use app::{
    domain::{
        action::{ActionRequest, GuestAction, LONGEST_SHUTDOWN_SECONDS, SHUTDOWN_SECONDS},
        failure::FailureKind,
        guest::GuestId,
        operation::{Operation, OperationId, OperationState, OutputChunk},
        plan::{Exit, Plan, StepResult, Stream, When},
    },
    service::{
        Listener,
        actions::{self, Ask, Planned, Target},
        operations,
    },
};
use clap::Args;
use serde::Serialize;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use super::{
    desk::{Desk, Global},
    exit::CliError,
    output::{self, Format, tell, visible},
    shown::OperationSheet,
    target::GuestArg,
};

/// How a verb that changes something goes about it.
#[derive(Debug, Clone, Args)]
pub struct Manner {
    /// Print exactly what would run, and run nothing.
    #[arg(long)]
    pub plan: bool,
    /// Run only if the plan is the one with this hash, as `--plan` printed it.
    #[arg(long, value_name = "HASH", conflicts_with = "plan")]
    pub agreed: Option<String>,
}

/// How long a verb waits for a guest to shut down.
#[derive(Debug, Clone, Copy, Args)]
pub struct Patience {
    /// Seconds to wait for the guest to shut down. Nothing is killed when they are over.
    #[arg(long = "timeout", value_name = "SECONDS", default_value_t = SHUTDOWN_SECONDS,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(LONGEST_SHUTDOWN_SECONDS)))]
    pub seconds: u32,
}

/// Finds the guest and does this with it.
pub async fn on_guest(
    global: &Global,
    guest: &GuestArg,
    manner: Manner,
    request: ActionRequest,
) -> Result<ExitCode, CliError> {
    let desk = Desk::open(global).await?;
    let done = async {
        let id = guest.asked(&desk, request.action(), &manner).await?.id;
        once(&desk, Target::Guest(id), request, Vec::new(), manner).await
    };
    let done = done.await;
    desk.close().await;
    done
}

/// One request from beginning to end; the result is printed.
pub async fn once(
    desk: &Desk,
    target: Target,
    request: ActionRequest,
    notes: Vec<String>,
    manner: Manner,
) -> Result<ExitCode, CliError> {
    let action = request.action();
    let ask = Ask { notes, agreed: manner.agreed, ..Ask::new(target, request) };
    if manner.plan {
        let planned = actions::plan(&desk.state, &desk.caller, &ask).await?;
        print_plan(desk.look.format, action, &planned)?;
        return Ok(ExitCode::SUCCESS);
    }
    let operation = follow(desk, ask, Show::Progress).await?;
    let sheet = OperationSheet::of(&operation);
    match desk.look.format {
        Format::Table => output::print(&sheet.line()).map_err(cannot_print)?,
        format => output::one(format, &sheet, &[]).map_err(cannot_print)?,
    }
    succeeded(&operation)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the tools' words go while they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// To standard error: they are messages.
    Progress,
    /// Each to where it came from: they are the result.
    Output,
    /// Nowhere: they are part of the result that is printed at the end.
    Nothing,
}

/// Begins the request and waits for its end, which need not be a good one. Ctrl+C cancels it.
pub async fn follow(desk: &Desk, ask: Ask, show: Show) -> Result<Operation, CliError> {
    let (listener, heard): (Listener, _) = unbounded_channel();
    let ask = Ask { listener: Some(listener), ..ask };
    let id = actions::begin(&desk.state, &desk.caller, ask).await?;
    let telling = tokio::spawn(tell_all(heard, show));
    let operation = wait(desk, id).await;
    // Ends with the last sender, which the operation held.
    let _ = telling.await;
    operation
}

/// Waits for the end of an operation of this process. Ctrl+C cancels it.
pub async fn wait(desk: &Desk, id: OperationId) -> Result<Operation, CliError> {
    tokio::select! {
        () = desk.state.supervisor.wait(id) => {}
        () = cancel_when_told(desk, id) => {}
    }
    let operation = desk.state.store.operation(id).await?;
    operation.ok_or_else(|| CliError::Operation {
        operation: id,
        how: "is not in the database.".to_owned(),
        kind: FailureKind::Internal,
    })
}

/// Does not return before the operation has ended.
async fn cancel_when_told(desk: &Desk, id: OperationId) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signals the operation ends by itself.
        return desk.state.supervisor.wait(id).await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tell(&format!("paddock: cancelling operation #{id}"));
    if let Err(error) = operations::cancel(&desk.state, &desk.caller, id).await {
        tell(&format!("paddock: {error}"));
        desk.state.supervisor.cancel(id);
    }
    desk.state.supervisor.wait(id).await;
}

async fn tell_all(mut heard: UnboundedReceiver<OutputChunk>, show: Show) {
    while let Some(chunk) = heard.recv().await {
        match (show, chunk.stream) {
            (Show::Nothing, _) => {}
            // A program's output for a program: as it is.
            (Show::Output, Stream::Stdout) => {
                let _ = output::print(&chunk.text);
            }
            (Show::Output, _) => {
                use std::io::Write as _;
                let _ = std::io::stderr().write_all(chunk.text.as_bytes());
            }
            (Show::Progress, _) => {
                for line in chunk.text.lines() {
                    tell(&format!("  {}", visible(line)));
                }
            }
        }
    }
}

/// An error for an operation that did not succeed.
pub fn succeeded(operation: &Operation) -> Result<(), CliError> {
    let summary = &operation.summary;
    if summary.state == OperationState::Succeeded {
        return Ok(());
    }
    let why = summary.failure.as_deref().map(|why| format!(": {}", visible(why))).unwrap_or_default();
    let kind = summary.failure_kind.unwrap_or(FailureKind::Internal);
    Err(CliError::Operation { operation: summary.id, how: format!("{}{why}", summary.state), kind })
}

/// How the command in the guest ended; `None` where it never ran.
pub fn command_exit(operation: &Operation) -> Option<ExitCode> {
    let last = operation.outcomes.iter().rev().find(|outcome| outcome.result != StepResult::Skipped)?;
    let failed = operation.summary.failure_kind;
    if !(failed.is_none() || failed == Some(FailureKind::CommandFailed)) {
        return None;
    }
    let code = match &last.result {
        StepResult::Exited(Exit::Code(code)) => *code,
        // As a shell tells it.
        StepResult::Exited(Exit::Signal(signal)) => 128 + signal,
        StepResult::Answered { end: Some(end), .. } => end.parse().ok()?,
        _ => return None,
    };
    Some(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// A plan as JSON has it.
#[derive(Debug, Serialize)]
struct PlanSheet<'a> {
    guest: &'a GuestId,
    title: Option<&'a str>,
    action: GuestAction,
    /// What `--agreed` takes.
    hash: String,
    #[serde(flatten)]
    plan: &'a Plan,
}

pub fn print_plan(format: Format, action: GuestAction, planned: &Planned) -> Result<(), CliError> {
    if format == Format::Table {
        return output::print(&plan_text(action, planned)).map_err(cannot_print);
    }
    let Planned { guest, title, plan } = planned;
    let sheet = PlanSheet { guest, title: title.as_deref(), action, hash: planned.hash(), plan };
    output::one(format, &sheet, &[]).map_err(cannot_print)
}

/// A plan as a person reads it, with what it takes to run just this one.
pub fn plan_text(action: GuestAction, planned: &Planned) -> String {
    format!("{}To run just this: --agreed {}\n", plan_lines(action, planned), planned.hash())
}

pub fn plan_lines(action: GuestAction, planned: &Planned) -> String {
    let Planned { guest, title, plan } = planned;
    let called = title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
    let mut text = format!("{} {guest}{called}. Nothing was run; this is what would be:\n", action.label());
    for note in &plan.notes {
        text += &format!("   {}\n", visible(note));
    }
    for (number, step) in (1..).zip(&plan.steps) {
        let when = if step.when == When::PreviousFailed { " (only if the step before fails)" } else { "" };
        let work = visible(&step.work.to_string());
        text += &format!("{number}. {}{when}\n   {work}\n", visible(&step.title));
    }
    for lost in &plan.loses {
        text += &format!("Gone for good: {}\n", visible(lost));
    }
    text
}

pub fn cannot_print(source: std::io::Error) -> CliError {
    CliError::System { what: "Cannot write to standard output".to_owned(), source }
}
