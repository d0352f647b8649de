//! `paddock run`: makes a guest and starts it, and with a command runs that in it.

use std::process::ExitCode;

use app::{
    domain::{
        action::{ActionRequest, EXEC_SECONDS, GuestAction},
        failure::FailureKind,
        guest::{BackendKind, GuestId, GuestStatus},
    },
    service::actions::{Ask, Target},
};
use clap::Args;

use super::{
    act::{self, Manner, Show},
    create::{CreateOptions, wanted},
    desk::{Desk, Global},
    exec,
    exit::CliError,
    output::{Format, tell},
    shown::OperationSheet,
};

#[derive(Debug, Args)]
pub struct Run {
    /// What people will call it.
    name: String,

    #[command(flatten)]
    options: CreateOptions,

    /// Do not wait for the command: it is the guest's own process (crun), or there is none.
    #[arg(long)]
    detach: bool,

    /// Stop and delete the guest once the command has ended.
    #[arg(long, conflicts_with = "detach")]
    rm: bool,

    #[command(flatten)]
    manner: Manner,

    /// Runs in the guest, attached: its output and exit code are this program's.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub async fn run(args: Run, global: &Global) -> Result<ExitCode, CliError> {
    let desk = Desk::open(global).await?;
    let done = run_at(&desk, args).await;
    desk.close().await;
    done
}

async fn run_at(desk: &Desk, args: Run) -> Result<ExitCode, CliError> {
    let attached = !args.command.is_empty() && !args.detach;
    if args.rm && !attached {
        return Err(CliError::Usage("--rm goes with a command to wait for.".to_owned()));
    }
    // Detached, the command is what the container is there for; attached it runs beside the image's own process.
    let own = if args.detach { args.command.clone() } else { Vec::new() };
    let wanted = wanted(&desk.look, &args.name, &args.options, own, true)?;
    if args.detach && !args.command.is_empty() && wanted.backend != BackendKind::Crun {
        let sentence = "A detached command needs crun; elsewhere start the guest and use `paddock exec`.";
        return Err(CliError::Usage(sentence.to_owned()));
    }
    let mut request = wanted.request;
    // A container that is set up takes a command before its own process starts, which may be one that ends at once.
    request.start = !(attached && wanted.backend == BackendKind::Crun);
    let (target, request) = (Target::New(wanted.backend), ActionRequest::Create(request));
    if args.manner.plan || !attached {
        let code = act::once(desk, target, request, wanted.notes, args.manner).await?;
        return Ok(code);
    }
    let ask = Ask { notes: wanted.notes, agreed: args.manner.agreed, ..Ask::new(target, request) };
    let made = act::follow(desk, ask, Show::Progress).await?;
    if desk.look.format == Format::Table {
        tell(OperationSheet::of(&made).line().trim_end());
    }
    act::succeeded(&made)?;
    let guest = made.summary.guest.clone().ok_or_else(|| CliError::Operation {
        operation: made.summary.id,
        how: "made no guest.".to_owned(),
        kind: FailureKind::Internal,
    })?;
    let exec = ActionRequest::Exec { command: args.command, timeout_seconds: EXEC_SECONDS };
    let ended = exec::attached(desk, Ask::new(Target::Guest(guest.clone()), exec)).await;
    if args.rm {
        remove(desk, &guest).await?;
    }
    ended
}

/// Stops what still runs and deletes it; told on standard error alone.
async fn remove(desk: &Desk, guest: &GuestId) -> Result<(), CliError> {
    let status = match desk.look.registry.get(guest.backend) {
        Some(driver) => driver.guest(&guest.name).await?.map(|guest| guest.status),
        None => None,
    };
    let Some(status) = status else { return Ok(()) };
    if GuestAction::Stop.allowed_in(status) && status != GuestStatus::Unknown {
        step(desk, guest, ActionRequest::Stop).await?;
    }
    step(desk, guest, ActionRequest::Delete { purge: true }).await
}

async fn step(desk: &Desk, guest: &GuestId, request: ActionRequest) -> Result<(), CliError> {
    let ended = act::follow(desk, Ask::new(Target::Guest(guest.clone()), request), Show::Progress).await?;
    act::succeeded(&ended)
}
