//! `paddock delete`: deletes a guest for good.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use app::{
    domain::action::{ActionRequest, GuestAction},
    service::actions::{self, Ask, Target},
};
use clap::Args;

use super::{
    act::{self, Manner},
    desk::{Desk, Global},
    exit::CliError,
    output::tell,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    guest: GuestArg,

    /// Also what refers to it or was made for it: snapshots (LXC), the bundle (crun), backup jobs and unreferenced
    /// disks (Proxmox).
    #[arg(long)]
    purge: bool,

    /// Ask nothing. Without it a person at a terminal types the guest's name, and a script is refused.
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    manner: Manner,
}

pub async fn run(args: Delete, global: &Global) -> Result<ExitCode, CliError> {
    let desk = Desk::open(global).await?;
    let done = delete(&args, &desk).await;
    desk.close().await;
    done
}

async fn delete(args: &Delete, desk: &Desk) -> Result<ExitCode, CliError> {
    let guest = args.guest.asked(desk, GuestAction::Delete, &args.manner).await?;
    let (target, request) = (Target::Guest(guest.id.clone()), ActionRequest::Delete { purge: args.purge });
    if !args.manner.plan && !args.yes {
        let ask = Ask::new(target.clone(), request.clone());
        let planned = actions::plan(&desk.state, &desk.caller, &ask).await?;
        tell(act::plan_text(GuestAction::Delete, &planned).trim_end());
        confirm(guest.label())?;
    }
    act::once(desk, target, request, Vec::new(), args.manner.clone()).await
}

fn confirm(name: &str) -> Result<(), CliError> {
    if !io::stdin().is_terminal() {
        let sentence = "Nothing was deleted: give --yes where nobody can be asked.";
        return Err(CliError::Usage(sentence.to_owned()));
    }
    let mut typed = String::new();
    let _ = write!(io::stderr(), "Type the guest's name, {name}, to delete it: ");
    io::stdin()
        .read_line(&mut typed)
        .map_err(|source| CliError::System { what: "Cannot read the answer".to_owned(), source })?;
    if typed.trim() == name {
        return Ok(());
    }
    Err(CliError::Usage("That is not its name. Nothing was deleted.".to_owned()))
}
