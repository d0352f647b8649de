//! `paddock exec`: runs a command in a guest; its output and exit code are this program's.

use std::process::ExitCode;

use app::{
    domain::{
        action::{ActionRequest, EXEC_SECONDS, GuestAction, LONGEST_EXEC_SECONDS},
        operation::Operation,
        plan::Stream,
    },
    service::actions::{Ask, Target},
};
use clap::Args;
use serde::Serialize;

use super::{
    act::{self, Manner, Show, cannot_print},
    desk::{Desk, Global},
    exit::CliError,
    output::{self, Format},
    shown::OperationSheet,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Exec {
    #[command(flatten)]
    guest: GuestArg,

    /// Seconds after which the command is ended.
    #[arg(long, value_name = "SECONDS", default_value_t = EXEC_SECONDS,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(LONGEST_EXEC_SECONDS)))]
    timeout: u32,

    #[command(flatten)]
    manner: Manner,

    /// The command and its words, handed over as they are: no shell takes part.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub async fn run(args: Exec, global: &Global) -> Result<ExitCode, CliError> {
    let request = ActionRequest::Exec { command: args.command, timeout_seconds: args.timeout };
    if args.manner.plan {
        return act::on_guest(global, &args.guest, args.manner, request).await;
    }
    let desk = Desk::open(global).await?;
    let done = async {
        let id = args.guest.asked(&desk, GuestAction::Exec, &args.manner).await?.id;
        let ask = Ask { agreed: args.manner.agreed, ..Ask::new(Target::Guest(id), request) };
        attached(&desk, ask).await
    };
    let done = done.await;
    desk.close().await;
    done
}

/// What a command in a guest came to.
#[derive(Debug, Serialize)]
struct ExecSheet {
    #[serde(flatten)]
    operation: OperationSheet,
    stdout: String,
    stderr: String,
}

/// Runs the command to its end and hands on what it said and how it ended.
pub async fn attached(desk: &Desk, ask: Ask) -> Result<ExitCode, CliError> {
    let format = desk.look.format;
    let show = if format == Format::Table { Show::Output } else { Show::Nothing };
    let operation = act::follow(desk, ask, show).await?;
    if format != Format::Table {
        let sheet = ExecSheet {
            operation: OperationSheet::of(&operation),
            stdout: said(&operation, Stream::Stdout),
            stderr: said(&operation, Stream::Stderr),
        };
        output::one(format, &sheet, &[]).map_err(cannot_print)?;
    }
    match act::command_exit(&operation) {
        Some(code) => Ok(code),
        None => act::succeeded(&operation).map(|()| ExitCode::SUCCESS),
    }
}

fn said(operation: &Operation, stream: Stream) -> String {
    let chunks = operation.output.iter().filter(|chunk| chunk.stream == stream);
    chunks.map(|chunk| chunk.text.as_str()).collect()
}
