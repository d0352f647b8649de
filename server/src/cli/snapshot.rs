//! `paddock snapshot`: lists, takes, rolls back to and deletes snapshots.

use std::process::ExitCode;

use app::domain::action::ActionRequest;
use clap::{Args, Subcommand};

use super::{
    act::{Manner, cannot_print, on_guest},
    desk::{Global, Look},
    exit::CliError,
    output,
    shown::SnapshotRow,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Snapshot {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The guest's snapshots, oldest first.
    List {
        #[command(flatten)]
        guest: GuestArg,
    },
    /// Take a snapshot.
    Create {
        #[command(flatten)]
        guest: GuestArg,
        /// Its name; LXC names them itself.
        name: Option<String>,
        #[arg(long, default_value = "")]
        description: String,
        /// With the running VM's memory.
        #[arg(long)]
        memory: bool,
        #[command(flatten)]
        manner: Manner,
    },
    /// Put the guest back to a snapshot. What has changed since is lost.
    Rollback {
        #[command(flatten)]
        guest: GuestArg,
        name: String,
        #[command(flatten)]
        manner: Manner,
    },
    /// Delete a snapshot.
    Delete {
        #[command(flatten)]
        guest: GuestArg,
        name: String,
        #[command(flatten)]
        manner: Manner,
    },
}

pub async fn run(args: Snapshot, global: &Global) -> Result<ExitCode, CliError> {
    match args.verb {
        Verb::List { guest } => list(&guest, global).await,
        Verb::Create { guest, name, description, memory, manner } => {
            on_guest(global, &guest, manner, ActionRequest::Snapshot { name, description, memory }).await
        }
        Verb::Rollback { guest, name, manner } => {
            on_guest(global, &guest, manner, ActionRequest::Rollback { snapshot: name }).await
        }
        Verb::Delete { guest, name, manner } => {
            on_guest(global, &guest, manner, ActionRequest::DeleteSnapshot { snapshot: name }).await
        }
    }
}

async fn list(guest: &GuestArg, global: &Global) -> Result<ExitCode, CliError> {
    let look = Look::open(global).await?;
    let id = guest.find_id(&look.registry, &look.caller).await?;
    let snapshots = match look.registry.get(id.backend) {
        Some(driver) => driver.snapshots(&id.name).await?,
        None => Vec::new(),
    };
    let rows: Vec<SnapshotRow> = snapshots.into_iter().map(SnapshotRow::from).collect();
    output::list(look.format, &rows).map_err(cannot_print)?;
    Ok(ExitCode::SUCCESS)
}
