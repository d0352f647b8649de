//! `paddock backup`: writes a guest's backup to a storage.

use std::process::ExitCode;

use app::domain::{action::ActionRequest, spec::BackupMode};
use clap::{Args, ValueEnum};

use super::{
    act::{Manner, on_guest},
    desk::Global,
    exit::CliError,
    target::GuestArg,
};

#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    guest: GuestArg,

    /// The storage to write it to [default: the first of the node that takes backups].
    #[arg(long)]
    storage: Option<String>,

    /// What happens to a running guest meanwhile.
    #[arg(long, value_enum, default_value_t = Mode::Snapshot)]
    mode: Mode,

    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// Nothing: it is taken from a snapshot.
    Snapshot,
    /// It is paused.
    Suspend,
    /// It is shut down and started again.
    Stop,
}

pub async fn run(args: Backup, global: &Global) -> Result<ExitCode, CliError> {
    let mode = match args.mode {
        Mode::Snapshot => BackupMode::Snapshot,
        Mode::Suspend => BackupMode::Suspend,
        Mode::Stop => BackupMode::Stop,
    };
    let request = ActionRequest::Backup { storage: args.storage, mode };
    on_guest(global, &args.guest, args.manner, request).await
}
